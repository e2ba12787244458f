// SPDX-License-Identifier: Apache-2.0
/**
 * Counts attempts before they are verified, and makes the next one wait longer each time (login lock-out).
 * Input: a key (user or address) and the monotonic clock. Output: go on, or how long to wait. Synchronous, so parallel bursts count right.
 */
import type { Ms } from '../../core/units.ts';

export interface LimitOptions {
  /** Attempts that are free before the first wait. */
  readonly free: number;
  /** First wait; doubles with each attempt after it. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** A key without attempts for so long is forgotten. */
  readonly forgetMs: number;
  /** Most keys kept; beyond it the one with the fewest attempts that was idle longest goes. */
  readonly maxKeys: number;
}

export const USER_LIMIT: LimitOptions = { free: 5, firstWaitMs: 2_000, maxWaitMs: 900_000, forgetMs: 1_800_000, maxKeys: 20_000 };
export const ADDRESS_LIMIT: LimitOptions = { free: 20, firstWaitMs: 2_000, maxWaitMs: 900_000, forgetMs: 1_800_000, maxKeys: 20_000 };

export type Attempt =
  | { readonly kind: 'go' }
  /** `first` is true once for each wait, so that it is reported once. */
  | { readonly kind: 'wait'; readonly waitMs: number; readonly first: boolean };

interface Entry {
  count: number;
  last: number;
  until: number;
  told: boolean;
}

export interface AttemptLimit {
  /** Counts an attempt, or refuses it. */
  take(key: string): Attempt;
  /** Looks without counting. */
  peek(key: string): number;
  /** Gives one attempt back: it was right. */
  giveBack(key: string): void;
  forget(key: string): void;
  readonly size: () => number;
}

/** Opens a limit over a monotonic clock. */
export const openLimit = (options: LimitOptions, monotonic: () => Ms): AttemptLimit => {
  const entries = new Map<string, Entry>();
  const fresh = (key: string, now: number): Entry => {
    const old = entries.get(key);
    if (old && now - old.last <= options.forgetMs) return old;
    if (!old && entries.size >= options.maxKeys) evict(now);
    const entry = { count: 0, last: now, until: 0, told: false };
    entries.set(key, entry);
    return entry;
  };
  const evict = (now: number): void => {
    let victim: string | null = null;
    let worth = Number.POSITIVE_INFINITY;
    let seen = 0;
    for (const [key, entry] of entries) {
      if (now - entry.last > options.forgetMs) {
        entries.delete(key);
        return;
      }
      const value = entry.count * options.forgetMs + entry.last - now;
      if (value < worth) [victim, worth] = [key, value];
      // A bounded look is enough: insertion order brings the oldest first.
      if ((seen += 1) >= 64) break;
    }
    if (victim !== null) entries.delete(victim);
  };
  return {
    take: (key) => {
      const now = monotonic();
      const entry = fresh(key, now);
      if (now < entry.until) {
        const first = !entry.told;
        entry.told = true;
        return { kind: 'wait', waitMs: entry.until - now, first };
      }
      entry.count += 1;
      entry.last = now;
      if (entry.count >= options.free) {
        entry.until = now + Math.min(options.maxWaitMs, options.firstWaitMs * 2 ** Math.min(30, entry.count - options.free));
        entry.told = false;
      }
      return { kind: 'go' };
    },
    peek: (key) => Math.max(0, (entries.get(key)?.until ?? 0) - monotonic()),
    giveBack: (key) => {
      const entry = entries.get(key);
      if (!entry) return;
      entry.count = Math.max(0, entry.count - 1);
      if (entry.count < options.free) entry.until = 0;
    },
    forget: (key) => void entries.delete(key),
    size: () => entries.size,
  };
};

/** The part of an address that one party owns: an IPv4 address, the /64 of an IPv6 address. */
export const addressKey = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? left : [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
};
