// SPDX-License-Identifier: Apache-2.0
/**
 * The block header as bytes: one spelling for each header, and strict checks of every field (river.md W2).
 * Input: a header that was made here; bytes from a peer or a disk. Output: the bytes that are signed; a header or the reason why not.
 */
import { asObject, scanJsonDepth, strictText } from './bytes.ts';
import { isId } from './ids.ts';
import { BLOCK_KINDS, type BlockHeader, LIMITS, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './protocol.ts';
import { isPublicKey } from './sign.ts';
import { LAST_TIME_MS } from './units.ts';

type Check = (value: unknown) => boolean;

const HEX_64 = /^[0-9a-f]{64}$/;
const HEX_32 = /^[0-9a-f]{32}$/;

const isCount =
  (max: number, min = 0): Check =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
// File names may hold any character but NUL; sinks escape them.
const isText =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed() && !value.includes('\0');
const isHash = matches(HEX_64);
const isEpoch = matches(HEX_32);
const MAX = Number.MAX_SAFE_INTEGER;

const FIELDS: { readonly [K in keyof Required<BlockHeader>]: Check } = {
  v: isCount(PROTOCOL_VERSION, OLDEST_PROTOCOL_VERSION),
  agent: (value) => isId('agt', value),
  key: isPublicKey,
  host: (value) => isText(255)(value) && !/[\x00-\x1f\x7f]/.test(value as string),
  stream: isText(4_200),
  kind: (value) => (BLOCK_KINDS as readonly unknown[]).includes(value),
  dataset: matches(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  zone: matches(/^[A-Za-z0-9+_/-]{1,64}$/),
  epoch: isEpoch,
  after: (value) => {
    const after = asObject(value);
    return after !== null && isEpoch(after['epoch']) && isCount(MAX)(after['seq']) && hasOnly(after, ['epoch', 'seq']);
  },
  file: (value) => {
    const file = asObject(value);
    const names = ['device', 'inode', 'fingerprint'];
    return file !== null && names.every((name) => isText(128)(file[name])) && hasOnly(file, names);
  },
  at: isCount(LAST_TIME_MS),
  from: isCount(MAX),
  cursor: isText(1_024),
  running: isHash,
  first: isCount(MAX, 1),
  count: isCount(LIMITS.recordsPerBlock, 1),
  plain: isCount(LIMITS.blockPlainBytes, 1),
  packed: isCount(LIMITS.blockPackedBytes, 1),
  prev: (value) => value === null || isHash(value),
  hash: isHash,
};
const OPTIONAL: readonly string[] = ['after', 'file', 'cursor', 'running'];
const NAMES = Object.keys(FIELDS) as (keyof BlockHeader)[];

const hasOnly = (value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean =>
  Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));

/** The one spelling of a header: JSON without spaces, fields in the order of W2, absent ones left out. */
export const headerText = (header: BlockHeader): string => {
  const { after, file } = header;
  const ordered: Record<string, unknown> = {};
  for (const name of NAMES) ordered[name] = header[name];
  if (after) ordered['after'] = { epoch: after.epoch, seq: after.seq };
  if (file) ordered['file'] = { device: file.device, inode: file.inode, fingerprint: file.fingerprint };
  return JSON.stringify(ordered);
};

/** Why a header is refused, or null. Names the first field that is wrong; a ratio that only a bomb has is wrong too. */
export const headerProblem = (header: Readonly<Record<string, unknown>>): string | null => {
  for (const name of NAMES) {
    const value = header[name];
    if (value === undefined ? !OPTIONAL.includes(name) : !FIELDS[name](value)) return `its header has a wrong ${name}`;
  }
  const { first, count, plain, packed } = header as unknown as BlockHeader;
  if (!Number.isSafeInteger(first + count)) return 'its header has a wrong first';
  if (plain > unpackLimit(packed)) return 'its body would unpack to more than is allowed';
  return null;
};

/** Bytes that a packed body of this size may unpack to. */
export const unpackLimit = (packed: number): number => Math.min(LIMITS.blockPlainBytes, Math.max(1_048_576, packed * LIMITS.unpackRatio));

/**
 * Reads header bytes. Only the one spelling is taken, so a repeated key, a space, an escape or an unknown field is refused
 * by one comparison, and two readers can never see two headers in the same signed bytes.
 */
export const parseHeader = (bytes: Uint8Array): { readonly header: BlockHeader } | { readonly reason: string } => {
  if (bytes.length > LIMITS.headerBytes) return { reason: 'its header is too long' };
  if (!scanJsonDepth(bytes, 2)) return { reason: 'its header is nested too deep' };
  const text = strictText(bytes);
  if (text === null) return { reason: 'its header is not UTF-8' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Text from a peer that is no JSON is an answer, not a fault.
    return { reason: 'its header is not JSON' };
  }
  const object = asObject(value);
  if (object === null) return { reason: 'its header is not an object' };
  const problem = headerProblem(object);
  if (problem !== null) return { reason: problem };
  const header = object as unknown as BlockHeader;
  return headerText(header) === text ? { header } : { reason: 'its header is not in its one spelling' };
};
