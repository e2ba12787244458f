// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of the expiry plan.
 * Input: made-up files. Output: claims about which go.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, bytes, type UnixMs, unixMs } from '../../core/units.ts';
import { planExpiry, type RetainedFile } from './retention.ts';

const file = (id: number, newestIngest: number, size = 10, held = false): RetainedFile => ({
  id,
  bytes: size,
  newestIngest: newestIngest as UnixMs,
  held,
});
const NO_LIMIT = Number.MAX_SAFE_INTEGER as Bytes;

test('a file goes when its newest ingest is older, not when its oldest is', () => {
  expect(planExpiry([file(1, 99), file(2, 100), file(3, 101)], { olderThan: unixMs(100), maxBytes: NO_LIMIT })).toEqual([1]);
});

test('beyond the bytes the oldest go, and no more than needed', () => {
  expect(planExpiry([file(3, 30), file(1, 10), file(2, 20)], { olderThan: unixMs(0), maxBytes: bytes(20) })).toEqual([1]);
});

test('a held file stays, and newer ones go for its bytes', () => {
  expect(planExpiry([file(1, 10, 10, true), file(2, 20), file(3, 30)], { olderThan: unixMs(15), maxBytes: bytes(20) })).toEqual([2]);
});

test('what stays is within the bytes unless only held files are left, and the plan names each file once', () => {
  const files = fc.array(fc.record({ bytes: fc.nat(100), newestIngest: fc.nat(50), held: fc.boolean() }), { maxLength: 30 });
  fc.assert(
    fc.property(files, fc.nat(60), fc.nat(1000), (made, olderThan, maxBytes) => {
      const all = made.map((f, id) => file(id, f.newestIngest, f.bytes, f.held));
      const going = new Set(planExpiry(all, { olderThan: unixMs(olderThan), maxBytes: bytes(maxBytes) }));
      const staying = all.filter((f) => !going.has(f.id));
      expect(all.some((f) => f.held && going.has(f.id))).toBe(false);
      expect(staying.every((f) => f.held || f.newestIngest >= olderThan)).toBe(true);
      const left = staying.reduce((sum, f) => sum + f.bytes, 0);
      expect(left <= maxBytes || staying.every((f) => f.held)).toBe(true);
    }),
  );
});
