// SPDX-License-Identifier: Apache-2.0
/**
 * The port of every source of records, and its obligations. A source never knows the spool or the transport.
 * Input: files, journals, scans of one host. Output: batches that are sealed one to a block, and where each stream stands.
 */
import type { BlockHeader, BlockKind, StreamEnd } from '../../core/protocol.ts';
import type { SourceRecord } from '../../core/record.ts';
import type { UnixMs } from '../../core/units.ts';

/** What becomes one block. */
export interface Batch {
  /** Name of the stream on this host, e.g. `file:/var/log/auth.log`. */
  readonly stream: string;
  readonly kind: BlockKind;
  readonly dataset: string;
  /** At least one. Their bytes are valid until `commit` is called or `next` is called again, whichever is first. */
  readonly records: readonly SourceRecord[];
  /** When the first record was read. */
  readonly at: UnixMs;
  /** Byte offset of the first record; 0 for sources without offsets. */
  readonly from: number;
  readonly file?: BlockHeader['file'];
  /** The source took secrets out itself: what it tells has a checksum over it that must hold on the other side (A3). */
  readonly redacted?: true;
  /** Where to go on behind this batch: the source's own text, kept with the block and given back on resume. */
  readonly resume: string;
}

/** Where a stream stands, for heartbeat and status. */
export interface StreamProgress {
  readonly stream: string;
  readonly dataset: string;
  /** Wall time up to which the source was read to its end; 0 when never. */
  readonly readUpTo: UnixMs;
  /** Bytes that stand in the source and are not sealed yet. */
  readonly behindBytes: number;
  /** Counted losses and changes by name, since the start. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Something that is watched for and cannot be read, or is in trouble. */
export interface SourceProblem {
  /** Stable code, e.g. `NO_PERMISSION`. */
  readonly code: string;
  /** The path or stream. */
  readonly about: string;
  readonly reason: string;
  /** What to do, as a command where one helps. */
  readonly hint: string;
}

/** A file as the headers of blocks name it; sources without files give empty names. */
export interface FileId {
  readonly device: string;
  readonly inode: string;
}

export interface Source {
  readonly name: string;
  /**
   * Called once, before anything else. `resumeOf` gives the `resume` text of the last sealed block of a stream, or undefined at first sight.
   * MUST NOT throw for a single stream that cannot be read; that is a problem to report.
   */
  open(resumeOf: (stream: string) => string | undefined): Promise<void>;
  /** Looks for news; called about once a second and after a wake-up. MUST be cheap, MUST NOT wait. */
  poll(): void;
  /** Looks for streams that were not there before; called about once a minute. */
  rescan(): Promise<void>;
  /**
   * The next batch, or undefined when there is none now. MUST answer at once, MUST be fair between streams,
   * and MUST give the same bytes again when the batch before was not committed.
   */
  next(): Batch | undefined;
  /** The batch given last is sealed: the source moves behind it. MUST NOT be called twice for one batch. */
  commit(): void;
  /** Everything that was committed is fsynced: a source that compares with what it found before moves that baseline here, never earlier (A1). */
  sealed(): void;
  progress(): readonly StreamProgress[];
  problems(): readonly SourceProblem[];
  /**
   * The file, as blocks read now would name it, that holds a place which a collector names; undefined when none does (W11).
   * What counts are the bytes before the place: a copy of the file matches too.
   */
  matches(stream: string, end: StreamEnd): FileId | undefined;
  /** Files of the stream that are read now, oldest first. */
  files(stream: string): readonly FileId[];
  /**
   * Goes on behind the farthest of these places in each file, never back, and answers the `resume` text; a file in which there is none is done
   * where a newer one has one. Undefined when no file holds any.
   */
  moveTo(stream: string, ends: readonly StreamEnd[]): string | undefined;
  /** Reads the stream again from its first byte, as at first sight (W6). Nothing when the stream is not this source's. */
  restart(stream: string): Promise<void>;
  close(): Promise<void>;
}
