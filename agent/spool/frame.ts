// SPDX-License-Identifier: Apache-2.0
/**
 * What lies in one frame of a spool segment: a sealed block with its read cursor, the state of a stream, or what is settled.
 * Input: payloads of `core/segment.ts`. Output: typed frames; null for what no version wrote.
 */
import { asObject, readU32, writeU32 } from '../../core/bytes.ts';
import type { BlockHeader, JournalMark } from '../../core/protocol.ts';
import { decodeBlock } from '../../core/wire.ts';

/** Where a stream stands: the read cursor of A1 and what the next block continues. */
export interface StreamState {
  readonly stream: string;
  readonly epoch: string;
  /** Set until the first block of the epoch is sealed (W10). */
  readonly after?: { readonly epoch: string; readonly seq: number };
  /** A head of the collector's that this epoch goes on behind, and whose records this spool never held (W6). */
  readonly told?: { readonly epoch: string; readonly seq: number };
  readonly seq: number;
  readonly prev: string | null;
  /** The source's own text; undefined before the first block. */
  readonly resume?: string;
}

/** A place in the spool: segment number and file offset. */
export interface SpoolPlace {
  readonly segment: number;
  readonly offset: number;
}

export interface KeptBlock {
  readonly why: 'held' | 'bad';
  readonly stream: string;
  readonly epoch: string;
  readonly first: number;
  readonly count: number;
  readonly segment: number;
}

/** What the collector settled: the acked cursor of A1. */
export interface Settled {
  /** Every block before it is settled. */
  readonly upTo: SpoolPlace;
  readonly journal: JournalMark | null;
  /** Last sequence acked in a row, by stream and epoch; only what changed, unless `snapshot`. */
  readonly acked: readonly (readonly [stream: string, epoch: string, seq: number])[];
  /** Blocks that wait for a person (`held`) or were refused for good (`bad`); their segments stay. */
  readonly kept: readonly KeptBlock[];
  /** Closes the state that opens a segment: what stands before it in this file is complete. */
  readonly snapshot?: true;
}

export type SpoolFrame =
  | { readonly kind: 'block'; readonly resume: string; readonly header: BlockHeader; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly state: StreamState }
  | { readonly kind: 'settled'; readonly settled: Settled };

const BLOCK = 0x42;
const STREAM = 0x53;
const SETTLED = 0x41;

/** Bytes of a block's frame. */
export const blockFrameBytes = (resume: string, block: Uint8Array): number => 5 + Buffer.byteLength(resume) + block.length;

/** Writes a block's frame into `frame`, which has its length; answers where in it the block stands. */
export const writeBlockFrame = (frame: Buffer, resume: string, block: Uint8Array): Uint8Array => {
  frame[0] = BLOCK;
  const length = frame.write(resume, 5);
  writeU32(frame, 1, length);
  frame.set(block, 5 + length);
  return frame.subarray(5 + length);
};

export const streamFrame = (state: StreamState): Uint8Array => jsonFrame(STREAM, state);

export const settledFrame = (settled: Settled): Uint8Array => jsonFrame(SETTLED, settled);

const jsonFrame = (kind: number, value: unknown): Uint8Array => Buffer.concat([Buffer.of(kind), Buffer.from(JSON.stringify(value))]);

/** Reads a payload. The checksum of the frame has held, so what cannot be read was written by another version. */
export const readFrame = (payload: Uint8Array): SpoolFrame | null => {
  if (payload[0] === BLOCK && payload.length >= 5) {
    const length = readU32(payload, 1);
    if (5 + length > payload.length) return null;
    const bytes = payload.subarray(5 + length);
    const decoded = decodeBlock(bytes);
    if (decoded.kind === 'bad') return null;
    return { kind: 'block', resume: textOf(payload.subarray(5, 5 + length)), header: decoded.block.header, bytes };
  }
  if (payload[0] !== STREAM && payload[0] !== SETTLED) return null;
  const value = readJson(payload.subarray(1));
  if (value === null) return null;
  return payload[0] === STREAM
    ? { kind: 'stream', state: value as unknown as StreamState }
    : { kind: 'settled', settled: value as unknown as Settled };
};

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

const readJson = (bytes: Uint8Array): Readonly<Record<string, unknown>> | null => {
  try {
    return asObject(JSON.parse(textOf(bytes)));
  } catch {
    // Written by another version; the caller passes over it.
    return null;
  }
};

/** True when `a` lies before `b`. */
export const isBefore = (a: SpoolPlace, b: SpoolPlace): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
