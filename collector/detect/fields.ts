// SPDX-License-Identifier: Apache-2.0
/**
 * From the keys of events to the fields of rules. Which key feeds which field is found once for each key and kept.
 * Input: the fields a rule set reads; events by ECS or Sigma names. Output: filled subjects; accessors for single fields.
 */

import type { Subject } from './sigma/compile.ts';
import { argumentOf, candidatesOf, foldName, LISTS, RAW_PREFIX, WHOLE_URL } from './taxonomy.ts';
import { urlForms } from './url.ts';

/** Any event that can be matched: ours, or a flat map of names from elsewhere. */
export type FlatEvent = Readonly<Record<string, unknown>>;

interface Feed {
  readonly slot: number;
  /** Lower wins where several keys feed one slot. */
  readonly rank: number;
  /** Member of a list, or -1 for the whole value. */
  readonly member: number;
  /** A URL as an attacker wrote it: matched as it stands and decoded. */
  readonly url: boolean;
  /** A text of several values, a line each. */
  readonly list: boolean;
}

const RANK_RAW = 90;
const RANK_FOLDED = 100;
// Keys beyond this many are resolved each time, so that a sender of ever new names cannot fill the memory.
const MAX_KEYS = 8192;
const NO_FEEDS: readonly Feed[] = [];

/** Slots of a rule set. Grows while rules are compiled; afterwards only keys of events are learned. */
export class FieldTable {
  readonly #slots = new Map<string, number>();
  readonly #byKey = new Map<string, readonly Feed[]>();

  /** Slot of a field name; made on first use. */
  readonly slotOf = (field: string): number => {
    const known = this.#slots.get(field);
    if (known !== undefined) return known;
    const slot = this.#slots.size;
    this.#slots.set(field, slot);
    this.#byKey.clear();
    return slot;
  };

  get names(): readonly string[] {
    return [...this.#slots.keys()];
  }

  /** A subject of the right size, to be used again for every event. */
  subject(): Subject {
    const size = this.#slots.size;
    const raw: unknown[] = new Array(size).fill(undefined);
    const low: (string | undefined)[] = new Array(size).fill(undefined);
    return { raw, low, filled: [], ranks: new Uint8Array(size), words: undefined, wordsLow: undefined, makeWords: () => '' };
  }

  /** Puts an event into a subject, replacing the one before. */
  fill(subject: Subject, event: FlatEvent): void {
    const { raw, low, filled } = subject;
    for (let i = 0; i < filled.length; i++) {
      const slot = filled[i] as number;
      raw[slot] = undefined;
      low[slot] = undefined;
    }
    filled.length = 0;
    subject.words = undefined;
    subject.wordsLow = undefined;
    for (const key in event) {
      const value = event[key];
      if (value === undefined) continue;
      if (key === 'vigil.extra') this.#fillExtra(subject, value);
      else this.#put(subject, key, value);
    }
  }

  #fillExtra(subject: Subject, extra: unknown): void {
    if (typeof extra !== 'object' || extra === null) return;
    for (const key in extra) this.#put(subject, key, (extra as FlatEvent)[key]);
  }

  #put(subject: Subject, key: string, value: unknown): void {
    const feeds = this.#byKey.get(key) ?? this.#feedsOf(key);
    for (let i = 0; i < feeds.length; i++) {
      const feed = feeds[i] as Feed;
      const { slot } = feed;
      let one = value;
      if (feed.member >= 0) one = Array.isArray(value) ? value[feed.member] : undefined;
      else if (feed.url && typeof value === 'string') one = urlForms(value);
      else if (feed.list && typeof value === 'string') one = value.split('\n');
      if (one === undefined) continue;
      const before = subject.raw[slot];
      if (before === undefined) subject.filled.push(slot);
      else if (feed.url && (subject.ranks[slot] as number) === feed.rank) one = [before, one].flat();
      else if ((subject.ranks[slot] as number) <= feed.rank) continue;
      subject.ranks[slot] = feed.rank;
      subject.raw[slot] = one;
    }
  }

  #feedsOf(key: string): readonly Feed[] {
    const feeds: Feed[] = [];
    const list = LISTS.has(key);
    const bare = key.startsWith(RAW_PREFIX) ? key.slice(RAW_PREFIX.length) : key;
    for (const [field, slot] of this.#slots) {
      const member = key === 'process.args' ? argumentOf(field) : -1;
      if (field === key) feeds.push({ slot, rank: 0, member: -1, url: key.startsWith('url.'), list });
      else if (member >= 0) feeds.push({ slot, rank: 1, member, url: false, list });
      else {
        const place = candidatesOf(field).indexOf(key);
        if (place >= 0) feeds.push({ slot, rank: WHOLE_URL.has(field) ? 1 : 1 + place, member: -1, url: key.startsWith('url.'), list });
        else if (bare !== key && field === bare) feeds.push({ slot, rank: RANK_RAW, member: -1, url: false, list });
        else if (foldName(field) === foldName(bare)) feeds.push({ slot, rank: RANK_FOLDED, member: -1, url: false, list });
      }
    }
    const result = feeds.length === 0 ? NO_FEEDS : feeds;
    if (this.#byKey.size < MAX_KEYS) this.#byKey.set(key, result);
    return result;
  }
}

/** Reads one field, by ECS or Sigma name, from any flat event. For signals, not for the hot path. */
export const accessorOf = (field: string): ((event: FlatEvent) => unknown) => {
  const candidates = [field, ...candidatesOf(field)];
  const member = argumentOf(field);
  const folded = foldName(field);
  return (event) => {
    const extra = event['vigil.extra'];
    const maps = typeof extra === 'object' && extra !== null ? [event, extra as FlatEvent] : [event];
    for (const map of maps) for (const key of candidates) if (map[key] !== undefined && map[key] !== null) return map[key];
    const args = event['process.args'];
    if (member >= 0 && Array.isArray(args)) return args[member];
    const raw = `${RAW_PREFIX}${field}`;
    for (const map of maps) if (map[raw] !== undefined) return map[raw];
    for (const map of maps) for (const key in map) if (foldName(key) === folded && map[key] !== undefined) return map[key];
    return undefined;
  };
};

/** The whole event as text for keywords: the raw line where it is kept, else every value. */
export const eventWords = (event: FlatEvent): string => {
  // Keywords are of logs: a fact's text holds paths and advice that nobody did. What changed is said in its message; an upgrade is benign.
  const fact = event['vigil.fact'];
  if (fact !== undefined) return event['event.kind'] === 'event' && fact !== 'upgrade' ? String(event['message'] ?? '') : '';
  const line = event['event.original'] ?? event['log.original'];
  if (typeof line === 'string') {
    // Audit records quote each argument by itself, or encode it: words are looked for in the command as well.
    const command = event['event.dataset'] === 'auditd' ? event['process.command_line'] : undefined;
    return typeof command === 'string' ? `${line}\n${command}` : line;
  }
  const values: string[] = [];
  for (const key in event) collect(event[key], values, 0);
  return values.join('\n');
};

const collect = (value: unknown, into: string[], depth: number): void => {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'number' || typeof value === 'boolean') into.push(String(value));
  else if (typeof value === 'object' && value !== null && depth < 4)
    for (const member of Object.values(value)) collect(member, into, depth + 1);
};
