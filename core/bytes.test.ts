// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, readU32, readVarint, scanJsonDepth, varintSize, writeU32, writeVarint } from './bytes.ts';

const code = (text: string | Uint8Array, limit?: number): string => {
  try {
    parseJson(Buffer.from(text), limit);
    return 'ok';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('numbers come back as they were written, and a varint takes the bytes it says', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(2 ** 32 - 1), (value, word) => {
      const bytes = new Uint8Array(16);
      const end = writeVarint(bytes, 0, value);
      expect(end).toBe(varintSize(value));
      const cursor = { bytes: bytes.subarray(0, end), at: 0 };
      expect(readVarint(cursor)).toBe(value);
      expect(cursor.at).toBe(end);
      expect(readVarint({ bytes: bytes.subarray(0, end - 1), at: 0 })).toBe(-1);
      writeU32(bytes, 3, word);
      expect(readU32(bytes, 3)).toBe(word);
    }),
  );
  expect(readVarint({ bytes: new Uint8Array(9).fill(255), at: 0 })).toBe(-1);
});

test('depth is counted as the parser nests, brackets in texts aside', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const depth = (v: unknown): number => (v !== null && typeof v === 'object' ? 1 + Math.max(0, ...Object.values(v).map(depth)) : 0);
      const bytes = Buffer.from(JSON.stringify(value));
      expect(scanJsonDepth(bytes, depth(value))).toBe(true);
      if (depth(value) > 0) expect(scanJsonDepth(bytes, depth(value) - 1)).toBe(false);
    }),
  );
  expect(scanJsonDepth(Buffer.from('["[[[\\"[[["]'), 1)).toBe(true);
});

test('JSON from outside is refused where it is too deep, no UTF-8, no JSON or names __proto__', () => {
  expect(code('{"a":[1]}')).toBe('ok');
  expect(code('{"a":"__proto__"}')).toBe('ok');
  expect(code(`${'['.repeat(32)}${']'.repeat(32)}`)).toBe('ok');
  expect(code(`${'['.repeat(33)}${']'.repeat(33)}`)).toBe('JSON_TOO_DEEP');
  const begun = performance.now();
  expect(code('['.repeat(5_000_000))).toBe('JSON_TOO_DEEP');
  expect(performance.now() - begun).toBeLessThan(500);
  expect(code(Uint8Array.from([0x22, 0xff, 0x22]))).toBe('JSON_BAD');
  expect(code('{')).toBe('JSON_BAD');
  expect(code('{"a":[{"__proto__":{"x":1}}]}')).toBe('JSON_BAD');
  expect(code('{"\\u005f_proto__":1}')).toBe('JSON_BAD');
});
