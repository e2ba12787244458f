// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a block is what it says, before anything is kept: form, sender, key, hash, signature, body (river.md W3, W5, I5).
 * Input: a decoded block, the agent of the connection. Output: the block with what ingest must know of its body, or why it is bad. Hash aside, off the main thread.
 */
import { isCoded } from '../../core/errors.ts';
import type { AgentId } from '../../core/ids.ts';
import type { Block, GapBody, HeartbeatBody } from '../../core/protocol.ts';
import { checkBlockAsync, type DecodedBlock, encodeBlock, jsonBodyOf, recordsOf, unpackBodyAsync } from '../../core/wire.ts';

export type BadCode = 'FORM' | 'OTHER_AGENT' | 'UNKNOWN_KEY' | 'RESERVED_DATASET' | 'HASH_OR_SIGNATURE' | 'BODY';

export type Verified =
  | {
      readonly kind: 'ok';
      readonly block: Block;
      /** The block's bytes as they came. */
      readonly encoded: Uint8Array;
      readonly endOffset: number;
      readonly gap?: GapBody;
      readonly heartbeat?: HeartbeatBody;
    }
  | {
      readonly kind: 'bad';
      readonly code: BadCode;
      readonly reason: string;
      readonly hash: string;
      readonly encoded: Uint8Array;
      readonly stream?: string;
    };

/** Dataset of the collector's own stream: nobody else may speak in it. */
export const OWN_DATASET = 'vigil';

/** Checks one block of a connection whose agent is known. `keys` are all keys that the agent ever held. */
export const verifyBlock = async (decoded: DecodedBlock, agent: AgentId, keys: ReadonlySet<string>): Promise<Verified> => {
  if (decoded.kind === 'bad') return { kind: 'bad', code: 'FORM', reason: decoded.reason, hash: decoded.hash, encoded: decoded.bytes };
  const { block } = decoded;
  const { header } = block;
  const encoded = encodeBlock(block);
  const bad = (code: BadCode, reason: string): Verified => ({
    kind: 'bad',
    code,
    reason,
    hash: header.hash,
    encoded,
    stream: header.stream,
  });
  if (header.agent !== agent) return bad('OTHER_AGENT', `it speaks for ${header.agent}, and ${agent} sent it`);
  if (!keys.has(header.key)) return bad('UNKNOWN_KEY', 'it is signed by a key that this agent never held');
  if (header.dataset === OWN_DATASET) return bad('RESERVED_DATASET', `the dataset ${OWN_DATASET} is the collector's own`);
  const problem = await checkBlockAsync(block);
  if (problem !== null) return bad('HASH_OR_SIGNATURE', problem);
  try {
    const plain = await unpackBodyAsync(block);
    if (header.kind === 'gap' || header.kind === 'heartbeat') {
      const body = jsonBodyOf(header, plain);
      if (body.kind === 'bad') return bad('BODY', body.reason);
      const base = { kind: 'ok', block, encoded, endOffset: header.from } as const;
      return body.kind === 'gap' ? { ...base, gap: body.body } : { ...base, heartbeat: body.body };
    }
    return { kind: 'ok', block, encoded, endOffset: recordsOf(header, plain).at(-1)?.end ?? header.from };
  } catch (error) {
    if (!isCoded(error, 'WIRE_BAD_BLOCK')) throw error;
    return bad('BODY', String(error.details['reason']));
  }
};
