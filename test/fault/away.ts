// SPDX-License-Identifier: Apache-2.0
/**
 * One side away while lines keep coming and logs rotate; a restart in the middle of an attack.
 * Input: a world that writes. Output: the same world, both sides up.
 */
import { failedLogin, until } from '../support/vigil.ts';
import type { Fault } from './fault.ts';
import { pause } from './pause.ts';

export const AWAY: readonly Fault[] = [
  {
    name: 'collector away while lines keep coming, ten rotations meanwhile',
    run: async (world, { awayMs }) => {
      await world.stopCollector();
      const end = performance.now() + awayMs;
      for (let i = 0; i < 10; i++) {
        world.write(200);
        await pause(Math.max(20, (end - performance.now()) / (10 - i)));
        world.rotate();
      }
      world.write(200);
      await world.startCollector();
      return undefined;
    },
  },
  {
    name: 'agent stopped during two rotations',
    run: async (world) => {
      world.write(200);
      await world.stopAgent();
      world.write(200);
      world.rotate();
      world.write(200);
      world.rotate();
      world.write(100);
      world.startAgent();
      return undefined;
    },
  },
  {
    name: 'restart in the middle of a brute force: one alert',
    run: async (world) => {
      const attack = (): void => {
        for (let i = 0; i < 3; i++) world.raw(failedLogin('203.0.113.99', 'root'));
      };
      attack();
      await until('three lines', async () => (await world.count('source.ip: 203.0.113.99')) === 3, 30_000);
      await world.killCollector();
      await world.startCollector();
      attack();
      const alerts = await until(
        'the alert',
        async () => {
          const found = (await world.collector.query('', ['--in', 'alerts'])).filter(
            ({ entity, count }) => entity === 'ip:203.0.113.99' && count === 6,
          );
          return found.length > 0 ? found : null;
        },
        30_000,
      );
      return alerts.length === 1 ? undefined : [`${alerts.length} alerts instead of one`];
    },
  },
];
