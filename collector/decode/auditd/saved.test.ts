// SPDX-License-Identifier: Apache-2.0
/**
 * States of joins on disk: found again at their position and nowhere else, bounded for each sink.
 * Input: positions and states. Output: claims.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JoinState } from './join.ts';
import { openSavedJoins } from './saved.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-joins-'));
});
afterEach(() => rm(dir, { recursive: true }));

const stateOf = (name: string): JoinState => ({ v: 1, open: [[{ base64: name } as never]] });
const place = (offset: number, incarnation = 'i') => ({ incarnation, offset });

test('a state is found after a restart at its position only', () => {
  const file = join(dir, 'joins.json');
  const saved = openSavedJoins(file);
  saved.save('store', place(10), stateOf('a'));
  saved.save('detect', place(20), stateOf('b'));
  saved.save('store', place(30), null);
  const again = openSavedJoins(file);
  expect([again.at(place(10)), again.at(place(20)), again.at(place(30)), again.at(place(10, 'other'))]).toEqual([
    stateOf('a'),
    stateOf('b'),
    null,
    null,
  ]);
});

test('a sink that runs far ahead takes nothing from one that is behind', () => {
  const saved = openSavedJoins(join(dir, 'joins.json'));
  saved.save('detect', place(1), stateOf('behind'));
  for (let n = 2; n < 100; n++) saved.save('store', place(n), stateOf(String(n)));
  expect(saved.at(place(1))).toEqual(stateOf('behind'));
  expect(saved.at(place(99))).toEqual(stateOf('99'));
  expect(saved.at(place(50))).toBeNull();
});

test('a file that someone broke is as none', async () => {
  await writeFile(join(dir, 'joins.json'), '[{"sink":');
  expect(openSavedJoins(join(dir, 'joins.json')).at(place(1))).toBeNull();
});
