// SPDX-License-Identifier: Apache-2.0
/**
 * The watermark: event time that every live stream has passed, kept in the signals table so that a restart knows it (S3, S8).
 * Input: watermarks of pages. Output: one time for what happens now, one for each replayed stream.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import type { SignalTable } from '../model/signals.ts';

/** A stream that lies further behind the furthest one is catching up or silent, and holds nobody back. */
export const LIVE_LAG_MS = 3_600_000;

const PREFIX = 'stream:';

export interface Watermarks {
  /** Event time of every stream that was heard. */
  of(table: SignalTable): ReadonlyMap<string, UnixMs>;
  /** Moves the streams of a page forward. */
  raise(table: SignalTable, reached: Readonly<Record<string, UnixMs>>): void;
}

/** Watermarks read from each table once. A page whose transaction failed leaves the copy ahead, until that same page is done again. */
export const makeWatermarks = (): Watermarks => {
  const copies = new WeakMap<SignalTable, Map<string, UnixMs>>();
  const copyOf = (table: SignalTable): Map<string, UnixMs> => {
    let copy = copies.get(table);
    if (!copy) {
      copy = new Map();
      for (const [name, time] of table.reached(PREFIX)) copy.set(name.slice(PREFIX.length), time);
      copies.set(table, copy);
    }
    return copy;
  };
  return {
    of: copyOf,
    raise: (table, reached) => {
      const copy = copyOf(table);
      for (const [stream, time] of Object.entries(reached)) {
        table.raise(PREFIX + stream, time);
        if (time > (copy.get(stream) ?? Number.NEGATIVE_INFINITY)) copy.set(stream, time);
      }
    },
  };
};

/** The lowest event time among live streams; null when none was heard. */
export const lowestLive = (streams: ReadonlyMap<string, UnixMs>): UnixMs | null => {
  let highest = Number.NEGATIVE_INFINITY;
  for (const time of streams.values()) highest = Math.max(highest, time);
  if (!Number.isFinite(highest)) return null;
  let lowest = highest;
  for (const time of streams.values()) if (time >= highest - LIVE_LAG_MS) lowest = Math.min(lowest, time);
  return unixMs(lowest);
};
