// SPDX-License-Identifier: Apache-2.0
/**
 * The JSON that gaps, heartbeats and requests carry, every field checked by hand: the agent carries no schema library.
 * Input: parsed JSON from a peer or a disk. Output: typed bodies, or null (river.md W3, W6).
 */
import { asObject, scanJsonDepth, strictText } from './bytes.ts';
import {
  type BlocksPreamble,
  type GapBody,
  type HeartbeatBody,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type StreamHealth,
} from './protocol.ts';
import { LAST_TIME_MS, unixMs } from './units.ts';

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_64 = /^[0-9a-f]{64}$/;
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max && value.isWellFormed();

/** A request's preamble, or null. */
export const readPreamble = (value: unknown): BlocksPreamble | null => {
  const object = asObject(value);
  if (object === null) return null;
  const { v, journal, blocks } = object as { v?: unknown; journal?: unknown; blocks?: unknown };
  if (!isCount(v) || v < OLDEST_PROTOCOL_VERSION || v > PROTOCOL_VERSION || !isCount(blocks)) return null;
  if (journal === null) return { v, journal: null, blocks };
  const mark = asObject(journal);
  if (mark === null) return null;
  const { incarnation, offset, hash } = mark as { incarnation?: unknown; offset?: unknown; hash?: unknown };
  if (typeof incarnation !== 'string' || !HEX_32.test(incarnation) || !isCount(offset)) return null;
  return typeof hash === 'string' && HEX_64.test(hash) ? { v, journal: { incarnation, offset, hash }, blocks } : null;
};

/** JSON in the one spelling that JSON.stringify gives it; undefined for any other (repeated keys, spaces) and for what is no JSON. */
export const strictJson = (bytes: Uint8Array): unknown => {
  const text = scanJsonDepth(bytes, 8) ? strictText(bytes) : null;
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    // Text from a peer that is no JSON is an answer, not a fault.
    return undefined;
  }
};

const EPOCH = /^[0-9a-f]{32}$/;
const CAUSES: readonly unknown[] = ['collector-restored', 'spool-full', 'source-overrun', 'spool-corrupt'] satisfies GapBody['cause'][];

/** A gap's body, or null. */
export const readGap = (value: unknown): GapBody | null => {
  const gap = asObject(value);
  if (gap === null || !isCount(gap['from']) || !isCount(gap['to']) || !isCount(gap['count']) || !CAUSES.includes(gap['cause'])) return null;
  const { epoch } = gap as { readonly epoch?: unknown };
  if (epoch !== undefined && (typeof epoch !== 'string' || !EPOCH.test(epoch))) return null;
  const body = { from: gap['from'], to: gap['to'], cause: gap['cause'] as GapBody['cause'], count: gap['count'] };
  return epoch === undefined ? body : { ...body, epoch };
};

const STREAMS = 4_096;
const CONDITIONS = 256;
const COUNTS = 64;

/** A heartbeat's body, or null. Lists longer than their bounds are refused whole. */
export const readHeartbeat = (value: unknown): HeartbeatBody | null => {
  const beat = asObject(value);
  const cost = asObject(beat?.['cost']);
  if (beat === null || cost === null || !isText(beat['version'], 64) || !isCount(beat['uptimeMs'])) return null;
  const { clockOffsetMs } = beat;
  if (clockOffsetMs !== undefined && !isOffset(clockOffsetMs)) return null;
  const { cpuMs, rssBytes, spoolBytes, sentBytes } = cost as Record<string, unknown> & Partial<HeartbeatBody['cost']>;
  if (!isAmount(cpuMs) || !isAmount(rssBytes) || !isAmount(spoolBytes) || !isAmount(sentBytes)) return null;
  const streams = readList(beat['streams'], STREAMS, readStream);
  const conditions = readList(beat['conditions'], CONDITIONS, readCondition);
  if (streams === null || conditions === null) return null;
  return {
    version: beat['version'],
    uptimeMs: beat['uptimeMs'],
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    cost: { cpuMs, rssBytes, spoolBytes, sentBytes },
    streams,
    conditions,
  };
};

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && Math.abs(value as number) <= LAST_TIME_MS;

const readList = <T>(value: unknown, max: number, read: (item: unknown) => T | null): readonly T[] | null => {
  if (!Array.isArray(value) || value.length > max) return null;
  const items: T[] = [];
  for (const item of value) {
    const one = read(item);
    if (one === null) return null;
    items.push(one);
  }
  return items;
};

const readStream = (value: unknown): StreamHealth | null => {
  const s = asObject(value);
  if (s === null || !isText(s['stream'], 4_200) || !isText(s['dataset'], 64)) return null;
  const epoch = s['epoch'];
  if (typeof epoch !== 'string' || !HEX_32.test(epoch)) return null;
  const { seq, readUpTo, behindBytes } = s as Record<string, unknown>;
  const counts = asObject(s['counts']);
  if (!isCount(seq) || !isCount(readUpTo) || readUpTo > LAST_TIME_MS || !isCount(behindBytes) || counts === null) return null;
  const entries = Object.entries(counts);
  if (entries.length > COUNTS || !entries.every(([name, n]) => isText(name, 64) && name !== '__proto__' && isCount(n))) return null;
  return {
    stream: s['stream'],
    dataset: s['dataset'],
    epoch,
    seq,
    readUpTo: unixMs(readUpTo),
    behindBytes,
    counts: Object.fromEntries(entries) as Record<string, number>,
  };
};

const readCondition = (value: unknown): HeartbeatBody['conditions'][number] | null => {
  const c = asObject(value);
  if (c === null || !isText(c['code'], 64) || !isText(c['about'], 4_200) || !isText(c['hint'], 1_024)) return null;
  return { code: c['code'], about: c['about'], hint: c['hint'] };
};
