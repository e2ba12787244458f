// SPDX-License-Identifier: Apache-2.0
/**
 * What changed of one kind of item since it was last told: pure.
 * Input: the items told last, the items found, what could not be seen. Output: facts with the closing scan fact, and the items that stand then.
 */
import { type Fact, type FactFields, type FactKind, type FactValue, factChecksum } from '../../../core/fact.ts';
import type { UnixMs } from '../../../core/units.ts';
import type { Scanner, Unseen } from './found.ts';

export type Items = ReadonlyMap<string, FactFields>;

export interface ScanResult {
  readonly kind: FactKind;
  readonly items: Items;
  readonly unseen: readonly Unseen[];
  readonly problems: number;
  readonly at: UnixMs;
  readonly tookMs: number;
  /** Say again what still stands. */
  readonly full: boolean;
  /** Say nothing when nothing changed: a look between two scans. */
  readonly quick: boolean;
}

/** What was told last. */
export interface Told {
  readonly items: Items;
  /** What could not be seen then: what comes to light of it is no news. */
  readonly unseen: readonly Unseen[];
}

export interface Delta {
  /** The closing scan fact last; empty when there is nothing to say. */
  readonly facts: readonly Fact[];
  readonly items: Items;
}

/** `before` is undefined at first sight: then everything is baseline and alarms nobody. */
export const deltaOf = (before: Told | undefined, scan: ScanResult, steady?: Scanner['steady']): Delta => {
  const { kind, at, full } = scan;
  const items = new Map<string, FactFields>();
  const facts: Fact[] = [];
  const add = (item: string, known: FactFields | undefined, found: FactFields): void => {
    const calm = known && steady ? steady(known, found) : found;
    const fields = full ? found : calm;
    items.set(item, fields);
    if (known === undefined)
      facts.push({ kind, item, change: before === undefined || isUnseen(before.unseen, fields) ? 'baseline' : 'added', at, fields });
    else if (!isSame(known, calm)) facts.push({ kind, item, change: 'changed', at, fields, was: changedOf(known, fields) });
    else if (full) facts.push({ kind, item, change: 'seen', at, fields });
  };
  for (const [item, found] of scan.items) add(item, before?.items.get(item), found);
  for (const [item, fields] of before?.items ?? []) {
    if (scan.items.has(item)) continue;
    // Nobody looked at it, so nobody says that it is still so or gone; it goes on counting.
    if (isUnseen(scan.unseen, fields)) items.set(item, fields);
    else facts.push({ kind, item, change: 'removed', at, fields });
  }
  if (facts.length > 0 || !scan.quick) facts.push(scanFact(scan, items, before === undefined));
  return { facts, items };
};

const isUnseen = (unseen: readonly Unseen[], fields: FactFields): boolean =>
  unseen.some((one) => one === 'all' || fields[one.field] === one.value);

const scanFact = ({ kind, at, full, problems, tookMs }: ScanResult, items: Items, first: boolean): Fact => ({
  kind: 'scan',
  item: kind,
  change: first ? 'baseline' : 'seen',
  at,
  fields: { of: kind, full: full || first, count: items.size, checksum: factChecksum(items), took_ms: tookMs, errors: problems },
});

const isSameValue = (a: FactValue | undefined, b: FactValue | undefined): boolean =>
  Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((one, i) => one === b[i]) : a === b;

const isSame = (a: FactFields, b: FactFields): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSameValue(a[name], b[name]));
};

/** Values before, of the fields that changed or went away. */
const changedOf = (before: FactFields, now: FactFields): FactFields =>
  Object.fromEntries(Object.entries(before).filter(([name, value]) => !isSameValue(value, now[name])));
