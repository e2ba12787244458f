// SPDX-License-Identifier: Apache-2.0
/**
 * What stands in a journal frame: a block with who sent it and when, or the ranges that open a segment (river.md J1, W7).
 * Input: blocks and meta data; payloads of frames. Output: payloads; frames read back, or null for what is none.
 *
 * Block frame: u8 1, u8 flags, f64 time of ingest, f64 byte offset behind the block's last record, u8 length of the agent's id,
 * the id, the block as `encodeBlock` made it.
 * Opening frame: u8 2, u8 flags (1 = the last of its segment's opening), zstd of JSON.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { parseJson } from '../../core/bytes.ts';
import { type AgentId, isId } from '../../core/ids.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';

const BLOCK = 1;
const OPENING = 2;
const LAST = 1;
const HEAD_BYTES = 19;
const OPENING_LIMIT_BYTES = 67_108_864;

export interface BlockFrame {
  readonly kind: 'block';
  /** A union of FRAME_FLAGS. */
  readonly flags: number;
  /** Time of ingest. */
  readonly at: UnixMs;
  readonly agent: AgentId;
  /** Byte offset behind the block's last record in its source. */
  readonly endOffset: number;
  /** The block as it was sealed; a view. */
  readonly encoded: Uint8Array;
}

export interface OpeningFrame {
  readonly kind: 'opening';
  readonly last: boolean;
  readonly json: unknown;
}

/** The bytes before an encoded block. */
export const blockFrameHead = (agent: AgentId, at: UnixMs, flags: number, endOffset: number): Uint8Array => {
  const id = Buffer.from(agent, 'latin1');
  const head = Buffer.alloc(HEAD_BYTES + id.length);
  head[0] = BLOCK;
  head[1] = flags;
  head.writeDoubleLE(at, 2);
  head.writeDoubleLE(endOffset, 10);
  head[18] = id.length;
  head.set(id, HEAD_BYTES);
  return head;
};

export const openingFrame = (json: unknown, last: boolean): Uint8Array => {
  const body = zstdCompressSync(Buffer.from(JSON.stringify(json)), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return Buffer.concat([Uint8Array.of(OPENING, last ? LAST : 0), body]);
};

/** Reads a payload; null when it is no frame of a journal. */
export const readFrame = (payload: Uint8Array): BlockFrame | OpeningFrame | null => {
  if (payload[0] === BLOCK && payload.length > HEAD_BYTES) {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const start = HEAD_BYTES + bytes[18]!;
    const agent = bytes.toString('latin1', HEAD_BYTES, start);
    if (start > bytes.length || !isId('agt', agent)) return null;
    return {
      kind: 'block',
      flags: bytes[1]!,
      at: unixMs(bytes.readDoubleLE(2)),
      agent,
      endOffset: bytes.readDoubleLE(10),
      encoded: payload.subarray(start),
    };
  }
  if (payload[0] === OPENING && payload.length > 2) {
    try {
      const json = parseJson(zstdDecompressSync(payload.subarray(2), { maxOutputLength: OPENING_LIMIT_BYTES }));
      return { kind: 'opening', last: (payload[1]! & LAST) !== 0, json };
    } catch {
      // Its CRC holds, so this was written by another version: no frame of this one.
      return null;
    }
  }
  return null;
};
