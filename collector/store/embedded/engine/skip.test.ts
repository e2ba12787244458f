// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of the filters beside files: they may only rule out what cannot match.
 * Input: random texts and queries over few letters, so that matches are common. Output: claims.
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { unixMs } from '../../../../core/units.ts';
import { eventOf, nodeOf } from '../../../../test/contract/events.ts';
import type { Event } from '../../../model/event.ts';
import { resolve } from '../../../query/resolve.ts';
import { toPredicate } from '../../../query/to-predicate.ts';
import { blockTest, idTest } from './need.ts';
import { keepBlocks, SKIP_FIELDS, SkipBuilder, skipFile, TEXT_END } from './skip.ts';

const dir = mkdtempSync(join(tmpdir(), 'vigil-skip-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, 'x.skip');
const now = unixMs(0);

const filterOf = (events: readonly Event[]): Uint8Array => {
  const builder = new SkipBuilder();
  for (const field of SKIP_FIELDS) builder.addTexts(events.flatMap((event) => event[field] ?? []).join(TEXT_END));
  builder.addIds(events.map((event) => event['event.id']).join(TEXT_END));
  return builder.finish();
};

const letter = fc.oneof(
  { arbitrary: fc.constantFrom('a', 'B', 'b', 'k', 'i', '1', '-'), weight: 40 },
  { arbitrary: fc.constantFrom('é', 'É', '😀', '\u212a', 'İ'), weight: 1 },
);
const word = fc.array(letter, { minLength: 1, maxLength: 7 }).map((letters) => letters.join(''));
const text = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
const quoted = (literal: string): string => `"${literal.replace(/["\\]/g, '\\$&')}"`;
const leaf = fc.oneof(
  word.map(quoted),
  fc
    .tuple(fc.constantFrom('message', 'user.name', 'tags', 'dns.question.name'), word)
    .map(([field, value]) => `${field}: ${quoted(value)}`),
  fc
    .tuple(
      word.map((w) => w.replace(/[^\w]/g, 'a')),
      fc.constantFrom('user.name', 'message'),
    )
    .map(([value, field]) => `${field}: *${value}*`),
);
const kql = fc.oneof(
  leaf,
  fc.tuple(leaf, fc.constantFrom('and', 'or'), leaf).map(([a, op, b]) => `${a} ${op} ${b}`),
  leaf.map((one) => `not ${one}`),
  fc.tuple(leaf, leaf).map(([a, b]) => `${a} and not ${b}`),
);

test('a block that holds a match is never passed over', () => {
  let matches = 0;
  let passed = 0;
  fc.assert(
    fc.property(fc.array(fc.record({ message: text, user: word, original: text }), { minLength: 1, maxLength: 6 }), kql, (made, query) => {
      const events = made.map(({ message, user, original }, n) => eventOf(n, { message, 'user.name': user, 'event.original': original }));
      const node = nodeOf(query);
      const matching = events.some(toPredicate(node, { now }));
      const test = blockTest(resolve(node, { of: 'events', now }));
      writeFileSync(path, skipFile([filterOf(events)]));
      const kept = test === null || keepBlocks(path, 1, test)[0] === true;
      if (matching) expect(kept).toBe(true);
      matches += matching ? 1 : 0;
      passed += kept ? 0 : 1;
    }),
    { numRuns: 2000 },
  );
  // The test would claim nothing if either never happened.
  expect(matches).toBeGreaterThan(30);
  expect(passed).toBeGreaterThan(30);
});

test('of many blocks the one with the word or the id is kept, and few others', () => {
  const blocks = Array.from({ length: 40 }, (_, block) =>
    Array.from({ length: 200 }, (_, n) => eventOf(block * 1000 + n, { message: `request ${block * 7919 + n} of session` })),
  );
  blocks[17]?.push(eventOf(999_999, { message: 'the zygote word' }));
  writeFileSync(path, skipFile(blocks.map(filterOf)));
  const word = blockTest(resolve(nodeOf('Zygote'), { of: 'events', now })) as NonNullable<ReturnType<typeof blockTest>>;
  const byWord = keepBlocks(path, 40, word);
  expect(byWord.flatMap((kept, block) => (kept ? [block] : []))).toEqual([17]);
  const byId = keepBlocks(path, 40, idTest(eventOf(5003)['event.id'] as string));
  expect(byId[5]).toBe(true);
  expect(byId.filter(Boolean).length).toBeLessThan(6);
});

test('a missing, short or foreign file passes nothing over', () => {
  const none = (): boolean => false;
  expect(keepBlocks(join(dir, 'missing'), 2, none)).toEqual([true, true]);
  writeFileSync(path, skipFile([filterOf([eventOf(1)]), filterOf([eventOf(2)])]));
  expect(keepBlocks(path, 2, none)).toEqual([false, false]);
  expect(keepBlocks(path, 3, none)).toEqual([true, true, true]);
  truncateSync(path, 20);
  expect(keepBlocks(path, 2, (probe) => probe.grams([1, 2, 3]))).toEqual([true, true]);
  truncateSync(path, 3);
  expect(keepBlocks(path, 2, none)).toEqual([true, true]);
});
