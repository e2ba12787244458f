// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `decode`: raw lines to events on one core, mixed and for each dataset.
 * Input: `--seconds` a row (default 1), `--runs` (5). Output: a table and one JSON line. Synthetic lines of true formats.
 */
import { parseArgs } from 'node:util';
import { makeJoin } from '../collector/decode/auditd/join.ts';
import { decode } from '../collector/decode/decode.ts';
import type { Provenance, RecordIn } from '../collector/model/event.ts';
import { type AgentId, type AssetId, hashId } from '../core/ids.ts';
import { unixMs } from '../core/units.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' }, runs: { type: 'string', default: '5' } } });
const spanMs = (Number(values.seconds) * 1000) / Number(values.runs);
const runs = Number(values.runs);

let state = 7;
const below = (n: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state % n;
};
const ip = (): string => `${1 + below(220)}.${below(256)}.${below(256)}.${1 + below(254)}`;
const clock = (second: number): string => new Date(Date.UTC(2026, 10, 24, 9) + second * 250).toISOString().slice(11, 19);
const USERS = ['root', 'admin', 'deploy', 'backup', 'oracle', 'postgres', 'git', 'anna', 'bob'];
const PATHS = [
  '/',
  '/index.html',
  '/api/v1/orders/1234?expand=items',
  '/static/app.9f3c.js',
  '/search?q=red+shoes%20size',
  '/wp-login.php',
  '/health',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'curl/8.14.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36',
];
const one = <T>(list: readonly T[]): T => list[below(list.length)] as T;

const MAKERS: Readonly<Record<string, (n: number) => string>> = {
  sshd: (n) => {
    const head = `Nov 24 ${clock(n)} bastion sshd[${1000 + below(60_000)}]: `;
    const port = 1024 + below(60_000);
    switch (below(5)) {
      case 0:
        return `${head}Accepted publickey for ${one(USERS)} from ${ip()} port ${port} ssh2: ED25519 SHA256:${'q7TnL0zY'.repeat(5)}abc`;
      case 1:
        return `${head}Invalid user ${one(USERS)} from ${ip()} port ${port}`;
      case 2:
        return `${head}Connection closed by authenticating user ${one(USERS)} ${ip()} port ${port} [preauth]`;
      default:
        return `${head}Failed password for ${below(2) === 0 ? 'invalid user ' : ''}${one(USERS)} from ${ip()} port ${port} ssh2`;
    }
  },
  'nginx.access': (n) =>
    `${ip()} - - [24/Nov/2026:${clock(n)} +0000] "GET ${one(PATHS)} HTTP/1.1" ${one([200, 200, 200, 304, 404, 500])} ${below(90_000)} "https://example.org/" "${one(AGENTS)}"`,
  'apache.access': (n) =>
    `${ip()} - - [24/Nov/2026:${clock(n)} +0100] "POST ${one(PATHS)} HTTP/1.1" 200 ${below(9_000)} "-" "${one(AGENTS)}"`,
  'nginx.error': (n) =>
    `2026/11/24 ${clock(n)} [error] 812#812: *${n} open() "/srv/www/favicon.ico" failed (2: No such file or directory), client: ${ip()}, server: example.org, request: "GET /favicon.ico HTTP/1.1", host: "example.org"`,
  sudo: (n) =>
    `Nov 24 ${clock(n)} web1 sudo[${below(9_999)}]:     anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx`,
  pam: (n) => `Nov 24 ${clock(n)} web1 sshd[${below(9_999)}]: pam_unix(sshd:session): session opened for user anna(uid=1000) by (uid=0)`,
  kernel: (n) =>
    `Nov 24 ${clock(n)} gw kernel: [50028442.088484] DROP IN=eth0 OUT= MAC=00:08:a2:0c:1f:12:00:c8:8b:e2:d6:87:08:00 SRC=${ip()} DST=198.51.100.7 LEN=40 TOS=0x00 PREC=0x00 TTL=245 ID=37308 PROTO=TCP SPT=${below(65_535)} DPT=${below(1_024)} WINDOW=1024 RES=0x00 SYN URGP=0`,
  cron: (n) => `Nov 24 ${clock(n)} web1 CRON[${below(9_999)}]: (root) CMD (/usr/lib/sysstat/sa1 1 1)`,
  systemd: (n) => `Nov 24 ${clock(n)} web1 systemd[1]: Started logrotate.service - Rotate log files.`,
  postfix: (n) =>
    `Nov 24 ${clock(n)} mx postfix/smtpd[${below(9_999)}]: NOQUEUE: reject: RCPT from unknown[${ip()}]: 554 5.7.1 <a@example.org>: Relay access denied; from=<b@example.net> to=<a@example.org> proto=ESMTP helo=<x>`,
  syslog: (n) => `Nov 24 ${clock(n)} web1 orders[${below(9_999)}]: order ${n} accepted for customer ${below(9_999)} in ${below(99)} ms`,
  auditd: (n) =>
    `type=SYSCALL msg=audit(17639${10_000 + below(80_000)}.${100 + below(900)}:${n}): arch=c000003e syscall=59 success=yes exit=0 a0=7ffd9f580560 a1=55bf a2=55c0 a3=8 items=2 ppid=1 pid=${below(60_000)} auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts2 ses=3 comm="id" exe="/usr/bin/id" key="exec"`,
  journald: (n) =>
    `__CURSOR=s=1;i=${n.toString(16)}\n__REALTIME_TIMESTAMP=17639${10_000 + below(80_000)}000000\n_BOOT_ID=b0d1\n_UID=0\n_COMM=sshd\n_EXE=/usr/sbin/sshd\n_PID=${below(60_000)}\n_HOSTNAME=web1\n_TRANSPORT=syslog\n_SYSTEMD_UNIT=ssh.service\nPRIORITY=6\nSYSLOG_FACILITY=4\nSYSLOG_IDENTIFIER=sshd\nMESSAGE=Failed password for root from ${ip()} port ${1024 + below(60_000)} ssh2`,
  account: (n) =>
    `Nov 24 ${clock(n)} web1 useradd[${below(9_999)}]: new user: name=u${n}, UID=${1000 + n}, GID=100, home=/home/u${n}, shell=/bin/bash, from=/dev/pts/0`,
  dpkg: (n) => `2026-11-24 ${clock(n)} upgrade libc${n % 90}:amd64 2.36-9+deb12u${n % 10} 2.36-9+deb12u${(n % 10) + 1}`,
  fail2ban: (n) => `2026-11-24 ${clock(n)},123 fail2ban.actions        [1234]: NOTICE  [sshd] Ban ${ip()}`,
  json: (n) =>
    `{"@timestamp":"2026-11-24T${clock(n)}.000Z","level":"info","message":"order accepted","order":{"id":${n},"total":12.5},"source":{"ip":"${ip()}"}}`,
};

/** Shares of the mixed row, in percent: what a web host with a database beside it writes. */
const MIX: Readonly<Record<string, number>> = {
  'nginx.access': 40,
  sshd: 20,
  syslog: 12,
  pam: 6,
  cron: 5,
  systemd: 5,
  sudo: 3,
  kernel: 4,
  postfix: 3,
  'nginx.error': 2,
};

const from: Provenance = {
  collector: 'bench',
  incarnation: 'i',
  offset: 0,
  generation: 1,
  agent: hashId('agt', 'bench') as AgentId,
  host: { id: hashId('ast', 'bench') as AssetId, name: 'bench' },
  stream: 'file:/var/log/bench.log',
  epoch: '0'.repeat(32),
  ingested: unixMs(Date.UTC(2026, 10, 24, 10)),
  replay: false,
};
const LINES = 20_000;
const record = (dataset: string, line: string, seq: number): RecordIn => ({
  bytes: Buffer.from(line),
  seq,
  flags: 0,
  readAt: from.ingested,
  dataset,
  zone: 'Europe/Berlin',
  from,
});
const datasetOf = (name: string): string =>
  ['sshd', 'sudo', 'pam', 'kernel', 'cron', 'systemd', 'postfix', 'syslog', 'account'].includes(name) ? 'syslog' : name;

const rowOf = (name: string): RecordIn[] => {
  const made: RecordIn[] = [];
  for (let n = 0; n < LINES; n++) {
    let kind = name;
    if (name === 'mixed') {
      let at = below(100);
      for (const [each, share] of Object.entries(MIX)) {
        kind = each;
        if ((at -= share) < 0) break;
      }
    }
    made.push(record(datasetOf(kind), (MAKERS[kind] as (n: number) => string)(n), n + 1));
  }
  return made;
};

/** CPU seconds of this process so far, the collector of garbage included: wall time of a shared machine says little. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Lines a CPU second, the median of the runs; each run repeats the rows until its span is over. */
const measure = (rows: readonly RecordIn[]): { readonly perSecond: number; readonly ok: number } => {
  let ok = 0;
  for (const row of rows) if (decode(row).outcome === 'ok') ok += 1;
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const cpu = cpuSeconds();
    let done = 0;
    let kept = 0;
    do {
      for (const row of rows) kept += decode(row).event['vigil.seq'] ?? 0;
      done += rows.length;
    } while (performance.now() - start < spanMs);
    if (kept > 0) rates.push(done / (cpuSeconds() - cpu));
  }
  rates.sort((a, b) => a - b);
  return { perSecond: Math.round(rates[rates.length >> 1] ?? 0), ok };
};

/** One execve of five records, as a host with an exec rule writes it. */
const execLines = (n: number): readonly string[] => {
  const head = `msg=audit(17639${10_000 + (n % 80_000)}.${100 + (n % 900)}:${n}):`;
  return [
    `type=SYSCALL ${head} arch=c000003e syscall=59 success=yes exit=0 a0=7ffd9f580560 a1=55bf a2=55c0 a3=8 items=2 ppid=${below(60_000)} pid=${below(60_000)} auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts2 ses=3 comm="id" exe="/usr/bin/id" key="exec"`,
    `type=EXECVE ${head} argc=2 a0="id" a1="-u"`,
    `type=CWD ${head} cwd="/home/anna"`,
    `type=PATH ${head} item=0 name="/usr/bin/id" inode=${below(99_999)} dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0`,
    `type=PROCTITLE ${head} proctitle=6964002D75`,
  ];
};

/** Records a CPU second through a join, events made of them. */
const measureJoin = (): number => {
  const rows: RecordIn[] = [];
  for (let n = 0; n < LINES / 5; n++) for (const text of execLines(n)) rows.push(record('auditd', text, rows.length + 1));
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) {
    const join = makeJoin();
    const start = performance.now();
    const cpu = cpuSeconds();
    let done = 0;
    let events = 0;
    do {
      for (const row of rows) events += join.push(row).length;
      done += rows.length;
    } while (performance.now() - start < spanMs);
    if (events > 0) rates.push(done / (cpuSeconds() - cpu));
  }
  rates.sort((a, b) => a - b);
  return Math.round(rates[rates.length >> 1] ?? 0);
};

const ours: Record<string, number> = {};
process.stdout.write(`${'dataset'.padEnd(16)}${'lines/CPU-s'.padStart(12)}${'understood'.padStart(12)}${'bytes'.padStart(8)}\n`);
const table: string[] = [];
for (const name of ['mixed', ...Object.keys(MAKERS)]) {
  const rows = rowOf(name);
  const { perSecond, ok } = measure(rows);
  ours[name] = perSecond;
  const bytes = Math.round(rows.reduce((sum, row) => sum + row.bytes.length, 0) / rows.length);
  table.push(
    `${name.padEnd(16)}${perSecond.toLocaleString('en-GB').padStart(12)}${`${Math.round((ok / rows.length) * 100)} %`.padStart(12)}${String(bytes).padStart(8)}`,
  );
}
ours['auditd.joined'] = measureJoin();
table.push(`${'auditd.joined'.padEnd(16)}${ours['auditd.joined'].toLocaleString('en-GB').padStart(12)}`);
process.stdout.write(`${table.join('\n')}\n`);
process.stdout.write(`${JSON.stringify({ lane: 'decode', ours })}\n`);
