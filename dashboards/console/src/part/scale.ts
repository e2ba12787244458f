// SPDX-License-Identifier: Apache-2.0
/**
 * Where ticks stand: few, round, and at the hours and days of the zone that is shown.
 * Input: a range. Output: numbers and times with their labels.
 */
import { offsetMinutes, timeAs, type Zone } from './time.tsx';

/** At most four ticks from zero, at 1, 2 or 5 times a power of ten; the last one is the top of the axis. */
export const countTicks = (most: number): readonly number[] => {
  for (let power = 1; ; power *= 10)
    for (const unit of [1, 2, 5]) {
      const step = unit * power;
      const top = Math.max(1, Math.ceil(most / step));
      if (top <= 3) return Array.from({ length: top + 1 }, (_, i) => i * step);
    }
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1_000,
  5_000,
  15_000,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
  365 * DAY,
];

export interface TimeTick {
  readonly at: number;
  readonly text: string;
}

/** At most `limit` times within the range, at round hours or days of the zone; a day is named where it begins. */
export const timeTicks = (from: number, to: number, zone: Zone, limit = 7): readonly TimeTick[] => {
  // A window up to now is a millisecond longer than its name says.
  const step = STEPS.find((one) => (to - from - 1) / one <= limit) ?? (to - from) / limit;
  const shift = offsetMinutes(from, zone) * MINUTE;
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil((from + shift) / step) * step - shift; at < to; at += step) {
    const midnight = (at + shift) % DAY === 0;
    const clock = timeAs(step < MINUTE ? 'clock' : 'minute', at, zone);
    // The first one says its day too.
    const text = ticks.length === 0 ? `${timeAs('day', at, zone)} ${clock}` : clock;
    ticks.push({ at, text: midnight ? timeAs('day', at, zone) : text });
  }
  return ticks;
};
