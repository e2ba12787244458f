// SPDX-License-Identifier: Apache-2.0
/**
 * Blocks to bytes and back, the same in spool, on the wire and in the journal (river.md W2 to W4).
 * Input: records and what their stream knows; bytes from a peer or a disk. Output: sealed blocks; blocks and records, or the reason why not.
 *
 * Block: u32 header length, header, 64-byte signature, u32 body length, body. Little endian.
 * Body: zstd of count × (u32 length, u8 flags, varint read time since `at`, varint end since `from`, bytes); of JSON for gap and heartbeat.
 * Request: u32 preamble length, preamble as JSON, blocks.
 */
import { constants, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { readGap, readHeartbeat, readPreamble, strictJson } from './body.ts';
import { type ByteCursor, readU32, readVarint, varintSize, writeU32, writeVarint } from './bytes.ts';
import { coreFault, isCoded } from './errors.ts';
import { sha256 } from './hash.ts';
import { headerProblem, headerText, parseHeader, unpackLimit } from './header.ts';
import {
  BLOCK_DOMAIN,
  type Block,
  type BlockHeader,
  type BlockRecord,
  type BlocksPreamble,
  type GapBody,
  type HeartbeatBody,
  LIMITS,
  PROTOCOL_VERSION,
} from './protocol.ts';
import type { SourceRecord } from './record.ts';
import { reusedBuffer } from './reused.ts';
import { SIGNATURE_BYTES, type Signer, verifySignature, verifySignatureAsync } from './sign.ts';
import { LAST_TIME_MS, type UnixMs, unixMs } from './units.ts';

/** What a stream knows before its records are packed. `at` is the earliest read time of the records where absent. */
export type BlockDraft = Omit<BlockHeader, 'v' | 'key' | 'at' | 'count' | 'plain' | 'packed' | 'hash'> & { readonly at?: UnixMs };

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Bytes a record takes in a body before compression, at most; a sealer sums them against LIMITS.blockPlainBytes. */
export const recordBytes = (record: SourceRecord): number => record.bytes.length + 21;

/**
 * Packs, hashes and signs records as one block. The result is never cut or signed again (W4).
 * @throws CodedError WIRE_BAD_BLOCK when a limit is passed, a field is wrong, or a record ends before the block's `from`.
 */
export const sealBlock = (draft: BlockDraft, records: readonly SourceRecord[], signer: Signer): Block => {
  if (draft.kind === 'gap' || draft.kind === 'heartbeat') throw bad(`a ${draft.kind} holds JSON, not records`);
  const at = draft.at ?? records.reduce((least, record) => Math.min(least, record.readAt), records[0]?.readAt ?? 0);
  return seal(draft, unixMs(at), records.length, packRecords(records, at, draft.from), signer);
};

/** Seals a body that is already laid out; `count` is how many sequence numbers the block takes. */
export const seal = (draft: BlockDraft, at: UnixMs, count: number, plain: Uint8Array, signer: Signer): Block => {
  if (plain.length > LIMITS.blockPlainBytes) throw bad(`${plain.length} bytes of records are too many`);
  const body = pack(plain);
  const header: BlockHeader = {
    ...draft,
    v: PROTOCOL_VERSION,
    key: signer.publicKey,
    at,
    count,
    plain: plain.length,
    packed: body.length,
    hash: sha256(body),
  };
  const problem = headerProblem(header as unknown as Record<string, unknown>);
  if (problem !== null) throw bad(problem);
  const headerBytes = Buffer.from(headerText(header));
  if (headerBytes.length > LIMITS.headerBytes) throw bad('its header is too long');
  return { header, headerBytes, signature: signer.sign(BLOCK_DOMAIN, headerBytes), body };
};

const bad = (reason: string): Error => coreFault('WIRE_BAD_BLOCK', { reason });

// The plain body is needed only until it is packed, at once: one buffer serves all, and an agent that catches up makes 30 MB less garbage.
const SCRATCH_BYTES = 1_048_576;
const scratch = reusedBuffer(SCRATCH_BYTES);
const scratchOf = (size: number): Buffer => (size > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(size) : scratch().subarray(0, size));

const packRecords = (records: readonly SourceRecord[], at: number, from: number): Uint8Array => {
  let size = 0;
  for (const { bytes, readAt, end } of records) {
    if (end < from) throw bad('a record ends before its block begins');
    size += 5 + bytes.length + varintSize(Math.max(0, readAt - at)) + varintSize(end - from);
  }
  if (size > LIMITS.blockPlainBytes) throw bad(`${size} bytes of records are too many`);
  const plain = scratchOf(size);
  let place = 0;
  for (const { bytes, readAt, end, flags } of records) {
    writeU32(plain, place, bytes.length);
    plain[place + 4] = flags;
    // A wall clock that was set back between two reads must not make a block unreadable.
    place = writeVarint(plain, place + 5, Math.max(0, readAt - at));
    place = writeVarint(plain, place, end - from);
    plain.set(bytes, place);
    place += bytes.length;
  }
  return plain;
};

// A megabyte of one letter packs to fifty bytes, which looks like a bomb. A skippable frame behind it (RFC 8878) makes the ratio honest.
const pack = (plain: Uint8Array): Uint8Array => {
  const packed = zstdCompressSync(plain, LEVEL);
  if (plain.length <= unpackLimit(packed.length)) return packed;
  const filler = Buffer.alloc(Math.max(8, Math.ceil(plain.length / LIMITS.unpackRatio) - packed.length));
  writeU32(filler, 0, 0x184d2a50);
  writeU32(filler, 4, filler.length - 8);
  return Buffer.concat([packed, filler]);
};

/** A block as bytes. */
export const encodeBlock = ({ headerBytes, signature, body }: Block): Uint8Array => {
  const bytes = Buffer.allocUnsafe(8 + headerBytes.length + SIGNATURE_BYTES + body.length);
  writeU32(bytes, 0, headerBytes.length);
  bytes.set(headerBytes, 4);
  bytes.set(signature, 4 + headerBytes.length);
  writeU32(bytes, 4 + headerBytes.length + SIGNATURE_BYTES, body.length);
  bytes.set(body, 8 + headerBytes.length + SIGNATURE_BYTES);
  return bytes;
};

export type DecodedBlock =
  | { readonly kind: 'ok'; readonly block: Block; readonly end: number }
  /** `end` is where the next block begins, null where that cannot be known; `bytes` is what was refused. */
  | { readonly kind: 'bad'; readonly reason: string; readonly end: number | null; readonly bytes: Uint8Array; readonly hash: string };

/**
 * Reads the block that begins at an offset: its form, every field and limit of its header. Hash and signature are `checkBlock`'s.
 * The parts are views of the bytes.
 */
export const decodeBlock = (bytes: Uint8Array, offset = 0): DecodedBlock => {
  const refuse = (reason: string, end: number | null, body = bytes.subarray(offset)): DecodedBlock => ({
    kind: 'bad',
    reason,
    end,
    bytes: bytes.subarray(offset, end ?? bytes.length),
    hash: sha256(body),
  });
  if (bytes.length - offset < 4) return refuse('it ends inside its header', null);
  const headerLength = readU32(bytes, offset);
  if (headerLength > LIMITS.headerBytes) return refuse('its header is too long', null);
  const headerEnd = offset + 4 + headerLength;
  const bodyStart = headerEnd + SIGNATURE_BYTES + 4;
  if (bodyStart > bytes.length) return refuse('it ends inside its header', null);
  const bodyLength = readU32(bytes, bodyStart - 4);
  if (bodyLength > LIMITS.blockPackedBytes) return refuse('its body is too long', null);
  const end = bodyStart + bodyLength;
  if (end > bytes.length) return refuse('it ends inside its body', null);
  const body = bytes.subarray(bodyStart, end);
  const headerBytes = bytes.subarray(offset + 4, headerEnd);
  const parsed = parseHeader(headerBytes);
  if ('reason' in parsed) return refuse(parsed.reason, end, body);
  if (parsed.header.packed !== bodyLength) return refuse('its body is not as long as its header says', end, body);
  return { kind: 'ok', block: { header: parsed.header, headerBytes, signature: bytes.subarray(headerEnd, bodyStart - 4), body }, end };
};

/** Why a block is not what its signer sealed: body hash or signature; null when both hold. Whose key it is, is the caller's question. */
export const checkBlock = (block: Block): string | null =>
  hashProblem(block) ?? (verifySignature(block.header.key, block.signature, BLOCK_DOMAIN, block.headerBytes) ? null : BAD_SIGNATURE);

/** The same with the signature checked on the thread pool. */
export const checkBlockAsync = async (block: Block): Promise<string | null> =>
  hashProblem(block) ??
  ((await verifySignatureAsync(block.header.key, block.signature, BLOCK_DOMAIN, block.headerBytes)) ? null : BAD_SIGNATURE);

const BAD_SIGNATURE = 'its signature does not hold';
const hashProblem = ({ header, body }: Block): string | null => (sha256(body) === header.hash ? null : 'its body does not have its hash');

/**
 * The body before compression, at most as long as the header says.
 * @throws CodedError WIRE_BAD_BLOCK.
 */
export const unpackBody = (block: Block): Uint8Array => {
  const options = unpackOptions(block);
  try {
    return wholeBody(block, zstdDecompressSync(block.body, options));
  } catch (error) {
    throw isCoded(error) ? error : coreFault('WIRE_BAD_BLOCK', { reason: NOT_UNPACKED }, error);
  }
};

/** The same on the thread pool. Rejects with WIRE_BAD_BLOCK. */
export const unpackBodyAsync = (block: Block): Promise<Uint8Array> =>
  new Promise((resolve) => {
    const options = unpackOptions(block);
    resolve(
      new Promise((unpacked, failed) => {
        zstdDecompress(block.body, options, (error, plain) => {
          if (error) failed(coreFault('WIRE_BAD_BLOCK', { reason: NOT_UNPACKED }, error));
          else unpacked(plain);
        });
      }).then((plain) => wholeBody(block, plain as Uint8Array)),
    );
  });

const NOT_UNPACKED = 'its body cannot be unpacked';

// One chunk as long as the answer: the default grows by 16 KiB and copies at the end.
const unpackOptions = ({ header, body }: Block): { maxOutputLength: number; chunkSize: number } => {
  if (header.plain > unpackLimit(body.length)) throw bad('its body would unpack to more than is allowed');
  return { maxOutputLength: header.plain, chunkSize: Math.max(64, header.plain) };
};

const wholeBody = ({ header }: Block, plain: Uint8Array): Uint8Array => {
  if (plain.length !== header.plain) throw bad('its body unpacks to another length than its header says');
  return plain;
};

/**
 * The records of a block of kind lines or facts, in order. Their bytes are views of one buffer.
 * @throws CodedError WIRE_BAD_BLOCK when the body is not what the header says.
 */
export const readRecords = (block: Block): BlockRecord[] => recordsOf(block.header, unpackBody(block));

/**
 * The same from a body that is already unpacked.
 * @throws CodedError WIRE_BAD_BLOCK.
 */
export const recordsOf = (header: BlockHeader, bytes: Uint8Array): BlockRecord[] => {
  if (header.kind === 'gap' || header.kind === 'heartbeat') throw bad(`a ${header.kind} holds no records`);
  const records: BlockRecord[] = [];
  const cursor: ByteCursor = { bytes, at: 0 };
  for (let i = 0; i < header.count; i++) {
    if (cursor.at + 5 > bytes.length) throw bad('its body ends inside a record');
    const length = readU32(bytes, cursor.at);
    const flags = bytes[cursor.at + 4]!;
    cursor.at += 5;
    const since = readVarint(cursor);
    const end = readVarint(cursor);
    if (since < 0 || end < 0 || cursor.at + length > bytes.length) throw bad('its body ends inside a record');
    if (header.at + since > LAST_TIME_MS || header.from + end > Number.MAX_SAFE_INTEGER)
      throw bad('a record has an impossible time or place');
    records.push({
      seq: header.first + i,
      flags,
      readAt: unixMs(header.at + since),
      end: header.from + end,
      bytes: bytes.subarray(cursor.at, cursor.at + length),
    });
    cursor.at += length;
  }
  if (cursor.at !== bytes.length) throw bad('its body holds more than its records');
  return records;
};

/**
 * Seals a gap or a heartbeat. Each takes one sequence number of its stream, so a stream's numbers stay without holes.
 * @throws CodedError WIRE_BAD_BLOCK.
 */
export const sealJson = (
  draft: BlockDraft & { readonly at: NonNullable<BlockDraft['at']> },
  body: GapBody | HeartbeatBody,
  signer: Signer,
): Block => {
  const value = draft.kind === 'gap' ? readGap(body) : draft.kind === 'heartbeat' ? readHeartbeat(body) : null;
  if (value === null) throw coreFault('WIRE_BAD_BLOCK', { reason: `its body is not one of a ${draft.kind}` });
  return seal(draft, draft.at, 1, Buffer.from(JSON.stringify(value)), signer);
};

export type JsonBody =
  | { readonly kind: 'gap'; readonly body: GapBody }
  | { readonly kind: 'heartbeat'; readonly body: HeartbeatBody }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads the body of a gap or heartbeat, every field checked. */
export const readJsonBody = (block: Block): JsonBody => {
  try {
    return jsonBodyOf(block.header, unpackBody(block));
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { kind: 'bad', reason: String(error.details['reason']) };
  }
};

/** The same from a body that is already unpacked. */
export const jsonBodyOf = ({ kind }: BlockHeader, bytes: Uint8Array): JsonBody => {
  if (kind !== 'gap' && kind !== 'heartbeat') return { kind: 'bad', reason: `a block of ${kind} holds records` };
  const value = strictJson(bytes);
  if (kind === 'gap') {
    const body = readGap(value);
    return body === null ? { kind: 'bad', reason: 'its body is not one of a gap' } : { kind, body };
  }
  const body = readHeartbeat(value);
  return body === null ? { kind: 'bad', reason: 'its body is not one of a heartbeat' } : { kind, body };
};

const PREAMBLE_LIMIT_BYTES = 4_096;

/** A request as bytes; the blocks are given as `encodeBlock` made them, as they lie in the spool. */
export const encodeRequest = (preamble: BlocksPreamble, blocks: readonly Uint8Array[]): Uint8Array => {
  const text = Buffer.from(JSON.stringify(preamble));
  const head = Buffer.allocUnsafe(4);
  writeU32(head, 0, text.length);
  return Buffer.concat([head, text, ...blocks]);
};

export type DecodedRequest =
  | { readonly kind: 'ok'; readonly preamble: BlocksPreamble; readonly blocks: readonly DecodedBlock[] }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads a request. A bad block stands in its place; where its end cannot be known, the rest of the request is one bad block. */
export const decodeRequest = (bytes: Uint8Array): DecodedRequest => {
  const refuse = (reason: string): DecodedRequest => ({ kind: 'bad', reason });
  if (bytes.length > LIMITS.requestBytes) return refuse('it is too long');
  const length = bytes.length < 4 ? 0 : readU32(bytes, 0);
  if (length === 0 || length > PREAMBLE_LIMIT_BYTES || 4 + length > bytes.length) return refuse('it has no preamble');
  const preamble = readPreamble(strictJson(bytes.subarray(4, 4 + length)));
  if (preamble === null) return refuse('its preamble is not one');
  const blocks: DecodedBlock[] = [];
  for (let at = 4 + length; at < bytes.length; ) {
    if (blocks.length >= LIMITS.blocksPerRequest) return refuse(`it has more than ${LIMITS.blocksPerRequest} blocks`);
    const block = decodeBlock(bytes, at);
    blocks.push(block);
    at = block.end ?? bytes.length;
  }
  const last = blocks.at(-1);
  const whole = last === undefined || last.end !== null;
  return whole && blocks.length !== preamble.blocks ? refuse('it has not as many blocks as it says') : { kind: 'ok', preamble, blocks };
};
