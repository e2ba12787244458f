// SPDX-License-Identifier: Apache-2.0
/**
 * A clock that a test moves by hand; sleeps end when it is moved past them.
 * Input: a beginning in wall time. Output: a Clock.
 */
import type { Clock } from '../../core/clock.ts';
import { type Ms, ms, unixMs } from '../../core/units.ts';

export interface HandClock extends Clock {
  /** Moves both times on and wakes who slept long enough. */
  advance(span: number): void;
  /** Sets the wall time apart from the monotonic one, as an administrator does. */
  setWall(at: number): void;
}

export const handClock = (begin = Date.now()): HandClock => {
  let wall = begin;
  let mono = 0;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => unixMs(wall),
    monotonic: (): Ms => ms(mono),
    sleep: (span, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || span <= 0) return resolve();
        sleepers.push({ at: mono + span, wake: resolve });
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
    advance: (span) => {
      wall += span;
      mono += span;
      const due = sleepers.filter(({ at }) => at <= mono);
      sleepers = sleepers.filter(({ at }) => at > mono);
      for (const { wake } of due) wake();
    },
    setWall: (at) => {
      wall = at;
    },
  };
};
