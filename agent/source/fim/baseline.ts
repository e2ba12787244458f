// SPDX-License-Identifier: Apache-2.0
/**
 * The baseline: every item as it was last told and sealed, by folder, in one SQLite file of the agent's state.
 * Input: rows of the worker after their block is on disk (A1). Output: rows to compare with, checksum, what stands for one path.
 */
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type FactFields, factPrint, printsChecksum } from '../../../core/fact.ts';
import { joinPath, splitPath } from './name.ts';

export const BASELINE_FILE = 'fim.db';
const VERSION = '1';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS item (folder TEXT, name TEXT, key TEXT, told TEXT, print TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (pattern TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS root (path TEXT PRIMARY KEY, pattern TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS package (name TEXT PRIMARY KEY, version TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owner (path TEXT PRIMARY KEY, package TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
`;

export interface Row {
  readonly key: string;
  /** JSON of the fields as they were told. */
  readonly told: string;
}

/** What a sealed fact moves. */
export type Move =
  | { readonly kind: 'put'; readonly path: string; readonly key: string; readonly told: string; readonly print: string }
  | { readonly kind: 'drop'; readonly path: string }
  | { readonly kind: 'then'; readonly work: (baseline: Baseline) => void };

export interface Baseline {
  rows(folder: string): Map<string, Row>;
  row(path: string): Row | undefined;
  /** Paths below a folder with their rows, deepest first. */
  below(folder: string): readonly (readonly [path: string, row: Row])[];
  /** The item is as it was told, under a new key: no fact, so nothing to wait for. */
  touch(path: string, key: string): void;
  /** All or nothing. */
  move(moves: readonly Move[]): void;
  /** No fact tells of it: what is no longer watched. */
  forget(path: string): void;
  figures(): { readonly count: number; readonly checksum: string };
  readonly isEmpty: boolean;
  entries(): Set<string>;
  roots(): Map<string, string>;
  setEntries(patterns: readonly string[], roots: ReadonlyMap<string, string>): void;
  meta(name: string): string | undefined;
  setMeta(name: string, value: string): void;
  packages(): Map<string, string>;
  ownerOf(path: string): string | undefined;
  setPackages(
    packages: ReadonlyMap<string, string>,
    changed: ReadonlySet<string>,
    owned: Iterable<readonly [path: string, name: string]>,
  ): void;
  close(): void;
}

/** A row to be written for an item. */
export const putMove = (path: string, key: string, told: string, fields: FactFields, item: string): Move => ({
  kind: 'put',
  path,
  key,
  told,
  print: factPrint(item, fields),
});

/** Opens or makes it. @throws the database's own error; `isBroken` tells whether the file is at fault. */
export const openBaseline = (file: string): Baseline => {
  // The worker before may still be closing it.
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    chmodSync(file, 0o600);
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;');
    db.exec(SCHEMA);
    return baselineOf(db);
  } catch (error) {
    db.close();
    throw error;
  }
};

const arrays = (statement: StatementSync): StatementSync => {
  statement.setReturnArrays(true);
  return statement;
};

const baselineOf = (db: DatabaseSync): Baseline => {
  const inFolder = arrays(db.prepare('SELECT name, key, told FROM item WHERE folder = ?'));
  const one = arrays(db.prepare('SELECT key, told FROM item WHERE folder = ? AND name = ?'));
  const under = arrays(
    db.prepare("SELECT folder, name, key, told FROM item WHERE folder = ?1 OR (folder > ?1 || '/' AND folder < ?1 || '0')"),
  );
  const put = db.prepare('INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)');
  const drop = db.prepare('DELETE FROM item WHERE folder = ? AND name = ?');
  const rekey = db.prepare('UPDATE item SET key = ? WHERE folder = ? AND name = ?');
  const readMeta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const writeMeta = db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  const owner = db.prepare('SELECT package FROM owner WHERE path = ?');
  const insertPackage = db.prepare('INSERT OR REPLACE INTO package VALUES (?, ?)');
  const insertOwner = db.prepare('INSERT OR REPLACE INTO owner VALUES (?, ?)');
  const meta = (name: string): string | undefined => readMeta.get(name)?.['value'] as string | undefined;
  const setMeta = (name: string, value: string): void => void writeMeta.run(name, value);
  if (meta('version') === undefined) setMeta('version', VERSION);
  const atOnce = (work: () => void): void => {
    db.exec('BEGIN IMMEDIATE');
    try {
      work();
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };
  const list = (sql: string): unknown[][] => arrays(db.prepare(sql)).all() as unknown as unknown[][];
  const self: Baseline = {
    rows: (folder) => {
      const found = new Map<string, Row>();
      for (const [name, key, told] of inFolder.all(folder) as unknown as [string, string, string][]) found.set(name, { key, told });
      return found;
    },
    row: (path) => {
      const row = one.get(...splitPath(path)) as unknown as [string, string] | undefined;
      return row && { key: row[0], told: row[1] };
    },
    below: (folder) =>
      (under.all(folder) as unknown as [string, string, string, string][])
        .map(([at, name, key, told]) => [joinPath(at, name), { key, told }] as const)
        .sort(([a], [b]) => depth(b) - depth(a)),
    touch: (path, key) => void rekey.run(key, ...splitPath(path)),
    move: (moves) =>
      atOnce(() => {
        for (const move of moves) {
          if (move.kind === 'put') put.run(...splitPath(move.path), move.key, move.told, move.print);
          else if (move.kind === 'drop') drop.run(...splitPath(move.path));
          else move.work(self);
        }
      }),
    forget: (path) => void drop.run(...splitPath(path)),
    figures: () => {
      const prints = list('SELECT print FROM item ORDER BY print').map(([print]) => print as string);
      return { count: prints.length, checksum: printsChecksum(prints) };
    },
    get isEmpty() {
      return list('SELECT 1 FROM item LIMIT 1').length === 0;
    },
    entries: () => new Set(list('SELECT pattern FROM entry').map(([pattern]) => pattern as string)),
    roots: () => new Map(list('SELECT path, pattern FROM root') as unknown as [string, string][]),
    setEntries: (patterns, roots) => {
      db.exec('DELETE FROM entry; DELETE FROM root');
      const entry = db.prepare('INSERT INTO entry VALUES (?)');
      const root = db.prepare('INSERT INTO root VALUES (?, ?)');
      for (const pattern of patterns) entry.run(pattern);
      for (const [path, pattern] of roots) root.run(path, pattern);
    },
    meta,
    setMeta,
    packages: () => new Map(list('SELECT name, version FROM package') as unknown as [string, string][]),
    ownerOf: (path) => owner.get(path)?.['package'] as string | undefined,
    setPackages: (packages, changed, owned) => {
      const dropPackage = db.prepare('DELETE FROM package WHERE name = ?');
      const dropOwned = db.prepare('DELETE FROM owner WHERE package = ?');
      for (const name of changed) {
        dropOwned.run(name);
        const version = packages.get(name);
        if (version === undefined) dropPackage.run(name);
        else insertPackage.run(name, version);
      }
      for (const [path, name] of owned) insertOwner.run(path, name);
    },
    close: () => db.close(),
  };
  return self;
};

const depth = (path: string): number => path.split('/').length;

/** True for an error that says that the file itself is damaged or no database. */
export const isBroken = (error: unknown): boolean => {
  const code = error instanceof Error ? (error as { readonly errcode?: unknown }).errcode : undefined;
  // Extended codes carry the plain one in their low byte: 11 damaged, 26 no database.
  return typeof code === 'number' && ((code & 0xff) === 11 || (code & 0xff) === 26);
};

/** Puts a damaged file aside, where a person may look at it; one is kept. */
export const setAside = (file: string): void => {
  for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
  if (existsSync(file)) renameSync(file, `${file}.damaged`);
};

/** What stands for a path, for people; undefined where there is no baseline or no such item. Never throws. */
export const lookUp = (file: string, path: string): FactFields | undefined => {
  if (!existsSync(file)) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true });
    const told = db.prepare('SELECT told FROM item WHERE folder = ? AND name = ?').get(...splitPath(path))?.['told'];
    return typeof told === 'string' ? (JSON.parse(told) as FactFields) : undefined;
  } catch {
    // Being made, or damaged: the agent itself says so.
    return undefined;
  } finally {
    db?.close();
  }
};
