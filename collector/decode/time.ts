// SPDX-License-Identifier: Apache-2.0
/**
 * Stamps in log lines to UTC: RFC 3164, RFC 3339 and its loose cousins, Apache, nginx, ctime, epoch, TAI64N.
 * Input: the line, a place in it, the agent's zone and the time it read the line. Output: `stamp`, or false where no stamp stands.
 */
import { wallToUtc } from './zone.ts';

/** What had to be inferred; goes to `vigil.time.quality`. */
export type TimeQuality = 'year-inferred' | 'zone-inferred' | 'unparsed' | undefined;

export interface TimeContext {
  /** IANA zone of stamps without one. */
  zone: string;
  /** When the agent read the line, in ms: a year-less stamp is the last such moment not later than a day after it. */
  readAt: number;
  /** Year of year-less stamps, where a person gave it. */
  year: number | undefined;
}

/** The last stamp read. One object for all, so that reading a stamp allocates nothing. */
export const stamp: { ms: number; end: number; quality: TimeQuality } = { ms: 0, end: 0, quality: undefined };

const DAY_MS = 86_400_000;

const digit = (text: string, at: number): number => {
  const n = text.charCodeAt(at) - 48;
  return n >= 0 && n <= 9 ? n : Number.NaN;
};
const two = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1);
const four = (text: string, at: number): number => two(text, at) * 100 + two(text, at + 2);

const MONTHS = new Map(
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name, n) => [
    (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2),
    n,
  ]),
);

/** Month of an English three-letter name, 0 to 11, or NaN. */
const monthAt = (text: string, at: number): number =>
  MONTHS.get(((text.charCodeAt(at) | 32) << 16) | ((text.charCodeAt(at + 1) | 32) << 8) | (text.charCodeAt(at + 2) | 32)) ?? Number.NaN;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isDay = (month: number, day: number): boolean => day >= 1 && day <= (DAYS[month] ?? 0);
const isClock = (hour: number, minute: number, second: number): boolean => hour <= 23 && minute <= 59 && second <= 60;
const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const done = (ms: number, end: number, quality: TimeQuality): boolean => {
  stamp.ms = ms;
  stamp.end = end;
  stamp.quality = quality;
  return true;
};

/** Wall time in the context's zone, remembered for the minute: lines of one minute come together. */
const minute = { zone: '', wall: Number.NaN, limit: 0, utc: 0 };
const inZone = (context: TimeContext, wall: number): number => {
  if (context.zone === 'UTC') return wall;
  const start = wall - (wall % 60_000);
  if (minute.wall !== start || minute.zone !== context.zone || context.readAt < minute.limit) {
    minute.utc = wallToUtc(context.zone, start, context.readAt);
    minute.zone = context.zone;
    minute.wall = start;
    minute.limit = minute.utc;
  }
  return minute.utc + (wall - start);
};

/** Year-less minute remembered with the span of read times for which its year holds. */
const yearless = { key: -1, zone: '', from: 0, to: 0, utc: 0 };
const inferYear = (context: TimeContext, month: number, day: number, hour: number, min: number): number => {
  const key = ((month * 32 + day) * 24 + hour) * 60 + min;
  const limit = context.readAt + DAY_MS;
  if (yearless.key === key && yearless.zone === context.zone && limit >= yearless.from && limit < yearless.to) return yearless.utc;
  let year = new Date(limit).getUTCFullYear() + 1;
  let utc = Number.POSITIVE_INFINITY;
  let next = Number.POSITIVE_INFINITY;
  // 29 February stands once in four to eight years.
  for (let tries = 0; tries < 12 && utc > limit; tries++, year--) {
    if (month === 1 && day === 29 && !isLeap(year)) continue;
    next = utc;
    utc = wallToUtc(context.zone, Date.UTC(year, month, day, hour, min), context.readAt);
  }
  yearless.key = key;
  yearless.zone = context.zone;
  yearless.from = utc;
  yearless.to = next;
  yearless.utc = utc;
  return utc;
};

const fraction = { ms: 0, end: 0 };
/** Reads `.123456` or `,123` behind a second. */
const readFraction = (text: string, at: number): void => {
  fraction.ms = 0;
  fraction.end = at;
  const mark = text.charCodeAt(at);
  if ((mark !== 46 && mark !== 44) || !(digit(text, at + 1) >= 0)) return;
  let end = at + 1;
  let scale = 100;
  while (end < at + 11 && digit(text, end) >= 0) {
    if (scale >= 1) fraction.ms += digit(text, end) * scale;
    scale /= 10;
    end++;
  }
  fraction.ms = Math.trunc(fraction.ms);
  fraction.end = end;
};

/** `Mmm d hh:mm:ss`, `Mmm dd yyyy hh:mm:ss`, with fraction; year before or after the clock where it stands. */
export const readRfc3164 = (text: string, at: number, context: TimeContext): boolean => {
  const month = monthAt(text, at);
  if (!(month >= 0) || text.charCodeAt(at + 3) !== 32) return false;
  let p = at + 4;
  if (text.charCodeAt(p) === 32) p++;
  let day = digit(text, p++);
  if (digit(text, p) >= 0) day = day * 10 + digit(text, p++);
  if (!isDay(month, day) || text.charCodeAt(p) !== 32) return false;
  p++;
  let year = 0;
  if (text.charCodeAt(p + 4) === 32 && four(text, p) >= 1970) {
    year = four(text, p);
    p += 5;
  }
  const hour = two(text, p);
  const min = two(text, p + 3);
  const second = two(text, p + 6);
  if (!isClock(hour, min, second) || text.charCodeAt(p + 2) !== 58 || text.charCodeAt(p + 5) !== 58) return false;
  readFraction(text, p + 8);
  const end = fraction.end;
  const rest = second * 1000 + fraction.ms;
  if (year === 0 && context.year !== undefined) year = context.year;
  if (year !== 0) return done(inZone(context, Date.UTC(year, month, day, hour, min)) + rest, end, 'zone-inferred');
  return done(inferYear(context, month, day, hour, min) + rest, end, 'year-inferred');
};

/** `2026-11-24T09:14:02.123456+01:00` and the forms with blank, slash, comma, without zone or seconds' fraction. */
export const readIso = (text: string, at: number, context: TimeContext): boolean => {
  const year = four(text, at);
  const sep = text.charCodeAt(at + 4);
  if (!(year >= 1970) || (sep !== 45 && sep !== 47 && sep !== 46) || text.charCodeAt(at + 7) !== sep) return false;
  const month = two(text, at + 5) - 1;
  const day = two(text, at + 8);
  const mid = text.charCodeAt(at + 10);
  if (!isDay(month, day) || (mid !== 84 && mid !== 32 && mid !== 116 && mid !== 45 && mid !== 58)) return false;
  let p = at + 11;
  // Old MySQL writes a one-digit hour behind a second blank.
  let hour = two(text, p);
  if (text.charCodeAt(p) === 32) hour = digit(text, p + 1);
  const min = two(text, p + 3);
  if (!isClock(hour, min, 0) || text.charCodeAt(p + 2) !== 58) return false;
  let second = 0;
  p += 5;
  if (text.charCodeAt(p) === 58) {
    second = two(text, p + 1);
    if (!(second <= 60)) return false;
    p += 3;
  }
  readFraction(text, p);
  const wall = Date.UTC(year, month, day, hour, min, second) + fraction.ms;
  return zoned(text, fraction.end, wall, context);
};

/** `Z`, `+0100`, `+01:00`, ` +0100`, ` UTC` behind a wall time; none means the context's zone. */
const zoned = (text: string, at: number, wall: number, context: TimeContext): boolean => {
  let p = at;
  let sign = text.charCodeAt(p);
  if (sign === 90 || sign === 122) return done(wall, p + 1, undefined);
  if (sign === 32) {
    if (text.startsWith(' UTC', p) || text.startsWith(' GMT', p)) return done(wall, p + 4, undefined);
    sign = text.charCodeAt(++p);
  }
  if ((sign === 43 || sign === 45) && digit(text, p + 1) >= 0) {
    const hours = two(text, p + 1);
    const colon = text.charCodeAt(p + 3) === 58;
    const minutes = two(text, p + (colon ? 4 : 3));
    if (hours <= 15 && minutes <= 59) {
      const shift = (hours * 60 + minutes) * 60_000;
      return done(sign === 43 ? wall - shift : wall + shift, p + (colon ? 6 : 5), undefined);
    }
  }
  return done(inZone(context, wall), at, 'zone-inferred');
};

/** Inside brackets of an access log: `10/Oct/2000:13:55:36 -0700`; a month by number is taken too. */
export const readClf = (text: string, at: number, context: TimeContext): boolean => {
  let p = at;
  let day = digit(text, p++);
  if (digit(text, p) >= 0) day = day * 10 + digit(text, p++);
  if (text.charCodeAt(p++) !== 47) return false;
  let month = monthAt(text, p);
  if (month >= 0) p += 3;
  else {
    // cPanel writes month/day/year.
    month = day - 1;
    day = two(text, p);
    p += 2;
  }
  const year = four(text, p + 1);
  if (!isDay(month, day) || text.charCodeAt(p) !== 47 || !(year >= 1970)) return false;
  p += 5;
  const hour = two(text, p + 1);
  const min = two(text, p + 4);
  const second = two(text, p + 7);
  if (!isClock(hour, min, second) || text.charCodeAt(p + 3) !== 58) return false;
  readFraction(text, p + 9);
  return zoned(text, fraction.end, Date.UTC(year, month, day, hour, min, second) + fraction.ms, context);
};

/** ctime and Apache's error log: `Thu Oct 13 12:24:49.880562 2022`; the zone is the context's. */
export const readCtime = (text: string, at: number, context: TimeContext): boolean => {
  if (text.charCodeAt(at + 3) !== 32) return false;
  const month = monthAt(text, at + 4);
  if (!(month >= 0)) return false;
  let p = at + 8;
  if (text.charCodeAt(p) === 32) p++;
  let day = digit(text, p++);
  if (digit(text, p) >= 0) day = day * 10 + digit(text, p++);
  const hour = two(text, p + 1);
  const min = two(text, p + 4);
  const second = two(text, p + 7);
  if (!isDay(month, day) || !isClock(hour, min, second) || text.charCodeAt(p) !== 32) return false;
  readFraction(text, p + 9);
  const ms = fraction.ms;
  p = fraction.end;
  // `date` puts the zone's short name before the year; the name is not unique, so the context's zone holds.
  if (text.charCodeAt(p) === 32 && !(four(text, p + 1) >= 1970)) {
    const blank = text.indexOf(' ', p + 1);
    if (blank > 0 && blank - p <= 6) p = blank;
  }
  const year = four(text, p + 1);
  if (!(year >= 1970) || text.charCodeAt(p) !== 32) return false;
  const utc = inZone(context, Date.UTC(year, month, day, hour, min)) + second * 1000 + ms;
  return done(utc, p + 5, 'zone-inferred');
};

/** `19-Oct-2022 05:34:02.425` as BIND writes it. */
export const readBind = (text: string, at: number, context: TimeContext): boolean => {
  const day = two(text, at);
  const month = monthAt(text, at + 3);
  const year = four(text, at + 7);
  if (!isDay(month, day) || !(year >= 1970) || text.charCodeAt(at + 2) !== 45 || text.charCodeAt(at + 6) !== 45) return false;
  const hour = two(text, at + 12);
  const min = two(text, at + 15);
  const second = two(text, at + 18);
  if (!isClock(hour, min, second)) return false;
  readFraction(text, at + 20);
  return zoned(text, fraction.end, Date.UTC(year, month, day, hour, min, second) + fraction.ms, context);
};

/** `130324  8:24:09` as MySQL wrote it before 5.7. */
export const readYymmdd = (text: string, at: number, context: TimeContext): boolean => {
  const year = 2000 + two(text, at);
  const month = two(text, at + 2) - 1;
  const day = two(text, at + 4);
  if (!isDay(month, day) || text.charCodeAt(at + 6) !== 32) return false;
  const hour = text.charCodeAt(at + 7) === 32 ? digit(text, at + 8) : two(text, at + 7);
  const min = two(text, at + 10);
  const second = two(text, at + 13);
  if (!isClock(hour, min, second) || text.charCodeAt(at + 9) !== 58) return false;
  return done(inZone(context, Date.UTC(year, month, day, hour, min)) + second * 1000, at + 15, 'zone-inferred');
};

/** Seconds since 1970 with an optional fraction; 13, 16 and 19 digits are milli-, micro- and nanoseconds. */
export const readEpoch = (text: string, at: number): boolean => {
  let end = at;
  let value = 0;
  while (end < at + 20 && digit(text, end) >= 0) value = value * 10 + digit(text, end++);
  const digits = end - at;
  if (digits === 13) return done(value, end, undefined);
  if (digits === 16) return done(Math.trunc(value / 1e3), end, undefined);
  if (digits === 19) return done(Math.trunc(value / 1e6), end, undefined);
  if (digits !== 10 && digits !== 9) return false;
  readFraction(text, end);
  return done(value * 1000 + fraction.ms, fraction.end, undefined);
};

/** `@400000004c91b044077a9e94` of multilog; leap seconds since 1972 are ignored, as its readers do. */
export const readTai64n = (text: string, at: number): boolean => {
  if (text.charCodeAt(at) !== 64 || !/^[0-9a-f]{24}$/.test(text.slice(at + 1, at + 25))) return false;
  const seconds = Number.parseInt(text.slice(at + 2, at + 17), 16) - 10;
  if (seconds > 8.64e12) return false;
  const nanos = Number.parseInt(text.slice(at + 17, at + 25), 16);
  return done(seconds * 1000 + Math.trunc(nanos / 1e6), at + 25, undefined);
};

/** Any stamp that stands at the place, whatever its form. */
export const readAny = (text: string, at: number, context: TimeContext): boolean => {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) {
    return (
      readIso(text, at, context) ||
      readClf(text, at, context) ||
      readBind(text, at, context) ||
      readYymmdd(text, at, context) ||
      readEpoch(text, at)
    );
  }
  if (code === 64) return readTai64n(text, at);
  return readRfc3164(text, at, context) || readCtime(text, at, context);
};
