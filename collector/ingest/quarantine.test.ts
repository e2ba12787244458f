// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeId } from '../../core/ids.ts';
import { handClock, temporaryFolder } from '../../test/support/blocks.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let quarantine: Quarantine;
const clock = handClock();
const agent = makeId('agt');
beforeEach(async () => {
  folder = await temporaryFolder();
  quarantine = await openQuarantine({ dir: folder.dir, clock, maxBytes: 40_000 });
});
afterEach(async () => {
  await quarantine.close();
  await folder.remove();
});

const item = (n: number, over: object = {}) => ({
  entry: { agent, key: 'k', why: 'held' as const, code: 'C', reason: 'r', hash: String(n).padStart(64, '0'), ...over },
  block: Buffer.alloc(1_000, n),
});

test('keeps blocks over a restart, lists and reads them, and keeps the same one once', async () => {
  expect(await quarantine.put([item(1), item(1), item(2, { why: 'bad' })])).toEqual(['kept', 'known', 'kept']);
  await quarantine.close();
  quarantine = await openQuarantine({ dir: folder.dir, clock, maxBytes: 40_000 });
  expect(await quarantine.put([item(1)])).toEqual(['known']);
  expect(quarantine.list().map(({ why, at }) => [why, at])).toEqual([
    ['held', clock.now()],
    ['bad', clock.now()],
  ]);
  expect(await quarantine.read(quarantine.list(agent, 'bad')[0]!)).toEqual(Uint8Array.from(item(2).block));
  expect(quarantine.list(makeId('agt'))).toEqual([]);
});

test('is bounded for each agent and altogether, and counts what found no room', async () => {
  const some = Array.from({ length: 6 }, (_, n) => item(n));
  expect(await quarantine.put(some)).toEqual(['kept', 'kept', 'kept', 'kept', 'full', 'full']);
  const others = Array.from({ length: 60 }, (_, n) => item(n, { agent: makeId('agt') }));
  const results = await quarantine.put(others);
  expect(results.filter((result) => result === 'kept').length).toBeGreaterThan(25);
  expect(quarantine.status().refused).toBe(2 + results.filter((result) => result === 'full').length);
  expect(quarantine.status().bytes).toBeLessThanOrEqual(40_000 + 8);
});

test('discards what a person names, and goes on', async () => {
  await quarantine.put([item(1), item(2), item(3)]);
  expect(await quarantine.discard(({ hash }) => hash.endsWith('2'))).toBe(1);
  await quarantine.put([item(4)]);
  const read = await Promise.all(quarantine.list().map((entry) => quarantine.read(entry)));
  expect(read.map((bytes) => bytes?.[0])).toEqual([1, 3, 4]);
});

test('opens with a damaged entry left out', async () => {
  await quarantine.put([item(1), item(2)]);
  const path = join(folder.dir, 'quarantine.seg');
  const bytes = await readFile(path);
  bytes[600]! ^= 1;
  await quarantine.close();
  await writeFile(path, bytes);
  quarantine = await openQuarantine({ dir: folder.dir, clock });
  expect(quarantine.list().map(({ hash }) => hash.at(-1))).toEqual(['2']);
});
