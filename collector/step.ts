// SPDX-License-Identifier: Apache-2.0
/**
 * Notices that the wall clock stepped, so that nothing is thrown away by its age on the word of a clock that may be wrong.
 * Input: the clock, when it was looked at last in the life before. Output: whether retention rests, and a condition that says so.
 */
import type { Clock } from '../core/clock.ts';
import { days, hours, isoTime, minutes, type UnixMs, unixMs } from '../core/units.ts';
import type { Condition } from './http/status.ts';
import type { StateStore } from './store/store.ts';

export interface StepWatch {
  /** To be called about every minute; keeps the time for the next life. */
  look(): Promise<void>;
  /** True for a day after a step, or after a start that comes more than a day after the last look. */
  readonly rests: boolean;
  conditions(): readonly Condition[];
}

/** A wall clock may drift so far from the one that never jumps, between two looks. */
const DRIFT_MS = minutes(10);
const AWAY_MS = days(1);
const REST_MS = hours(24);
const SEEN = 'clock:seen';

/** Opens the watch with the time that was kept last. */
export const openStepWatch = async (state: StateStore, clock: Clock): Promise<StepWatch> => {
  const seen = (await state.get('setting', SEEN))?.value['at'];
  const watch = watchSteps(clock, typeof seen === 'number' ? unixMs(seen) : null);
  return {
    ...watch,
    get rests() {
      return watch.rests;
    },
    look: async () => {
      watch.look();
      await state.put('setting', SEEN, { at: clock.now() });
    },
  };
};

/** The same without a memory. */
export const watchSteps = (clock: Clock, lastSeen: UnixMs | null) => {
  let wall = clock.now();
  let steady = clock.monotonic();
  const beginsRest = lastSeen !== null && Math.abs(wall - lastSeen) > AWAY_MS;
  let step: { readonly at: number; readonly from: UnixMs; readonly to: UnixMs } | null = beginsRest
    ? { at: steady, from: lastSeen, to: wall }
    : null;
  const look = (): void => {
    const [now, mono] = [clock.now(), clock.monotonic()];
    const byMs = now - wall - (mono - steady);
    if (Math.abs(byMs) > DRIFT_MS) step = { at: mono, from: wall, to: now };
    [wall, steady] = [now, mono];
    if (step && mono - step.at >= REST_MS) step = null;
  };
  return {
    look,
    get rests() {
      look();
      return step !== null;
    },
    conditions: (): readonly Condition[] =>
      step === null
        ? []
        : [
            {
              code: 'CLOCK_STEPPED',
              about: 'The clock of this host',
              text: `went from ${isoTime(step.from)} to ${isoTime(step.to)}.`,
              hint: 'Set it right where it is wrong. Until a day has passed nothing is deleted for its age.',
            },
          ],
  };
};
