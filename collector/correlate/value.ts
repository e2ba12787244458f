// SPDX-License-Identifier: Apache-2.0
/**
 * Gauges of a sliding window over values: how many different ones, their sum, mean or percentile.
 * Input: rows pushed and dropped as the window moves. Output: the number that the correlation's condition is about.
 */
import type { UnixMs } from '../../core/units.ts';
import type { CorrelationRule } from '../model/rule.ts';
import type { SignalRow } from '../model/signals.ts';

/** What a window holds, kept while it slides. Rows of one time are pushed together, oldest first. */
export interface Gauge {
  push(rows: readonly SignalRow[]): void;
  drop(row: SignalRow): void;
  /** The number for the window that ends at `end` and begins with `from`. */
  read(from: UnixMs, end: UnixMs): number;
}

export const countGauge = (): Gauge => {
  let rows = 0;
  return {
    push: (added) => {
      rows += added.length;
    },
    drop: () => {
      rows--;
    },
    read: () => rows,
  };
};

/** How many different values; for temporal correlations the values are rules. */
export const distinctGauge = (): Gauge => {
  const held = new Map<string, number>();
  return {
    push: (rows) => {
      for (const { value = '' } of rows) held.set(value, (held.get(value) ?? 0) + 1);
    },
    drop: ({ value = '' }) => {
      const left = (held.get(value) ?? 0) - 1;
      if (left > 0) held.set(value, left);
      else held.delete(value);
    },
    read: () => held.size,
  };
};

/**
 * An amount; null for what is none. Amounts below zero are none either: a sum that may shrink could not be judged when a signal
 * arrives (S3).
 */
export const amountOf = (row: SignalRow): number | null => {
  const n = row.value === undefined || row.value.trim() === '' ? Number.NaN : Number(row.value);
  return Number.isFinite(n) && n >= 0 ? n : null;
};

/** Sum, mean (NaN without amounts) or percentile by nearest rank. Rows drop out in the order they came in. */
export const amountGauge = (rule: CorrelationRule): Gauge => {
  const amounts: number[] = [];
  let dropped = 0;
  let sum = 0;
  return {
    push: (rows) => {
      for (const row of rows) {
        const n = amountOf(row);
        if (n === null) continue;
        amounts.push(n);
        sum += n;
      }
    },
    drop: (row) => {
      if (amountOf(row) !== null) sum -= amounts[dropped++]!;
    },
    read: () => {
      const count = amounts.length - dropped;
      if (count === 0) return rule.type === 'value_sum' ? 0 : Number.NaN;
      if (rule.type === 'value_sum') return sum;
      if (rule.type === 'value_avg') return sum / count;
      const sorted = amounts.slice(dropped).sort((a, b) => a - b);
      const rank = Math.ceil(((rule.percentile ?? 50) / 100) * count);
      return sorted[Math.min(count, Math.max(1, rank)) - 1]!;
    },
  };
};
