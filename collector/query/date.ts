// SPDX-License-Identifier: Apache-2.0
/**
 * Times in queries: ISO 8601 at any precision, epoch milliseconds, and date math such as `now-24h`, `now/d`, `2026-11-24||+1d`.
 * Input: text and the time it is now. Output: the half-open range the text names; zone-less times are UTC, weeks begin on Monday.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';

export interface TimeRange {
  /** Inclusive. */
  readonly from: UnixMs;
  /** Exclusive; later than `from`. */
  readonly to: UnixMs;
}

const UNITS = ['y', 'M', 'w', 'd', 'h', 'm', 's'] as const;
type Unit = (typeof UNITS)[number] | 'ms';

const SPAN: Readonly<Record<Exclude<Unit, 'y' | 'M'>, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

const ISO = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?)?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;
const MATH = /([+-])(\d{1,6})([yMwdhms])|\/([yMwdhms])/g;
// The years that every engine can hold, 0001 to 9999.
const MIN = -62_135_596_800_000;
const MAX = 253_402_300_799_999;

/** The range a text names, or null when it names none. A moment of full precision is a range of one millisecond. */
export const parseTime = (text: string, now: UnixMs): TimeRange | null => {
  const math = /^(now|(.+)\|\|)((?:[+-]\d{1,6}[yMwdhms]|\/[yMwdhms]){0,8})$/.exec(text);
  if (math === null) return plain(text);
  const anchor = math[1] === 'now' ? { from: now, to: unixMs(now + 1) } : plain(math[2] as string);
  if (anchor === null) return null;
  let range = math[3] === '' ? anchor : { from: anchor.from, to: unixMs(anchor.from + 1) };
  for (const [, op, amount, unit, round] of (math[3] as string).matchAll(MATH)) {
    if (round !== undefined) {
      const from = floor(range.from, round as Unit);
      range = { from, to: add(from, round as Unit, 1) };
    } else {
      const n = Number(amount) * (op === '-' ? -1 : 1);
      range = { from: add(range.from, unit as Unit, n), to: add(range.to, unit as Unit, n) };
    }
  }
  return within(range);
};

const within = (range: TimeRange): TimeRange | null => (range.from >= MIN && range.to <= MAX + 1 && range.from < range.to ? range : null);

const plain = (text: string): TimeRange | null => {
  if (/^-?\d{5,16}$/.test(text)) return within({ from: unixMs(Number(text)), to: unixMs(Number(text) + 1) });
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  // A zone needs a time of day to belong to.
  if (zone !== undefined && hour === undefined) return null;
  const numbers = [year, month, day, hour, minute, second].map((part) => (part === undefined ? null : Number(part)));
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = numbers.map((n) => n ?? undefined);
  const millis = fraction === undefined ? 0 : Math.trunc(Number(`0.${fraction}`) * 1000);
  const local = new Date(0);
  local.setUTCFullYear(y, mo - 1, d);
  local.setUTCHours(h, mi, s, millis);
  const rolled = local.getUTCFullYear() !== y || local.getUTCMonth() !== mo - 1 || local.getUTCDate() !== d;
  if (rolled || h > 23 || mi > 59 || s > 59) return null;
  const offset = zoneOffset(zone);
  if (offset === null) return null;
  const unit: Unit =
    fraction !== undefined
      ? 'ms'
      : second !== undefined
        ? 's'
        : minute !== undefined
          ? 'm'
          : hour !== undefined
            ? 'h'
            : day !== undefined
              ? 'd'
              : month !== undefined
                ? 'M'
                : 'y';
  const from = unixMs(local.getTime() - offset);
  const to =
    unit === 'ms'
      ? unixMs(from + 10 ** Math.max(0, 3 - (fraction as string).length))
      : unixMs(add(unixMs(local.getTime()), unit, 1) - offset);
  return within({ from, to });
};

const zoneOffset = (zone: string | undefined): number | null => {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 18 || minutes > 59) return null;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
};

const add = (t: UnixMs, unit: Unit, n: number): UnixMs => {
  if (unit !== 'y' && unit !== 'M') return unixMs(t + n * SPAN[unit]);
  const date = new Date(t);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + n * (unit === 'y' ? 12 : 1));
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return unixMs(date.getTime());
};

const floor = (t: UnixMs, unit: Unit): UnixMs => {
  if (unit === 'w') return unixMs(Math.floor((t + 3 * SPAN.d) / SPAN.w) * SPAN.w - 3 * SPAN.d);
  if (unit !== 'y' && unit !== 'M') return unixMs(Math.floor(t / SPAN[unit]) * SPAN[unit]);
  const date = new Date(t);
  const first = new Date(0);
  first.setUTCFullYear(date.getUTCFullYear(), unit === 'y' ? 0 : date.getUTCMonth(), 1);
  return unixMs(first.getTime());
};
