// SPDX-License-Identifier: Apache-2.0
/**
 * Regular expressions of rules: the same answers as V8 where it is safe, refusals, and no input that is slow.
 * Input: patterns of the kinds that rules hold. Output: pass or fail.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex, type LinearRegex } from './regex.ts';
import { requiredLiterals } from './regex-literal.ts';

const made = (pattern: string, flags = ''): LinearRegex => {
  const result = compileRegex(pattern, flags);
  if (!result.ok) throw new Error(result.reason);
  return result.regex;
};

describe('compileRegex', () => {
  it('matches as a substring and by case', () => {
    expect(made('fo+').test('xfoox')).toBe(true);
    expect(made('fo+').test('FOO')).toBe(false);
    expect(made('fo+', 'i').test('FOO')).toBe(true);
    expect(made('(?i)fo+').test('FOO')).toBe(true);
  });

  it('takes the flags m and s', () => {
    expect(made('^b$').test('a\nb')).toBe(false);
    expect(made('^b$', 'm').test('a\nb')).toBe(true);
    expect(made('a.b').test('a\nb')).toBe(false);
    expect(made('a.b', 's').test('a\nb')).toBe(true);
  });

  it('spells case in classes and ranges', () => {
    const regex = made('x[a-c_][^d-f]\\w', 'i');
    expect(regex.test('XBZ1')).toBe(true);
    expect(regex.test('x_E1')).toBe(false);
  });

  it.each(['(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(a)\\1', 'a{2', '(', '[z-a]'])('refuses %s or reads it as plain text', (pattern) => {
    const result = compileRegex(pattern, '');
    expect(result.ok).toBe(pattern === 'a{2');
  });

  it.each([
    ['^(a+)+$', ''],
    ['^(a+)+$', 'i'],
    ['^(a|aa)+$', ''],
    ['(a*)*b', ''],
    ['(x+x+)+y', 'i'],
    ['^(a{1,30}){1,30}$', ''],
    ['^([a-z]+)*\\d$', 'i'],
  ])('runs %s with flags "%s" in bounded time', (pattern, flags) => {
    const regex = made(pattern, flags);
    const start = performance.now();
    regex.test(`${'a'.repeat(5000)}!`);
    regex.test(`${'x'.repeat(5000)}!`);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('sends what V8 reads differently to RE2', () => {
    expect(made('[[:digit:]]+x').engine).toBe('re2');
    expect(made('[[:digit:]]+x').test('12x')).toBe(true);
    expect(made('\\Aab').test('ab')).toBe(true);
    expect(made('\\Aab').test('Aab')).toBe(false);
    expect(made('a{500}').test('a'.repeat(500))).toBe(true);
  });

  it.each([
    ['foo.*barbaz', ['barbaz']],
    ['foo|bar', ['foo', 'bar']],
    ['foo|b', []],
    ['(foo)?ab', ['ab']],
    ['(?:foo|barr)x', ['foo', 'barr']],
    ['(?:foo|barr)+x', ['foo', 'barr']],
    ['(?:foo|barr)*xy', ['xy']],
    ['colou?rs', ['colo']],
    ['ab*c', []],
    ['abc+d', ['abc']],
    ['ab{0,2}cd', ['cd']],
    ['\\.exe$', ['.exe']],
    ['[[:alpha:]]xyz', []],
    ['[abc]xyz[^]]', ['xyz']],
    ['x(a(?:bcd|efg)h)y', ['bcd', 'efg']],
    ['(?i:abc)', []],
    ['abc(?i:d)|efg', []],
    ['\\bunion\\b.{0,40}\\bselect\\b', ['select']],
  ])('names for %s the literals %j', (pattern, literals) => {
    expect(made(pattern).literals).toEqual(literals);
  });

  it('names only literals that stand in every match', () => {
    const atom = fc.constantFrom('ab', 'ba', 'a', 'b', 'c', '.', '[ab]', '\\.', 'cab');
    const repeat = fc.constantFrom('', '', '?', '*', '+', '{2}', '{0,1}', '{1,2}');
    const { pattern } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
      piece: fc
        .tuple(
          fc.oneof(
            { depthSize: 'small' },
            atom,
            tie('pattern').map((p) => `(?:${p})`),
          ),
          repeat,
        )
        .map(([a, r]) => (a.length > 1 && !/[()[\\]/.test(a) ? `(?:${a})${r}` : a + r)),
      pattern: fc
        .array(
          fc.array(tie('piece'), { minLength: 1, maxLength: 3 }).map((p) => p.join('')),
          { minLength: 1, maxLength: 2 },
        )
        .map((p) => p.join('|')),
    }));
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 10 }), (source, text) => {
        const literals = requiredLiterals(source, false);
        if (literals.length > 0 && new RegExp(source).test(text)) expect(literals.some((l) => text.includes(l))).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('leaves s out of a literal where RE2 folds it with U+017F', () => {
    expect(made('[[:digit:]]abcs', 'i').literals).toEqual([]);
    expect(made('\\Aabcsd', 'i').literals).toEqual(['abc']);
  });

  it('looks at the first 8 KiB only', () => {
    expect(made('needle').test(`${'x'.repeat(9000)}needle`)).toBe(false);
  });
});
