// SPDX-License-Identifier: Apache-2.0
/**
 * Which files go: a pure plan from age of ingest, bytes on disk and legal holds. Whole files only.
 * Input: the files of the manifest. Output: ids to remove; `expire` of the engine carries it out.
 */
import type { Bytes, UnixMs } from '../../core/units.ts';

export interface RetainedFile {
  readonly id: number;
  readonly bytes: number;
  /** Newest time of ingest in it: a file is as old as its newest event. */
  readonly newestIngest: UnixMs;
  /** Under legal hold: evidence of an incident stays whatever its age. */
  readonly held: boolean;
}

export interface Keep {
  /** Files whose newest ingest is older go. */
  readonly olderThan: UnixMs;
  /** Beyond this, the oldest go. Held files count, and stay. */
  readonly maxBytes: Bytes;
}

/** Ids of the files to remove, oldest first. */
export const planExpiry = (files: readonly RetainedFile[], keep: Keep): readonly number[] => {
  const oldestFirst = files.toSorted((a, b) => a.newestIngest - b.newestIngest || a.id - b.id);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const going: number[] = [];
  for (const file of oldestFirst) {
    if (file.held || (file.newestIngest >= keep.olderThan && bytes <= keep.maxBytes)) continue;
    going.push(file.id);
    bytes -= file.bytes;
  }
  return going;
};
