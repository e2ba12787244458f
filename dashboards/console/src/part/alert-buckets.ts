// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts counted over time by severity, worst at the base: all of a window, however many are drawn below.
 * Input: what the API counted. Output: buckets of a chart, and the sum of each level.
 */
import type { AlertBars } from '../api/triage.ts';
import type { Bucket } from './bar-chart.tsx';
import { LEVELS } from './marks.tsx';

/** Alerts by when they last fired. */
export const bucketsOf = ({ buckets, from, to }: AlertBars): readonly Bucket[] => {
  const begin = Date.parse(from);
  const width = (Date.parse(to) - begin) / buckets.length;
  return buckets.map(({ counts }, i) => ({
    at: begin + i * width,
    parts: LEVELS.map((level) => ({ colour: level, count: counts[level] ?? 0 })),
  }));
};

/** How many there are of each level, worst first; levels without one are left out. */
export const levelsOf = ({ buckets }: AlertBars): readonly { readonly level: (typeof LEVELS)[number]; readonly count: number }[] =>
  LEVELS.map((level) => ({ level, count: buckets.reduce((sum, { counts }) => sum + (counts[level] ?? 0), 0) })).filter(
    ({ count }) => count > 0,
  );
