// SPDX-License-Identifier: Apache-2.0
/**
 * Week of the year for the modifier `week`.
 * Input: a date. Output: the ISO 8601 week in UTC.
 */

const DAY_MS = 86_400_000;

/** 1 to 53. The week of a date is the week of its Thursday. */
export const isoWeek = (date: Date): number => {
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  const weekday = (new Date(day).getUTCDay() + 6) % 7;
  const thursday = day + (3 - weekday) * DAY_MS;
  const first = Date.UTC(new Date(thursday).getUTCFullYear(), 0, 1);
  return Math.floor((thursday - first) / (7 * DAY_MS)) + 1;
};
