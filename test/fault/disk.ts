// SPDX-License-Identifier: Apache-2.0
/**
 * A disk that is full, or turns read-only under a program that runs, on either side: survived and said, and everything is there once it can be.
 * Input: a world with a small disk of its own on that side. Output: room again, or a disk that was checked and mounted again.
 */
import type { Fault } from './fault.ts';
import { pause } from './pause.ts';
import type { World } from './world.ts';

/** Writes on and on, for so long, and does something each time. */
const meanwhile = async (world: World, awayMs: number, each: () => void): Promise<void> => {
  const end = performance.now() + awayMs;
  while (performance.now() < end) {
    each();
    world.write(50);
    await pause(awayMs / 20);
  }
};

const full = (side: 'agent' | 'collector'): Fault => ({
  name: `disk of the ${side} full`,
  world: { disk: side },
  run: async (world, { awayMs }) => {
    world.write(500);
    await world.shipped();
    await meanwhile(world, awayMs, () => world.place.fill());
    const wrong = await wrongWith(world, side);
    world.place.free();
    world.write(200);
    return wrong;
  },
});

const readOnly = (side: 'agent' | 'collector'): Fault => ({
  name: `disk of the ${side} read-only`,
  world: { disk: side },
  run: async (world, { awayMs }) => {
    world.write(500);
    await world.shipped();
    world.place.failDisk();
    await meanwhile(world, awayMs, () => undefined);
    const wrong = await wrongWith(world, side);
    // Such a disk does not come back by itself: a person stops what runs on it, checks it and mounts it again.
    if (side === 'agent') await world.stopAgent();
    else await world.stopCollector();
    world.place.repair();
    if (side === 'agent') world.startAgent();
    else await world.startCollector();
    world.write(200);
    return wrong;
  },
});

/** It must run on, and its status must say what is wrong. */
const wrongWith = async (world: World, side: 'agent' | 'collector'): Promise<readonly string[]> => {
  if (side === 'agent' ? world.agent.gone : world.collector.gone()) return [`the ${side} ended`];
  const [code, conditions] =
    side === 'agent'
      ? ['SPOOL_FAILING', (await world.agentStatus()).conditions]
      : ['DISK_REFUSES', (await world.collectorStatus()).conditions];
  return conditions.some((one) => one.code === code)
    ? []
    : [`the status of the ${side} does not say ${code}: ${JSON.stringify(conditions)}`];
};

export const DISKS: readonly Fault[] = [full('agent'), full('collector'), readOnly('agent'), readOnly('collector')];
