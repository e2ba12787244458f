// SPDX-License-Identifier: Apache-2.0
/**
 * Kills in the middle of work: the collector, the agent, the query engine.
 * Input: a world that writes. Output: the same world, the killed one started again.
 */
import type { Fault, FaultOptions } from './fault.ts';
import { pause } from './pause.ts';
import type { World } from './world.ts';

export const KILLS: readonly Fault[] = [
  {
    name: 'collector killed in the middle of a batch',
    run: async (world, { random }) => {
      world.write(3000);
      await pause(100 + random() * 400);
      await world.killCollector();
      world.write(500);
      await world.startCollector();
      return undefined;
    },
  },
  {
    name: 'agent killed',
    run: async (world, { random }) => {
      world.write(3000);
      await pause(50 + random() * 300);
      await world.killAgent();
      world.write(500);
      world.startAgent();
      return undefined;
    },
  },
  {
    name: 'query engine killed',
    run: async (world, { random }) => {
      world.write(2000);
      await pause(300 + random() * 500);
      await world.killEngine();
      world.write(500);
      return undefined;
    },
  },
];

/** So many kills, drawn by chance, one after the other without a rest. */
export const randomKills = (count: number): Fault => ({
  name: `${count} random kills`,
  run: async (world: World, options: FaultOptions) => {
    for (let i = 0; i < count; i++) await options.random.of(KILLS).run(world, options);
    return undefined;
  },
});
