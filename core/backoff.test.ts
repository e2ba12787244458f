// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_RETRY_AFTER_MS, retryDelay } from './backoff.ts';

test('the wait lies between nothing and a bound that doubles up to the cap', () => {
  const backoff = { baseMs: 100, capMs: 1_000 };
  const bounds = [1, 2, 3, 4, 5, 6, 1_000_000].map((failures) => retryDelay(failures, 0.999_999, backoff));
  expect(bounds).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const wait = retryDelay(failures, random, backoff);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(1_000);
    }),
  );
});

test('a peer that names a wait gets at least that, and can delay for five minutes and a quarter at most', () => {
  expect(retryDelay(1, 0, undefined, 2_000)).toBe(2_000);
  expect(retryDelay(9, 0.999_999, undefined, 2_000)).toBe(2_500);
  expect(retryDelay(1, 0, undefined, 1e12)).toBe(MAX_RETRY_AFTER_MS);
});
