// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a stored event is what its agent signed: finds the block in the journal, checks it, and compares the record's bytes.
 * Input: where events say they come from. Output: for each whether it holds, who signed it, and where it lies.
 */
import { checkBlock, decodeBlock, readRecords } from '../../core/wire.ts';
import { listSegments, readBlockAt } from './segments.ts';

/** What an event says of its own origin, and its raw line as bytes. */
export interface Claim {
  readonly event: string;
  readonly agent: string;
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  /** Sequence of the last record, of an event that several were joined to. */
  readonly seqLast?: number;
  readonly offset: number;
  /** Offsets of the blocks that hold its further records. */
  readonly further?: readonly number[];
  /** The raw line; of a joined event its lines with `\n` between. */
  readonly bytes: Uint8Array;
}

export interface Proof {
  readonly event: string;
  readonly holds: boolean;
  /** Why not; or by whose key the block is signed. */
  readonly text: string;
  readonly block: string | null;
  readonly offset: number;
  readonly seq: number;
  readonly stream: string;
}

/** Proves each claim against the journal in `dir`. `knows` tells whether an agent ever held a key. Reads a block once. */
export const proveClaims = async (
  dir: string,
  claims: readonly Claim[],
  knows: (agent: string, key: string) => boolean,
): Promise<readonly Proof[]> => {
  const segments = await listSegments(dir);
  const blocks = new Map<number, Promise<Awaited<ReturnType<typeof readAt>>>>();
  const readAt = async (offset: number) => {
    const segment = segments.findLast(({ start }) => start <= offset);
    const found = segment ? await readBlockAt(segment.path, offset - segment.start) : null;
    if (!found) return { kind: 'gone' } as const;
    const decoded = decodeBlock(found.frame.encoded);
    if (decoded.kind === 'bad') return { kind: 'bad', reason: decoded.reason } as const;
    const reason = checkBlock(decoded.block);
    if (reason !== null) return { kind: 'bad', reason } as const;
    return { kind: 'ok', block: decoded.block, agent: found.frame.agent, records: readRecords(decoded.block) } as const;
  };
  const blockAt = (offset: number) => {
    let block = blocks.get(offset);
    if (!block) blocks.set(offset, (block = readAt(offset)));
    return block;
  };
  const prove = async (claim: Claim): Promise<Proof> => {
    const say = (holds: boolean, text: string, hash: string | null = null): Proof => ({
      event: claim.event,
      holds,
      text,
      block: hash,
      offset: claim.offset,
      seq: claim.seq,
      stream: claim.stream,
    });
    const seqLast = claim.seqLast ?? claim.seq;
    const records: ReturnType<typeof readRecords>[number][] = [];
    let first: { readonly hash: string; readonly agent: string; readonly key: string } | null = null;
    let known = true;
    for (const offset of [claim.offset, ...(claim.further ?? [])]) {
      const found = await blockAt(offset);
      if (found.kind === 'gone') return say(false, 'its block is no longer in the journal');
      if (found.kind === 'bad') return say(false, `its block does not hold: ${found.reason}`);
      const { header } = found.block;
      if (header.stream !== claim.stream || header.epoch !== claim.epoch || found.agent !== claim.agent)
        return say(false, 'another block lies at its place', header.hash);
      first ??= header;
      known &&= knows(header.agent, header.key);
      for (const record of found.records) if (record.seq >= claim.seq && record.seq <= seqLast) records.push(record);
    }
    if (first === null) return say(false, 'its block is no longer in the journal');
    const lines = seqLast === claim.seq ? [claim.bytes] : splitLines(claim.bytes);
    if (!records.some(({ seq }) => seq === claim.seq) || !records.some(({ seq }) => seq === seqLast))
      return say(false, 'its block does not hold this record', first.hash);
    if (!areThese(records, lines, claim.seq, seqLast)) return say(false, 'the stored line differs from the signed one', first.hash);
    return say(known, known ? `signed by ${first.agent}` : `consistent, signer ${first.agent} unknown`, first.hash);
  };
  return Promise.all(claims.map(prove));
};

const splitLines = (bytes: Uint8Array): readonly Uint8Array[] => {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
};

interface Signed {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Whether the lines are records of the range, in order, from its first to its last. Records of other events may lie between. */
const areThese = (records: readonly Signed[], lines: readonly Uint8Array[], first: number, last: number): boolean => {
  let at = 0;
  let seq = first;
  for (const [n, line] of lines.entries()) {
    while (at < records.length && !Buffer.from((records[at] as Signed).bytes).equals(line)) at++;
    const record = records[at++];
    if (record === undefined || (n === 0 && record.seq !== first)) return false;
    seq = record.seq;
  }
  return seq === last;
};
