// SPDX-License-Identifier: Apache-2.0
/** The grammar of KQL, its positions and its bounds; what is printed parses to the same tree. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Literal, Node } from './ast.ts';
import { MAX_QUERY_CHARACTERS } from './lex.ts';
import { parse, parseOrThrow } from './parse.ts';
import { print } from './print.ts';

/** The tree in short: [field] op value, quoted texts in quotes. */
const short = (node: Node): string => {
  const text = (literal: Literal | null): string => (literal === null ? '~' : literal.quoted ? `"${literal.text}"` : literal.text);
  switch (node.kind) {
    case 'all':
      return 'all';
    case 'and':
    case 'or':
      return `${node.kind}(${node.of.map(short).join(', ')})`;
    case 'not':
      return `not(${short(node.of)})`;
    case 'is':
      return `${text(node.field)}=${text(node.value)}`;
    case 'exists':
      return `${text(node.field)}?`;
    case 'range':
      return `${text(node.field)} ${node.op} ${text(node.value)}`;
  }
};

const GOOD: readonly (readonly [string, string])[] = [
  ['', 'all'],
  ['  \t\u00a0', 'all'],
  ['*', 'all'],
  ['* : *', 'all'],
  ['a', '~=a'],
  ['a b  c ', '~=a b  c'],
  ['a:b', 'a=b'],
  ['a : b', 'a=b'],
  ['a b : c d', 'a b=c d'],
  ['"a b": "c*"', '"a b"="c*"'],
  ['a: b or c: d and e: f', 'or(a=b, and(c=d, e=f))'],
  ['not a: b and c', 'and(not(a=b), ~=c)'],
  ['(a or b) and c', 'and(or(~=a, ~=b), ~=c)'],
  ['a: (b or c and not "d e")', 'or(a=b, and(a=c, not(a="d e")))'],
  ['a: (b or (c and d))', 'or(a=b, and(a=c, a=d))'],
  ['a > 1 and a>=2 or b<c d and b <= "e"', 'or(and(a gt 1, a gte 2), and(b lt c d, b lte "e"))'],
  ['a: *', 'a?'],
  ['a: \\*', 'a=*'],
  ['a*: b*c', 'a*=b*c'],
  ['*: b', '~=b'],
  ['a AND b Or NOT c', 'or(and(~=a, ~=b), not(~=c))'],
  ['a and-b', '~=a and-b'],
  ['android or organ', 'or(~=android, ~=organ)'],
  ['knot bar', '~=knot bar'],
  ['not', '~=not'],
  ['or b', '~=or b'],
  ['a or', '~=a or'],
  ['a \\and b', '~=a and b'],
  ['\\not a', '~=not a'],
  ['a\u00a0and\u00a0b', 'and(~=a, ~=b)'],
  ['a: \\"\\(\\)\\:\\<\\>\\{\\}\\\\', 'a="():<>{}\\'],
  ['a: x\\ty\\u0041', 'a=x\tyA'],
  ['a: "x\\ty\\u0041\\"\\\\"', 'a="x\tyA"\\"'],
  ['not (not a)', 'not(not(~=a))'],
  ['"a" or "b"', 'or(~="a", ~="b")'],
  ['a\\u0020:b', 'a =b'],
];

const BAD: readonly (readonly [query: string, at: number, message: RegExp, expected: string])[] = [
  ['a and ', 6, /ends too early/, 'a field'],
  ['a: ', 3, /ends too early/, 'a value'],
  ['a >', 3, /ends too early/, 'a value'],
  ['(a', 2, /opened at character 0 is not closed/, ')'],
  ['a: (b', 5, /opened at character 3 is not closed/, ')'],
  ['a)', 1, /\) cannot stand here/, 'and'],
  ['a: b: c', 4, /needs quotes/, 'and'],
  ['source.ip: 2001:db8::1', 15, /needs quotes/, 'and'],
  ['not not a', 4, /not cannot stand twice/, '('],
  ['a: {b: c}', 3, /nested queries .* not supported/, 'a value'],
  ['{', 0, /cannot stand here/, 'a field'],
  ['a: "b', 5, /opened at character 3 is not closed/, '"'],
  ['a "b"', 2, /a value stands where none can/, 'and'],
  ['a: \\x', 3, /\\x is not an escape/, '\\\\'],
  ['a: "\\*"', 4, /\\\* is not an escape/, '\\\\'],
  ['\\u12', 0, /is not an escape/, '\\uXXXX'],
  ['\\', 0, /is not an escape/, '\\\\'],
  ['a or or b', 5, /or stands where it joins nothing/, 'a field'],
  ['a not b', 2, /not stands where it joins nothing/, 'and'],
  ['a: not b', 3, /not stands where it joins nothing/, 'a value'],
  ['a > (b or c)', 4, /\( cannot stand here/, 'a value'],
  ['a\0b', 1, /NUL/, 'text'],
];

describe('the grammar', () => {
  test.each(GOOD)('%j reads as %s', (query, tree) => {
    const parsed = parse(query);
    expect(parsed.kind === 'ok' ? short(parsed.node) : parsed.problem).toBe(tree);
  });

  test.each(BAD)('%j fails at %i', (query, at, message, expected) => {
    const parsed = parse(query);
    if (parsed.kind === 'ok') throw new Error(`it parsed as ${short(parsed.node)}`);
    expect(parsed.problem).toMatchObject({ at, message: expect.stringMatching(message) });
    expect(parsed.problem.expected).toContain(expected);
  });

  test('a literal knows where it stands', () => {
    expect(parseOrThrow('  a : "b c"')).toEqual({
      kind: 'is',
      field: { text: 'a', quoted: false, at: 2 },
      value: { text: 'b c', quoted: true, at: 6 },
    });
  });

  test('a malformed query is a coded error with the position', () => {
    expect(() => parseOrThrow('a: (')).toThrow(
      expect.objectContaining({ code: 'QUERY_MALFORMED', details: expect.objectContaining({ at: 4 }) }),
    );
  });
});

describe('hostile queries', () => {
  test.each([
    ['(', 10_000],
    ['not (', 3_000],
    ['a: (b or ', 1],
    ['(', 65],
  ])('%j, %i times, is a bounded error', (open, times) => {
    const parsed = parse((open + (times === 1 ? '(b or '.repeat(2_500) : '')).repeat(times));
    expect(parsed.kind === 'failed' && parsed.problem.message).toMatch(/nested deeper than 64/);
  });

  test('100 kB are refused, and so is a condition too many', () => {
    const long = parse('a'.repeat(100_000));
    expect(long.kind === 'failed' && long.problem).toMatchObject({
      at: MAX_QUERY_CHARACTERS,
      message: expect.stringContaining('longer than'),
    });
    const many = parse(`a: (${Array.from({ length: 1025 }, () => 'b').join(' or ')})`);
    expect(many.kind === 'failed' && many.problem.message).toMatch(/more than 1024 conditions/);
  });

  test('no text makes the parser throw, and every problem points into it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.constantFrom('a', ' ', ' and ', ' or ', 'not ', '(', ')', ':', '*', '"', '\\', '>', '{')).map((all) => all.join('')),
        ),
        (text) => {
          const parsed = parse(text);
          if (parsed.kind === 'failed') expect(parsed.problem.at).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('printing', () => {
  const withoutPlaces = (node: unknown): unknown => JSON.parse(JSON.stringify(node, (key, value) => (key === 'at' ? 0 : value)));
  const text = fc
    .oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
      fc
        .array(fc.constantFrom('a', ' ', 'and', 'or', 'not', '(', ':', '*', '"', '\\', '>', '{', '\t', '\u00a0'), {
          minLength: 1,
          maxLength: 5,
        })
        .map((all) => all.join('')),
    )
    .filter((one) => !one.includes('\0'));
  const literal: fc.Arbitrary<Literal> = fc.oneof(
    text.map((one) => ({ text: one, quoted: true, at: 0 })),
    fc.tuple(text, fc.boolean()).map(([one, escapeAll]) => {
      const stars = [...one.matchAll(/\*/g)].map((star) => star.index);
      return escapeAll && stars.length > 0 ? { text: one, quoted: false, escaped: stars, at: 0 } : { text: one, quoted: false, at: 0 };
    }),
  ) as fc.Arbitrary<Literal>;
  const plain = literal.filter((one) => one.quoted || one.text !== '*');
  const leaf = fc.oneof(
    fc.record({ kind: fc.constant('is'), field: fc.option(plain), value: plain }),
    fc.record({ kind: fc.constant('exists'), field: plain }),
    fc.record({ kind: fc.constant('range'), field: literal, op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value: literal }),
    fc.constant({ kind: 'all' }),
  ) as fc.Arbitrary<Node>;
  const tree = fc.letrec<{ node: Node }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.record({ kind: fc.constantFrom('and', 'or'), of: fc.array(tie('node'), { minLength: 2, maxLength: 4 }) }) as fc.Arbitrary<Node>,
      fc.record({ kind: fc.constant('not'), of: tie('node') }) as fc.Arbitrary<Node>,
    ),
  })).node;

  test('what is printed parses to the same tree', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const parsed = parse(print(node));
        expect(parsed.kind === 'ok' ? withoutPlaces(parsed.node) : parsed.problem, print(node)).toEqual(withoutPlaces(node));
      }),
      { numRuns: 1000 },
    );
  });
});
