// SPDX-License-Identifier: Apache-2.0
/**
 * A create repeated with the same Idempotency-Key answers what the first one answered, and happens once.
 * Input: actor, route and key; the body. Output: the first reply, also to a repeat that arrives while the first is under way.
 */
import type { Clock } from '../../core/clock.ts';
import { sha256 } from '../../core/hash.ts';
import { fault } from '../errors.ts';
import type { Reply } from './route.ts';

export interface Idempotency {
  /** @throws CodedError REQUEST_BAD when the key came with another body before. */
  once(key: string, body: unknown, run: () => Promise<Reply>): Promise<Reply>;
}

/** Replies are kept in memory for ten minutes, at most so many; some hold secrets that are shown once. */
const KEEP_MS = 600_000;
const MAX_KEPT = 1_000;

export const openIdempotency = (clock: Clock): Idempotency => {
  const kept = new Map<string, { readonly body: string; readonly reply: Promise<Reply>; readonly at: number }>();
  const sweep = (now: number): void => {
    for (const [key, { at }] of kept) {
      if (now - at < KEEP_MS && kept.size <= MAX_KEPT) break;
      kept.delete(key);
    }
  };
  return {
    once: (rawKey, body, run) => {
      const now = clock.monotonic();
      sweep(now);
      const key = sha256(rawKey);
      const print = sha256(JSON.stringify(body ?? null));
      const before = kept.get(key);
      if (before !== undefined) {
        if (before.body !== print)
          return Promise.reject(fault('REQUEST_BAD', { reason: 'the Idempotency-Key came with another body before' }));
        return before.reply;
      }
      const reply = run();
      kept.set(key, { body: print, reply, at: now });
      // What failed may be tried again with the same key.
      reply.catch(() => kept.delete(key));
      return reply;
    },
  };
};
