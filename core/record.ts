// SPDX-License-Identifier: Apache-2.0
/**
 * The record: what a source produces, one raw line or one collected fact, not yet understood.
 * Input: agent sources, replay. Output: the spool, which numbers records and seals them into blocks (river.md W1).
 */
import type { UnixMs } from './units.ts';

/** Bits of a record's `flags` byte (river.md W3). A bit is never reused. */
export const RECORD_FLAGS = {
  /** First sight of old bytes: searchable, counted, judged, notified to nobody (A2). */
  backlog: 1,
  /** Longer than the line limit: the bytes here are its beginning. */
  cut: 2,
  /** The next part of a line that was cut. */
  continued: 4,
  /** Several physical lines joined by a multiline rule. */
  multiline: 8,
  /** Something was taken out before sealing (A3). */
  redacted: 16,
} as const;

export interface SourceRecord {
  /** The raw bytes without their line ending, never changed but by redaction. */
  readonly bytes: Uint8Array;
  /** When the agent read it. */
  readonly readAt: UnixMs;
  /** Byte offset behind the record in its file, line ending included; 0 for sources without offsets. */
  readonly end: number;
  /** A union of RECORD_FLAGS. */
  readonly flags: number;
}

/** Longest line kept as one record, in bytes; a longer one is cut into several, each flagged. */
export const LINE_LIMIT_BYTES = 1_048_576;
