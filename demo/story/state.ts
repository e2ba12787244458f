// SPDX-License-Identifier: Apache-2.0
/**
 * What stands on one host of the story, and the facts an agent makes of it: a quiet baseline, changes, daily restatements, scans with their checksum.
 * Input: items that are set and taken away. Output: facts in the order of their times.
 */
import { FACT_KINDS, type FactDataset, type FactFields, type FactKind, factChecksum } from '../../core/fact.ts';
import type { UnixMs } from '../../core/units.ts';
import { fact, type HostName, type Said } from '../said.ts';

export interface HostState {
  /** Before the baseline: what stands. Afterwards: what is new or changed, said at once. */
  set(time: UnixMs, kind: FactKind, item: string, fields: FactFields): void;
  remove(time: UnixMs, kind: FactKind, item: string): void;
  /** A fact about many items, e.g. an upgrade: said and not kept. */
  say(time: UnixMs, kind: FactKind, item: string, fields: FactFields): void;
  /** First sight of everything of a dataset. */
  baseline(time: UnixMs, dataset: FactDataset): void;
  /** Everything of a dataset again. */
  restate(time: UnixMs, dataset: FactDataset): void;
  readonly said: readonly Said[];
}

const datasetOf = (kind: FactKind): FactDataset => FACT_KINDS[kind].dataset;

export const hostState = (host: HostName): HostState => {
  const items = new Map<FactKind, Map<string, FactFields>>();
  const begun = new Set<FactDataset>();
  const said: Said[] = [];
  const say = (
    time: UnixMs,
    kind: FactKind,
    item: string,
    change: 'baseline' | 'added' | 'changed' | 'removed' | 'seen',
    fields: FactFields,
    was?: FactFields,
  ): void => void said.push(fact(host, datasetOf(kind), { kind, item, change, at: time, fields, ...(was ? { was } : {}) }));
  const all = (time: UnixMs, dataset: FactDataset, change: 'baseline' | 'seen'): void => {
    for (const [kind, known] of items) {
      if (datasetOf(kind) !== dataset) continue;
      for (const [item, fields] of known) say(time, kind, item, change, fields);
      if (dataset === 'posture') continue;
      const checksum = factChecksum(known);
      said.push(
        fact(host, dataset, {
          kind: 'scan',
          item: kind,
          change: 'seen',
          at: time,
          fields: { of: kind, full: true, count: known.size, checksum, took_ms: 40, errors: 0 },
        }),
      );
    }
  };
  return {
    set: (time, kind, item, fields) => {
      const known = items.get(kind) ?? new Map<string, FactFields>();
      items.set(kind, known);
      const before = known.get(item);
      known.set(item, fields);
      if (!begun.has(datasetOf(kind))) return;
      if (!before) return say(time, kind, item, 'added', fields);
      const was = Object.fromEntries(Object.entries(before).filter(([name, value]) => String(fields[name]) !== String(value)));
      say(time, kind, item, 'changed', fields, was);
    },
    remove: (time, kind, item) => {
      const before = items.get(kind)?.get(item);
      if (!before) throw new RangeError(`${host} has no ${kind} ${item}`);
      items.get(kind)?.delete(item);
      say(time, kind, item, 'removed', before);
    },
    say: (time, kind, item, fields) => say(time, kind, item, 'changed', fields),
    baseline: (time, dataset) => {
      begun.add(dataset);
      all(time, dataset, 'baseline');
    },
    restate: (time, dataset) => all(time, dataset, 'seen'),
    said,
  };
};
