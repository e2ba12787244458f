// SPDX-License-Identifier: Apache-2.0
/**
 * The clocks of the story: wall time stands where the story is. Work waits for real spans; who listens to agents lives through the story's.
 * Input: moves of the player. Output: clocks of a collector that goes through ten days in half a minute.
 */
import { type Clock, systemClock } from '../core/clock.ts';
import { type Ms, ms, type UnixMs, unixMs } from '../core/units.ts';

export interface StoryClock {
  /** The story's wall time, real spans. */
  readonly clock: Clock;
  /** The story's wall time and spans: a wait ends when the story is moved past it. */
  readonly lived: Clock;
  /** Moves on, never back. */
  moveTo(time: UnixMs): void;
}

export const storyClock = (begin: UnixMs): StoryClock => {
  let wall: number = begin;
  let skipped = 0;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  const now = (): UnixMs => unixMs(wall);
  const monotonic = (): Ms => ms(systemClock.monotonic() + skipped);
  const sleep: Clock['sleep'] = (span, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted || span <= 0) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { until: monotonic() + span, wake: done };
      const timer = setTimeout(done, span);
      signal?.addEventListener('abort', done);
      sleepers.add(sleeper);
    });
  return {
    clock: { now, monotonic: systemClock.monotonic, sleep: systemClock.sleep },
    lived: { now, monotonic, sleep },
    moveTo: (time) => {
      if (time <= wall) return;
      skipped += time - wall;
      wall = time;
      for (const { until, wake } of [...sleepers]) if (until <= monotonic()) wake();
    },
  };
};
