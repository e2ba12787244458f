// SPDX-License-Identifier: Apache-2.0
/**
 * Spans of event time: how windows join, and which arriving times must be judged together.
 * Input: satisfied windows, times of arriving signals. Output: unions and clusters, oldest first.
 */
import type { UnixMs } from '../../core/units.ts';

/** Both inclusive. */
export interface Span {
  readonly from: UnixMs;
  readonly to: UnixMs;
}

/** What judging one group found: satisfied windows, and the times at which one ends (for chains). */
export interface Found {
  readonly windows: readonly Span[];
  readonly ends: readonly UnixMs[];
}

/** A window that ends at `to` and is `lengthMs` long begins after `to - lengthMs`: its first millisecond. */
export const windowStart = (to: UnixMs, lengthMs: number): UnixMs => (to - lengthMs + 1) as UnixMs;

/** The last millisecond whose window still holds `from`. */
export const windowEnd = (from: UnixMs, lengthMs: number): UnixMs => (from + lengthMs - 1) as UnixMs;

/** The union, spans joined where they touch or the gap is at most `gapMs`. */
export const joined = (spans: readonly Span[], gapMs = 0): readonly Span[] => {
  const sorted = [...spans].sort((a, b) => a.from - b.from || a.to - b.to);
  const out: Span[] = [];
  for (const span of sorted) {
    const last = out.at(-1);
    if (last && span.from - last.to <= gapMs) out[out.length - 1] = { from: last.from, to: Math.max(last.to, span.to) as UnixMs };
    else out.push(span);
  }
  return out;
};

/** Different times, in order, parted where no window could hold two neighbours, so that nothing between them need be read. */
export const clusters = (times: readonly UnixMs[], lengthMs: number): readonly (readonly UnixMs[])[] => {
  const out: UnixMs[][] = [];
  for (const time of [...new Set(times)].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last && time - last.at(-1)! < lengthMs) last.push(time);
    else out.push([time]);
  }
  return out;
};
