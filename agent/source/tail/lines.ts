// SPDX-License-Identifier: Apache-2.0
/**
 * Cuts bytes of a file into records at line ends. The bytes of a line are views into the buffer, never copied, never changed.
 * Input: a buffer and the file offset of its first byte. Output: records, and how many bytes they use up. Pure.
 */
import { LINE_LIMIT_BYTES, RECORD_FLAGS, type SourceRecord } from '../../../core/record.ts';
import type { UnixMs } from '../../../core/units.ts';

const LF = 10;
const CR = 13;

export interface CutOptions {
  readonly readAt: UnixMs;
  /** No more bytes will follow: a last line without its end is a record too. */
  readonly final: boolean;
  /** The first bytes are the rest of a line that was cut. */
  readonly continued: boolean;
  /** Records that end at or before this offset are backlog. */
  readonly backlogTo: number;
  readonly maxRecords: number;
  /** Most bytes of records together, with their framing; at least one record is given. */
  readonly maxBytes: number;
}

export interface Cut {
  readonly records: SourceRecord[];
  /** Bytes of the buffer that the records use, line ends included. */
  readonly consumed: number;
  /** The next bytes are the rest of a line that was cut. */
  readonly continued: boolean;
}

/** Longest part of a line in one record. */
export const PART_BYTES = LINE_LIMIT_BYTES;

/** Bytes that one record costs in a block besides its own, at most. */
export const FRAMING_BYTES = 24;

export const cutLines = (bytes: Buffer, offset: number, options: CutOptions): Cut => {
  const { readAt, backlogTo, maxRecords, maxBytes } = options;
  const records: SourceRecord[] = [];
  let { continued } = options;
  let at = 0;
  let room = maxBytes;
  while (records.length < maxRecords) {
    const lineEnd = bytes.indexOf(LF, at);
    const length = (lineEnd === -1 ? bytes.length : lineEnd) - at;
    let stop: number;
    let next: number;
    let cut = false;
    if (length > PART_BYTES) {
      stop = wholeCharacter(bytes, at, at + PART_BYTES);
      next = stop;
      cut = true;
    } else if (lineEnd !== -1) {
      stop = lineEnd > at && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
      next = lineEnd + 1;
    } else if (options.final && length > 0) {
      stop = bytes.length;
      next = stop;
    } else break;
    room -= stop - at + FRAMING_BYTES;
    if (room < 0 && records.length > 0) break;
    const end = offset + next;
    const flags = (end <= backlogTo ? RECORD_FLAGS.backlog : 0) | (continued ? RECORD_FLAGS.continued : cut ? RECORD_FLAGS.cut : 0);
    records.push({ bytes: bytes.subarray(at, stop), readAt, end, flags });
    continued = cut;
    at = next;
  }
  return { records, consumed: at, continued };
};

/** A place at or a little before `to` that does not part the bytes of one UTF-8 character. */
const wholeCharacter = (bytes: Buffer, from: number, to: number): number => {
  let place = to;
  while (place > to - 3 && place > from && (bytes[place]! & 0xc0) === 0x80) place--;
  return (bytes[place]! & 0xc0) === 0x80 ? to : place;
};
