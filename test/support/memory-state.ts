// SPDX-License-Identifier: Apache-2.0
/**
 * The state port in memory, for unit tests of what stands on it; the real engines have their contract test.
 * Input: documents. Output: the same, with versions and conflicts as the port obliges.
 */

import { fault } from '../../collector/errors.ts';
import type { AuditEntry, AuditTrail } from '../../collector/model/audit.ts';
import type { Notice, Notices } from '../../collector/model/notice.ts';
import type { Node } from '../../collector/query/ast.ts';
import type { Collection, Collections, ListQuery, SinkPosition, StateStore, Stored, Write } from '../../collector/store/store.ts';
import type { Clock } from '../../core/clock.ts';
import type { UnixMs } from '../../core/units.ts';
import { ms, unixMs } from '../../core/units.ts';

type Documents = Map<string, { value: unknown; version: number }>;

const matches = (node: Node, value: unknown): boolean => {
  if (node.kind === 'all') return true;
  if (node.kind === 'and') return node.of.every((one) => matches(one, value));
  if (node.kind === 'or') return node.of.some((one) => matches(one, value));
  if (node.kind === 'not') return !matches(node.of, value);
  if (node.kind !== 'is' || node.field === null) throw new Error(`the memory state does not judge ${node.kind}`);
  let at: unknown = value;
  for (const step of node.field.text.split('.')) at = (at as Record<string, unknown> | undefined)?.[step];
  return at !== undefined && String(at) === node.value.text;
};

export const memoryState = (): StateStore => {
  const all = new Map<Collection, Documents>();
  const positions = new Map<string, SinkPosition>();
  const numbers = new Map<string, number>();
  const of = (collection: Collection): Documents => {
    const found = all.get(collection) ?? new Map();
    all.set(collection, found);
    return found;
  };
  const write = (collection: Collection, id: string, value: unknown): number => {
    const version = (of(collection).get(id)?.version ?? 0) + 1;
    of(collection).set(id, { value: structuredClone(value), version });
    return version;
  };
  return {
    get: async <C extends Collection>(collection: C, id: string) => {
      const found = of(collection).get(id);
      return found ? ({ id, value: structuredClone(found.value), version: found.version } as Stored<Collections[C]>) : null;
    },
    put: async (collection, id, value, options) => {
      const now = of(collection).get(id)?.version ?? 0;
      if (options?.ifVersion !== undefined && options.ifVersion !== now) throw fault('STATE_CONFLICT', { what: collection, id });
      return write(collection, id, value);
    },
    remove: async (collection, id) => of(collection).delete(id),
    list: async <C extends Collection>(collection: C, query: ListQuery) => {
      const found = [...of(collection)]
        .filter(([, { value }]) => query.where === undefined || matches(query.where, value))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, { value, version }]) => ({ id, value: structuredClone(value), version }) as Stored<Collections[C]>);
      const from = query.after === undefined ? 0 : Number(query.after);
      const items = found.slice(from, from + query.limit);
      return { items, next: from + items.length < found.length ? String(from + items.length) : null, total: found.length };
    },
    commit: async (position, writes: readonly Write[]) => {
      for (const one of writes) write(one.collection, one.id, one.value);
      positions.set(position.sink, position);
    },
    position: async (sink) => positions.get(sink) ?? null,
    page: async () => null,
    nextNumber: async (series) => {
      const n = (numbers.get(series) ?? 0) + 1;
      numbers.set(series, n);
      return n;
    },
    close: async () => {},
  };
};

/** A clock that a test moves by hand; sleepers wake when their time has come. */
export interface HandClock extends Clock {
  readonly advance: (spanMs: number) => void;
  readonly setWall: (at: number) => void;
}

export const handClock = (start: number = Date.UTC(2026, 10, 23, 8, 40)): HandClock => {
  let [wall, mono] = [start, 0];
  const sleepers = new Set<{ until: number; wake: () => void }>();
  return {
    now: (): UnixMs => unixMs(wall),
    monotonic: () => ms(mono),
    sleep: (span, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const one = {
          until: mono + span,
          wake: () => {
            sleepers.delete(one);
            resolve();
          },
        };
        sleepers.add(one);
        signal?.addEventListener('abort', one.wake);
      }),
    advance: (span) => {
      wall += span;
      mono += span;
      for (const one of [...sleepers]) if (one.until <= mono) one.wake();
    },
    setWall: (at) => {
      wall = at;
    },
  };
};

/** An audit trail that keeps its entries in a list. */
export const listAudit = (): AuditTrail & { readonly entries: AuditEntry[] } => {
  const entries: AuditEntry[] = [];
  const add = (entry: Omit<AuditEntry, 'seq' | 'at'>): number => entries.push({ ...entry, seq: entries.length + 1, at: unixMs(0) });
  return {
    entries,
    act: async (entry, run) => {
      const intent = add({ ...entry, phase: 'intent' });
      try {
        const result = await run();
        add({ ...entry, phase: 'done', intent });
        return result;
      } catch (error) {
        add({ ...entry, phase: 'failed', intent });
        throw error;
      }
    },
    refused: async (entry) => {
      add({ ...entry, phase: 'refused' });
    },
    read: async (limit) => entries.slice(-limit).reverse(),
  };
};

/** Notices kept in a list. */
export const listNotices = (): Notices & { readonly said: Notice[] } => {
  const said: Notice[] = [];
  return { said, say: (notice) => void said.push(notice) };
};
