// SPDX-License-Identifier: Apache-2.0
/**
 * The gauge of temporal_ordered: a signal of every rule, in the order written, within the timespan.
 * Input: rows whose value is their rule. Output: the number of rules while the window holds such a chain, else 0.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Gauge } from './value.ts';

/** Signals of the same millisecond count as in order, because nothing says which came first. */
export const orderedGauge = (rules: readonly string[]): Gauge => {
  // Latest start of a chain over the first i + 1 rules; it only grows, so nothing has to be taken back when rows drop out.
  const starts: (UnixMs | undefined)[] = rules.map(() => undefined);
  return {
    push: (rows) => {
      const time = rows[0]?.time;
      const here = new Set(rows.map((row) => row.value));
      for (let i = 0; i < rules.length; i++) if (here.has(rules[i])) starts[i] = i === 0 ? time : starts[i - 1];
    },
    drop: () => {},
    read: (from) => {
      const start = starts.at(-1);
      return start !== undefined && start >= from ? rules.length : 0;
    },
  };
};
