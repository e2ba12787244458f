// SPDX-License-Identifier: Apache-2.0
/**
 * A collector that forgot: its data put back from `vigil backup`, and from a plain copy made before acknowledgements were given (W6).
 * Input: a world whose agent keeps what it was acknowledged for a while. Output: sent again; or said, where nobody has the bytes any more.
 */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, until } from '../support/vigil.ts';
import type { Fault } from './fault.ts';
import type { World } from './world.ts';

/** A folder copied while nothing runs on it, and put back after more was acknowledged. */
const plainCopyBack = async (world: World, between: () => Promise<void>): Promise<void> => {
  world.write(500);
  await world.shipped();
  await world.stopCollector();
  const copy = join(world.root, 'plain');
  cpSync(world.data, copy, { recursive: true });
  await world.startCollector();
  await between();
  await world.killCollector();
  rmSync(world.data, { recursive: true });
  renameSync(copy, world.data);
};

export const PUT_BACK: readonly Fault[] = [
  {
    name: 'collector data put back from vigil backup',
    run: async (world) => {
      world.write(800);
      await world.shipped();
      world.write(400);
      const backup = join(world.root, 'backup.tar');
      const made = await world.collector.vigil(['backup', '--out', backup]);
      if (made.code !== 0) return [made.err];
      world.write(800);
      await world.shipped();
      await world.killCollector();
      world.write(200);
      rmSync(world.data, { recursive: true });
      const restored = await run('vigil.js', ['restore', backup, '--data', world.data]);
      if (restored.code !== 0) return [restored.err];
      await world.startCollector();
      world.write(200);
      return undefined;
    },
  },
  {
    name: 'collector data put back from a plain copy made before acknowledgements were given',
    run: async (world) => {
      await plainCopyBack(world, async () => {
        world.write(800);
        world.rotate();
        world.write(200);
        await world.shipped();
      });
      world.write(200);
      await world.startCollector();
      world.write(200);
      return undefined;
    },
  },
  {
    name: 'collector data put back when spool and file are gone too: said',
    // Acknowledged blocks are let go at once.
    world: { agentConfig: 'spool:\n  keep: 0s\n' },
    run: async (world) => {
      await plainCopyBack(world, async () => {
        world.write(600);
        await world.shipped();
        const waits = async (): Promise<number> => (await world.agentStatus()).spool.waitingBytes;
        await until('nothing to wait', async () => (await waits()) === 0);
        await world.stopAgent();
        world.rotate();
        rmSync(`${world.log}.1`);
        // A segment that was released is deleted with the next flush.
        world.write(100);
        world.startAgent();
        await world.shipped();
      });
      world.write(200);
      await world.startCollector();
      return undefined;
    },
  },
];
