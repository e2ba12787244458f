// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FactFields, factChecksum, factPrint, printsChecksum } from './fact.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.array(fc.string()),
);
const fieldsOf = fc.dictionary(fc.string(), value, { maxKeys: 12, noNullPrototype: true });

test('a print is the digest of name and fields in order as JSON, whatever came before it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fieldsOf), { maxLength: 8 }), (items) => {
      for (const [item, fields] of [...items, ...items]) {
        const pairs = Object.keys(fields)
          .sort()
          .map((name) => [name, fields[name]]);
        expect(factPrint(item, fields as FactFields)).toBe(sha256(JSON.stringify([item, pairs])));
      }
    }),
  );
});

test('a print does not depend on the order in which the fields came', () => {
  expect(factPrint('/a', { size: 1, path: '/a' })).toBe(factPrint('/a', { path: '/a', size: 1 }));
  expect(factPrint('/a', { size: 1, path: '/a' })).not.toBe(factPrint('/a', { path: '/a', size: 2 }));
});

test.each([0, 1, 2, 999, 1_000, 1_001, 2_500])('a checksum of %i prints is the digest of their lines', (count) => {
  const prints = Array.from({ length: count }, (_, i) => sha256(String(i))).sort();
  expect(printsChecksum(prints)).toBe(sha256(prints.join('\n')).slice(0, 32));
});

test('a checksum does not depend on the order of its items', () => {
  const items = Array.from({ length: 50 }, (_, i) => [`/f${i}`, { size: i }] as const);
  expect(factChecksum(items)).toBe(factChecksum([...items].reverse()));
});
