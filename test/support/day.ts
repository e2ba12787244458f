// SPDX-License-Identifier: Apache-2.0
/**
 * Lines of some hours on two hosts, for pictures: quiet work, guessing from one address, a sweep of paths, a command as root.
 * Input: the time it ends. Output: lines of two files, oldest first.
 */

const pad = (n: number): string => String(n).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `Nov  4 09:14:02`, in UTC as the agent of a test reads it. */
const syslogStamp = (at: Date): string =>
  `${MONTHS[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2, ' ')} ${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;

const accessStamp = (at: Date): string =>
  `${pad(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())} +0000`;

/** A small generator, so that every day of pictures is the same but for its time. */
const dice = (seed: number): (() => number) => {
  let x = seed;
  return () => {
    x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    return x / 2_147_483_648;
  };
};

export interface Day {
  readonly auth: string;
  readonly access: string;
}

export const linesOfADay = (end: number, hours = 18): Day => {
  const roll = dice(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T;
  const auth: (readonly [number, string])[] = [];
  const access: (readonly [number, string])[] = [];
  const say = (at: number, text: string): void => {
    auth.push([at, `${syslogStamp(new Date(at))} bastion-1 ${text}\n`]);
  };
  const begin = end - hours * 3_600_000;
  for (let at = begin; at < end; at += 60_000 * (1 + roll() * 14)) {
    const user = pick(['deploy', 'anna', 'tomas', 'backup']);
    const pid = 2000 + Math.floor(roll() * 6000);
    say(at, `sshd[${pid}]: Accepted publickey for ${user} from 192.0.2.${10 + Math.floor(roll() * 20)} port 51544 ssh2`);
    if (roll() < 0.25)
      say(at + 9_000, `sudo:   ${user} : TTY=pts/0 ; PWD=/home/${user} ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx`);
    if (roll() < 0.2) say(at + 20_000, `CRON[${pid + 1}]: (root) CMD (run-parts /etc/cron.hourly)`);
  }
  const guess = (at: number, address: string, count: number): void => {
    for (let i = 0; i < count; i++)
      say(
        at + i * 3_000,
        `sshd[${9000 + i}]: Failed password for ${pick(['root', 'root', 'invalid user oracle', 'invalid user git'])} from ${address} port ${40_000 + i} ssh2`,
      );
  };
  guess(end - 9.4 * 3_600_000, '203.0.113.77', 44);
  guess(end - 2.1 * 3_600_000, '198.51.100.23', 18);
  say(end - 2.08 * 3_600_000 + 12_000, 'sshd[9300]: Accepted password for deploy from 198.51.100.23 port 51544 ssh2');
  say(end - 2.07 * 3_600_000, 'sudo:   deploy : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow');
  const paths = ['/', '/login', '/assets/app.js', '/api/orders?page=2', '/healthz', '/favicon.ico'];
  const AGENT = '"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"';
  for (let at = begin; at < end; at += 45_000 * (0.3 + roll() * 5))
    access.push([
      at,
      `192.0.2.${40 + Math.floor(roll() * 60)} - - [${accessStamp(new Date(at))}] "GET ${pick(paths)} HTTP/1.1" ${pick([200, 200, 200, 304, 404])} ${200 + Math.floor(roll() * 9000)} "-" ${AGENT}\n`,
    ]);
  for (let i = 0; i < 30; i++) {
    const at = end - 5.2 * 3_600_000 + i * 1_500;
    access.push([
      at,
      `203.0.113.140 - - [${accessStamp(new Date(at))}] "GET /${pick(['../../etc/passwd', '.env', 'wp-login.php', '.git/config'])} HTTP/1.1" 404 153 "-" "sqlmap/1.8"\n`,
    ]);
  }
  const text = (lines: (readonly [number, string])[]): string =>
    lines
      .filter(([at]) => at <= end)
      .sort(([a], [b]) => a - b)
      .map(([, line]) => line)
      .join('');
  return { auth: text(auth), access: text(access) };
};
