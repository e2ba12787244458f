// SPDX-License-Identifier: Apache-2.0
/**
 * What stands on the three hosts of the story and what changes there: packages, accounts, keys, services, ports, files, settings.
 * Input: the days, the checks of our own policies. Output: facts as the agents of these hosts make them.
 */
import { createHash } from 'node:crypto';
import type { FactFields } from '../../core/fact.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { at, dice, HOST_NAMES, type HostName, type Said } from '../said.ts';
import { type HostState, hostState } from './state.ts';

/** A check of the policies we ship, as far as an answer needs it. */
export interface StoryCheck {
  readonly id: string;
  readonly policy: string;
  readonly title: string;
  readonly severity: string;
  readonly expected: string;
  readonly fix: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The agents of the story ask their checks this often; real ones each hour. */
const RUN_HOURS = 2;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const OS: Readonly<Record<HostName, FactFields>> = {
  'bastion-1': {
    name: 'Debian GNU/Linux',
    id: 'debian',
    version: '12',
    codename: 'bookworm',
    kernel: '6.1.0-40-amd64',
    arch: 'x86_64',
    hostname: 'bastion-1',
  },
  'db-1': {
    name: 'Debian GNU/Linux',
    id: 'debian',
    version: '12',
    codename: 'bookworm',
    kernel: '6.1.0-40-amd64',
    arch: 'x86_64',
    hostname: 'db-1',
  },
  // Past its end: long-term support of Debian 11 ended on 31 August 2026.
  'web-1': {
    name: 'Debian GNU/Linux',
    id: 'debian',
    version: '11',
    codename: 'bullseye',
    kernel: '5.10.0-35-amd64',
    arch: 'x86_64',
    hostname: 'web-1',
  },
};

const PACKAGES = [
  ...['openssl 3.0.17-1~deb12u2', 'libssl3 3.0.17-1~deb12u2', 'openssh-server 1:9.2p1-2+deb12u7', 'openssh-client 1:9.2p1-2+deb12u7'],
  ...['libc6 2.36-9+deb12u10', 'bash 5.2.15-2+b8', 'coreutils 9.1-1', 'systemd 252.38-1~deb12u1', 'sudo 1.9.13p3-1+deb12u2'],
  ...['cron 3.0pl1-162', 'rsyslog 8.2302.0-1+deb12u1', 'auditd 1:3.0.9-1', 'ufw 0.36.2-1', 'apparmor 3.0.8-3', 'curl 7.88.1-10+deb12u12'],
  ...[
    'python3 3.11.2-1+b1',
    'perl 5.36.0-7+deb12u2',
    'vim 2:9.0.1378-2',
    'gzip 1.12-1',
    'tar 1.34+dfsg-1.2+deb12u1',
    'chrony 4.3-2+deb12u1',
  ],
] as const;
const MORE_PACKAGES: Readonly<Record<HostName, readonly string[]>> = {
  'bastion-1': ['fail2ban 1.0.2-2'],
  'db-1': ['postgresql-15 15.14-0+deb12u1', 'postgresql-client-15 15.14-0+deb12u1', 'restic 0.14.0-1+b5'],
  'web-1': ['nginx 1.18.0-6.1+deb11u4', 'nginx-common 1.18.0-6.1+deb11u4'],
};

const FILES: readonly (readonly [path: string, mode: string])[] = [
  ['/etc/passwd', '0644'],
  ['/etc/shadow', '0640'],
  ['/etc/group', '0644'],
  ['/etc/sudoers', '0440'],
  ['/etc/ssh/sshd_config', '0644'],
  ['/etc/crontab', '0644'],
  ['/etc/pam.d/common-auth', '0644'],
  ['/etc/ld.so.conf', '0644'],
  ['/usr/bin/passwd', '4755'],
  ['/usr/bin/sudo', '4755'],
  ['/usr/bin/openssl', '0755'],
  ['/usr/sbin/sshd', '0755'],
  ['/root/.ssh/authorized_keys', '0600'],
  ['/root/.bash_history', '0600'],
];

const fileFields = (path: string, mode: string, text: string, time: UnixMs): FactFields => ({
  path,
  type: 'file',
  size: 400 + (text.length % 90) * 31,
  mode,
  uid: 0,
  gid: 0,
  owner: 'root',
  group: 'root',
  inode: Number.parseInt(digest(path).slice(0, 6), 16),
  mtime_at: time,
  sha256: digest(text),
});

const ACCOUNTS: Readonly<Record<HostName, readonly (readonly [name: string, uid: number, groups: readonly string[]])[]>> = {
  'bastion-1': [
    ['anna', 1001, ['sudo']],
    ['jonas', 1002, ['sudo']],
    ['priya', 1003, []],
    ['tomas', 1004, ['sudo']],
    ['deploy', 1010, ['sudo']],
  ],
  'db-1': [
    ['tomas', 1004, ['sudo']],
    ['deploy', 1010, []],
    ['postgres', 110, []],
  ],
  'web-1': [
    ['jonas', 1002, ['sudo']],
    ['deploy', 1010, []],
    ['www-data', 33, []],
  ],
};

const userFields = (name: string, uid: number, groups: readonly string[], password: string): FactFields => ({
  name,
  uid,
  gid: uid,
  home: name === 'root' ? '/root' : `/home/${name}`,
  shell: uid < 1000 && uid > 0 ? '/usr/sbin/nologin' : '/bin/bash',
  password,
  admin: uid === 0 || groups.includes('sudo'),
  groups: [name, ...groups],
});

const key = (user: string, name: string): readonly [item: string, fields: FactFields] => {
  const fingerprint = `SHA256:${createHash('sha256').update(name).digest('base64').replace(/=+$/, '')}`;
  const home = user === 'root' ? '/root' : `/home/${user}`;
  return [
    `${user}:${fingerprint}`,
    { user, path: `${home}/.ssh/authorized_keys`, type: 'ssh-ed25519', bits: 256, fingerprint, comment: name },
  ];
};

const LISTENERS: Readonly<Record<HostName, readonly (readonly [port: number, process: string, address?: string])[]>> = {
  'bastion-1': [[22, 'sshd']],
  'db-1': [
    [22, 'sshd'],
    [5432, 'postgres', '10.20.0.20'],
  ],
  'web-1': [
    [22, 'sshd'],
    [80, 'nginx'],
    [443, 'nginx'],
  ],
};
const listener = (port: number, process: string, address = '0.0.0.0'): readonly [item: string, fields: FactFields] => [
  `tcp/${address}:${port}`,
  {
    transport: 'tcp',
    address,
    port,
    process,
    executable: process === 'python3' ? '/usr/bin/python3' : `/usr/sbin/${process}`,
    user: process === 'postgres' ? 'postgres' : 'root',
  },
];

/** Checks that fail, by host, with what is found; the first fails until Tomas closes password login. */
const FAILS: Readonly<Record<HostName, Readonly<Record<string, string>>>> = {
  'bastion-1': { 'ssh-password-login-disabled': 'PasswordAuthentication is yes' },
  'db-1': {},
  'web-1': {
    'ssh-x11-forwarding-off': 'X11Forwarding is yes',
    'logging-audit-on': 'auditd is not enabled',
    'services-firewall-on': 'no firewall is enabled',
  },
};
export const PASSWORD_CHECK = 'ssh-password-login-disabled';
/** When the agent of bastion-1 saw password login closed. */
export const FIXED_AT = at('19 07:48:52');

const observation = (check: StoryCheck, fails: string | undefined): FactFields => ({
  check: check.id,
  title: check.title,
  result: fails === undefined ? 'pass' : 'fail',
  actual: fails ?? check.expected,
  expected: check.expected,
  severity: check.severity,
  fix: check.fix,
  fresh_ms: RUN_HOURS * HOUR + HOUR,
  policy: check.policy,
});

const furnish = (state: HostState, host: HostName, begin: UnixMs, checks: readonly StoryCheck[]): void => {
  state.set(begin, 'os', 'os', OS[host]);
  for (const text of [...PACKAGES, ...MORE_PACKAGES[host]]) {
    const [name, version] = text.split(' ') as [string, string];
    const own = host === 'web-1' ? version.replaceAll('deb12', 'deb11') : version;
    state.set(begin, 'package', `dpkg:${name}:amd64`, { manager: 'dpkg', name, version: own, arch: 'amd64', state: 'installed' });
  }
  state.set(begin, 'user', 'root', userFields('root', 0, [], 'locked'));
  for (const [name, uid, groups] of ACCOUNTS[host]) {
    state.set(begin, 'user', name, userFields(name, uid, groups, name === 'deploy' && host === 'bastion-1' ? 'set' : 'locked'));
    if (uid >= 1000) state.set(begin, 'ssh-key', ...key(name, `${name}@example-trading`));
  }
  state.set(begin, 'group', 'sudo', {
    name: 'sudo',
    gid: 27,
    members: ACCOUNTS[host].filter(([, , groups]) => groups.includes('sudo')).map(([name]) => name),
  });
  state.set(begin, 'sudo-rule', `/etc/sudoers:${digest('%sudo').slice(0, 12)}`, {
    file: '/etc/sudoers',
    who: '%sudo',
    runas: 'ALL',
    commands: ['ALL'],
    nopasswd: false,
  });
  for (const [port, process, address] of LISTENERS[host]) state.set(begin, 'listener', ...listener(port, process, address));
  for (const name of ['ssh.service', 'cron.service', 'rsyslog.service'])
    state.set(begin, 'service', name, { name, start: 'enabled', active: true, path: `/lib/systemd/system/${name}` });
  state.set(begin, 'mount', '/', {
    source: '/dev/sda1',
    target: '/',
    type: 'ext4',
    options: ['rw', 'relatime'],
    size: 42_000_000_000,
    used: 9_000_000_000,
  });
  for (const [path, mode] of FILES) state.set(begin, 'file', path, fileFields(path, mode, `${host}${path}`, unixMs(begin - 40 * DAY)));
  for (const check of checks) state.set(begin, 'observation', check.id, observation(check, FAILS[host][check.id]));
};

/** Hourly answers, daily restatements. */
const routine = (
  state: HostState,
  host: HostName,
  begin: UnixMs,
  end: UnixMs,
  changes: readonly (readonly [UnixMs, () => void])[],
): void => {
  const minute = 20 + HOST_NAMES.indexOf(host) * 10;
  const steps: (readonly [UnixMs, () => void])[] = [...changes];
  for (let time = begin + HOUR; time < end; time += HOUR) {
    const run = unixMs(time + minute * 60_000);
    if (run < end && new Date(time).getUTCHours() % RUN_HOURS === 1) steps.push([run, () => state.restate(run, 'posture')]);
    if (new Date(time).getUTCHours() === 4)
      steps.push([
        unixMs(run + 5_000),
        () => {
          state.restate(unixMs(run + 5_000), 'inventory');
          state.restate(unixMs(run + 5_000), 'fim');
        },
      ]);
  }
  for (const [, step] of steps.sort(([a], [b]) => a - b)) step();
};

/** What changed on the hosts, each with the time the agent saw it. */
const changesOf = (state: HostState, host: HostName, checks: readonly StoryCheck[]): readonly (readonly [UnixMs, () => void])[] => {
  const file = (time: UnixMs, path: string, mode: string, text: string): readonly [UnixMs, () => void] => [
    time,
    () => state.set(time, 'file', path, fileFields(path, mode, text, time)),
  ];
  const check = checks.find(({ id }) => id === PASSWORD_CHECK);
  if (host === 'bastion-1')
    return [
      file(at('19 02:19:02'), '/root/.ssh/authorized_keys', '0600', 'with the key of the intruder'),
      [at('19 02:19:03'), () => state.set(at('19 02:19:03'), 'ssh-key', ...key('root', 'x@x'))],
      file(at('19 02:29:40'), '/root/.bash_history', '0600', 'what was typed as root'),
      file(at('19 07:46:12'), '/etc/shadow', '0640', 'deploy locked'),
      [at('19 07:46:13'), () => state.set(at('19 07:46:13'), 'user', 'deploy', userFields('deploy', 1010, ['sudo'], 'locked'))],
      file(at('19 07:47:20'), '/etc/ssh/sshd_config', '0644', 'PasswordAuthentication no'),
      file(at('19 07:48:30'), '/root/.ssh/authorized_keys', '0600', 'bastion-1/root/.ssh/authorized_keys'),
      [at('19 07:48:31'), () => state.remove(at('19 07:48:31'), 'ssh-key', key('root', 'x@x')[0])],
      ...(check ? [[FIXED_AT, () => state.set(FIXED_AT, 'observation', check.id, observation(check, undefined))] as const] : []),
    ];
  if (host === 'db-1') return [file(at('19 02:44:10'), '/var/lib/postgresql/.psqlrc', '0600', 'a file of the intruder')];
  const upgraded = at('17 03:12:40');
  return [
    [
      upgraded,
      () => {
        for (const name of ['openssl', 'libssl3'])
          state.set(upgraded, 'package', `dpkg:${name}:amd64`, {
            manager: 'dpkg',
            name,
            version: '3.0.17-1~deb11u3',
            arch: 'amd64',
            state: 'installed',
          });
        state.say(upgraded, 'upgrade', 'openssl 3.0.17-1~deb11u3', {
          manager: 'dpkg',
          packages: ['openssl', 'libssl3'],
          from: '3.0.17-1~deb11u2',
          to: '3.0.17-1~deb11u3',
          files: 47,
          sample: ['/usr/bin/openssl', '/usr/lib/x86_64-linux-gnu/libssl.so.3'],
        });
      },
    ],
    [at('20 09:58:10'), () => state.set(at('20 09:58:10'), 'listener', ...listener(8081, 'python3'))],
    [at('20 10:41:10'), () => state.remove(at('20 10:41:10'), 'listener', 'tcp/0.0.0.0:8081')],
  ];
};

/** Everything the three agents find from their first minute on. */
export const facts = (begin: UnixMs, end: UnixMs, checks: readonly StoryCheck[]): readonly Said[] =>
  HOST_NAMES.flatMap((host) => {
    const state = hostState(host);
    const first = unixMs(begin + dice(5).whole(20, 40) * 1000);
    furnish(state, host, first, checks);
    for (const dataset of ['inventory', 'fim', 'posture'] as const) state.baseline(first, dataset);
    routine(state, host, begin, end, changesOf(state, host, checks));
    return state.said;
  });
