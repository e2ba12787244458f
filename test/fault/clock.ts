// SPDX-License-Identifier: Apache-2.0
/**
 * A wall clock that steps by a day and by 400 days, ahead and back, under a program that runs, on either side; later it is set right.
 * Input: a world with a clock of its own on that side. Output: the clock right again.
 */
import { until } from '../support/vigil.ts';
import { clockProblem } from './fake-clock.ts';
import type { Fault } from './fault.ts';
import { pause } from './pause.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;

const stepped = (side: 'agent' | 'collector', days: number): Fault => ({
  name: `clock of the ${side} stepped by ${Math.abs(days)} ${Math.abs(days) === 1 ? 'day' : 'days'} ${days > 0 ? 'ahead' : 'back'}`,
  problem: clockProblem,
  world: { clock: side },
  run: async (world, { awayMs }) => {
    world.write(300);
    await world.shipped();
    world.step(days * DAY_MS);
    world.write(300);
    // The agent hears the difference from the collector, or cannot believe its certificate, or is not believed.
    const known = await until('that the clocks differ', () => differ(world), 60_000).catch(() => false);
    await pause(awayMs / 6);
    world.rotate();
    world.write(200);
    await pause(awayMs / 6);
    // A restart while it is wrong: nothing that only memory knew helps.
    if (side === 'agent') {
      await world.killAgent();
      world.write(200);
      world.startAgent();
    } else {
      await world.killCollector();
      world.write(200);
      await world.startCollector();
    }
    await pause(awayMs / 6);
    world.step(0);
    world.write(200);
    return known ? [] : ['the agent did not say that the clocks differ'];
  },
});

const differ = async (world: World): Promise<boolean> =>
  (await world.agentStatus()).conditions.some(({ code }) => ['CLOCK_SKEW', 'CLOCK_WRONG', 'IDENTITY_REFUSED'].includes(code));

export const CLOCKS: readonly Fault[] = (['agent', 'collector'] as const).flatMap((side) =>
  [1, -1, 400, -400].map((days) => stepped(side, days)),
);
