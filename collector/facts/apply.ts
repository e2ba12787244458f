// SPDX-License-Identifier: Apache-2.0
/**
 * A page of facts into state: latest items, tables, spans of answers. The sink's one decider.
 * Input: a page, the state as the page's transaction sees it. Output: writes, made at once so that the next fact sees them; which hosts and subjects changed.
 */
import type { FactKind } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import type { Entity } from '../model/entity.ts';
import { type FactAt, type FactPage, type HostFact, hostFactId } from '../model/fact.ts';
import type { FactReader } from '../model/facts.ts';
import type { ObservationId } from '../model/observation.ts';
import type { Write } from '../store/store.ts';
import { answerOf } from './answer.ts';
import { isOwnCheck } from './check.ts';
import { nextItem } from './item.ts';
import { closeScan, scanOf } from './scan.ts';
import { placeAnswer } from './span.ts';

export interface FactParts {
  readonly reader: FactReader;
  /** MUST be seen by the next question to the reader. */
  readonly write: (write: Write) => void;
  readonly remove: (observation: ObservationId) => void;
  /** Items of one kind of one host. */
  readonly limit?: number;
}

export interface FactsChanged {
  /** Hosts of which something became different, by kinds. */
  readonly hosts: Readonly<Record<AssetId, readonly FactKind[]>>;
  /** Subjects whose answers changed, and not only were repeated. */
  readonly subjects: readonly Entity[];
}

/** A host that names more items of a kind says nothing new about further ones: its table is in doubt from then on. */
const ITEMS_LIMIT = 100_000;

export interface FactSink {
  apply(page: FactPage): FactsChanged;
  /** What was applied may not have been kept: nothing that is in memory counts any more. */
  forget(): void;
}

/** Opens the sink. What it keeps in memory only spares work. */
export const makeFactSink = ({ reader, write, remove, limit = ITEMS_LIMIT }: FactParts): FactSink => {
  /** Checksums that agreed, while nothing of the kind changed since. */
  const agreed = new Map<string, string>();
  const counts = new Map<string, number>();
  const keep = (value: HostFact): void => write({ collection: 'hostFact', id: hostFactId(value.host, value.kind, value.item), value });

  const hasRoom = (host: AssetId, kind: FactKind): boolean => {
    const key = `${host}/${kind}`;
    const count = counts.get(key) ?? reader.count(host, kind);
    counts.set(key, count < limit ? count + 1 : count);
    return count < limit;
  };

  /** Null where there is no room for it. */
  const applyItem = (one: FactAt): boolean | null => {
    const { host, fact } = one;
    const known = reader.item(host, fact.kind, fact.item);
    const next = nextItem(known, one);
    if (next === null) return false;
    if (known === null && !hasRoom(host, fact.kind)) return null;
    keep(next);
    const changed = known === null || next.event !== known.event;
    if (changed) agreed.delete(`${host}/${fact.kind}`);
    return changed;
  };

  const applyScan = (one: FactAt): FactKind | null => {
    const scan = scanOf(one);
    if (scan === null) return null;
    const { host } = one;
    const known = reader.table(host, scan.of);
    if (known !== null && known.scanned >= scan.at) return null;
    const key = `${host}/${scan.of}`;
    const id = hostFactId(host, scan.of, '');
    if (known !== null && !known.doubtful && agreed.get(key) === scan.checksum) {
      write({ collection: 'factTable', id, value: { ...known, scanned: scan.at, count: scan.count } });
      return null;
    }
    const { table, gone } = closeScan(one, scan, reader.items(host, scan.of));
    write({ collection: 'factTable', id, value: table });
    for (const item of gone) keep(item);
    if (table.doubtful) agreed.delete(key);
    else agreed.set(key, scan.checksum);
    return gone.length > 0 || known?.doubtful !== table.doubtful ? scan.of : null;
  };

  const applyAnswer = (one: FactAt): Entity | null => {
    const answer = answerOf(one);
    // What the collector answers itself, no agent answers for it.
    if (answer === null || isOwnCheck(answer.check)) return null;
    const near = reader.spansNear(answer.check, answer.subject, answer.at);
    const { put, remove: gone } = placeAnswer(near, answer);
    for (const id of gone) remove(id);
    for (const value of put) write({ collection: 'observation', id: value.id, value });
    const known = new Set<string>(near.map(({ id }) => id));
    return gone.length > 0 || put.some(({ id }) => !known.has(id)) ? answer.subject : null;
  };

  return {
    forget: () => {
      agreed.clear();
      counts.clear();
    },
    apply: ({ facts }) => {
      const hosts: Record<AssetId, FactKind[]> = {};
      const subjects = new Set<Entity>();
      const note = (host: AssetId, kind: FactKind): void => {
        const kinds = (hosts[host] ??= []);
        if (!kinds.includes(kind)) kinds.push(kind);
      };
      for (const one of facts) {
        if (one.fact.kind === 'scan') {
          const kind = applyScan(one);
          if (kind !== null) note(one.host, kind);
          continue;
        }
        const changed = applyItem(one);
        if (changed) note(one.host, one.fact.kind);
        if (changed === null || one.fact.kind !== 'observation') continue;
        const subject = applyAnswer(one);
        if (subject !== null) subjects.add(subject);
      }
      return { hosts, subjects: [...subjects] };
    },
  };
};
