// SPDX-License-Identifier: Apache-2.0
/**
 * Sigma strings against the escape table of the specification and a second matcher.
 * Input: hand-written and random patterns. Output: pass or fail.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ANY, matcherOf, ONE, type Parts, parseParts } from './pattern.ts';

describe('parseParts', () => {
  const table: readonly (readonly [string, Parts])[] = [
    ['abc', ['abc']],
    ['', []],
    ['a*b?c', ['a', ANY, 'b', ONE, 'c']],
    ['\\*', ['*']],
    ['\\?', ['?']],
    ['a\\b', ['a\\b']],
    ['a\\\\b', ['a\\b']],
    ['\\\\*', ['\\', ANY]],
    ['\\\\\\*', ['\\*']],
    ['\\\\\\\\', ['\\\\']],
    ['\\\\\\x', ['\\\\x']],
    ['end\\', ['end\\']],
    ['**', [ANY]],
  ];
  it.each(table)('reads %s as the specification says', (text, parts) => {
    expect(parseParts(text)).toEqual(parts);
  });
});

/** The slow way: every way to place the wildcards. */
const naive = (parts: Parts, text: string): boolean => {
  const [first, ...rest] = parts;
  if (first === undefined) return text === '';
  if (first === ANY) return [...Array(text.length + 1).keys()].some((i) => naive(rest, text.slice(i)));
  if (first === ONE) return text.length > 0 && naive(rest, text.slice(1));
  return text.startsWith(first) && naive(rest, text.slice(first.length));
};

describe('matcherOf', () => {
  it('agrees with a matcher that tries every place of every wildcard', () => {
    const part = fc.oneof(fc.constantFrom(ANY, ONE), fc.constantFrom('a', 'b', 'ab', 'ba'));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }), (raw, text) => {
        const written = raw.map((p) => (p === ANY ? '*' : p === ONE ? '?' : p)).join('');
        const parts = parseParts(written);
        expect(matcherOf(parts)(text)).toBe(naive(parts, text));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays fast on a pattern made to be slow', () => {
    const matches = matcherOf(parseParts(`${'*a'.repeat(30)}*b`));
    const start = performance.now();
    expect(matches('a'.repeat(100_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
