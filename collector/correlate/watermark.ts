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

/** Moves the streams of a page forward. */
export const raiseWatermarks = (table: SignalTable, watermarks: Readonly<Record<string, UnixMs>>): void => {
  for (const [stream, time] of Object.entries(watermarks)) table.raise(PREFIX + stream, time);
};

/** Event time of every stream that was heard. */
export const readWatermarks = (table: SignalTable): Map<string, UnixMs> => {
  const out = new Map<string, UnixMs>();
  for (const [name, time] of table.reached(PREFIX)) out.set(name.slice(PREFIX.length), time);
  return out;
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
