// SPDX-License-Identifier: Apache-2.0
/**
 * SHA-256 and constant-time comparison.
 * Input: bytes or text. Output: lower-case hexadecimal digests.
 */
import { createHash, hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 as 64 hexadecimal digits. */
export const sha256 = (data: string | Uint8Array): string => hash('sha256', data, 'hex');

/** SHA-256 over several pieces, as if they were joined. */
export const sha256All = (...pieces: readonly (string | Uint8Array)[]): string => {
  const h = createHash('sha256');
  for (const piece of pieces) h.update(piece);
  return h.digest('hex');
};

/** Compares secrets without telling by time where they differ. Lengths may be told. */
export const equalSecret = (a: string | Uint8Array, b: string | Uint8Array): boolean => {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
};
