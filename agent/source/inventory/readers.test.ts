// SPDX-License-Identifier: Apache-2.0
/** Each reader of the inventory on files as systems have them, and on files as nobody should have them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { FactFields, FactKind } from '../../../core/fact.ts';
import { makeScanners } from './scanners.ts';
import { openTree } from './tree.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const treeOf = (files: Files): string => {
  const root = mkdtempSync(join(tmpdir(), 'vigil-tree-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path));
    else writeFileSync(join(root, path), content);
  }
  return root;
};

const look = (root: string, kind: FactKind): { readonly items: ReadonlyMap<string, FactFields>; readonly problems: readonly string[] } => {
  const items = new Map<string, FactFields>();
  const problems: string[] = [];
  const scanner = makeScanners().find((one) => one.kind === kind)!;
  for (const found of scanner.look(openTree(root), (text) => text)) {
    if (found.kind === 'item') items.set(found.item, found.fields);
    if (found.kind === 'problem') problems.push(`${found.problem.code} ${found.problem.about}: ${found.problem.reason}`);
  }
  return { items, problems };
};

const lookAt = (files: Files, kind: FactKind) => look(treeOf(files), kind);

describe('accounts', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann Lee,,,:/home/ann:/bin/bash\nsvc:*:998:998::/nonexistent:/usr/sbin/nologin\nopen::1002:1002::/:/bin/sh\n';
  const shadow = `root:!:19000:0:99999:7:::\nann:$y$j9T$abc$def:19700:0:99999:7::20000:\n`;

  it('have the state of their password and its dates, and never the hash', () => {
    const { items } = lookAt({ 'etc/passwd': passwd, 'etc/shadow': shadow }, 'user');
    expect([...items.values()].map(({ name, password }) => `${name} ${password}`)).toEqual([
      'root locked',
      'ann set',
      'svc locked',
      'open none',
    ]);
    expect(items.get('ann')).toMatchObject({
      comment: 'Ann Lee',
      password_changed_at: 19_700 * 86_400_000,
      expires_at: 20_000 * 86_400_000,
    });
    expect(JSON.stringify([...items])).not.toContain('$y$');
  });

  it('are administrators by their number, their groups or a rule of sudo', () => {
    const { items } = lookAt(
      {
        'etc/passwd': `${passwd}toor:x:0:0::/root:/bin/sh\nbob:x:1003:1003::/home/bob:/bin/sh\ncat:x:1004:1004::/home/cat:/bin/sh\n`,
        'etc/group': 'root:x:0:\nops:x:900:bob\nann:x:1000:\nwheel:x:10:ann\n',
        'etc/sudoers': '%ops ALL=(ALL) ALL\ncat ALL=(root) /usr/bin/less\n',
      },
      'user',
    );
    expect([...items.values()].filter(({ admin }) => admin).map(({ name }) => name)).toEqual(['root', 'ann', 'toor', 'bob']);
    expect(items.get('bob')?.['groups']).toEqual(['ops']);
  });

  it('have their last login from whichever record is newest', () => {
    const lastlog = Buffer.alloc(292 * 1001);
    lastlog.writeUInt32LE(1_700_000_000, 292 * 1000);
    lastlog.write('10.0.0.7', 292 * 1000 + 36);
    const wtmp = Buffer.alloc(384 * 2);
    for (const [i, [type, name, from, at]] of (
      [
        [7, 'ann', '10.0.0.8', 1_700_000_500],
        [8, 'ann', '', 1_700_009_000],
      ] as const
    ).entries()) {
      wtmp.writeInt16LE(type, i * 384);
      wtmp.write(name, i * 384 + 44);
      wtmp.write(from, i * 384 + 76);
      wtmp.writeUInt32LE(at, i * 384 + 340);
    }
    const root = treeOf({ 'etc/passwd': passwd, 'var/log/lastlog': lastlog, 'var/log/wtmp': wtmp });
    expect(look(root, 'user').items.get('ann')).toMatchObject({ last_login_at: 1_700_000_500_000, last_login_from: '10.0.0.8' });
    mkdirSync(join(root, 'var/lib/lastlog'), { recursive: true });
    const database = new DatabaseSync(join(root, 'var/lib/lastlog/lastlog2.db'));
    database.exec('CREATE TABLE Lastlog2 (Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT)');
    database.exec("INSERT INTO Lastlog2 VALUES ('ann', 1700001000, 'pts/0', '10.0.0.9', 'sshd')");
    database.close();
    expect(look(root, 'user').items.get('ann')).toMatchObject({ last_login_at: 1_700_001_000_000, last_login_from: '10.0.0.9' });
    writeFileSync(join(root, 'var/lib/lastlog/lastlog2.db'), 'no database at all, of no use to anybody');
    expect(look(root, 'user').problems).toEqual([expect.stringMatching(/^INVENTORY_UNREADABLE \/var\/lib\/lastlog\/lastlog2.db/)]);
  });
});

describe('rules of sudo', () => {
  const rules = (sudoers: string, more: Files = {}) => {
    const { items, problems } = lookAt({ 'etc/sudoers': sudoers, ...more }, 'sudo-rule');
    return {
      problems,
      rules: [...items.values()].map(
        ({ who, runas, commands, nopasswd }) =>
          `${(who as string[]).join('+')} as ${(runas as string[]).join('+')}: ${(commands as string[]).join(' | ')}${nopasswd ? ' freely' : ''}`,
      ),
    };
  };

  it('have their aliases put in, tags from where they stand on, and lists joined over lines', () => {
    const { rules: found } = rules(
      [
        'Defaults env_reset, secure_path="/usr/sbin:/usr/bin"',
        'User_Alias ADMINS = ann, %ops : WEB = www-data',
        'Runas_Alias DB = postgres, mysql',
        'Cmnd_Alias SERVICES = /usr/bin/systemctl restart nginx, \\',
        '  /usr/bin/systemctl reload nginx',
        'root ALL=(ALL:ALL) ALL',
        'ADMINS , bob ALL = (DB) NOPASSWD: SERVICES, /usr/bin/psql, PASSWD: /usr/bin/pg_dump # nightly',
        'WEB web1 = /usr/bin/id : web2 = (root) NOPASSWD:SETENV: sha256:Zm9v /usr/bin/env, !/bin/sh',
        '#1001 ALL=ALL',
      ].join('\n'),
    );
    expect(found).toEqual([
      'root as ALL+:ALL: ALL',
      'ann+%ops+bob as postgres+mysql: /usr/bin/systemctl restart nginx | /usr/bin/systemctl reload nginx | /usr/bin/psql freely',
      'ann+%ops+bob as postgres+mysql: /usr/bin/pg_dump',
      'www-data as root: /usr/bin/id',
      'www-data as root: sha256:Zm9v /usr/bin/env | !/bin/sh freely',
      '#1001 as root: ALL',
    ]);
  });

  it('are read from includes once, in order, without the files that sudo passes over', () => {
    const { rules: found, problems } = rules('@includedir /etc/sudoers.d\n#include /etc/more\nann ALL=ALL\n', {
      'etc/sudoers.d/10-ops': '%ops ALL=ALL\n',
      'etc/sudoers.d/20-old.bak': '%old ALL=ALL\n',
      'etc/sudoers.d/30-old~': '%old ALL=ALL\n',
      'etc/more': '@include /etc/sudoers\nbob ALL=ALL\n',
    });
    expect(found).toEqual(['%ops as root: ALL', 'bob as root: ALL', 'ann as root: ALL']);
    expect(problems).toEqual(['INVENTORY_LOOP /etc/sudoers: it is included again']);
  });

  it('that are none are told with their line, and aliases that name themselves end', () => {
    const { rules: found, problems } = rules('User_Alias A = B\nUser_Alias B = A\nA ALL=ALL\nthis is no rule\nALL\nann ALL=ALL\n');
    expect(found).toEqual(['A as root: ALL', 'ann as root: ALL']);
    expect(problems).toEqual(['INVENTORY_ODD /etc/sudoers: line 4 is no rule, and 1 more']);
  });

  it('of a million nested aliases end soon', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `Cmnd_Alias C${i} = C${i + 1}, C${i + 1}`);
    const began = performance.now();
    expect(rules(`${lines.join('\n')}\nann ALL=C0\n`).rules).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('keys of SSH', () => {
  const make = (type: string, bits: string): { readonly line: string; readonly told: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'vigil-key-'));
    spawnSync('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-C', 'ann@laptop', '-f', join(folder, 'key')]);
    const told = spawnSync('ssh-keygen', ['-lf', join(folder, 'key.pub')], { encoding: 'utf8' }).stdout;
    return { line: spawnSync('cat', [join(folder, 'key.pub')], { encoding: 'utf8' }).stdout, told };
  };
  const isThere = spawnSync('ssh-keygen', ['-?']).error === undefined;
  if (!isThere) process.stdout.write('skipped: ssh-keygen is not on this machine\n');

  it.skipIf(!isThere)('have length and fingerprint as ssh-keygen says', () => {
    for (const [type, bits] of [
      ['ed25519', '256'],
      ['rsa', '2048'],
      ['ecdsa', '384'],
    ] as const) {
      const { line, told } = make(type, bits);
      const { items } = lookAt(
        {
          'etc/passwd': 'ann:x:1000:1000::/home/ann:/bin/sh\n',
          'home/ann/.ssh/authorized_keys': `from="10.0.0.0/8",command="echo \\"a b\\"" ${line}`,
        },
        'ssh-key',
      );
      const [length, fingerprint] = told.split(' ');
      const [only] = items.values();
      expect([...items]).toHaveLength(1);
      expect(only).toMatchObject({
        user: 'ann',
        bits: Number(length),
        fingerprint,
        comment: 'ann@laptop',
        options: 'from="10.0.0.0/8",command="echo \\"a b\\""',
      });
    }
  });

  it('are looked for where sshd is told to', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm4W1oVjX0zq1rC1b8cJr3Vw3o4Wq0m5uH1m8n0cJ1E';
    const { items } = lookAt(
      {
        'etc/passwd': 'ann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n',
        'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nAuthorizedKeysFile none\nMatch User x\n',
        'etc/ssh/sshd_config.d/keys.conf': 'AuthorizedKeysFile /etc/ssh/keys/%u .ssh/%%k\n',
        'etc/ssh/keys/ann': key,
        'home/bob/.ssh/%k': key,
        'home/bob/.ssh/authorized_keys': `${key} not read`,
      },
      'ssh-key',
    );
    expect([...items.values()].map(({ user, path }) => `${user} ${path}`)).toEqual(['ann /etc/ssh/keys/ann', 'bob /home/bob/.ssh/%k']);
  });
});

describe('services', () => {
  const starts = (files: Files): Readonly<Record<string, unknown>> =>
    Object.fromEntries([...lookAt(files, 'service').items.values()].map(({ name, start }) => [name, start]));
  const unit = '[Service]\nExecStart=-/usr/sbin/app \\\n  --flag\nUser=app\n[Install]\nWantedBy=multi-user.target\n';

  it('start as their links and their file say', () => {
    expect(
      starts({
        'usr/lib/systemd/system/on.service': unit,
        'usr/lib/systemd/system/off.service': unit,
        'usr/lib/systemd/system/static.service': '[Service]\nExecStart=/bin/true\n',
        'usr/lib/systemd/system/also.service': '[Service]\nExecStart=/bin/true\n[Install]\nAlso=on.service\n',
        'usr/lib/systemd/system/vm@.service': unit,
        'etc/systemd/system/masked.service': '-> /dev/null',
        'etc/systemd/system/alias.service': '-> /usr/lib/systemd/system/on.service',
        'etc/systemd/system/own.service': unit,
        'opt/app/linked.service': unit,
        'etc/systemd/system/linked.service': '-> /opt/app/linked.service',
        'etc/systemd/system/multi-user.target.wants/on.service': '-> /usr/lib/systemd/system/on.service',
        'etc/systemd/system/multi-user.target.wants/vm@one.service': '-> /usr/lib/systemd/system/vm@.service',
        'run/systemd/system/multi-user.target.wants/own.service': '-> /etc/systemd/system/own.service',
      }),
    ).toEqual({
      'on.service': 'enabled',
      'off.service': 'disabled',
      'static.service': 'static',
      'also.service': 'indirect',
      'vm@.service': 'enabled',
      'vm@one.service': 'enabled',
      'masked.service': 'masked',
      'alias.service': 'alias',
      'own.service': 'enabled-runtime',
      'linked.service': 'linked',
    });
  });

  it('run what their drop-ins say last, as the user named there', () => {
    const { items } = lookAt(
      {
        'usr/lib/systemd/system/app.service': unit,
        'etc/systemd/system/app.service.d/10.conf': '[Service]\nExecStart=\nExecStart=/opt/other --x\n',
        'etc/systemd/system/app.service.d/20.conf': '[Service]\nUser=root\n',
      },
      'service',
    );
    expect(items.get('app.service')).toMatchObject({ exec: '/opt/other --x', user: 'root' });
    expect(lookAt({ 'usr/lib/systemd/system/app.service': unit }, 'service').items.get('app.service')).toMatchObject({
      exec: expect.stringMatching(/^\/usr\/sbin\/app +--flag$/),
      user: 'app',
    });
  });

  it('run where their control group has processes, on a system that systemd runs', () => {
    const { items } = lookAt(
      {
        'usr/lib/systemd/system/on.service': unit,
        'usr/lib/systemd/system/off.service': unit,
        'usr/lib/systemd/system/once.service': '[Service]\nType=oneshot\nExecStart=/bin/true\n',
        'run/systemd/system/.keep': '',
        'sys/fs/cgroup/system.slice/on.service/cgroup.events': 'populated 1\nfrozen 0\n',
        'sys/fs/cgroup/system.slice/off.service/cgroup.events': 'populated 0\nfrozen 0\n',
      },
      'service',
    );
    expect([...items.values()].map(({ name, active }) => [name, active])).toEqual([
      ['off.service', false],
      ['on.service', true],
      ['once.service', undefined],
    ]);
  });

  it('of OpenRC and System V are found with whether they start', () => {
    const alpine = lookAt(
      {
        'etc/init.d/sshd': '#!/sbin/openrc-run\n',
        'etc/init.d/ntpd': '#!/sbin/openrc-run\n',
        'etc/runlevels/default/sshd': '-> /etc/init.d/sshd',
        'run/openrc/started/sshd': '-> /etc/init.d/sshd',
      },
      'service',
    );
    expect([...alpine.items.values()]).toEqual([
      { name: 'ntpd', start: 'disabled', active: false, path: '/etc/init.d/ntpd' },
      { name: 'sshd', start: 'enabled', active: true, path: '/etc/init.d/sshd' },
    ]);
    expect(
      starts({
        'etc/init.d/old': '#!/bin/sh\n',
        'etc/init.d/app': '#!/bin/sh\n',
        'etc/rc3.d/S20old': '-> ../init.d/old',
        'usr/lib/systemd/system/app.service': unit,
      }),
    ).toEqual({
      'app.service': 'disabled',
      old: 'enabled',
    });
  });
});

describe('what runs by the clock', () => {
  it('is read from tables, folders and timers', () => {
    const root = treeOf({
      'etc/crontab': 'SHELL=/bin/sh\n# m h\n17 *\t* * *\troot  cd / && run-parts /etc/cron.hourly\n@reboot ann /home/ann/start\n',
      'etc/cron.d/app': '*/5 1-3,5 * * MON-FRI www-data [ -x /srv/x ] && /srv/x\nbroken line here\n',
      'etc/cron.d/app.dpkg-old': '* * * * * root /bin/old\n',
      'var/spool/cron/crontabs/ann': '0 4 * * * /home/ann/backup --all\n',
      'etc/cron.daily/logrotate': '#!/bin/sh\n',
      'etc/cron.daily/not-run': '#!/bin/sh\n',
      'etc/anacrontab': '1\t5\tcron.daily\trun-parts /etc/cron.daily\n',
      'usr/lib/systemd/system/fstrim.timer': '[Timer]\nOnCalendar=weekly\nOnBootSec=10min\n',
      'usr/lib/systemd/system/fstrim.service': '[Service]\nExecStart=/sbin/fstrim --all\n',
    });
    chmodSync(join(root, 'etc/cron.daily/logrotate'), 0o755);
    const { items, problems } = look(root, 'timer');
    expect([...items.values()].map(({ form, schedule, command, user }) => `${form} | ${schedule} | ${user} | ${command}`)).toEqual([
      'systemd | weekly; OnBootSec=10min | undefined | /sbin/fstrim --all',
      'cron | 17 * * * * | root | cd / && run-parts /etc/cron.hourly',
      'cron | @reboot | ann | /home/ann/start',
      'cron | */5 1-3,5 * * MON-FRI | www-data | [ -x /srv/x ] && /srv/x',
      'cron | 0 4 * * * | ann | /home/ann/backup --all',
      'cron-folder | daily | root | /etc/cron.daily/logrotate',
      'anacron | 1 | root | run-parts /etc/cron.daily',
    ]);
    expect(problems).toEqual(['INVENTORY_ODD /etc/cron.d/app: line 2 is no entry of cron']);
  });

  it('keeps its name when a line comes before it', () => {
    const names = (text: string): readonly string[] => [...lookAt({ 'etc/crontab': text }, 'timer').items.keys()];
    const one = names('5 * * * * root /bin/a\n');
    expect(names('1 * * * * root /bin/b\n5 * * * * root /bin/a\n')).toEqual([expect.anything(), one[0]]);
  });
});

describe('listeners', () => {
  it('are those that wait, with who holds them and the package of the program', () => {
    const tcp = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0000000000000000 100 0 0 10 0',
      '   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 1002 1 0000000000000000 100 0 0 10 0',
      '   2: 0A00000A:0016 0B00000A:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 1003 1 0000000000000000 20 4 30 10 -1',
    ].join('\n');
    const tcp6 =
      '  sl  local_address\n   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0     0        0 1001 1\n   1: B80D01200000000067452301EFCDAB89:01BB 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1004 1\n';
    const udp =
      '  sl  local_address\n  10: 00000000:0044 00000000:0000 07 0:0 00:0 0     0        0 1005 2\n  11: 00000000:E2F0 00000000:0000 07 0:0 00:0 0     0        0 1006 2\n';
    const root = treeOf({
      'proc/net/tcp': `${tcp}\n`,
      'proc/net/tcp6': tcp6,
      'proc/net/udp': udp,
      'etc/passwd': 'root:x:0:0::/root:/bin/sh\npostgres:x:105:105::/:/bin/sh\n',
      'proc/77/comm': 'sshd\n',
      'proc/77/exe': '-> /usr/sbin/sshd',
      'proc/77/fd/3': '-> socket:[1001]',
      'proc/99/comm': 'sshd\n',
      'proc/99/fd/4': '-> socket:[1001]',
      'proc/100/comm': 'postgres\n',
      'proc/100/exe': '-> /opt/pg/postgres (deleted)',
      'proc/100/fd/7': '-> socket:[1002]',
      'var/lib/dpkg/status': 'x',
      'var/lib/dpkg/info/openssh-server.list': '/.\n/usr\n/usr/sbin/sshd\n',
      'var/lib/dpkg/info/openssh-sftp.list': '/.\n/usr/sbin/sshd-other\n',
    });
    const scanner = makeScanners().find(({ kind }) => kind === 'listener')!;
    const tree = openTree(root);
    const take = () => [...scanner.look(tree, (text) => text)].flatMap((found) => (found.kind === 'item' ? [found] : []));
    const first = take();
    expect(first.map(({ item }) => item)).toEqual([
      'tcp/0.0.0.0:22',
      'tcp/127.0.0.1:5432',
      'tcp/[::]:22',
      'tcp/[2001:db8::123:4567:89ab:cdef]:443',
      'udp/0.0.0.0:68',
    ]);
    expect(first[0]!.fields).toEqual({
      transport: 'tcp',
      address: '0.0.0.0',
      port: 22,
      pid: 77,
      process: 'sshd',
      executable: '/usr/sbin/sshd',
      user: 'root',
      package: 'openssh-server',
    });
    expect(first[1]!.fields).toMatchObject({ process: 'postgres', executable: '/opt/pg/postgres', user: 'postgres' });
    expect(first[1]!.fields).not.toHaveProperty('package');
    // The question on a passing port is a listener only when it still waits at the next look.
    expect(take().map(({ item }) => item)).toContain('udp/0.0.0.0:58096');
  });
});

describe('disks and mounts', () => {
  it('are encrypted where something that encrypts stands between', () => {
    const files: Files = {
      'sys/block/sda/size': '1000\n',
      'sys/block/sda/removable': '0\n',
      'sys/block/sda/device/model': 'DISK 9000  \n',
      'sys/block/sda/sda2/holders/dm-0': '-> ../../../dm-0',
      'sys/block/sdb/size': '2000\n',
      'sys/block/sdb/removable': '1\n',
      'sys/block/dm-0/dm/uuid': 'CRYPT-LUKS2-abc-sda2_crypt\n',
      'sys/block/dm-0/size': '900\n',
      'sys/block/dm-1/dm/uuid': 'LVM-abc\n',
      'sys/block/dm-1/slaves/dm-0': '-> ../../dm-0',
      'sys/block/loop0/size': '8\n',
      'sys/block/dm-1/dm/name': 'vg-root\n',
      'sys/class/block/sdb1/size': '1\n',
      'sys/class/block/dm-1/size': '1\n',
      'proc/self/mounts': 'x / ro ro 0 0\n',
      'proc/1/mounts':
        'proc /proc proc rw 0 0\n/dev/mapper/vg-root / ext4 rw,relatime 0 0\n/dev/sdb1 /mnt/usb\\040stick vfat rw,nosuid 0 0\ntmpfs /run/user/1000 tmpfs rw 0 0\nnas:/x /nas nfs4 rw 0 0\n/dev/gone /gone ext4 rw 0 0\n',
    };
    const root = treeOf(files);
    expect([...look(root, 'disk').items.values()]).toEqual([
      { name: 'sda', size: 512_000, model: 'DISK 9000', encrypted: true, removable: false },
      { name: 'sdb', size: 1_024_000, encrypted: false, removable: true },
    ]);
    expect(
      [...look(root, 'mount').items.values()].map(({ target, type, encrypted, options }) => [target, type, encrypted, options]),
    ).toEqual([
      ['/', 'ext4', true, ['rw', 'relatime']],
      ['/mnt/usb stick', 'vfat', false, ['rw', 'nosuid']],
      ['/nas', 'nfs4', undefined, ['rw']],
      ['/gone', 'ext4', undefined, ['rw']],
    ]);
  });
});

describe('certificates', () => {
  const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
  it.skipIf(!hasOpenssl)('are found where settings name them, and bundles of authorities are passed over', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vigil-cert-'));
    spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/O=Example/CN=web.example.org',
      '-addext',
      'subjectAltName=DNS:web.example.org,IP:10.0.0.1',
      '-keyout',
      join(folder, 'key'),
      '-out',
      join(folder, 'crt'),
    ]);
    const pem = spawnSync('cat', [join(folder, 'crt')], { encoding: 'utf8' }).stdout;
    const { items, problems } = lookAt(
      {
        'etc/nginx/sites-enabled/web':
          'server {\n  ssl_certificate ssl/web.crt;\n  ssl_certificate_key ssl/web.key;\n  ssl_certificate $dynamic;\n}\n',
        'etc/nginx/ssl/web.crt': pem,
        'etc/postfix/main.cf': 'smtpd_tls_cert_file = /etc/mail/own.pem\n',
        'etc/mail/own.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        'etc/pki/tls/certs/ca-bundle.crt': pem.repeat(30),
      },
      'certificate',
    );
    expect([...items.values()]).toEqual([
      expect.objectContaining({
        path: '/etc/nginx/ssl/web.crt',
        subject: 'O=Example, CN=web.example.org',
        names: ['web.example.org', '10.0.0.1'],
        key: 'ec prime256v1',
        signature: 'ecdsa-with-SHA256',
        self_signed: true,
      }),
    ]);
    expect(problems).toEqual(['INVENTORY_ODD /etc/mail/own.pem: it holds a certificate that cannot be read']);
  });
});

describe('packages of apk', () => {
  const one = (name: string): string =>
    `C:Q1abc=\nP:${name}\nV:1.2-r3\nA:x86_64\nS:1\no:${name}-src\nm:Some One <one@example.org>\nF:usr/bin\nR:${name}\nZ:Q1x=\n\n`;
  it('are read with their source, and a database that is cut says so', () => {
    const { items, problems } = lookAt({ 'lib/apk/db/installed': one('musl') + one('busybox') }, 'package');
    expect(problems).toEqual([]);
    expect(items.get('apk:musl:x86_64')).toEqual({
      manager: 'apk',
      name: 'musl',
      version: '1.2-r3',
      arch: 'x86_64',
      source: 'musl-src',
      source_version: '1.2-r3',
      state: 'installed',
      vendor: 'Some One <one@example.org>',
    });
    const cut = lookAt({ 'lib/apk/db/installed': one('musl') + one('busybox').slice(0, 30) }, 'package');
    expect([...cut.items.keys()]).toEqual(['apk:musl:x86_64']);
    expect(cut.problems[0]).toContain('INVENTORY_DAMAGED /lib/apk/db/installed: it ends in the middle of the package at line 12');
  });
});
