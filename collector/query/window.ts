// SPDX-License-Identifier: Apache-2.0
/**
 * The window of a question: two times as people write them.
 * Input: ISO 8601 or date math, and the time it is now. Output: a half-open range, the last 24 hours by default.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { parseTime, type TimeRange } from './date.ts';

const DAY_MS = 86_400_000;

/**
 * The range named by `from` (inclusive) and `to` (exclusive; `now` includes the moment itself).
 * @throws CodedError QUERY_BAD_VALUE for what is no time, REQUEST_BAD for a range that ends before it begins.
 */
export const readWindow = (from: string | undefined, to: string | undefined, now: UnixMs): TimeRange => {
  const end = to === undefined || to === 'now' ? unixMs(now + 1) : read('to', to, now);
  const start = from === undefined ? unixMs(end - DAY_MS) : read('from', from, now);
  if (start >= end)
    throw fault('REQUEST_BAD', { reason: `the window ends (to ${to ?? 'now'}) before it begins (from ${from ?? 'a day earlier'})` });
  return { from: start, to: end };
};

/** One time as people write it. @throws CodedError QUERY_BAD_VALUE. */
export const readTime = (text: string, now: UnixMs): UnixMs => read('at', text, now);

const read = (name: string, text: string, now: UnixMs): UnixMs => {
  const range = parseTime(text, now);
  if (range === null)
    throw fault('QUERY_BAD_VALUE', {
      value: JSON.stringify(text),
      field: name,
      type: 'a time',
      expected: '2026-11-24T09:14:02Z or now-24h',
    });
  return range.from;
};
