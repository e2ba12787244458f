// SPDX-License-Identifier: Apache-2.0
/** Bounds that are checked before anything is parsed or verified. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { handClock } from '../../test/support/memory-state.ts';
import { checkJsonDepth, MAX_JSON_DEPTH, openRateLimit, takeOrRefuse } from './limits.ts';

describe('a rate limit', () => {
  test('lets a burst through, then so many a second', () => {
    const clock = handClock();
    const limit = openRateLimit({ burst: 10, perSecond: 2 }, clock);
    const taken = () => Array.from({ length: 100 }, () => limit.take('a')).filter((wait) => wait === 0).length;
    expect(taken()).toBe(10);
    expect(limit.take('a')).toBe(500);
    expect(limit.take('b')).toBe(0);
    clock.advance(1_000);
    expect(taken()).toBe(2);
    clock.advance(1_000_000);
    expect(taken()).toBe(10);
  });

  test('gives back what was for something good', () => {
    const limit = openRateLimit({ burst: 2, perSecond: 1 }, handClock());
    for (let i = 0; i < 100; i++) {
      expect(limit.take('a')).toBe(0);
      limit.giveBack('a');
    }
    expect(() => {
      for (let i = 0; i < 3; i++) takeOrRefuse(limit, 'a');
    }).toThrow(expect.objectContaining({ code: 'SLOW_DOWN', details: { retryAfterSeconds: 1 } }));
  });

  test('never lets more through than burst and rate allow, whatever the order of times and keys', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 3000 }), key: fc.constantFrom('a', 'b') }), { maxLength: 200 }),
        (steps) => {
          const clock = handClock();
          const limit = openRateLimit({ burst: 5, perSecond: 2 }, clock);
          const passed: Record<string, number[]> = { a: [], b: [] };
          for (const { waitMs, key } of steps) {
            clock.advance(waitMs);
            if (limit.take(key) === 0) passed[key]?.push(clock.monotonic());
          }
          for (const times of Object.values(passed))
            times.forEach((from, i) => {
              const within = times.filter((at) => at >= from && at <= from + 2_000).length;
              expect(within, `from ${i}`).toBeLessThanOrEqual(5 + 2 * 2);
            });
        },
      ),
    );
  });

  test('keeps a bounded number of keys', () => {
    const limit = openRateLimit({ burst: 1, perSecond: 1 }, handClock(), 100);
    for (let i = 0; i < 10_000; i++) limit.take(`k${i}`);
    expect(limit.size()).toBe(100);
  });
});

describe('the depth of JSON', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  test('is seen in the bytes as the parser would see it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (value, limit) => {
        const bytes = Buffer.from(JSON.stringify(value));
        if (depthOf(value) > limit) expect(() => checkJsonDepth(bytes, limit)).toThrow(expect.objectContaining({ code: 'JSON_TOO_DEEP' }));
        else checkJsonDepth(bytes, limit);
      }),
    );
  });

  test('of five million brackets is refused at once', () => {
    const bytes = Buffer.alloc(5_000_000, '[');
    const before = performance.now();
    expect(() => checkJsonDepth(bytes)).toThrow(expect.objectContaining({ details: { limit: MAX_JSON_DEPTH } }));
    expect(performance.now() - before).toBeLessThan(50);
  });

  test('of texts that look like brackets, or end in a backslash, is none', () => {
    for (const text of ['[[[[', '\\', '"', '\\"[', ']]]]']) checkJsonDepth(Buffer.from(JSON.stringify([text])), 1);
    checkJsonDepth(Buffer.from('"\\'), 1);
    checkJsonDepth(Buffer.from(']]]][]'), 1);
  });
});
