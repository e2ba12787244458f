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
  readonly offset: number;
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
  const prove = async (claim: Claim): Promise<Proof> => {
    let block = blocks.get(claim.offset);
    if (!block) blocks.set(claim.offset, (block = readAt(claim.offset)));
    const found = await block;
    const say = (holds: boolean, text: string, hash: string | null = null): Proof => ({
      event: claim.event,
      holds,
      text,
      block: hash,
      offset: claim.offset,
      seq: claim.seq,
      stream: claim.stream,
    });
    if (found.kind === 'gone') return say(false, 'its block is no longer in the journal');
    if (found.kind === 'bad') return say(false, `its block does not hold: ${found.reason}`);
    const { header } = found.block;
    if (header.stream !== claim.stream || header.epoch !== claim.epoch || found.agent !== claim.agent)
      return say(false, 'another block lies at its place', header.hash);
    const record = found.records.find(({ seq }) => seq === claim.seq);
    if (!record) return say(false, 'its block does not hold this record', header.hash);
    if (!Buffer.from(record.bytes).equals(claim.bytes)) return say(false, 'the stored line differs from the signed one', header.hash);
    const signer = knows(header.agent, header.key) ? `signed by ${header.agent}` : `consistent, signer ${header.agent} unknown`;
    return say(knows(header.agent, header.key), signer, header.hash);
  };
  return Promise.all(claims.map(prove));
};
