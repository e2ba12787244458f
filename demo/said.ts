// SPDX-License-Identifier: Apache-2.0
/**
 * What a host of the story says: one line of a log, or one fact, at one time; and the small words the story is written in.
 * Input: the story's modules. Output: records in true formats, which the players seal as agents do.
 */
import { type Fact, factText } from '../core/fact.ts';
import { type UnixMs, unixMs } from '../core/units.ts';

export interface Said {
  readonly at: UnixMs;
  readonly host: HostName;
  readonly stream: string;
  readonly dataset: string;
  readonly kind: 'lines' | 'facts';
  readonly text: string;
}

export const HOST_NAMES = ['bastion-1', 'db-1', 'web-1'] as const;
export type HostName = (typeof HOST_NAMES)[number];

/** `at('19 02:14:09')`: that second of November 2026, UTC. */
export const at = (text: string): UnixMs => {
  const [day, time = '00:00:00'] = text.split(' ') as [string, string?];
  const whole = Date.parse(`2026-11-${day.padStart(2, '0')}T${time.length === 5 ? `${time}:00` : time}Z`);
  if (Number.isNaN(whole)) throw new RangeError(`"${text}" is no time of the story`);
  return unixMs(whole);
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const two = (n: number): string => String(n).padStart(2, '0');
const clock = (date: Date): string => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;

/** A line of /var/log/auth.log as rsyslog writes it. */
export const syslog = (time: UnixMs, host: HostName, text: string, file = '/var/log/auth.log'): Said => {
  const date = new Date(time);
  const stamp = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock(date)}`;
  return { at: time, host, stream: `file:${file}`, dataset: 'syslog', kind: 'lines', text: `${stamp} ${host} ${text}` };
};

/** A line of an nginx access log in the combined form. */
export const access = (time: UnixMs, host: HostName, from: string, request: string, status: number, bytes: number, agent: string): Said => {
  const date = new Date(time);
  const stamp = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${clock(date)} +0000`;
  return {
    at: time,
    host,
    stream: 'file:/var/log/nginx/access.log',
    dataset: 'nginx.access',
    kind: 'lines',
    text: `${from} - - [${stamp}] "${request}" ${status} ${bytes} "-" "${agent}"`,
  };
};

/** A record of the audit system; `id` is the number of its event. */
export const audit = (time: UnixMs, host: HostName, id: number, type: string, text: string): Said => ({
  at: time,
  host,
  stream: 'file:/var/log/audit/audit.log',
  dataset: 'auditd',
  kind: 'lines',
  text: `type=${type} msg=audit(${(time / 1000).toFixed(3)}:${id}): ${text}`,
});

/** A fact on the stream of its source. */
export const fact = (host: HostName, stream: 'fim' | 'inventory' | 'posture', one: Fact): Said => ({
  at: one.at,
  host,
  stream,
  dataset: stream,
  kind: 'facts',
  text: factText(one),
});

/** A seeded generator (mulberry32): the same story every time. */
export const dice = (seed: number) => {
  let state = seed;
  const roll = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    roll,
    /** A whole number from `low` to `high`, both inclusive. */
    whole: (low: number, high: number): number => low + Math.floor(roll() * (high - low + 1)),
    pick: <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T,
  };
};
