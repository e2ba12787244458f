// SPDX-License-Identifier: Apache-2.0
/**
 * States of joins on disk: found again at their position and nowhere else, bounded for each sink.
 * Input: positions and states. Output: claims.
 */
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
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

const from = { collector: 'c', offset: 7 } as never;
const stateOf = (name: string, bytes = 0): JoinState => ({ v: 1, open: [[{ base64: name.padEnd(bytes, '='), from } as never]] });
const place = (offset: number, incarnation = 'i') => ({ incarnation, offset });

test('a state is found after a restart at its position only', () => {
  const file = join(dir, 'joins.jsonl');
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
  const saved = openSavedJoins(join(dir, 'joins.jsonl'));
  saved.save('detect', place(1), stateOf('behind'));
  for (let n = 2; n < 100; n++) saved.save('store', place(n), stateOf(String(n)));
  expect(saved.at(place(1))).toEqual(stateOf('behind'));
  expect(saved.at(place(99))).toEqual(stateOf('99'));
  expect(saved.at(place(50))).toBeNull();
});

test('a file that someone broke is as none', async () => {
  await writeFile(join(dir, 'joins.jsonl'), '[{"sink":\n[]\n');
  expect(openSavedJoins(join(dir, 'joins.jsonl')).at(place(1))).toBeNull();
});

test('a write that was cut off takes nothing from the positions before it, nor from those after', async () => {
  const file = join(dir, 'joins.jsonl');
  openSavedJoins(file).save('store', place(1), stateOf('a'));
  await appendFile(file, '{"sink":"store","incarnation":"i","off');
  const saved = openSavedJoins(file);
  saved.save('store', place(2), stateOf('b'));
  const again = openSavedJoins(file);
  expect([again.at(place(1)), again.at(place(2))]).toEqual([stateOf('a'), stateOf('b')]);
});

test('a file joined from several copies keeps every position that one of them held', async () => {
  const file = join(dir, 'joins.jsonl');
  const saved = openSavedJoins(file);
  const copies: string[] = [];
  for (let n = 1; n <= 20; n++) {
    saved.save('store', place(n), stateOf(String(n)));
    copies.push((await readFile(file, 'utf8')).split('\n').at(-2) as string);
  }
  await writeFile(file, copies.map((line) => `${line}\n`).join(''));
  const again = openSavedJoins(file);
  expect(again.at(place(1))).toEqual(stateOf('1'));
  expect(again.at(place(20))).toEqual(stateOf('20'));
});

test('the file stays bounded however many positions pass, and holds the last of each sink', async () => {
  const file = join(dir, 'joins.jsonl');
  const saved = openSavedJoins(file);
  saved.save('detect', place(0), stateOf('behind'));
  for (let n = 1; n <= 100; n++) saved.save('store', place(n), stateOf(String(n), 200_000));
  expect((await stat(file)).size).toBeLessThan(5_000_000);
  const again = openSavedJoins(file);
  expect(again.at(place(0))).toEqual(stateOf('behind'));
  expect(again.at(place(100))).toEqual(stateOf('100', 200_000));
});
