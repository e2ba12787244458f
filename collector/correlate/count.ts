// SPDX-License-Identifier: Apache-2.0
/**
 * event_count: enough signals of a group within the timespan.
 * Input: times at which signals arrived, and the table. Output: satisfied windows, from at most `threshold` rows before and after the arriving ones (S4).
 */
import type { UnixMs } from '../../core/units.ts';
import type { SignalTable } from '../model/signals.ts';
import { clusters, type Found, joined, type Span, windowEnd, windowStart } from './window.ts';

export interface CountQuestion {
  readonly correlation: string;
  readonly group: string;
  readonly threshold: number;
  readonly lengthMs: number;
}

/**
 * S3 asks for a judgement at every stored signal in [t, t + window). Each window that an arriving signal completes or extends holds a
 * run of `threshold` neighbours with that signal among them, and all other satisfied windows were found when their own last signal
 * came; so those runs are all that has to be looked at, and their union is the same.
 */
export const judgeCount = (question: CountQuestion, times: readonly UnixMs[], table: SignalTable): Found => {
  const { correlation, group, threshold, lengthMs } = question;
  const windows: Span[] = [];
  const ends: UnixMs[] = [];
  for (const cluster of clusters(times, lengthMs)) {
    const around = { correlation, group, from: windowStart(cluster[0]!, lengthMs), to: windowEnd(cluster.at(-1)!, lengthMs) };
    if (table.count(around, threshold) < threshold) continue;
    const found = judgeCluster(question, cluster, table);
    windows.push(...found.windows);
    ends.push(...found.ends);
  }
  return { windows: joined(windows), ends };
};

const judgeCluster = (question: CountQuestion, cluster: readonly UnixMs[], table: SignalTable): Found => {
  const { correlation, group, threshold, lengthMs } = question;
  const first = cluster[0]!;
  const last = cluster.at(-1)!;
  const limit = cluster.length === 1 ? threshold : cluster.length * 4 + threshold;
  const between = table.range({ correlation, group, from: first, to: last }, limit, 'oldest');
  // Too many other rows between the arriving ones: each is asked for alone.
  if (cluster.length > 1 && between.length === limit) {
    const each = cluster.map((time) => judgeCluster(question, [time], table));
    return { windows: each.flatMap((f) => f.windows), ends: [...new Set(each.flatMap((f) => f.ends))] };
  }
  const side = threshold - 1;
  const ask = (from: UnixMs, to: UnixMs, order: 'oldest' | 'newest') =>
    side === 0 ? [] : table.range({ correlation, group, from, to }, side, order);
  const before = [...ask(windowStart(first, lengthMs), (first - 1) as UnixMs, 'newest')].reverse();
  const after = ask((last + 1) as UnixMs, windowEnd(last, lengthMs), 'oldest');
  const rows = [...before, ...between, ...after];
  const windows: Span[] = [];
  const ends = new Set<UnixMs>();
  for (let i = side; i < rows.length; i++) {
    const to = rows[i]!.time;
    const from = rows[i - side]!.time;
    if (to - from >= lengthMs || to < first) continue;
    windows.push({ from, to });
    ends.add(to);
  }
  return { windows: joined(windows), ends: [...ends] };
};
