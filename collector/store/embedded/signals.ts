// SPDX-License-Identifier: Apache-2.0
/**
 * The signals table in SQLite, in the database and transaction of the state, so that a window is one indexed question (S2, S4).
 * Input: correlate adds a page's signals and rows. Output: bounded answers, the page's own signals included.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SignalId } from '../../../core/ids.ts';
import type { UnixMs } from '../../../core/units.ts';
import type { Signal } from '../../model/signal.ts';
import type { SignalRange, SignalRow, SignalTable } from '../../model/signals.ts';

// Ids of correlations and rules stand in each row as text: numbers for them would need a cache that survives a rolled-back transaction.
// A signal lists its rows' keys, because an index of rows by arrival would cost as much as the row itself.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS signal (
  id TEXT NOT NULL PRIMARY KEY, arrived INTEGER NOT NULL, body TEXT NOT NULL, keys TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS signal_arrived ON signal (arrived);
CREATE TABLE IF NOT EXISTS signal_row (
  correlation TEXT NOT NULL, grp TEXT NOT NULL, time INTEGER NOT NULL, signal TEXT NOT NULL, rule TEXT NOT NULL, value TEXT,
  PRIMARY KEY (correlation, grp, time, signal, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS signal_row_value ON signal_row (correlation, grp, value, time, signal) WHERE value IS NOT NULL;
CREATE TABLE IF NOT EXISTS signal_mark (name TEXT NOT NULL PRIMARY KEY, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

const COLUMNS = 'correlation, grp, time, signal, rule, value';
const PLACE = 'correlation = ? AND grp = ?';
const SPAN = 'time BETWEEN ? AND ?';

// A page of signals over many groups dirties a page of the file for each: with SQLite's default of 1,000 pages every commit would copy the
// log back into the file and sync twice.
const CHECKPOINT_PAGES = 16_384;
/** Pages of the file kept in memory: what a burst over 20,000 groups touches again and again. */
const CACHE_KIB = 16_384;

/** Signals fetched at once. */
const GET_BATCH = 500;

/** How many rows a removal takes at once. */
const EXPIRE_BATCH = 1000;

type Key = readonly [correlation: string, group: string, time: number, rule: string];

/**
 * Opens the table, creating it where it is missing.
 * Transactions are the caller's: what is added is seen at once and vanishes with a rollback.
 */
export const openSignals = (db: DatabaseSync): SignalTable => {
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`);
  db.exec(SCHEMA);
  const insertSignal = db.prepare('INSERT OR IGNORE INTO signal (id, arrived, body, keys) VALUES (?, ?, ?, ?)');
  const insertRow = db.prepare(`INSERT OR IGNORE INTO signal_row (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  const keysOf = db.prepare('SELECT keys FROM signal WHERE id = ?');
  const setKeys = db.prepare('UPDATE signal SET keys = ? WHERE id = ?');
  // One answer for many ids: crossing into SQLite for each would cost twice as much.
  const bodies = db.prepare(
    `SELECT group_concat(s.body, ',' ORDER BY j.key) AS list FROM json_each(?) AS j JOIN signal AS s ON s.id = j.value`,
  );
  const filters = ['', ' AND rule = ?', ' AND value = ?', ' AND rule = ? AND value = ?'];
  const select = (order: 'ASC' | 'DESC'): StatementSync[] =>
    filters.map((filter) =>
      db.prepare(`SELECT ${COLUMNS} FROM signal_row WHERE ${PLACE}${filter} AND ${SPAN} ORDER BY time ${order}, signal ${order} LIMIT ?`),
    );
  const oldest = select('ASC');
  const newest = select('DESC');
  const counts = filters.map((filter) =>
    db.prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM signal_row WHERE ${PLACE}${filter} AND ${SPAN} LIMIT ?)`),
  );
  const valuesNewest = db.prepare(`SELECT value FROM signal_row WHERE ${PLACE} AND ${SPAN} ORDER BY time DESC LIMIT ?`);
  const nextValue = db.prepare(`SELECT value FROM signal_row WHERE ${PLACE} AND value IS NOT NULL AND value > ? ORDER BY value LIMIT 1`);
  const hasValue = db.prepare(`SELECT 1 FROM signal_row WHERE ${PLACE} AND value = ? AND ${SPAN} LIMIT 1`);
  const raiseMark = db.prepare(
    'INSERT INTO signal_mark (name, time) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET time = excluded.time WHERE excluded.time > time',
  );
  const marks = db.prepare('SELECT name, time FROM signal_mark WHERE name >= ? AND name < ?');
  const oldSignals = db.prepare(`SELECT id, keys FROM signal WHERE arrived < ? LIMIT ${EXPIRE_BATCH}`);
  const dropRow = db.prepare('DELETE FROM signal_row WHERE correlation = ? AND grp = ? AND time = ? AND signal = ? AND rule = ?');
  const dropSignal = db.prepare('DELETE FROM signal WHERE id = ?');
  const dropMarks = db.prepare('DELETE FROM signal_mark WHERE time < ?');

  const variant = (range: SignalRange): number => (range.rule === undefined ? 0 : 1) + (range.value === undefined ? 0 : 2);
  const place = (range: SignalRange): (string | number)[] => {
    const bound: (string | number)[] = [range.correlation, range.group];
    if (range.rule !== undefined) bound.push(range.rule);
    if (range.value !== undefined) bound.push(range.value);
    bound.push(range.from, range.to);
    return bound;
  };

  /** Adds keys to a signal that was here before: a redone page, or rules that changed since. */
  const joinKeys = (id: string, keys: readonly Key[]): void => {
    const held = keysOf.get(id) as { keys: string } | undefined;
    if (!held || keys.length === 0) return;
    const known = JSON.parse(held.keys) as Key[];
    const fresh = keys.filter((key) => !known.some((k) => k.every((part, i) => part === key[i])));
    if (fresh.length > 0) setKeys.run(JSON.stringify([...known, ...fresh]), id);
  };

  return {
    add: (signals, rows, texts) => {
      const keys = new Map<string, Key[]>();
      for (const row of rows) {
        const key: Key = [row.correlation, row.group, row.time, row.rule];
        const list = keys.get(row.signal);
        if (list) list.push(key);
        else keys.set(row.signal, [key]);
        insertRow.run(row.correlation, row.group, row.time, row.signal, row.rule, row.value ?? null);
      }
      for (const [i, signal] of signals.entries()) {
        const own = keys.get(signal.id) ?? [];
        keys.delete(signal.id);
        if (insertSignal.run(signal.id, signal.ingested, texts?.[i] ?? JSON.stringify(signal), JSON.stringify(own)).changes === 0)
          joinKeys(signal.id, own);
      }
      for (const [id, own] of keys) joinKeys(id, own);
    },
    range: (range, limit, order = 'oldest') => {
      const found = (order === 'oldest' ? oldest : newest)[variant(range)]!.all(...place(range), limit);
      return found.map((row) => toRow(row as unknown as StoredRow));
    },
    count: (range, limit) => (counts[variant(range)]!.get(...place(range), limit) as { n: number }).n,
    distinct: (range, limit) => {
      // Most windows are short, and the newest rows tell. A flood of one value is answered value by value instead, so the work stays bounded.
      const glance = 4 * limit + 64;
      const seen = new Set<string>();
      const rows = valuesNewest.all(range.correlation, range.group, range.from, range.to, glance) as { value: string | null }[];
      for (const { value } of rows) {
        if (value !== null) seen.add(value);
        if (seen.size >= limit) return limit;
      }
      if (rows.length < glance) return seen.size;
      let found = 0;
      let value = '';
      for (;;) {
        const next = nextValue.get(range.correlation, range.group, value) as { value: string } | undefined;
        if (!next) return found;
        value = next.value;
        if (seen.has(value) || hasValue.get(range.correlation, range.group, value, range.from, range.to)) found++;
        if (found >= limit) return limit;
      }
    },
    get: (ids) => {
      const found: Signal[] = [];
      for (let i = 0; i < ids.length; i += GET_BATCH) {
        const { list } = bodies.get(JSON.stringify(ids.slice(i, i + GET_BATCH))) as { list: string | null };
        if (list !== null) found.push(...(JSON.parse(`[${list}]`) as Signal[]));
      }
      return found;
    },
    raise: (name, to) => {
      raiseMark.run(name, to);
    },
    reached: (prefix) => {
      const rows = marks.all(prefix, `${prefix}\u{10ffff}`) as { name: string; time: number }[];
      return new Map(rows.map((row) => [row.name, row.time as UnixMs]));
    },
    expire: (arrivedBefore) => {
      let removed = 0;
      for (;;) {
        const batch = oldSignals.all(arrivedBefore) as { id: string; keys: string }[];
        for (const { id, keys } of batch) {
          for (const [correlation, group, time, rule] of JSON.parse(keys) as Key[]) dropRow.run(correlation, group, time, id, rule);
          dropSignal.run(id);
        }
        removed += batch.length;
        if (batch.length < EXPIRE_BATCH) break;
      }
      dropMarks.run(arrivedBefore);
      return removed;
    },
  };
};

interface StoredRow {
  readonly correlation: string;
  readonly grp: string;
  readonly time: number;
  readonly signal: string;
  readonly rule: string;
  readonly value: string | null;
}

const toRow = (row: StoredRow): SignalRow => ({
  correlation: row.correlation,
  rule: row.rule,
  group: row.grp,
  time: row.time as UnixMs,
  ...(row.value === null ? {} : { value: row.value }),
  signal: row.signal as SignalId,
});
