// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers, times and spans as the report prints them: one way each.
 * Input: figures. Output: text with thin spaces, true minus signs and two units a span. Pure.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Week } from './week.ts';
import { wallParts } from './week.ts';

/** Narrow space that does not break, between a number and its unit. */
const THIN = '\u202f';
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const LONG_DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const LONG_MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
] as const;
const SMALL = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'] as const;

const two = (n: number): string => String(n).padStart(2, '0');

/** `2,018,094`. */
export const count = (n: number): string => String(Math.trunc(n)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Small numbers as words, for sentences: `three`, `no`; larger ones as digits. */
export const spelt = (n: number): string => SMALL[n] ?? count(n);

/** `3 hosts`, `1 host`. */
export const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;

/** The same in words. */
export const speltMany = (n: number, one: string, more = `${one}s`): string => `${spelt(n)} ${n === 1 ? one : more}`;

export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `a`, `a and b`, `a, b and c`; after `most` the rest is counted. */
export const listed = (all: readonly string[], most = 3): string => {
  const shown = all.length > most ? [...all.slice(0, most - 1), `${spelt(all.length - most + 1)} more`] : all;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
};

/** Whole per cent, one decimal under 1 or over 99, and never 100 when one is missing; null without a population. */
export const percent = (part: number, of: number): number | null => {
  if (of <= 0) return null;
  const exact = (part / of) * 100;
  if (exact > 0 && exact < 1) return Math.max(0.1, Math.round(exact * 10) / 10);
  if (exact > 99 && exact < 100) return Math.min(99.9, Math.floor(exact * 10) / 10);
  return Math.floor(exact + 0.5);
};

/** `82 %`, or `no figure`. */
export const percentText = (part: number, of: number): string => {
  const value = percent(part, of);
  return value === null ? 'no figure' : `${value}${THIN}%`;
};

/** `58 of 71, 82 %`. */
export const share = (part: number, of: number): string => (of === 0 ? 'none' : `${count(part)} of ${count(of)}, ${percentText(part, of)}`);

/** `+ 2 points`, `− 1 point`, `0 points`. */
export const points = (change: number): string => {
  const size = Math.abs(change);
  return `${change > 0 ? '+ ' : change < 0 ? '− ' : ''}${size} ${size === 1 ? 'point' : 'points'}`;
};

/** Two units: `5 h 07 min`, `1 min 31 s`, `6 d 15 h`. */
export const span = (spanMs: number): string => {
  const s = Math.max(0, Math.round(spanMs / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.floor(s / 60);
  // Hours are told up to a week, as people count them on a clock that runs.
  if (minutes < 168 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

/** A target, without what is zero: `30 min`, `4 h`, `3 d`. */
export const target = (spanMs: number): string =>
  spanMs < 3_600_000
    ? `${Math.round(spanMs / 60_000)} min`
    : spanMs <= 72 * 3_600_000
      ? `${Math.round(spanMs / 3_600_000)} h`
      : `${Math.round(spanMs / 86_400_000)} d`;

export interface Times {
  /** `Thu 02:14` within the week, `19 Nov 02:14` outside it. */
  moment(at: UnixMs): string;
  /** `Thu 19 Nov`. */
  day(at: UnixMs): string;
  /** `Thursday`. */
  weekday(at: UnixMs): string;
  /** `Monday 23 November 2026 06:00`. */
  long(at: UnixMs): string;
  /** `Monday 16 to Sunday 22 November 2026`. */
  range(week: Pick<Week, 'days'>): string;
}

/** Times as clocks in the week's zone show them. */
export const timesOf = (week: Pick<Week, 'zone' | 'from' | 'to'>): Times => {
  const at = (time: UnixMs): Date => wallParts(time, week.zone);
  const name = (date: Date, names: readonly string[]): string => names[(date.getUTCDay() + 6) % 7] as string;
  const clock = (date: Date): string => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return {
    moment: (time) => {
      const date = at(time);
      const within = time >= week.from && time < week.to;
      return `${within ? name(date, DAYS) : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`} ${clock(date)}`;
    },
    day: (time) => {
      const date = at(time);
      return `${name(date, DAYS)} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
    },
    weekday: (time) => name(at(time), LONG_DAYS),
    long: (time) => {
      const date = at(time);
      return `${name(date, LONG_DAYS)} ${date.getUTCDate()} ${LONG_MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${clock(date)}`;
    },
    range: ({ days }) => {
      const [first, last] = [at(days[0] as UnixMs), at(days[6] as UnixMs)];
      const sameMonth = first.getUTCMonth() === last.getUTCMonth();
      const sameYear = first.getUTCFullYear() === last.getUTCFullYear();
      const from = `Monday ${first.getUTCDate()}${sameMonth ? '' : ` ${LONG_MONTHS[first.getUTCMonth()]}`}${sameYear ? '' : ` ${first.getUTCFullYear()}`}`;
      return `${from} to Sunday ${last.getUTCDate()} ${LONG_MONTHS[last.getUTCMonth()]} ${last.getUTCFullYear()}`;
    },
  };
};

/** Middle and nine tenths of some spans, by nearest rank; null where there is none. */
export const quantiles = (spans: readonly number[]): { readonly median: number; readonly p90: number } | null => {
  if (spans.length === 0) return null;
  const sorted = [...spans].sort((a, b) => a - b);
  const rank = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number;
  return { median: rank(0.5), p90: rank(0.9) };
};
