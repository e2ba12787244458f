// SPDX-License-Identifier: Apache-2.0
/**
 * Judging (S3): an arriving signal at t is judged at the event time of every stored signal of its group in [t, t + window).
 * Input: a correlation, a group, times of arriving signals, the table. Output: satisfied windows and the times at which they end.
 */
import type { UnixMs } from '../../core/units.ts';
import type { CorrelationRule } from '../model/rule.ts';
import type { SignalRange, SignalRow, SignalTable } from '../model/signals.ts';
import { judgeCount } from './count.ts';
import { type Correlation, countLimit, satisfies } from './plan.ts';
import { orderedGauge } from './temporal.ts';
import { amountGauge, countGauge, distinctGauge, type Gauge } from './value.ts';
import { clusters, type Found, joined, type Span, windowEnd, windowStart } from './window.ts';

/** Rows on each side of an arriving signal that a window over values reads at most. Counts of events read no more than their threshold. */
export const WINDOW_ROWS = 10_000;

/** Windows whose condition stays true when signals are added; `correlation.threshold` is not null. */
export const judgeArrivals = (correlation: Correlation, group: string, times: readonly UnixMs[], table: SignalTable): Found => {
  const { rule } = correlation;
  const threshold = correlation.threshold ?? 1;
  const lengthMs = rule.timespanMs;
  if (rule.type === 'event_count') return judgeCount({ correlation: rule.id, group, threshold, lengthMs }, times, table);
  const holds = (n: number): boolean => (rule.type === 'value_sum' ? satisfies(rule, n) : n >= threshold);
  const windows: Span[] = [];
  const ends: UnixMs[] = [];
  for (const cluster of clusters(times, lengthMs)) {
    const first = cluster[0]!;
    const last = cluster.at(-1)!;
    const range = { correlation: rule.id, group, from: windowStart(first, lengthMs), to: windowEnd(last, lengthMs) };
    const need = rule.type === 'temporal_ordered' ? rule.rules.length : threshold;
    if (rule.type !== 'value_sum' && table.distinct(range, need) < need) continue;
    const enough = (rows: readonly SignalRow[]): boolean => holds(readAll(rows, gaugeOf(rule), rows[0]!.time, rows.at(-1)!.time));
    const before = nearest(table, { ...range, to: (first - 1) as UnixMs }, 'newest', enough);
    const between = table.range({ ...range, from: first, to: last }, WINDOW_ROWS, 'oldest');
    const after = nearest(table, { ...range, from: (last + 1) as UnixMs }, 'oldest', enough);
    const found = slide([...before, ...between, ...after], gaugeOf(rule), lengthMs, first, holds);
    ends.push(...found.ends);
    // Rows before the nearest ones were not read; the first window begins where the table says.
    const opening = found.windows[0];
    if (opening) windows.push(...found.windows, { from: firstRow(table, range, opening.to, lengthMs), to: opening.to });
  }
  return { windows: joined(windows), ends };
};

const firstRow = (table: SignalTable, range: SignalRange, end: UnixMs, lengthMs: number): UnixMs =>
  table.range({ ...range, from: windowStart(end, lengthMs), to: end }, 1, 'oldest')[0]?.time ?? end;

/**
 * The rows next to the arriving signals, oldest first, and no more of them than satisfy the condition by themselves: a window that reaches
 * further was satisfied without the arriving signals, and found before.
 */
const nearest = (
  table: SignalTable,
  range: SignalRange,
  order: 'oldest' | 'newest',
  enough: (rows: readonly SignalRow[]) => boolean,
): readonly SignalRow[] => {
  if (range.from > range.to) return [];
  for (let limit = 64; ; limit *= 4) {
    const rows = table.range(range, Math.min(limit, WINDOW_ROWS), order);
    const sorted = order === 'oldest' ? rows : [...rows].reverse();
    if (rows.length < limit || limit >= WINDOW_ROWS || enough(sorted)) return sorted;
  }
};

/**
 * Conditions that may stop holding when signals are added, judged once, when the watermark has passed: the windows that end at these
 * times. A window is looked at whole, up to the bound.
 */
export const judgePassed = (rule: CorrelationRule, group: string, times: readonly UnixMs[], table: SignalTable): Found => {
  const windows: Span[] = [];
  const ends: UnixMs[] = [];
  for (const end of new Set(times)) {
    const range = { correlation: rule.id, group, from: windowStart(end, rule.timespanMs), to: end };
    const counted = rule.type === 'event_count';
    const rows = counted ? [] : [...table.range(range, WINDOW_ROWS, 'newest')].reverse();
    const n = counted ? table.count(range, countLimit(rule)) : readAll(rows, gaugeOf(rule), range.from, end);
    if (!satisfies(rule, n)) continue;
    const first = counted ? table.range(range, 1, 'oldest')[0] : rows[0];
    windows.push({ from: first?.time ?? end, to: end });
    ends.push(end);
  }
  return { windows: joined(windows), ends };
};

const gaugeOf = (rule: CorrelationRule): Gauge => {
  if (rule.type === 'event_count') return countGauge();
  if (rule.type === 'temporal_ordered') return orderedGauge(rule.rules);
  return rule.type === 'value_count' || rule.type === 'temporal' ? distinctGauge() : amountGauge(rule);
};

const readAll = (rows: readonly SignalRow[], gauge: Gauge, from: UnixMs, end: UnixMs): number => {
  for (const together of byTime(rows)) gauge.push(together);
  return gauge.read(from, end);
};

/** Every satisfied window that ends at a row from `since` on; it begins with its oldest row. */
const slide = (rows: readonly SignalRow[], gauge: Gauge, lengthMs: number, since: UnixMs, holds: (n: number) => boolean): Found => {
  const windows: Span[] = [];
  const ends: UnixMs[] = [];
  let oldest = 0;
  for (const together of byTime(rows)) {
    const end = together[0]!.time;
    const from = windowStart(end, lengthMs);
    gauge.push(together);
    while (rows[oldest]!.time < from) gauge.drop(rows[oldest++]!);
    if (end < since || !holds(gauge.read(from, end))) continue;
    windows.push({ from: rows[oldest]!.time, to: end });
    ends.push(end);
  }
  return { windows, ends };
};

function* byTime(rows: readonly SignalRow[]): Iterable<readonly SignalRow[]> {
  let start = 0;
  for (let i = 1; i <= rows.length; i++) {
    if (i < rows.length && rows[i]!.time === rows[start]!.time) continue;
    yield rows.slice(start, i);
    start = i;
  }
}
