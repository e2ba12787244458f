// SPDX-License-Identifier: Apache-2.0
/**
 * How much of what was sealed here the collector holds already, under other numbers (W11).
 * Input: blocks of the spool, ends that the collector listed, the files that hold them. Output: how many records of each block are covered.
 */
import { sha256 } from '../../core/hash.ts';
import type { Block, StreamEnd } from '../../core/protocol.ts';
import { readRecords } from '../../core/wire.ts';
import type { FileId } from '../source/source.ts';

/** A block of the spool, and the file that holds its bytes now; undefined where none does any more. */
export interface SpooledBlock {
  readonly block: Block;
  readonly file: FileId | undefined;
}

/** An end that a file of this host holds. */
export interface Found {
  /** As blocks read from it now would name it. */
  readonly file: FileId;
  readonly end: StreamEnd;
}

/** Without the same file, so many bytes must be alike before records count as the same. */
export const ALIKE_BYTES = 256;

export const isSame = (a: FileId | undefined, b: FileId | undefined): boolean => a?.device === b?.device && a?.inode === b?.inode;

/**
 * How many records at the front of each block are covered by ends that were found. In a file of which no end is listed they are,
 * where a file that was begun later has one. `order`: files that are read now, oldest first; what is not among them was read to its end before.
 */
export const coveredByEnds = (blocks: readonly SpooledBlock[], found: readonly Found[], order: readonly FileId[]): number[] => {
  const placeOf = (file: FileId): number => order.findIndex((one) => isSame(one, file));
  const newest = Math.max(-1, ...found.map(({ file }) => placeOf(file)));
  return blocks.map(({ block, file }) => {
    if (block.header.kind !== 'lines' || !block.header.file) return 0;
    const ends = file ? found.filter((one) => isSame(one.file, file)).map(({ end }) => end.end) : [];
    if (ends.length > 0) return readRecords(block).filter((record) => record.end <= Math.max(...ends)).length;
    return newest >= 0 && placeOf(file ?? block.header.file) < newest ? block.header.count : 0;
  });
};

/**
 * The same, and what stands record by record alike in a block there whose end does not match: of a host that was put back,
 * or copied, in the middle of what became one block.
 */
export const coveredByRecords = (
  blocks: readonly SpooledBlock[],
  covered: readonly number[],
  ends: readonly StreamEnd[],
  found: readonly Found[],
): number[] => {
  const all = [...covered];
  for (const [at, { block, file: mine }] of blocks.entries()) {
    if (block.header.kind !== 'lines' || !block.header.file) continue;
    // Their name of the file, where they have one.
    const named = (mine && found.find(({ file }) => isSame(file, mine))?.end.file) ?? block.header.file;
    for (let forward = true; forward; ) {
      forward = false;
      const skip = all[at] ?? 0;
      if (skip >= block.header.count) break;
      const from = skip === 0 ? block.header.from : (readRecords(block)[skip - 1]?.end ?? 0);
      for (const { file, block: theirs } of ends) {
        if (!file || !theirs) continue;
        // One of their blocks may have begun earlier: the copy sealed there what was sealed in two here.
        const start = theirs.from === from ? 0 : theirs.records.findIndex(([end]) => end === from) + 1;
        if (start === 0 && theirs.from !== from) continue;
        const alike = walk(blocks, at, skip, theirs.records.slice(start));
        const isSure = start === 0 && isSame(file, named);
        if (alike.bytes === 0 || (!isSure && alike.bytes < ALIKE_BYTES)) continue;
        for (const [i, count] of alike.counts.entries()) all[at + i] = count;
        // The next of their blocks may go on where this one ends.
        forward = true;
        break;
      }
    }
  }
  return all;
};

/** How far two rows of records agree, by block of ours. */
const walk = (
  blocks: readonly SpooledBlock[],
  at: number,
  skip: number,
  theirs: NonNullable<StreamEnd['block']>['records'],
): { readonly counts: readonly number[]; readonly bytes: number } => {
  const counts: number[] = [];
  let next = 0;
  let bytes = 0;
  const nameOf = (one: SpooledBlock | undefined): FileId | undefined => one?.file ?? one?.block.header.file;
  for (const one of blocks.slice(at)) {
    const { block } = one;
    if (block.header.kind !== 'lines' || !isSame(nameOf(one), nameOf(blocks[at]))) break;
    let count = counts.length === 0 ? skip : 0;
    for (const record of readRecords(block).slice(count)) {
      const other = theirs[next++];
      if (other?.[0] !== record.end || other[1] !== recordPrint(record.bytes)) return { counts: [...counts, count], bytes };
      count++;
      bytes += record.bytes.length;
    }
    counts.push(count);
  }
  return { counts, bytes };
};

/** First 16 hexadecimal digits of a record's SHA-256, as `StreamEnd.block` carries it. */
const recordPrint = (bytes: Uint8Array): string => sha256(bytes).slice(0, 16);
