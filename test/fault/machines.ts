// SPDX-License-Identifier: Apache-2.0
/**
 * One state folder run on two machines: nothing of the copy ever stands as the host's (I5).
 * Input: a world, and a copy of its host with the same paths. Output: the copy's lines held, then refused.
 */
import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { certificateOf, makeRenewalDue, mountProblem } from '../support/agent.ts';
import { failedLogin, until } from '../support/vigil.ts';
import type { Fault } from './fault.ts';

export const MACHINES: readonly Fault[] = [
  {
    name: 'one state folder run on two machines',
    problem: () => {
      const why = mountProblem();
      return why === null ? null : `folders cannot be mounted here (${why})`;
    },
    run: async (world) => {
      world.write(500);
      await world.shipped();
      await world.stopAgent();
      const copy = join(world.root, 'copy');
      cpSync(world.state, join(copy, 'state'), { recursive: true });
      cpSync(world.logs, join(copy, 'logs'), { recursive: true });
      const writeThere = (name: string): void => {
        const lines = Array.from({ length: 200 }, (_, i) => failedLogin(`10.9.${i >> 8}.${i & 255}`, `${name}${i}`));
        appendFileSync(join(copy, 'logs', 'auth.log'), lines.join(''));
      };
      const before = certificateOf(world.state);
      makeRenewalDue(world.state);
      world.startAgent();
      await until('a renewed certificate', () => certificateOf(world.state) !== before, 30_000);

      const copied = world.startCopy(join(copy, 'state'), join(copy, 'logs'));
      writeThere('first');
      world.write(300);
      const agent = await world.agentId();
      const held = (...words: readonly string[]): Promise<{ readonly out: string }> => world.collector.vigil(['agent', 'held', ...words]);
      await until('held lines', async () => (await held('show', agent)).out.includes('first'), 30_000);
      await world.shipped();
      const wrong: string[] = [];
      const stands = async (when: string): Promise<void> => {
        const found = (await world.count('user.name: first*')) + (await world.count('user.name: second*'));
        if (found > 0) wrong.push(`${found} lines of the copy stand as the host’s ${when}`);
      };
      await stands('while they are held');
      await world.killCollector();
      await world.startCollector();
      writeThere('second');
      world.write(200);
      await world.shipped();
      await stands('after a restart');
      await held('discard', agent);
      await until('that the copy is refused', () => copied.said().includes('IDENTITY_REFUSED'), 60_000);
      world.write(200);
      await world.shipped();
      await stands('after it was refused');
      return wrong;
    },
  },
];
