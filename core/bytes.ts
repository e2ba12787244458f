// SPDX-License-Identifier: Apache-2.0
/**
 * Small readers over raw bytes that the file and wire formats share, and JSON from outside made safe to parse.
 * Input: bytes of files and peers. Output: numbers, plain values; what cannot be true is refused before it is parsed.
 */
import { coreFault } from './errors.ts';

/** A u32, little endian. The caller has checked that four bytes are there. */
export const readU32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Writes a u32, little endian. */
export const writeU32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
};

/** Bytes a varint takes: 1 for values below 128, 8 for the largest safe integer. */
export const varintSize = (value: number): number => {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
};

/** Writes an unsigned LEB128 number of at most 53 bits; answers the place behind it. */
export const writeVarint = (bytes: Uint8Array, at: number, value: number): number => {
  let rest = value;
  while (rest >= 128) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
};

/** A cursor over bytes; reading past the end or a number that is no safe integer answers -1 and stays there. */
export interface ByteCursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Reads an unsigned LEB128 number; -1 where there is none. */
export const readVarint = (cursor: ByteCursor): number => {
  let value = 0;
  let scale = 1;
  for (let at = cursor.at; at < cursor.bytes.length && at < cursor.at + 8; at++) {
    const byte = cursor.bytes[at]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      if (!Number.isSafeInteger(value)) return -1;
      cursor.at = at + 1;
      return value;
    }
  }
  return -1;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** True when no array or object of the JSON text is nested deeper than `limit`. Looks at brackets outside strings only; takes one pass. */
export const scanJsonDepth = (bytes: Uint8Array, limit: number): boolean => {
  let depth = 0;
  let text = false;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!;
    if (text) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) text = false;
    } else if (c === QUOTE) text = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return false;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return true;
};

/** Depth that JSON from outside may have unless a caller says less. */
const JSON_DEPTH = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text; null where they are not well-formed UTF-8. */
export const strictText = (bytes: Uint8Array): string | null => {
  try {
    return utf8.decode(bytes);
  } catch {
    // The decoder throws for one reason only: invalid bytes. That is the answer.
    return null;
  }
};

/**
 * Parses JSON that came from outside: depth is checked before, UTF-8 must be well-formed, and a key `__proto__` is refused.
 * @throws CodedError JSON_TOO_DEEP, JSON_BAD.
 */
export const parseJson = (bytes: Uint8Array, limit: number = JSON_DEPTH): unknown => {
  if (!scanJsonDepth(bytes, limit)) throw coreFault('JSON_TOO_DEEP', { limit });
  const text = strictText(bytes);
  if (text === null) throw coreFault('JSON_BAD', { reason: 'it is not UTF-8' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw coreFault('JSON_BAD', { reason: error instanceof Error ? error.message : 'it is not JSON' }, error);
  }
  // A walk costs more than the parse, so it is taken only where the name can stand, plain or escaped.
  if ((text.includes('__proto__') || text.includes('\\u005')) && hasProtoKey(value)) {
    throw coreFault('JSON_BAD', { reason: 'the key __proto__ is not taken' });
  }
  return value;
};

// Depth is bounded by the scan before.
const hasProtoKey = (value: unknown): boolean => {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(hasProtoKey);
  return Object.keys(value).some((key) => key === '__proto__' || hasProtoKey((value as Record<string, unknown>)[key]));
};

/** A plain object of JSON; null for anything else. */
export const asObject = (value: unknown): Readonly<Record<string, unknown>> | null =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : null;
