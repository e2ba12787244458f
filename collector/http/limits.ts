// SPDX-License-Identifier: Apache-2.0
/**
 * Bounds of a request that are checked before anything is parsed or verified: rate per address, depth of JSON.
 * Input: the real socket's address and the clock; raw bytes. Output: go on, or how long to wait; parsed JSON or a coded error.
 */
import type { Clock } from '../../core/clock.ts';
import { coreFault } from '../../core/errors.ts';
import { fault } from '../errors.ts';

/** Deepest nesting of objects and lists in a JSON body. */
export const MAX_JSON_DEPTH = 32;

export interface Bucket {
  /** Requests at once before any wait. */
  readonly burst: number;
  /** Requests a second in the long run. */
  readonly perSecond: number;
}

export interface RateLimit {
  /** Counts one, in one go, so that a parallel burst passes no more than a slow one. 0 to go on, else milliseconds to wait. */
  take(key: string): number;
  /** Gives one back: what it was for turned out well. */
  giveBack(key: string): void;
  readonly size: () => number;
}

const MAX_KEYS = 20_000;

/** A limit by key, of bounded memory: the key idle longest is forgotten, which is one that has most to spend. */
export const openRateLimit = ({ burst, perSecond }: Bucket, clock: Clock, maxKeys = MAX_KEYS): RateLimit => {
  const msPerToken = 1000 / perSecond;
  // Per key the time at which its bucket is full again (GCRA): one number says it all.
  const fullAt = new Map<string, number>();
  return {
    take: (key) => {
      const now = clock.monotonic();
      const full = Math.max(now, fullAt.get(key) ?? now) + msPerToken;
      const wait = full - now - burst * msPerToken;
      if (wait > 0) return Math.ceil(wait);
      fullAt.delete(key);
      if (fullAt.size >= maxKeys) fullAt.delete(fullAt.keys().next().value ?? '');
      fullAt.set(key, full);
      return 0;
    },
    giveBack: (key) => {
      const full = fullAt.get(key);
      if (full !== undefined) fullAt.set(key, full - msPerToken);
    },
    size: () => fullAt.size,
  };
};

/** @throws CodedError SLOW_DOWN when the key has spent its bucket. */
export const takeOrRefuse = (limit: RateLimit, key: string): void => {
  const waitMs = limit.take(key);
  if (waitMs > 0) throw fault('SLOW_DOWN', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
};

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Scans bytes for nesting before they are parsed: JSON.parse takes a depth of millions and blocks for seconds.
 * @throws CodedError JSON_TOO_DEEP.
 */
export const checkJsonDepth = (body: Uint8Array, limit = MAX_JSON_DEPTH): void => {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      for (i++; i < body.length && body[i] !== QUOTE; i++) if (body[i] === BACKSLASH) i++;
    } else if (byte === OPEN_LIST || byte === OPEN_MAP) {
      if (++depth > limit) throw coreFault('JSON_TOO_DEEP', { limit });
    } else if (byte === CLOSE_LIST || byte === CLOSE_MAP) depth--;
  }
};
