// SPDX-License-Identifier: Apache-2.0
/**
 * One step through a file: bytes at hand become the records of one batch and the mark behind them.
 * Input: an open file, a window of its bytes. Output: records, the next mark. Nothing moves until the batch is committed.
 */
import { LIMITS } from '../../../core/protocol.ts';
import { LINE_LIMIT_BYTES, RECORD_FLAGS, type SourceRecord } from '../../../core/record.ts';
import type { UnixMs } from '../../../core/units.ts';
import { digest, type Mark, PRINT_BYTES, readAt } from './identity.ts';
import { cutLines } from './lines.ts';
import { joinLines, type MultilineRule } from './multiline.ts';
import type { OpenFile } from './open.ts';

/** Bytes of the longest read, and of the buffer that all files share: a whole line of the longest kind, and the print before it. */
export const READ_BYTES = LINE_LIMIT_BYTES + 8_192;
export const BUFFER_BYTES = READ_BYTES + PRINT_BYTES;
/** Bytes of a read, unless a line needs more. */
export const STEP_BYTES = 262_144;
/** Bytes of records in one batch, framing included, unless one record alone is longer. */
const BATCH_BYTES = 262_144;

export interface Window {
  /** Bytes from the mark on. */
  readonly bytes: Buffer;
  /** The same with the bytes before the mark that were read along; undefined for packed files. */
  readonly before: Buffer | undefined;
  /** The file ends where the window does. */
  readonly atEnd: boolean;
  /** No more will come: a last line without its end is taken. */
  readonly final: boolean;
  /** Nothing came for the time of the multiline rule: its open group is taken. */
  readonly groupEnds: boolean;
}

export interface Step {
  readonly records: readonly SourceRecord[];
  /** The place behind the records. */
  readonly mark: Mark;
  /** Lines that were cut in parts. */
  readonly cuts: number;
  /** There is more to read at once. */
  readonly more: boolean;
}

/** The next batch of a window; undefined when no whole record stands in it. */
export const cutWindow = (file: OpenFile, window: Window, readAt: UnixMs, rule: MultilineRule | undefined): Step | undefined => {
  const { mark } = file;
  const { bytes, atEnd } = window;
  const cut = cutLines(bytes, mark.offset, {
    readAt,
    final: window.final,
    continued: mark.continued,
    backlogTo: mark.backlogTo,
    maxRecords: LIMITS.recordsPerBlock,
    maxBytes: BATCH_BYTES,
  });
  let records: readonly SourceRecord[] = cut.records;
  let end = mark.offset + cut.consumed;
  if (rule) {
    let joined = joinLines(rule, bytes, mark.offset, records, window.groupEnds || window.final);
    // A group that fills the whole batch would never end: it is taken as it is.
    if (joined.records.length === 0 && !atEnd) joined = joinLines(rule, bytes, mark.offset, records, true);
    ({ records, end } = joined);
  }
  if (records.length === 0) return undefined;
  const whole = end === mark.offset + bytes.length;
  return {
    records,
    mark: {
      ...mark,
      ...printsBehind(file, bytes, end, window.before),
      offset: end,
      continued: end === mark.offset + cut.consumed && cut.continued,
      mtime: file.mtime,
      atEnd: atEnd && whole,
    },
    cuts: records.reduce((sum, record) => sum + ((record.flags & RECORD_FLAGS.cut) === 0 ? 0 : 1), 0),
    more: !atEnd || !whole,
  };
};

/** Prints at the new place, from the bytes at hand where they reach back far enough. */
const printsBehind = (
  file: OpenFile,
  bytes: Buffer,
  end: number,
  before: Buffer | undefined,
): Pick<Mark, 'headBytes' | 'head' | 'tailBytes' | 'tail'> => {
  const { mark, fd } = file;
  const used = end - mark.offset;
  const all = before ?? bytes;
  const stop = all.length - bytes.length + used;
  // A packed file cannot be read again: its prints are as long as the bytes at hand.
  const tailBytes = stop >= PRINT_BYTES || fd !== undefined ? Math.min(PRINT_BYTES, end) : used;
  const tail = {
    tailBytes,
    tail: digest(stop >= tailBytes || fd === undefined ? all.subarray(stop - tailBytes, stop) : readAt(fd, end - tailBytes, tailBytes)),
  };
  const headBytes = Math.min(PRINT_BYTES, end);
  if (mark.headBytes < PRINT_BYTES && mark.offset === 0) return { headBytes, head: digest(bytes.subarray(0, headBytes)), ...tail };
  if (mark.headBytes < PRINT_BYTES && fd !== undefined) return { headBytes, head: digest(readAt(fd, 0, headBytes)), ...tail };
  return { headBytes: mark.headBytes, head: mark.head, ...tail };
};
