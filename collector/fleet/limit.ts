// SPDX-License-Identifier: Apache-2.0
/**
 * Bounds refused attempts by address at the enrol and renew doors; attempts that succeed cost nothing, so a thousand hosts behind one address may enrol.
 * Input: the socket's address and the monotonic clock. Output: go on, or how long to wait. Counts before anything is checked.
 */
import type { Ms } from '../../core/units.ts';

export interface RefusalLimit {
  /** Counts an attempt; 0 means go on, else milliseconds to wait. */
  take(address: string): number;
  /** The attempt was right: it does not count. */
  giveBack(address: string): void;
}

const MAX_ADDRESSES = 50_000;

/** At most `max` refused attempts of one address (an IPv6 /64 counts as one) in each window. */
export const openRefusalLimit = (max: number, windowMs: number, monotonic: () => Ms): RefusalLimit => {
  const seen = new Map<string, { since: number; count: number }>();
  return {
    take: (address) => {
      const key = owner(address);
      const now = monotonic();
      let entry = seen.get(key);
      if (!entry || now - entry.since >= windowMs) {
        if (!entry && seen.size >= MAX_ADDRESSES) seen.delete(seen.keys().next().value ?? '');
        entry = { since: now, count: 0 };
        seen.set(key, entry);
      }
      if (entry.count >= max) return entry.since + windowMs - now;
      entry.count += 1;
      return 0;
    },
    giveBack: (address) => {
      const entry = seen.get(owner(address));
      if (entry && entry.count > 0) entry.count -= 1;
    },
  };
};

const owner = (address: string): string => {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = [...head.split(':'), ...(address.includes('::') ? Array.from({ length: 8 }, () => '0') : []), ...tail.split(':')];
  return groups.slice(0, 4).join(':');
};
