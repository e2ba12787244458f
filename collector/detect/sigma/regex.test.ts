// SPDX-License-Identifier: Apache-2.0
/**
 * Regular expressions of rules: the same answers as V8 where it is safe, refusals, and no input that is slow.
 * Input: patterns of the kinds that rules hold. Output: pass or fail.
 */
import { describe, expect, it } from 'vitest';
import { compileRegex, type LinearRegex } from './regex.ts';

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

  it('names a literal only where every match holds it', () => {
    expect(made('foo.*barbaz').literal).toBe('barbaz');
    expect(made('foo|bar').literal).toBe('');
    expect(made('(foo)?ab').literal).toBe('ab');
    expect(made('colou?r').literal).toBe('colo');
    expect(made('ab*c').literal).toBe('a');
    expect(made('\\.exe$').literal).toBe('.exe');
    expect(made('[[:alpha:]]x').literal).toBe('');
    expect(made('fos', 'i').literal).toBe('fo');
  });

  it('looks at the first 8 KiB only', () => {
    expect(made('needle').test(`${'x'.repeat(9000)}needle`)).toBe(false);
  });
});
