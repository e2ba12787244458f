// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts counted over time by severity, worst at the base.
 * Input: alerts, a window. Output: buckets of a chart.
 */
import type { AlertItem } from '../api/calls.ts';
import type { Bucket } from './bar-chart.tsx';
import { LEVELS } from './marks.tsx';

/** Alerts by when they last fired. */
export const bucketsOf = (items: readonly AlertItem[], from: number, to: number, bars: number): readonly Bucket[] => {
  const width = (to - from) / bars;
  const counts = Array.from({ length: bars }, () => new Map<string, number>());
  for (const { last, level } of items) {
    const bucket = counts[Math.min(bars - 1, Math.max(0, Math.floor((Date.parse(last) - from) / width)))];
    bucket?.set(level, (bucket.get(level) ?? 0) + 1);
  }
  return counts.map((count, i) => ({
    at: from + i * width,
    parts: LEVELS.map((level) => ({ colour: level, count: count.get(level) ?? 0 })),
  }));
};
