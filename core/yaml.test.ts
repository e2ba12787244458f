// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isCoded } from './errors.ts';
import { parseYaml } from './yaml.ts';

const failure = (text: string): unknown => {
  try {
    parseYaml(text, 'rule.yml');
    return null;
  } catch (error) {
    return error;
  }
};

describe('reading YAML', () => {
  it('gives plain values of every document and where each stands', () => {
    const [first, second] = parseYaml('title: One\nlist:\n  - a\n  - b: 2\n---\ntitle: Two\n', 'rule.yml');
    expect(first?.value).toEqual({ title: 'One', list: ['a', { b: 2 }] });
    expect(first?.at(['list', 1, 'b'])).toEqual({ line: 4, column: 5 });
    expect(first?.at(['list', 1, 'missing'])).toEqual({ line: 4, column: 5 });
    expect(second?.at(['title'])).toEqual({ line: 6, column: 1 });
  });

  it('keeps a number too long to be held exactly as it was written', () => {
    expect(parseYaml('hash: 12345678901234567890\nfloat: 1.5\n', 'x')[0]?.value).toEqual({ hash: '12345678901234567890', float: 1.5 });
  });

  it('gives maps without a prototype', () => {
    const value = parseYaml('__proto__: 1\nconstructor: 2\n', 'x')[0]?.value as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  it.each([
    ['an alias', 'a: &x [1]\nb: *x\n'],
    ['an anchor', 'a: &x [1]\n'],
    ['a repeated key', 'a: 1\na: 2\n'],
    ['an open bracket', 'a: [1\n'],
    ['depth', `${'['.repeat(60)}${']'.repeat(60)}\n`],
    [
      'laughs',
      `a: &a ["x"]\n${'bcdefghij'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefghij'[i]},`.repeat(9)}*a]`)
        .join('\n')}\n`,
    ],
  ])('refuses %s with its line and column, at once', (_, text) => {
    const begin = performance.now();
    const error = failure(text);
    expect(isCoded(error, 'YAML_BAD')).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(/^rule\.yml:\d+:\d+: /) });
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  it('refuses a text over a mebibyte', () => {
    expect(isCoded(failure('a'.repeat(1_048_577)), 'TOO_LARGE')).toBe(true);
  });
});
