// SPDX-License-Identifier: Apache-2.0
/**
 * The latest of one item, and what it was before. Pure.
 * Input: the item as it is known, one fact about it. Output: the item as it is then; null where the fact says nothing new.
 */
import type { FactFields, FactKind } from '../../core/fact.ts';
import type { UnixMs } from '../../core/units.ts';
import type { FactAt, HostFact } from '../model/fact.ts';
import { observedAt } from './answer.ts';

const LIVES_KEPT = 20;

/** What tells one life of an item from the next: another version is another thing installed. */
const versionOf = (kind: FactKind, fields: FactFields): string | undefined => {
  const value = kind === 'file' ? fields['sha256'] : kind === 'package' || kind === 'os' ? fields['version'] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const sameFields = (a: FactFields, b: FactFields): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
};

const livesWith = ({ kind, fields, since, lives = [] }: HostFact, to: UnixMs): NonNullable<HostFact['lives']> => {
  const version = versionOf(kind, fields);
  return [...lives, { from: since, to, ...(version === undefined ? {} : { version }) }].slice(-LIVES_KEPT);
};

/** Newer than what is known. */
const isNews = (known: HostFact, at: UnixMs): boolean => at >= Math.max(known.observed, known.removed ?? 0);

export const nextItem = (known: HostFact | null, one: FactAt): HostFact | null => {
  const { host, event, fact } = one;
  const { kind, item, change, fields } = fact;
  const at = observedAt(one);
  const reported = change === 'added' || change === 'changed' ? { reported: at } : {};
  if (known === null)
    return {
      host,
      kind,
      item,
      fields,
      since: at,
      changed: at,
      observed: at,
      event,
      ...reported,
      ...(change === 'removed' ? { removed: at } : {}),
    };
  if (!isNews(known, at)) return earlier(known, at, fact);
  if (change === 'removed') return known.removed === undefined ? { ...known, removed: at, event } : null;
  if (known.removed !== undefined) {
    const { removed, ...rest } = known;
    return { ...rest, fields, since: at, changed: at, observed: at, event, ...reported, lives: livesWith(known, removed) };
  }
  if (sameFields(known.fields, fields)) return at === known.observed ? null : { ...known, observed: at };
  const isOther = versionOf(kind, known.fields) !== versionOf(kind, fields);
  return {
    ...known,
    fields,
    changed: at,
    observed: at,
    event,
    ...reported,
    ...(isOther ? { since: at, lives: livesWith(known, at) } : {}),
  };
};

/** A late fact overrules nothing; where it says the same, the item has been there since then. */
const earlier = (known: HostFact, at: UnixMs, { kind, change, fields }: FactAt['fact']): HostFact | null => {
  const lastLife = known.lives?.at(-1)?.to ?? 0;
  if (change === 'removed' || at >= known.since || at < lastLife) return null;
  if (versionOf(kind, fields) !== versionOf(kind, known.fields)) return null;
  return { ...known, since: at, ...(known.changed === known.since && sameFields(known.fields, fields) ? { changed: at } : {}) };
};

/** Whether it stood at a time, and in which version; null when it did not, or is not known to have. */
export const itemAt = (known: HostFact, at: UnixMs): { readonly since: UnixMs; readonly version?: string } | null => {
  if (known.since <= at) {
    if (known.removed !== undefined && known.removed <= at) return null;
    const version = versionOf(known.kind, known.fields);
    return { since: known.since, ...(version === undefined ? {} : { version }) };
  }
  const life = known.lives?.find(({ from, to }) => from <= at && at < to);
  return life === undefined ? null : { since: life.from, ...(life.version === undefined ? {} : { version: life.version }) };
};
