// SPDX-License-Identifier: Apache-2.0
/** A wall clock that steps, and one that does not, moved by hand. */
import { describe, expect, it } from 'vitest';
import { days, hours, minutes, unixMs } from '../core/units.ts';
import { handClock } from '../test/support/hand-clock.ts';
import { watchSteps } from './step.ts';

const BEGIN = unixMs(Date.UTC(2026, 10, 24));

describe('a wall clock', () => {
  it('that goes on steadily lets retention work', () => {
    const clock = handClock(BEGIN);
    const watch = watchSteps(clock, unixMs(BEGIN - hours(20)));
    for (let i = 0; i < 100; i++) {
      clock.advance(minutes(30));
      expect(watch.rests).toBe(false);
    }
    expect(watch.conditions()).toEqual([]);
  });

  for (const by of [days(1), -days(1), days(400), -days(400)])
    it(`that steps by ${by / days(1)} days makes retention rest for a day, and says so`, () => {
      const clock = handClock(BEGIN);
      const watch = watchSteps(clock, null);
      clock.advance(minutes(1));
      clock.setWall(clock.now() + by);
      expect(watch.rests).toBe(true);
      expect(watch.conditions()).toMatchObject([{ code: 'CLOCK_STEPPED' }]);
      clock.advance(hours(23));
      expect(watch.rests).toBe(true);
      clock.advance(hours(2));
      expect(watch.rests).toBe(false);
      expect(watch.conditions()).toEqual([]);
    });

  it('that stands elsewhere after a restart is a step too', () => {
    for (const last of [BEGIN - days(2), BEGIN + days(2)]) expect(watchSteps(handClock(BEGIN), unixMs(last)).rests).toBe(true);
  });
});
