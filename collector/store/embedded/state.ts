// SPDX-License-Identifier: Apache-2.0
/**
 * State in SQLite: documents, commits with their position, pages, numbers. A synchronous core for the state worker, and the port over it.
 * Input: people's and the machine's writes. Output: what was written, durable when the call returns. Port: `StateStore` in `store/store.ts`.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Clock, systemClock } from '../../../core/clock.ts';
import { days, type UnixMs, unixMs } from '../../../core/units.ts';
import { fault } from '../../errors.ts';
import { type Page, pageOf, storedPage } from '../../model/page.ts';
import { registerQueryFunctions } from '../../query/sql-sqlite.ts';
import type { Collection, Collections, Listed, ListQuery, PutOptions, Sink, SinkPosition, StateStore, Stored, Write } from '../store.ts';
import { migrate } from './migrate.ts';
import { listDocuments } from './state-list.ts';

/** The methods of `StateStore` without promises, and what the state worker needs besides. */
export interface StateCore {
  /** For the signals table, which shares connection and transactions. */
  readonly db: DatabaseSync;
  /** All or nothing; inside another it is a part of that one, and may fail alone. */
  transaction<T>(act: () => T): T;
  get<C extends Collection>(collection: C, id: string): Stored<Collections[C]> | null;
  put<C extends Collection>(collection: C, id: string, value: Collections[C], options?: PutOptions): number;
  remove(collection: Collection, id: string): boolean;
  list<C extends Collection>(collection: C, query: ListQuery): Listed<Collections[C]>;
  commit(position: SinkPosition, writes: readonly Write[], page?: Page): void;
  position(sink: Sink): SinkPosition | null;
  page(incarnation: string, from: number): Page | null;
  nextNumber(series: string): number;
  /** Removes sessions that have expired and pages older than 30 days; to be called about every hour. */
  tidy(now: UnixMs): { readonly sessions: number; readonly pages: number };
  close(): void;
}

const PAGES_KEPT = days(30);

/**
 * Opens the database, making or migrating its tables.
 * @throws CodedError STATE_TOO_NEW.
 */
export const openState = (file: string, clock: Clock = systemClock): StateCore => {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
  registerQueryFunctions(db);
  migrate(db, file);

  const prepared = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    let statement = prepared.get(text);
    if (statement === undefined) prepared.set(text, (statement = db.prepare(text)));
    return statement;
  };

  let depth = 0;
  const transaction = <T>(act: () => T): T => {
    const name = `part_${depth}`;
    db.exec(depth === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT ${name}`);
    depth++;
    try {
      const result = act();
      db.exec(depth === 1 ? 'COMMIT' : `RELEASE ${name}`);
      return result;
    } catch (error) {
      // A full disk can have ended the transaction already.
      if (db.isTransaction) db.exec(depth === 1 ? 'ROLLBACK' : `ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      depth--;
    }
  };

  const write = (collection: Collection, id: string, value: unknown): void => {
    sql(`INSERT INTO doc_${collection} VALUES (?, 1, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value, version = version + 1`).run(
      id,
      JSON.stringify(value),
    );
  };
  const versionOf = (collection: Collection, id: string): number =>
    Number(sql(`SELECT version FROM doc_${collection} WHERE id = ?`).get(id)?.['version'] ?? 0);

  const position = (sink: Sink): SinkPosition | null => {
    const row = sql('SELECT collector, incarnation, offset FROM sink WHERE sink = ?').get(sink);
    if (row === undefined) return null;
    return { sink, collector: String(row['collector']), incarnation: String(row['incarnation']), offset: Number(row['offset']) };
  };

  return {
    db,
    transaction,
    position,
    get: (collection, id) => {
      const row = sql(`SELECT version, value FROM doc_${collection} WHERE id = ?`).get(id);
      return row === undefined ? null : { id, version: Number(row['version']), value: JSON.parse(String(row['value'])) };
    },
    put: (collection, id, value, { ifVersion } = {}) =>
      transaction(() => {
        if (ifVersion !== undefined && versionOf(collection, id) !== ifVersion) throw fault('STATE_CONFLICT', { what: collection, id });
        write(collection, id, value);
        return versionOf(collection, id);
      }),
    remove: (collection, id) => Number(sql(`DELETE FROM doc_${collection} WHERE id = ?`).run(id).changes) > 0,
    list: (collection, query) => listDocuments(sql, collection, query, clock.now()),
    commit: (at, writes, page) =>
      transaction(() => {
        const before = position(at.sink);
        // A commit that was cut off before its answer is repeated by the sink and must not count twice.
        if (before !== null && before.collector === at.collector && before.incarnation === at.incarnation && at.offset <= before.offset)
          return;
        for (const { collection, id, value } of writes) write(collection, id, value);
        if (page !== undefined) {
          const { value, packed } = storedPage(page);
          sql('INSERT OR IGNORE INTO page (incarnation, first, value, at, packed) VALUES (?, ?, ?, ?, ?)').run(
            page.incarnation,
            page.from,
            value,
            clock.now(),
            packed,
          );
        }
        sql('INSERT OR REPLACE INTO sink VALUES (?, ?, ?, ?)').run(at.sink, at.collector, at.incarnation, at.offset);
      }),
    page: (incarnation, from) => {
      const row = sql('SELECT value, packed FROM page WHERE incarnation = ? AND first = ?').get(incarnation, from);
      return row === undefined ? null : pageOf(String(row['value']), row['packed'] as Uint8Array | null);
    },
    nextNumber: (series) =>
      Number(sql('INSERT INTO series VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last').get(series)?.['last']),
    tidy: (now) =>
      transaction(() => ({
        sessions: Number(sql(`DELETE FROM doc_session WHERE json_extract(value, '$."expiresAt"') < ?`).run(now).changes),
        pages: Number(sql('DELETE FROM page WHERE at < ?').run(unixMs(now - PAGES_KEPT)).changes),
      })),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
};

/** The port over a core in the same thread. */
export const stateStore = (core: StateCore): StateStore => ({
  get: async (collection, id) => core.get(collection, id),
  put: async (collection, id, value, options) => core.put(collection, id, value, options),
  remove: async (collection, id) => core.remove(collection, id),
  list: async (collection, query) => core.list(collection, query),
  commit: async (position, writes, page) => core.commit(position, writes, page),
  position: async (sink) => core.position(sink),
  page: async (incarnation, from) => core.page(incarnation, from),
  nextNumber: async (series) => core.nextNumber(series),
  close: async () => core.close(),
});
