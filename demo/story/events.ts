// SPDX-License-Identifier: Apache-2.0
/**
 * What happened in the week of 16 November 2026: a guessed password opened bastion-1 in the night to Thursday, and from there db-1.
 * Input: nothing. Output: the lines that the three hosts wrote of it. What changed on the hosts stands in `facts.ts`.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import { access, at, audit, dice, type Said, syslog } from '../said.ts';

/** Where the intruder came from, and who guessed again a day later. */
export const INTRUDER = '198.51.100.23';
export const SECOND_GUESSER = '203.0.113.99';
/** Swept the shop for known holes on Monday. */
export const SWEEPER = '203.0.113.50';

const NAMES = [
  ...['root', 'admin', 'oracle', 'test', 'guest', 'ubuntu', 'git', 'postgres', 'mysql', 'www', 'ftp', 'nagios', 'jenkins', 'tomcat'],
  ...['hadoop', 'user', 'support', 'info', 'web', 'dev', 'backup', 'pi', 'ansible', 'vagrant', 'deploy', 'centos', 'debian', 'minecraft'],
  ...['steam', 'teamspeak', 'es', 'elastic', 'redis', 'mongo', 'kafka', 'zabbix', 'sysadmin'],
] as const;

/** 1,284 wrong passwords for 37 names from 01:52:10 to 02:13:48. */
const guessing = (): readonly Said[] => {
  const { whole } = dice(37);
  const [from, to, n] = [at('19 01:52:10'), at('19 02:13:48'), 1_284];
  return Array.from({ length: n }, (_, i) => {
    const time = unixMs(from + Math.floor(((to - from) * i) / (n - 1) / 1000) * 1000);
    const name = NAMES[i % NAMES.length] as string;
    const who = ['root', 'deploy', 'postgres', 'backup'].includes(name) ? name : `invalid user ${name}`;
    return syslog(
      time,
      'bastion-1',
      `sshd[${30_000 + (i % 900)}]: Failed password for ${who} from ${INTRUDER} port ${whole(33_000, 60_000)} ssh2`,
    );
  });
};

const breakIn = (): readonly Said[] => [
  syslog(at('19 02:14:09'), 'bastion-1', `sshd[31107]: Accepted password for deploy from ${INTRUDER} port 51544 ssh2`),
  syslog(at('19 02:14:09'), 'bastion-1', 'sshd[31107]: pam_unix(sshd:session): session opened for user deploy(uid=1010) by (uid=0)'),
  syslog(at('19 02:16:31'), 'bastion-1', 'sudo:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/bash'),
  syslog(at('19 02:16:31'), 'bastion-1', 'sudo: pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1010)'),
  syslog(
    at('19 02:23:44'),
    'db-1',
    'sshd[18222]: Accepted publickey for deploy from 10.20.0.10 port 40122 ssh2: ED25519 SHA256:dEpLoY5kEy0fTheBastion0nDb1xYz2aBcD3eFgH4iJkLm',
  ),
  syslog(at('19 02:23:44'), 'db-1', 'sshd[18222]: pam_unix(sshd:session): session opened for user deploy(uid=1010) by (uid=0)'),
];

/** A program start on db-1 as the audit system writes it: five records of one event. */
const started = (time: UnixMs, id: number, pid: number, exe: string, args: readonly string[]): readonly Said[] => {
  const name = args[0] as string;
  // As auditd writes it with log_format = ENRICHED, which Debian ships: names stand behind a group separator.
  const enriched =
    '\u001dARCH=x86_64 SYSCALL=execve AUID="deploy" UID="deploy" GID="deploy" EUID="deploy" SUID="deploy" FSUID="deploy" EGID="deploy" SGID="deploy" FSGID="deploy"';
  const title = Buffer.from(args.join('\0')).toString('hex').toUpperCase();
  const by = `ppid=18301 pid=${pid} auid=1010 uid=1010 gid=1010 euid=1010 suid=1010 fsuid=1010 egid=1010 sgid=1010 fsgid=1010 tty=pts0 ses=71`;
  return [
    audit(
      time,
      'db-1',
      id,
      'SYSCALL',
      `arch=c000003e syscall=59 success=yes exit=0 a0=55d0 a1=55d8 a2=55e0 a3=8 items=2 ${by} comm="${name}" exe="${exe}" key="exec"${enriched}`,
    ),
    audit(time, 'db-1', id, 'EXECVE', `argc=${args.length} ${args.map((arg, i) => `a${i}="${arg}"`).join(' ')}`),
    audit(time, 'db-1', id, 'CWD', 'cwd="/home/deploy"'),
    audit(
      time,
      'db-1',
      id,
      'PATH',
      `item=0 name="${exe}" inode=262214 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL\u001dOUID="root" OGID="root"`,
    ),
    audit(time, 'db-1', id, 'PROCTITLE', `proctitle=${title}`),
  ];
};

const theft = (): readonly Said[] => [
  ...started(at('19 02:31:15'), 88_140, 18_410, '/usr/bin/pg_dump', ['pg_dump', '-Fc', 'orders', '-f', '/tmp/.c/o.dump']),
  ...started(at('19 02:33:08'), 88_152, 18_433, '/usr/bin/gzip', ['gzip', '/tmp/.c/o.dump']),
  ...[50, 60, 71, 84, 98, 113].flatMap((second, i) =>
    syslog(
      unixMs(at('19 02:38:00') + second * 1000),
      'db-1',
      `kernel: [912${i}10.118${i}] [UFW BLOCK] IN= OUT=eth0 SRC=10.20.0.20 DST=${INTRUDER} LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=${4100 + i} DF PROTO=TCP SPT=${41_200 + i} DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0`,
      '/var/log/kern.log',
    ),
  ),
];

/** Seventeen audit records that never reach the collector; the player seals them and throws the block away. */
export const lostRecords = (): Said[] =>
  Array.from({ length: 17 }, (_, i) =>
    audit(
      unixMs(at('19 02:41:20') + i * 200),
      'db-1',
      88_214 + i,
      'USER_CMD',
      'pid=18455 uid=1010 auid=1010 ses=71 msg=\'cwd="/tmp/.c" cmd=726D terminal=pts/0 res=success\'',
    ),
  );

/** The audit log goes on behind the hole. */
const afterLoss = (): readonly Said[] => started(at('19 02:46:00'), 88_231, 18_470, '/usr/bin/id', ['id']);

/** Tomas at 07:48 on Thursday: locks the account, ends sessions, closes password login. */
const containment = (): readonly Said[] => [
  syslog(
    at('19 07:44:02'),
    'bastion-1',
    'sshd[33010]: Accepted publickey for tomas from 10.10.0.24 port 50111 ssh2: ED25519 SHA256:pL0oK9iJ8uH7yG6tF5rD4eS3wA2qZ1xC0vB9nM8bVcX',
  ),
  syslog(at('19 07:46:10'), 'bastion-1', 'sudo:    tomas : TTY=pts/1 ; PWD=/home/tomas ; USER=root ; COMMAND=/usr/sbin/usermod -L deploy'),
  syslog(at('19 07:46:10'), 'bastion-1', "usermod[33071]: lock user 'deploy' password"),
  syslog(
    at('19 07:46:40'),
    'bastion-1',
    'sudo:    tomas : TTY=pts/1 ; PWD=/home/tomas ; USER=root ; COMMAND=/usr/bin/loginctl terminate-user deploy',
  ),
  syslog(at('19 07:46:41'), 'bastion-1', 'sshd[31107]: pam_unix(sshd:session): session closed for user deploy'),
  syslog(
    at('19 07:47:30'),
    'bastion-1',
    'sudo:    tomas : TTY=pts/1 ; PWD=/home/tomas ; USER=root ; COMMAND=/usr/bin/systemctl reload ssh',
  ),
];

/** A scanner sweeps the shop for known holes on Monday morning, in vain. */
const sweep = (): readonly Said[] => {
  const paths = [
    '/.env',
    '/.git/config',
    '/wp-login.php',
    '/cgi-bin/.%2e/.%2e/.%2e/.%2e/etc/passwd',
    '/shop?file=../../../../etc/passwd',
    '/index.php?page=../../../../../../etc/shadow',
    '/static/..%2f..%2f..%2fetc%2fpasswd',
    '/phpmyadmin/',
    '/actuator/env',
    '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
  ];
  return Array.from({ length: 60 }, (_, i) =>
    access(
      unixMs(at('16 10:04:00') + i * 2_000),
      'web-1',
      SWEEPER,
      `GET ${paths[i % paths.length]} HTTP/1.1`,
      i % 7 === 0 ? 400 : 404,
      162,
      'Mozilla/5.0 zgrab/0.x',
    ),
  );
};

/** Anna forgot her password of the bastion on Tuesday: six times wrong from the office. */
const forgotten = (): readonly Said[] =>
  Array.from({ length: 6 }, (_, i) =>
    syslog(unixMs(at('17 13:58:00') + i * 9_000), 'bastion-1', `sshd[2711]: Failed password for anna from 10.10.0.21 port 44120 ssh2`),
  );

/** Somebody guesses again on Saturday night; passwords are refused since Thursday, nobody gets in. */
const secondGuessing = (): readonly Said[] =>
  Array.from({ length: 140 }, (_, i) =>
    syslog(
      unixMs(at('21 22:10:00') + i * 3_000),
      'bastion-1',
      `sshd[${41_000 + i}]: Invalid user ${NAMES[i % NAMES.length]} from ${SECOND_GUESSER} port ${40_000 + i}`,
    ),
  );

export const events = (): readonly Said[] => [
  ...sweep(),
  ...forgotten(),
  ...guessing(),
  ...breakIn(),
  ...theft(),
  ...afterLoss(),
  ...containment(),
  ...secondGuessing(),
];
