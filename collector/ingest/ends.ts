// SPDX-License-Identifier: Apache-2.0
/**
 * What a conflict tells an agent of the stream: ends back from the head, with the records of their blocks (river.md W5, W11).
 * Input: the journal. Output: ends from which a new epoch may go on; records, so that one which matches in part is found.
 */
import { sha256 } from '../../core/hash.ts';
import type { Block, BlockHeader, StreamEnd } from '../../core/protocol.ts';
import { readRecords } from '../../core/wire.ts';
import type { BlockJournal } from '../model/journal.ts';

const ENDS = 32;
/** Blocks told of behind the one that conflicts. */
const FORWARD = 64;
/** Records that one answer describes, newest blocks first. */
const RECORDS = 4_096;

/** Ends of the stream that a block conflicted in, the head first. Blocks of a file come with their records. */
export const describeEnds = async (
  journal: Pick<BlockJournal, 'ends' | 'find' | 'read'>,
  header: BlockHeader,
): Promise<readonly StreamEnd[]> => {
  const out: StreamEnd[] = [];
  let left = RECORDS;
  const described = (end: StreamEnd, block: Block | null): StreamEnd => {
    if (block?.header.kind !== 'lines' || !end.file || block.header.count > left) return end;
    left -= block.header.count;
    const records = readRecords(block).map((record) => [record.end, sha256(record.bytes).slice(0, 16)] as const);
    return { ...end, block: { from: block.header.from, records } };
  };
  /** An end that is told already may still be told better: its place, its records. */
  const tell = (end: StreamEnd, block: Block | null): void => {
    const same = out.findIndex((one) => one.epoch === end.epoch && one.seq === end.seq);
    const before = out[same];
    if (!before) out.push(described(end, block));
    else if (before.block === undefined && before.position === undefined)
      out[same] = described({ ...end, ...before, ...placeOf(end) }, block);
  };
  for (const { end, at, to } of journal.ends(header.agent, header.stream, ENDS)) {
    const block = at !== null && (end === null || (end.file && left > 0)) ? await journal.read(at) : null;
    const known = end ?? (block && endOf(block));
    if (known) tell(to === undefined ? known : { ...known, position: to }, block);
  }
  // Where the same epoch went two ways: both go on behind the same block, however long ago that was. What followed there is told as far as it goes.
  let held = await journal.find(header);
  let other = held && held.offset >= 0 ? await journal.read(held.offset) : null;
  if (other && other.header.prev !== null && other.header.prev === header.prev) {
    const { epoch, first, from, file, prev } = other.header;
    const before: StreamEnd = { epoch, seq: first - 1, hash: prev, end: from, ...(file === undefined ? {} : { file }) };
    tell(before, null);
  }
  for (let i = 0; other && i < FORWARD && left > 0; i++) {
    const end = endOf(other);
    tell(end, other);
    held = await journal.find({ ...header, first: end.seq + 1 });
    other = held && held.offset >= 0 ? await journal.read(held.offset) : null;
  }
  return out;
};

const placeOf = ({ position }: StreamEnd): Pick<StreamEnd, 'position'> => (position === undefined ? {} : { position });

const endOf = (block: Block): StreamEnd => {
  const { epoch, first, count, hash, kind, from, file, cursor, running } = block.header;
  const end = kind === 'lines' ? (readRecords(block).at(-1)?.end ?? from) : from;
  return {
    epoch,
    seq: first + count - 1,
    hash,
    end,
    ...(file === undefined ? {} : { file }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(running === undefined ? {} : { running }),
  };
};
