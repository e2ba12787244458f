// SPDX-License-Identifier: Apache-2.0
/**
 * A wall clock that steps by a day and by 400 days, ahead and back, under a program that runs, on either side; later it is set right. Three weeks that pass.
 * Input: a world with a clock of its own on that side, or on both. Output: the clock right again, or all of the time passed.
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

/** Longer than a certificate is good for. */
const AWAY_DAYS = 21;

const threeWeeks: Fault = {
  name: 'host off for three weeks, then cut off for three more while its lines keep coming',
  problem: clockProblem,
  world: { clock: 'both' },
  run: async (world) => {
    world.write(300);
    await world.shipped();
    await world.stopAgent();
    world.step(AWAY_DAYS * DAY_MS);
    world.write(200);
    world.startAgent();
    await world.shipped();
    await world.stopCollector();
    for (let week = 1; week <= 3; week++) {
      world.write(200);
      world.step((AWAY_DAYS + week * 7) * DAY_MS);
      world.rotate();
    }
    world.write(200);
    await world.startCollector();
    await world.shipped();
    const { conditions } = await world.agentStatus();
    return conditions
      .filter(({ code }) => !code.startsWith('INVENTORY_'))
      .map(({ code, about }) => `the agent still says ${code} ${about}`);
  },
};

export const CLOCKS: readonly Fault[] = [
  ...(['agent', 'collector'] as const).flatMap((side) => [1, -1, 400, -400].map((days) => stepped(side, days))),
  threeWeeks,
];
