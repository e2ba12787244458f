// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRange, covers, holes, overlaps, type Range } from './ranges.ts';

const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(12)).map(([from, more]): Range => [from, from + more]);

test('a list of ranges holds the same numbers as a set, in the fewest sorted ranges', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 15 }), range, (added, [from, to]) => {
      const list: Range[] = [];
      const set = new Set<number>();
      for (const [low, high] of added) {
        addRange(list, low, high);
        for (let n = low; n <= high; n++) set.add(n);
      }
      const numbers = list.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
      expect(numbers).toEqual([...set].sort((a, b) => a - b));
      for (let i = 1; i < list.length; i++) expect(list[i]![0]).toBeGreaterThan(list[i - 1]![1] + 1);
      const asked = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      expect(overlaps(list, from, to)).toBe(asked.some((n) => set.has(n)));
      expect(covers(list, from, to)).toBe(asked.every((n) => set.has(n)));
      const missing = holes(to, list).flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
      expect(missing).toEqual(Array.from({ length: to }, (_, i) => i + 1).filter((n) => !set.has(n)));
    }),
  );
});

test('what one list lacks and another has is no hole', () => {
  expect(
    holes(
      9,
      [
        [1, 2],
        [6, 7],
      ],
      [[3, 4]],
    ),
  ).toEqual([
    [5, 5],
    [8, 9],
  ]);
});
