// SPDX-License-Identifier: Apache-2.0
/**
 * Reads what a collector answers, every field checked by hand: the agent trusts no peer's form.
 * Input: bytes of a response. Output: typed answers, or null (river.md W5, W6, W7, W9).
 */
import { asObject, parseJson } from '../../core/bytes.ts';
import {
  BLOCK_RESULTS,
  type BlockAnswer,
  type BlockResult,
  type BlocksAnswer,
  type StreamEnd,
  type StreamRanges,
} from '../../core/protocol.ts';
import { unixMs } from '../../core/units.ts';

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_64 = /^[0-9a-f]{64}$/;
const isHex32 = (value: unknown): value is string => typeof value === 'string' && HEX_32.test(value);
const isHex64 = (value: unknown): value is string => typeof value === 'string' && HEX_64.test(value);
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 8_192;
const short = (value: unknown): string | undefined => (isText(value) ? value.slice(0, 1_024) : undefined);

/** An answer to a request of blocks, or to the question for heads; null when it is not one. */
export const readAnswer = (bytes: Uint8Array): BlocksAnswer | null => {
  let value: unknown;
  try {
    value = parseJson(bytes, 8);
  } catch {
    // Whatever is wrong with it, it is no answer; the sender reports and tries again.
    return null;
  }
  const object = asObject(value);
  if (object === null || !isHex32(object['incarnation']) || !isCount(object['serverTime'])) return null;
  const base = { incarnation: object['incarnation'], serverTime: unixMs(object['serverTime']) };
  if (object['kind'] === 'resync') {
    const held = listOf(object['held'], readRanges);
    return held && { kind: 'resync', ...base, held, ...(object['standing'] === 'held' ? { standing: 'held' } : {}) };
  }
  if (object['kind'] !== 'answers') return null;
  const answers = listOf(object['answers'], readBlockAnswer);
  const missing = object['missing'] === undefined ? [] : listOf(object['missing'], readMissing);
  return answers && missing && { kind: 'answers', ...base, answers, missing };
};

const listOf = <T>(value: unknown, read: (item: unknown) => T | null): readonly T[] | null => {
  if (!Array.isArray(value)) return null;
  const items = value.map(read);
  return items.every((item): item is T & NonNullable<unknown> => item !== null) ? items : null;
};

const readBlockAnswer = (value: unknown): BlockAnswer | null => {
  const answer = asObject(value);
  if (answer === null || !isHex64(answer['hash']) || !(BLOCK_RESULTS as readonly unknown[]).includes(answer['result'])) return null;
  const offset = answer['offset'];
  const ends = answer['ends'] === undefined ? undefined : listOf(answer['ends'], readEnd);
  if (ends === null || (offset !== undefined && !isCount(offset))) return null;
  const code = short(answer['code']);
  const reason = short(answer['reason']);
  return {
    hash: answer['hash'],
    result: answer['result'] as BlockResult,
    ...(offset === undefined ? {} : { offset }),
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    ...(ends === undefined ? {} : { ends }),
  };
};

const readEnd = (value: unknown): StreamEnd | null => {
  const end = asObject(value);
  if (end === null || !isHex32(end['epoch']) || !isCount(end['seq']) || !isText(end['hash']) || !isCount(end['end'])) return null;
  const file = asObject(end['file']);
  const { device, inode, fingerprint } = (file ?? {}) as Record<string, unknown> & {
    device?: unknown;
    inode?: unknown;
    fingerprint?: unknown;
  };
  const cursor = end['cursor'];
  const block = end['block'] === undefined ? undefined : readEndBlock(end['block']);
  const position = end['position'];
  if (block === null || (position !== undefined && !isCount(position))) return null;
  return {
    epoch: end['epoch'],
    seq: end['seq'],
    hash: end['hash'],
    end: end['end'],
    ...(isText(device) && isText(inode) && isText(fingerprint) ? { file: { device, inode, fingerprint } } : {}),
    ...(isText(cursor) ? { cursor } : {}),
    ...(position === undefined ? {} : { position }),
    ...(block === undefined ? {} : { block }),
  };
};

const readEndBlock = (value: unknown): NonNullable<StreamEnd['block']> | null => {
  const block = asObject(value);
  if (block === null || !isCount(block['from'])) return null;
  const records = listOf(block['records'], (record) =>
    Array.isArray(record) && record.length === 2 && isCount(record[0]) && isText(record[1]) ? ([record[0], record[1]] as const) : null,
  );
  return records && { from: block['from'], records };
};

const readRanges = (value: unknown): StreamRanges | null => {
  const held = asObject(value);
  if (held === null || !isText(held['stream']) || !isHex32(held['epoch'])) return null;
  const ranges = listOf(held['ranges'], (range) =>
    Array.isArray(range) && range.length === 2 && isCount(range[0]) && isCount(range[1]) ? ([range[0], range[1]] as const) : null,
  );
  const last = readEnd(held['last']);
  return ranges && last && { stream: held['stream'], epoch: held['epoch'], ranges, last };
};

const readMissing = (
  value: unknown,
): { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number } | null => {
  const range = asObject(value);
  if (range === null || !isText(range['stream']) || !isHex32(range['epoch']) || !isCount(range['from']) || !isCount(range['to']))
    return null;
  return { stream: range['stream'], epoch: range['epoch'], from: range['from'], to: range['to'] };
};
