// SPDX-License-Identifier: Apache-2.0
/**
 * Time as an argument: every part is given a clock, so tests move time by hand.
 * Input: the system clock, or a test's. Output: wall time for stamps, monotonic time for every wait and timeout.
 */
import type { Ms, UnixMs } from './units.ts';

export interface Clock {
  /** Wall time. May jump; never used to measure a span. */
  now(): UnixMs;
  /** Milliseconds that only grow, unaffected by clock changes. */
  monotonic(): Ms;
  /** Resolves after the span, or at once when the signal aborts (never rejects). */
  sleep(span: Ms, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now() as UnixMs,
  monotonic: () => performance.now() as Ms,
  sleep: (span, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, span);
      signal?.addEventListener('abort', done);
    }),
};
