// SPDX-License-Identifier: Apache-2.0
/**
 * The bytes of a segment file: a header and frames, read back with every kind of damage found and placed.
 * Input: a file's bytes, asked for piece by piece. Output: frames, torn tails, corrupt ranges. Pure; `segment.ts` does the reading.
 *
 * Header: two copies of { `VGLSEG`, u16 version, u32 salt, u32 CRC-32 of the 12 bytes before }, 32 bytes.
 * Frame: u32 payload length, u32 CRC-32 over length and payload, payload. Little endian.
 * The CRC starts from the file's random salt, so neither stale disk blocks nor a payload that looks like frames is ever taken for one.
 */
import { crc32 } from 'node:zlib';
import { readU32, writeU32 } from './bytes.ts';

const SEGMENT_VERSION = 1;
/** Offset of the first frame. */
export const SEGMENT_START = 32;
export const FRAME_HEAD_BYTES = 8;
/** Longest payload of one frame, in bytes. */
export const FRAME_LIMIT_BYTES = 8_388_608;

const MAGIC = new TextEncoder().encode('VGLSEG');
const COPY_BYTES = 16;
const CHUNK_BYTES = 1_048_576;
// Bytes that a search for the next whole frame may checksum: about three seconds. Random damage needs a sixteenth of it.
const RESYNC_BUDGET_BYTES = 17_179_869_184;

export interface Frame {
  readonly kind: 'frame';
  /** Where the frame begins in its file, and the offset behind it. */
  readonly offset: number;
  readonly end: number;
  /** A view; stays valid, and holds its chunk of about 1 MiB in memory while it is kept. */
  readonly payload: Uint8Array;
}

export interface Damage {
  /**
   * `torn`: nothing whole follows up to the end of the file. `corrupt`: bytes between whole frames, or one damaged header copy.
   * `unreadable`: up to the end of the file, no header copy holds, or the search for the next frame was given up.
   */
  readonly kind: 'torn' | 'corrupt' | 'unreadable';
  readonly offset: number;
  readonly end: number;
}

export type SegmentItem = Frame | Damage;

/** What the scan asks of its reader: `length` bytes from `at`; fewer only where the file ends. */
export interface Need {
  readonly kind: 'need';
  readonly at: number;
  readonly length: number;
}

export const segmentHeader = (salt: number): Uint8Array => {
  const copy = new Uint8Array(COPY_BYTES);
  copy.set(MAGIC);
  copy[6] = SEGMENT_VERSION;
  writeU32(copy, 8, salt);
  writeU32(copy, 12, crc32(copy.subarray(0, 12)));
  const header = new Uint8Array(SEGMENT_START);
  header.set(copy);
  header.set(copy, COPY_BYTES);
  return header;
};

export type HeaderState =
  | { readonly kind: 'ok'; readonly salt: number; readonly whole: boolean }
  | { readonly kind: 'short' }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads a header from a file's first bytes. `whole` is false where one of the two copies is damaged. */
export const readSegmentHeader = (bytes: Uint8Array): HeaderState => {
  if (bytes.length < SEGMENT_START) return { kind: 'short' };
  const copies = [bytes.subarray(0, COPY_BYTES), bytes.subarray(COPY_BYTES, SEGMENT_START)];
  const good = copies.filter((copy) => readU32(copy, 12) === crc32(copy.subarray(0, 12)) && MAGIC.every((b, i) => copy[i] === b));
  const first = good[0];
  if (!first) return { kind: 'bad', reason: 'its header is not one of a segment' };
  const version = first[6]! | (first[7]! << 8);
  if (version !== SEGMENT_VERSION) return { kind: 'bad', reason: `it has version ${version}` };
  return { kind: 'ok', salt: readU32(first, 8), whole: good.length === 2 };
};

/** The eight bytes before a payload. */
export const frameHead = (payload: Uint8Array, salt: number): Uint8Array => {
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  writeU32(head, 0, payload.length);
  writeU32(head, 4, crc32(payload, crc32(head.subarray(0, 4), salt)));
  return head;
};

const holds = (bytes: Uint8Array, at: number, length: number, salt: number): boolean =>
  readU32(bytes, at + 4) ===
  crc32(bytes.subarray(at + FRAME_HEAD_BYTES, at + FRAME_HEAD_BYTES + length), crc32(bytes.subarray(at, at + 4), salt));

/** Reads frames from `from` up to `size`, asking for the bytes it needs. A reader that answers with fewer bytes ends the file there. */
export function* scanFrames(from: number, size: number, salt: number): Generator<SegmentItem | Need, void, Uint8Array> {
  let at = from;
  let start = from;
  let window: Uint8Array = new Uint8Array(0);
  while (at < size) {
    if (start + window.length < Math.min(size, at + FRAME_HEAD_BYTES)) {
      start = at;
      window = yield { kind: 'need', at, length: Math.min(CHUNK_BYTES, size - at) };
      if (window.length < Math.min(CHUNK_BYTES, size - at)) size = at + window.length;
    }
    if (size - at < FRAME_HEAD_BYTES) {
      if (size > at) yield { kind: 'torn', offset: at, end: size };
      return;
    }
    const length = readU32(window, at - start);
    const end = at + FRAME_HEAD_BYTES + length;
    if (length <= FRAME_LIMIT_BYTES && end <= size) {
      if (start + window.length < end) {
        const wanted = Math.min(Math.max(CHUNK_BYTES, end - at), size - at);
        start = at;
        window = yield { kind: 'need', at, length: wanted };
        if (window.length < wanted) {
          size = at + window.length;
          continue;
        }
      }
      if (holds(window, at - start, length, salt)) {
        const begin = at - start + FRAME_HEAD_BYTES;
        yield { kind: 'frame', offset: at, end, payload: window.subarray(begin, begin + length) };
        at = end;
        continue;
      }
    }
    start = at;
    window = yield { kind: 'need', at, length: size - at };
    size = at + window.length;
    const next = resync(window, salt);
    if (next === 'none') {
      yield { kind: 'torn', offset: at, end: size };
      return;
    }
    if (next === 'given-up') {
      // Must not be cut away as torn: whole frames may follow.
      yield { kind: 'unreadable', offset: at, end: size };
      return;
    }
    yield { kind: 'corrupt', offset: at, end: at + next };
    at += next;
  }
}

// Where the next whole frame begins, in bytes that begin with a damaged one.
const resync = (bytes: Uint8Array, salt: number): number | 'none' | 'given-up' => {
  const size = bytes.length;
  const lengthAt = (at: number): number => (size - at < FRAME_HEAD_BYTES ? -1 : readU32(bytes, at));
  const wholeAt = (at: number): boolean => {
    const length = lengthAt(at);
    return length >= 0 && length <= FRAME_LIMIT_BYTES && at + FRAME_HEAD_BYTES + length <= size && holds(bytes, at, length, salt);
  };
  // The usual damage leaves the length as it was, and a whole frame stands where it says. A damaged length can point at one
  // too, but a later one, so the bytes before are searched all the same.
  const told = FRAME_HEAD_BYTES + lengthAt(0);
  const known = told >= FRAME_HEAD_BYTES && told <= FRAME_HEAD_BYTES + FRAME_LIMIT_BYTES && wholeAt(told) ? told : null;
  let budget = RESYNC_BUDGET_BYTES;
  for (let at = 1; at < (known ?? size - FRAME_HEAD_BYTES + 1); at++) {
    // Compared before the number is put together: of random lengths 511 in 512 end here.
    if (bytes[at + 3]! !== 0 || bytes[at + 2]! > 0x80) continue;
    const length = lengthAt(at);
    const end = at + FRAME_HEAD_BYTES + length;
    if (length > FRAME_LIMIT_BYTES || end > size || lengthAt(end) > FRAME_LIMIT_BYTES) continue;
    budget -= length;
    if (budget < 0) return known ?? 'given-up';
    if (holds(bytes, at, length, salt)) return at;
  }
  return known ?? 'none';
};
