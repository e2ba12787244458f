// SPDX-License-Identifier: Apache-2.0
/** The inventory of this machine against what its own tools say, item by item. Where a tool is not there, its test says so and is skipped. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runtimeLibraries } from '../../../core/config.ts';
import { type FactFields, type FactKind, factText, parseFact } from '../../../core/fact.ts';
import { unixMs } from '../../../core/units.ts';
import { NOBODY, nobodyRuns } from '../../../test/support/nobody.ts';
import { ROOT } from '../../../test/support/repository.ts';
import { previewInventory } from './preview.ts';
import { RPM_FILES } from './rpm.ts';
import { makeScanners } from './scanners.ts';
import { openTree } from './tree.ts';

const host = openTree('/');

const itemsOf = (kind: FactKind): ReadonlyMap<string, FactFields> => {
  const found = new Map<string, FactFields>();
  const scanner = makeScanners().find((one) => one.kind === kind)!;
  for (const one of scanner.look(host, (text) => text)) if (one.kind === 'item') found.set(one.item, one.fields);
  return found;
};

const run = (program: string, ...args: readonly string[]): readonly string[] =>
  spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64_000_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })
    .stdout.split('\n')
    .filter((line) => line !== '');

const withoutRights = nobodyRuns();
const hasTool = (program: string): boolean => {
  const there = spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!there) process.stdout.write(`skipped: ${program} is not on this machine\n`);
  return there;
};

const sorted = (list: Iterable<string>): readonly string[] => [...list].sort();

/** Where rpm stands on a system of another family it has no database. */
const hasRpmDatabase = RPM_FILES.some((path) => existsSync(path));

describe('the inventory of this machine', () => {
  it.skipIf(!hasRpmDatabase || !hasTool('rpm'))('has every package that rpm has', () => {
    const told = run('rpm', '-qa', '--qf', '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n').map((line) => line.replace('(none)', 'none'));
    const found = [...itemsOf('package').values()]
      .filter(({ manager }) => manager === 'rpm')
      .map(({ name, version, arch }) => `${name} ${String(version).replace(/^\d+:/, '')} ${arch}`);
    expect(sorted(found)).toEqual(sorted(told));
  });

  it.skipIf(!hasTool('dpkg-query'))('has every package that dpkg-query has, with version, machine, source and state', () => {
    const fields = ['Package', 'Version', 'Architecture', 'source:Package', 'source:Version', 'db:Status-Status'];
    const told = run('dpkg-query', '-W', `-f=${fields.map((field) => `\${${field}}`).join(' ')}\n`).filter(
      (line) => !line.endsWith(' not-installed'),
    );
    const found = [...itemsOf('package').values()]
      .filter(({ manager }) => manager === 'dpkg')
      .map(({ name, version, arch, source, source_version, state }) => `${name} ${version} ${arch} ${source} ${source_version} ${state}`);
    expect(told.length).toBeGreaterThan(50);
    expect(sorted(found)).toEqual(sorted(told));
  });

  it.skipIf(!hasTool('getent') || !existsSync('/etc/passwd'))('has every account that getent has', () => {
    const told = run('getent', 'passwd').map((line) => line.split(':'));
    const found = itemsOf('user');
    expect([...found.keys()]).toEqual(told.map(([name]) => name));
    for (const [name, , uid, gid, , home, shell] of told)
      expect(found.get(name!)).toMatchObject({
        uid: Number(uid),
        gid: Number(gid),
        ...(home ? { home } : {}),
        ...(shell ? { shell } : {}),
      });
  });

  it.skipIf(!hasTool('getent'))('has every group that getent has, with its members and those whose first group it is', () => {
    const accounts = run('getent', 'passwd').map((line) => line.split(':'));
    const told = run('getent', 'group').map((line) => {
      const [name, , gid, members] = line.split(':');
      const first = accounts.filter((account) => account[3] === gid).map(([account]) => account!);
      return `${name} ${gid} ${sorted(new Set([...first, ...members!.split(',').filter(Boolean)])).join(',')}`;
    });
    expect([...itemsOf('group').values()].map(({ name, gid, members }) => `${name} ${gid} ${(members as string[]).join(',')}`)).toEqual(
      told,
    );
  });

  it.skipIf(!hasTool('passwd'))('knows whether each account has a password as passwd does', () => {
    const words: Readonly<Record<string, string>> = { P: 'set', L: 'locked', NP: 'none' };
    const told = run('passwd', '-S', '-a').map((line) => line.split(' '));
    const found = itemsOf('user');
    for (const [name, state] of told) expect(`${name} ${found.get(name!)?.['password']}`).toBe(`${name} ${words[state!]}`);
  });

  it.skipIf(!hasTool('ss'))('has every socket that ss calls listening', async () => {
    const { createServer } = await import('node:net');
    const { createSocket } = await import('node:dgram');
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp4');
    await new Promise((resolve) => udp.bind(28_123, '127.0.0.1', () => resolve(undefined)));
    try {
      const [low, high] = run('cat', '/proc/sys/net/ipv4/ip_local_port_range')[0]!.split(/\s+/).map(Number);
      const told = (): readonly string[] =>
        run('ss', '-Hltun').flatMap((line) => {
          const [transport, , , , local] = line.split(/\s+/);
          const at = local!.lastIndexOf(':');
          const port = Number(local!.slice(at + 1));
          if (transport === 'udp' && port >= low! && port <= high!) return [];
          return `${transport}/${local!
            .slice(0, at)
            .replace(/^\*$/, '[::]')
            .replace(/%[^\]]*/, '')}:${port}`;
        });
      // Others on this machine come and go: what stood before and after must be there, and nothing that stood at neither time.
      const before = new Set(told());
      const found = itemsOf('listener');
      const after = new Set(told());
      expect([...before].filter((one) => after.has(one) && !found.has(one))).toEqual([]);
      expect([...found.keys()].filter((one) => !before.has(one) && !after.has(one))).toEqual([]);
      const own = found.get('udp/127.0.0.1:28123');
      expect(own).toMatchObject({ pid: process.pid, executable: process.execPath });
    } finally {
      tcp.close();
      udp.close();
    }
  });

  it.skipIf(!hasTool('systemctl'))('has every unit of systemctl in the same state', () => {
    const told = run('systemctl', '--root=/', 'list-unit-files', '--no-pager', '--no-legend', '--type=service,socket').map((line) =>
      line.split(/\s+/).slice(0, 2).join(' '),
    );
    const found = [...itemsOf('service').values()]
      .filter(({ path, name }) => String(path).endsWith(`/${name}`) && /\.(service|socket)$/.test(String(name)))
      .map(({ name, start }) => `${name} ${start}`);
    expect(told.length).toBeGreaterThan(20);
    expect(sorted(found)).toEqual(sorted(told));
  });

  it.skipIf(!hasTool('systemctl'))('has every timer of systemctl', () => {
    const told = run('systemctl', '--root=/', 'list-unit-files', '--no-pager', '--no-legend', '--type=timer').map(
      (line) => line.split(/\s+/)[0]!,
    );
    expect(sorted([...itemsOf('timer')].filter(([, { form }]) => form === 'systemd').map(([name]) => name))).toEqual(sorted(told));
  });

  it.skipIf(!hasTool('lsblk'))('has every disk of lsblk with its size', () => {
    const told = run('lsblk', '-dbno', 'NAME,SIZE,TYPE,RM')
      .map((line) => line.trim().split(/\s+/))
      .filter(([name, size, type]) => type === 'disk' && Number(size) > 0 && !/^(zram|ram|nbd)/.test(name!))
      .map(([name, size, , removable]) => `${name} ${size} ${removable === '1'}`);
    expect(sorted([...itemsOf('disk').values()].map(({ name, size, removable }) => `${name} ${size} ${removable}`))).toEqual(sorted(told));
  });

  it.skipIf(!hasTool('findmnt'))('has every mount of findmnt that is no file system of the kernel', () => {
    const told = new Map(
      run('findmnt', '-rno', 'TARGET,SOURCE,FSTYPE')
        .map((line) => line.split(' '))
        .map(([target, ...rest]) => [target!, rest]),
    );
    const found = itemsOf('mount');
    for (const [target, { type }] of found) expect(told.get(target)?.[1]).toBe(type);
    for (const [target, [source]] of told)
      if (source!.startsWith('/dev/') && !source!.includes('[')) expect([...found.keys()]).toContain(target);
    expect(found.get('/')?.['size']).toBeGreaterThan(0);
  });

  it.skipIf(!hasTool('ip'))('has every interface of ip with its addresses', () => {
    const links = JSON.parse(run('ip', '-j', 'address').join('')) as readonly {
      readonly ifname: string;
      readonly flags: readonly string[];
      readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
    }[];
    const told = links.map(
      ({ ifname, flags, addr_info }) =>
        `${ifname} ${flags.includes('UP')} ${flags.includes('UP') ? sorted(addr_info.map((one) => `${one.local}/${one.prefixlen}`)).join(' ') : ''}`,
    );
    const found = [...itemsOf('interface').values()].map(({ name, up, addresses }) => `${name} ${up} ${(addresses as string[]).join(' ')}`);
    expect(sorted(found)).toEqual(sorted(told));
  });

  it('says of the system what its own files and the kernel say', () => {
    const [[kernel], [machine], [name]] = [run('uname', '-r'), run('uname', '-m'), run('uname', '-n')];
    const release = run('sh', '-c', '. /etc/os-release; echo "$ID|$VERSION_ID|$NAME"')[0]!.split('|');
    expect(itemsOf('os').get('os')).toMatchObject({
      kernel,
      arch: machine,
      hostname: name,
      id: release[0],
      version: release[1],
      name: release[2],
    });
  });

  it.skipIf(!existsSync('/proc/modules'))('has every module of the kernel', () => {
    expect(sorted(itemsOf('module').keys())).toEqual(sorted(run('cat', '/proc/modules').map((line) => line.split(' ')[0]!)));
  });

  it.skipIf(!hasTool('openssl'))('reads certificates as openssl does', () => {
    for (const { path, fingerprint, names, not_after_at } of itemsOf('certificate').values()) {
      const told = run('openssl', 'x509', '-in', String(path), '-noout', '-fingerprint', '-sha256', '-enddate');
      expect(told[0]!.split('=')[1]!.replaceAll(':', '').toLowerCase()).toBe(fingerprint);
      expect(Date.parse(told[1]!.split('=')[1]!)).toBe(not_after_at);
      expect(names).toBeInstanceOf(Array);
    }
  });

  it('is made of facts that arrive as they were told: no field is unknown, no text too long', () => {
    for (const { kind } of makeScanners())
      for (const [item, fields] of itemsOf(kind)) {
        const fact = { kind, item, change: 'baseline', at: unixMs(1), fields } as const;
        expect(parseFact(factText(fact))).toEqual(fact);
      }
  });

  it.skipIf(!withoutRights)('says what a user without rights may not see, and tells all the rest', () => {
    const script = join(ROOT, 'test', 'support', 'take-inventory.ts');
    const take = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
    });
    const { counts, codes } = JSON.parse(take.stdout) as {
      readonly counts: Readonly<Record<string, number>>;
      readonly codes: readonly string[];
    };
    expect(codes).toContain('INVENTORY_DENIED /etc/shadow');
    for (const kind of ['package', 'user', 'group', 'service'] as const) expect(counts[kind]).toBe(itemsOf(kind).size);
  });

  it.skipIf(!withoutRights || !hasTool('setpriv'))('sees all but the holders of sockets with the one capability of its service', () => {
    const script = join(ROOT, 'test', 'support', 'take-inventory.ts');
    const only = [
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      '--bounding-set=-all,+dac_read_search',
      '--no-new-privs',
    ];
    const who = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const take = spawnSync('setpriv', [...who, ...only, process.execPath, script], { encoding: 'utf8' });
    const { codes } = JSON.parse(take.stdout) as { readonly codes: readonly string[] };
    const holders = 'INVENTORY_OWNER_UNKNOWN inventory of listener';
    expect(codes.filter((code) => code !== holders)).toEqual(
      previewInventory('/')
        .problems.map(({ code, about }) => `${code} ${about}`)
        .filter((code) => code !== holders),
    );
  });

  it('is taken without starting a process', () => {
    const script = join(ROOT, 'test', 'support', 'take-inventory.ts');
    const take = (...args: readonly string[]) =>
      spawnSync(process.execPath, ['--permission', '--allow-fs-read=*', '--allow-worker', ...args], {
        encoding: 'utf8',
        maxBuffer: 64_000_000,
        env: { PATH: process.env['PATH'], ...runtimeLibraries() },
      });
    const denied = take('--disable-warning=SecurityWarning', script);
    expect(denied.stderr).toBe('');
    const { counts, hardware } = JSON.parse(denied.stdout) as {
      readonly counts: Readonly<Record<string, number>>;
      readonly hardware: { readonly memory: number };
    };
    expect(hardware.memory).toBe(Number(run('grep', 'MemTotal', '/proc/meminfo')[0]!.replace(/\D/g, '')) * 1_024);
    for (const kind of ['package', 'user', 'service', 'timer'] as const) expect(counts[kind]).toBe(itemsOf(kind).size);
    expect(take('-e', "require('node:child_process').execSync('true')").stderr).toContain('ERR_ACCESS_DENIED');
  });
});
