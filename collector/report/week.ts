// SPDX-License-Identifier: Apache-2.0
/**
 * Weeks as the report counts them: ISO 8601 weeks, Monday to Sunday, whose days begin at midnight of one time zone.
 * Input: a week's name or a time, a zone. Output: its bounds, its days, its neighbours. Pure.
 */
import { LAST_TIME_MS, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';

export interface Week {
  /** `2026-W47`. */
  readonly name: string;
  readonly zone: string;
  /** Inclusive. */
  readonly from: UnixMs;
  /** Exclusive. */
  readonly to: UnixMs;
  /** Eight times: the beginning of each day, and the end. A day of 23 or 25 hours is one. */
  readonly days: readonly UnixMs[];
}

const DAY_MS = 86_400_000;
const NAME = /^(\d{4})-W(\d{2})$/;

/** True when the platform knows the zone. */
export const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** What clocks in the zone show at a time, as if it were UTC. */
const wallOf = (at: number, zone: string): number => {
  if (zone === 'UTC') return at;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
};

/** The time at which clocks in the zone show this; where they show it twice the earlier, where never the moment after the gap. */
const timeOf = (wall: number, zone: string): UnixMs => {
  const guesses = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - (wallOf(near, zone) - near));
  const exact = guesses.filter((guess) => wallOf(guess, zone) === wall);
  return unixMs(exact.length > 0 ? Math.min(...exact) : Math.max(...guesses));
};

/** The calendar day in the zone, as milliseconds of its midnight in UTC. */
const dayOf = (at: number, zone: string): number => Math.floor(wallOf(at, zone) / DAY_MS) * DAY_MS;
const mondayOf = (day: number): number => day - ((new Date(day).getUTCDay() + 6) % 7) * DAY_MS;

const weekFrom = (monday: number, zone: string): Week => {
  // The year of a week is the year of its Thursday.
  const thursday = monday + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const number = 1 + Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS));
  const days = Array.from({ length: 8 }, (_, i) => timeOf(monday + i * DAY_MS, zone));
  return {
    name: `${String(year).padStart(4, '0')}-W${String(number).padStart(2, '0')}`,
    zone,
    from: days[0] as UnixMs,
    to: days[7] as UnixMs,
    days,
  };
};

/** The week a time falls into. */
export const weekAt = (at: UnixMs, zone: string): Week => weekFrom(mondayOf(dayOf(at, zone)), zone);

/** The week `n` weeks after this one; before it where `n` is negative. */
export const weekAfter = (week: Week, n: number): Week => weekFrom(mondayOf(dayOf(week.from, week.zone)) + n * 7 * DAY_MS, week.zone);

/** The last week that is over. */
export const lastFullWeek = (now: UnixMs, zone: string): Week => weekAfter(weekAt(now, zone), -1);

/**
 * The week of a name.
 * @throws CodedError WEEK_MALFORMED for what is no week, WEEK_NOT_OVER for one that has not ended.
 */
export const readWeek = (name: string, zone: string, now: UnixMs): Week => {
  const match = NAME.exec(name);
  const [year, number] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || year < 1971 || number < 1 || number > 53) throw fault('WEEK_MALFORMED', { week: shown(name) });
  // The fourth of January always lies in week 1.
  const week = weekFrom(mondayOf(Date.UTC(year, 0, 4)) + (number - 1) * 7 * DAY_MS, zone);
  if (week.name !== name || week.to > LAST_TIME_MS) throw fault('WEEK_MALFORMED', { week: shown(name) });
  if (week.to > now) throw fault('WEEK_NOT_OVER', { week: name, ends: new Date(week.to).toISOString() });
  return week;
};

const shown = (name: string): string => JSON.stringify(name.slice(0, 40));

/** Hour and weekday (0 Monday) that clocks in the zone show. */
export const wallClock = (at: UnixMs, zone: string): { readonly weekday: number; readonly hour: number } => {
  const wall = wallOf(at, zone);
  return { weekday: (new Date(wall).getUTCDay() + 6) % 7, hour: new Date(wall).getUTCHours() };
};

/** A time as its parts in the zone. */
export const wallParts = (at: UnixMs, zone: string): Date => new Date(wallOf(at, zone));
