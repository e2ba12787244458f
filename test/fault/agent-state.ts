// SPDX-License-Identifier: Apache-2.0
/**
 * An agent that forgot: its cursors and spool deleted, its identity too, its folder put back from an older copy.
 * Input: a world whose collector remembers. Output: the agent finds its place again by what the collector holds (W11).
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/vigil.ts';
import type { Fault } from './fault.ts';
import type { World } from './world.ts';

const copyOf = (world: World): string => join(world.root, 'older');

/** Work, a copy of the state folder, more work that was acknowledged, the copy back. */
const putBackOlder = async (world: World): Promise<void> => {
  world.write(500);
  await world.shipped();
  await world.stopAgent();
  cpSync(world.state, copyOf(world), { recursive: true });
  world.startAgent();
  world.write(500);
  await world.shipped();
  await world.killAgent();
  rmSync(world.state, { recursive: true });
  cpSync(copyOf(world), world.state, { recursive: true });
};

export const AGENT_STATE: readonly Fault[] = [
  {
    name: 'agent cursors and spool deleted',
    run: async (world) => {
      world.write(700);
      world.rotate();
      world.write(500);
      await world.shipped();
      world.write(300);
      await world.killAgent();
      rmSync(join(world.state, 'spool'), { recursive: true });
      world.write(300);
      world.startAgent();
      return undefined;
    },
  },
  {
    name: 'agent state deleted with its identity, enrolled again with --replace',
    run: async (world) => {
      world.write(700);
      world.rotate();
      world.write(500);
      await world.shipped();
      const agent = await world.agentId();
      await world.killAgent();
      rmSync(world.state, { recursive: true });
      world.write(300);
      await world.enrol(agent);
      world.startAgent();
      await world.shipped();
      const now = (await world.agentStatus()).agent;
      return now === agent ? undefined : [`${agent} became ${now}`];
    },
  },
  {
    name: 'agent state put back from an older copy',
    run: async (world) => {
      await putBackOlder(world);
      world.write(300);
      world.startAgent();
      return undefined;
    },
  },
  {
    name: 'file rotated away between seal and conflict',
    run: async (world) => {
      await putBackOlder(world);
      await world.stopCollector();
      world.write(300);
      world.startAgent();
      // 500 that it does not know to be there, and 300 new ones: sealed while nobody answers.
      await until('everything sealed', async () => (await world.agentStatus()).streams.some(({ seq }) => seq >= 1_300), 30_000);
      await world.stopAgent();
      world.rotate();
      rmSync(`${world.log}.1`);
      world.write(200);
      world.startAgent();
      await world.startCollector();
      return undefined;
    },
  },
];
