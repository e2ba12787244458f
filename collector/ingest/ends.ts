// SPDX-License-Identifier: Apache-2.0
/**
 * What a conflict tells an agent of the stream: ends back from the head, with the records of their blocks (river.md W5, W11).
 * Input: the journal. Output: ends from which a new epoch may go on; records, so that one which matches in part is found.
 */
import { sha256 } from '../../core/hash.ts';
import type { BlockHeader, StreamEnd } from '../../core/protocol.ts';
import { readRecords } from '../../core/wire.ts';
import type { BlockJournal } from '../model/journal.ts';

const ENDS = 16;
/** Records that one answer describes, newest blocks first. */
const RECORDS = 4_096;

/** Ends of the stream that a block conflicted in, the head first. Blocks of a file come with their records. */
export const describeEnds = async (
  journal: Pick<BlockJournal, 'ends' | 'read'>,
  { agent, stream }: Pick<BlockHeader, 'agent' | 'stream'>,
): Promise<readonly StreamEnd[]> => {
  const out: StreamEnd[] = [];
  let left = RECORDS;
  for (const { end, at } of journal.ends(agent, stream, ENDS)) {
    const block = at !== null && end.file && left > 0 ? await journal.read(at) : null;
    if (block?.header.kind !== 'lines' || block.header.count > left) {
      out.push(end);
      continue;
    }
    left -= block.header.count;
    const records = readRecords(block).map((record) => [record.end, sha256(record.bytes).slice(0, 16)] as const);
    out.push({ ...end, block: { from: block.header.from, records } });
  }
  return out;
};
