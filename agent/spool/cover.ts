// SPDX-License-Identifier: Apache-2.0
/**
 * How much of what was sealed here the collector holds already, under other numbers (W11).
 * Input: blocks of the spool, ends that the collector listed, the file that matched one. Output: whole blocks and records of the next that are covered.
 */
import { sha256 } from '../../core/hash.ts';
import type { Block, StreamEnd } from '../../core/protocol.ts';
import { readRecords } from '../../core/wire.ts';
import type { FileId } from '../source/source.ts';

/** Blocks from the front, and records of the next one. */
export interface Covered {
  readonly blocks: number;
  readonly records: number;
}

/** Without the same file, so many bytes must be alike before records count as the same. */
export const ALIKE_BYTES = 256;

const isIn = (block: Block, file: FileId): boolean => block.header.file?.device === file.device && block.header.file.inode === file.inode;

/** What ends at or before a place that was found in `file`. Blocks of files that were read before that one are covered with it. */
export const coveredByEnd = (blocks: readonly (Block | undefined)[], file: FileId, end: number): Covered => {
  let covered: Covered = { blocks: 0, records: 0 };
  for (const [index, block] of blocks.entries()) {
    if (block?.header.kind !== 'lines' || !isIn(block, file)) continue;
    const count = readRecords(block).filter((record) => record.end <= end).length;
    if (count === block.header.count) covered = { blocks: index + 1, records: 0 };
    else if (count > 0) covered = { blocks: index, records: count };
  }
  return covered;
};

/**
 * What follows `covered` and stands, record by record alike, at the beginning of a block whose end does not match:
 * a host that was put back, or copied, in the middle of what became one block there.
 */
export const coveredByRecords = (
  blocks: readonly (Block | undefined)[],
  covered: Covered,
  ends: readonly StreamEnd[],
  found: { readonly file: FileId; readonly end: StreamEnd } | undefined,
): Covered => {
  const begin = blocks[covered.blocks];
  if (begin?.header.kind !== 'lines' || !begin.header.file) return covered;
  const mine = found?.file ?? begin.header.file;
  const from = found?.end.end ?? 0;
  if (!isIn(begin, mine) || (!found && begin.header.from !== 0)) return covered;
  for (const { file, block: theirs } of ends) {
    if (!theirs || theirs.from !== from || !file) continue;
    const same = found ? sameFile(file, found.end.file) : sameFile(file, mine);
    const [alike, bytes] = walk(blocks, covered, mine, theirs.records);
    if (same || bytes >= ALIKE_BYTES) return alike;
  }
  return covered;
};

const sameFile = (a: FileId, b: FileId | undefined): boolean => a.device === b?.device && a.inode === b.inode;

const walk = (
  blocks: readonly (Block | undefined)[],
  covered: Covered,
  file: FileId,
  theirs: NonNullable<StreamEnd['block']>['records'],
): readonly [Covered, bytes: number] => {
  let { blocks: at, records: skip } = covered;
  let next = 0;
  let bytes = 0;
  for (; ; at++, skip = 0) {
    const block = blocks[at];
    if (block?.header.kind !== 'lines' || !isIn(block, file)) return [{ blocks: at, records: skip }, bytes];
    for (const record of readRecords(block).slice(skip)) {
      const other = theirs[next++];
      if (other?.[0] !== record.end || other[1] !== recordPrint(record.bytes)) return [{ blocks: at, records: skip }, bytes];
      skip++;
      bytes += record.bytes.length;
    }
  }
};

/** First 16 hexadecimal digits of a record's SHA-256, as `StreamEnd.block` carries it. */
const recordPrint = (bytes: Uint8Array): string => sha256(bytes).slice(0, 16);
