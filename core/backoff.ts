// SPDX-License-Identifier: Apache-2.0
/**
 * When to try again: full jitter under a growing cap, so that a fleet that was cut off does not return all at once.
 * Input: how often it failed, a random number, what the peer asked for. Output: a span to wait. Pure.
 */
import { type Ms, ms } from './units.ts';

export interface Backoff {
  /** Upper bound of the first wait. */
  readonly baseMs: number;
  /** Upper bound of any wait that the peer did not ask for. */
  readonly capMs: number;
}

/** A quarter second growing to a minute: transport's default. */
export const DEFAULT_BACKOFF: Backoff = { baseMs: 250, capMs: 60_000 };

/** Longest `Retry-After` that is followed; a peer can delay but not silence. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * The wait after the `failures`th failure in a row (from 1): between 0 and min(cap, base × 2^(failures − 1)).
 * `random` is in [0, 1). Where the peer said `retryAfterMs`, the wait is that and up to a quarter more, never less.
 */
export const retryDelay = (failures: number, random: number, backoff: Backoff = DEFAULT_BACKOFF, retryAfterMs?: number): Ms => {
  if (retryAfterMs !== undefined) {
    const asked = Math.min(Math.max(0, retryAfterMs), MAX_RETRY_AFTER_MS);
    return ms(Math.round(asked * (1 + random / 4)));
  }
  const bound = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return ms(Math.round(bound * random));
};
