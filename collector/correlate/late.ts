// SPDX-License-Identifier: Apache-2.0
/**
 * Lateness (S8): whether a signal came when its time had long been passed.
 * Input: the watermark before the page. Output: a test for signals of a window's length.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Signal } from '../model/signal.ts';

/** A line may take this long from its host to the collector without being late. */
export const TRAVEL_MS = 300_000;

/** Late: over the window before the watermark, or longer than that on its way. A host alone has no other stream to be behind of. */
export const lateness =
  (watermark: UnixMs | null): ((signal: Signal, windowMs: number) => boolean) =>
  (signal, windowMs) => {
    if (signal.replay) return false;
    const passed = signal.time + windowMs + TRAVEL_MS;
    return passed < signal.ingested || (watermark !== null && passed < watermark);
  };
