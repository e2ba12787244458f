// SPDX-License-Identifier: Apache-2.0
/**
 * The quiet part of the story: people log in with keys, jobs run, the shop is visited, a crawler misses a page.
 * Input: the days. Output: lines of auth.log and access.log of three hosts, the same every time.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import { access, dice, type Said, syslog } from '../said.ts';

const MINUTE = 60_000;
const PEOPLE = ['anna', 'jonas', 'priya', 'tomas'] as const;
const BROWSERS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
] as const;
const PAGES = [
  '/',
  '/shop',
  '/shop/lamps',
  '/shop/chairs',
  '/cart',
  '/about',
  '/static/app.js',
  '/static/site.css',
  '/api/items?page=2',
] as const;

/** Public keys of the four, as sshd names them. */
const KEYS: Readonly<Record<(typeof PEOPLE)[number], string>> = {
  anna: 'SHA256:r1Zq0v9yJX0C3mTq7nD5wS2uH8kPbE6fLtYc4GiOaMs',
  jonas: 'SHA256:Q9wEr7tYuI0pAsD3fGhJ5kLzXc1vBnM2qWe4RtYu8Io',
  priya: 'SHA256:mN8bV6cX4zL2kJ0hG9fD7sA5pO3iU1yT6rE4wQ2aSdF',
  tomas: 'SHA256:pL0oK9iJ8uH7yG6tF5rD4eS3wA2qZ1xC0vB9nM8bVcX',
};

/** Sessions of people on the bastion in working hours. */
const sessions = (from: UnixMs, to: UnixMs): readonly Said[] => {
  const { roll, whole, pick } = dice(11);
  const said: Said[] = [];
  for (let time = from + 7 * MINUTE; time < to; time += whole(25, 70) * MINUTE) {
    const hour = new Date(time).getUTCHours();
    const weekend = [0, 6].includes(new Date(time).getUTCDay());
    if (hour < 7 || hour > 17 || (weekend && roll() < 0.85)) continue;
    const person = pick(PEOPLE);
    const pid = whole(2_000, 30_000);
    const port = whole(40_000, 60_000);
    const from10 = `10.10.0.${PEOPLE.indexOf(person) + 21}`;
    const t = unixMs(time + whole(0, 59_000));
    said.push(
      syslog(t, 'bastion-1', `sshd[${pid}]: Accepted publickey for ${person} from ${from10} port ${port} ssh2: ED25519 ${KEYS[person]}`),
      syslog(
        t,
        'bastion-1',
        `sshd[${pid}]: pam_unix(sshd:session): session opened for user ${person}(uid=${1001 + PEOPLE.indexOf(person)}) by (uid=0)`,
      ),
    );
    if (roll() < 0.3) {
      const s = unixMs(t + whole(30, 900) * 1000);
      said.push(
        syslog(
          s,
          'bastion-1',
          `sudo:   ${person} : TTY=pts/${whole(0, 3)} ; PWD=/home/${person} ; USER=root ; COMMAND=/usr/bin/systemctl status ${pick(['ssh', 'nginx', 'cron'])}`,
        ),
      );
    }
    const end = unixMs(t + whole(5, 50) * MINUTE);
    if (end < to) said.push(syslog(end, 'bastion-1', `sshd[${pid}]: pam_unix(sshd:session): session closed for user ${person}`));
  }
  return said;
};

/** Jobs of the hour on each host, and the backup of the database at night. */
const jobs = (from: UnixMs, to: UnixMs): readonly Said[] => {
  const said: Said[] = [];
  for (let time: number = from; time < to; time += 60 * MINUTE) {
    const minute17 = unixMs(time + 17 * MINUTE + 1_000);
    for (const host of ['bastion-1', 'db-1', 'web-1'] as const) {
      const pid = 9_000 + ((time / 3_600_000) % 20_000);
      said.push(
        syslog(minute17, host, `CRON[${pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)`),
        syslog(unixMs(minute17 + 1_000), host, `CRON[${pid}]: pam_unix(cron:session): session closed for user root`),
      );
    }
    if (new Date(time).getUTCHours() === 1)
      said.push(
        syslog(unixMs(time + 30 * MINUTE), 'db-1', 'CRON[20311]: (postgres) CMD (/usr/local/bin/backup-orders)', '/var/log/syslog'),
      );
  }
  return said;
};

/** Visitors of the shop; more by day. A crawler meets a missing page now and then. */
const visitors = (from: UnixMs, to: UnixMs): readonly Said[] => {
  const { roll, whole, pick } = dice(23);
  const said: Said[] = [];
  for (let time = from + 1_000; time < to; ) {
    const hour = new Date(time).getUTCHours();
    time += whole(20, hour >= 7 && hour <= 21 ? 90 : 400) * 1000;
    const visitor = `198.18.${whole(0, 40)}.${whole(1, 254)}`;
    const browser = pick(BROWSERS);
    const page = pick(PAGES);
    said.push(access(unixMs(time), 'web-1', visitor, `GET ${page} HTTP/1.1`, 200, whole(900, 40_000), browser));
    if (roll() < 0.01) said.push(access(unixMs(time + 2_000), 'web-1', visitor, 'GET /shop/lamp HTTP/1.1', 404, 512, browser));
  }
  return said.filter((one) => one.at < to);
};

export const quietWork = (from: UnixMs, to: UnixMs): readonly Said[] => [...sessions(from, to), ...jobs(from, to), ...visitors(from, to)];
