// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { reusedBuffer } from './reused.ts';
import { ms } from './units.ts';

const collector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return found;
};
const collect = collector();

test('a reused buffer is the same one while it is held', async () => {
  const take = reusedBuffer(65_536);
  const began = take();
  began[7] = 41;
  // The engine keeps what was taken until the turn is over.
  await systemClock.sleep(ms(1));
  collect();
  expect(take()).toBe(began);
  expect(take()).toHaveLength(65_536);
  expect(take()[7]).toBe(41);
});

test('a reused buffer that nobody holds is let go', async () => {
  const take = reusedBuffer(65_536);
  (() => {
    take()[7] = 41;
  })();
  const mark = (() => new WeakRef(take()))();
  await systemClock.sleep(ms(1));
  collect();
  expect(mark.deref()).toBeUndefined();
  expect(take()).toHaveLength(65_536);
});
