// SPDX-License-Identifier: Apache-2.0
/**
 * The manifest: which files the store consists of, how far the journal is sealed, dead letters and holds. Readers never use a glob.
 * Input: seals, merges, expiry. Output: the list of files on start; every change is one transaction, durable when it returns.
 */
import { DatabaseSync } from 'node:sqlite';
import type { UnixMs } from '../../../../core/units.ts';
import type { JournalPosition, JournalRange } from '../../../model/page.ts';
import { COLUMNS, SCHEMA_ID } from '../../schema.ts';
import type { Replacement } from '../../store.ts';

/** A run of rows of a file that is read or passed over as one: a row group. Times as of its file. */
export interface Block {
  /** Number of its first row, counted from 0. */
  readonly first: number;
  readonly rows: number;
  readonly minTime: number;
  readonly maxTime: number;
}

/** One Parquet file. Times in milliseconds, both ends inclusive. */
export interface StoredFile {
  readonly id: number;
  /** Path below `files/`. */
  readonly path: string;
  readonly dataset: string;
  /** Day of its newest ingest, UTC. */
  readonly day: string;
  readonly rows: number;
  readonly bytes: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly minIngest: number;
  readonly maxIngest: number;
  /** Columns it was written with. */
  readonly schema: string;
  readonly ranges: readonly JournalRange[];
  /** Lowest decode generation of its rows. */
  readonly generation: number;
  /** True when each `message` is part of its `event.original`: a search of both may read one. */
  readonly messageInOriginal: boolean;
  /** In order of their rows, together all of them. */
  readonly blocks: readonly Block[];
}

export type NewFile = Omit<StoredFile, 'id'>;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS file (
  id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, day TEXT NOT NULL,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, min_time INTEGER NOT NULL, max_time INTEGER NOT NULL,
  min_ingest INTEGER NOT NULL, max_ingest INTEGER NOT NULL, schema TEXT NOT NULL, ranges TEXT NOT NULL,
  generation INTEGER NOT NULL, message_in_original INTEGER NOT NULL, blocks TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sealed (
  collector TEXT NOT NULL, incarnation TEXT NOT NULL, offset INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (collector, incarnation)) STRICT;
CREATE TABLE IF NOT EXISTS columns (schema TEXT PRIMARY KEY, names TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead (
  batch TEXT NOT NULL, line INTEGER NOT NULL, text BLOB NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (batch, line)) STRICT;
CREATE TABLE IF NOT EXISTS attempt (batch TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS hold (
  name TEXT NOT NULL, collector TEXT NOT NULL, incarnation TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS replaced (
  collector TEXT NOT NULL, incarnation TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, generation INTEGER NOT NULL,
  min_ingest INTEGER NOT NULL, max_ingest INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;`;

/** Rows of this range that are older than the generation are not there any more (P5). */
export interface Replaced extends Replacement {
  readonly range: JournalRange;
}

export class Manifest {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
    this.#db.exec(SCHEMA);
    this.#addBlocks();
    const names = JSON.stringify(COLUMNS.map((column) => column.name));
    this.#db.prepare('INSERT OR IGNORE INTO columns VALUES (?, ?)').run(SCHEMA_ID, names);
  }

  // Files of the first builds had no blocks: each is one that is never passed over.
  #addBlocks(): void {
    if (this.#db.prepare("SELECT 1 FROM pragma_table_info('file') WHERE name = 'blocks'").get() !== undefined) return;
    this.#db.exec(`ALTER TABLE file ADD COLUMN blocks TEXT NOT NULL DEFAULT '[]';
      UPDATE file SET blocks = json_array(0, rows, min_time, max_time)`);
  }

  files(): readonly StoredFile[] {
    return this.#db.prepare('SELECT * FROM file ORDER BY id').all().map(fileOf);
  }

  /** Names of the columns that each kind of file holds. */
  columns(): ReadonlyMap<string, readonly string[]> {
    const rows = this.#db.prepare('SELECT schema, names FROM columns').all();
    return new Map(rows.map((row) => [String(row['schema']), JSON.parse(String(row['names'])) as string[]]));
  }

  /** Ends of what is sealed, in the order the journals were first seen. */
  sealed(): readonly JournalPosition[] {
    const rows = this.#db.prepare('SELECT collector, incarnation, offset FROM sealed ORDER BY n').all();
    return rows.map((row) => ({
      collector: String(row['collector']),
      incarnation: String(row['incarnation']),
      offset: Number(row['offset']),
    }));
  }

  /** Notes where a journal's first batch began, so that a batch lost before the first seal is missed. */
  begin({ collector, incarnation, offset }: JournalPosition): void {
    this.#db
      .prepare('INSERT OR IGNORE INTO sealed VALUES (?, ?, ?, (SELECT coalesce(max(n), 0) + 1 FROM sealed))')
      .run(collector, incarnation, offset);
  }

  /** Adds the files of a seal together with the positions they reach. */
  seal(files: readonly NewFile[], ends: readonly JournalPosition[]): readonly StoredFile[] {
    return this.#transaction(() => {
      for (const { collector, incarnation, offset } of ends)
        this.#db
          .prepare(
            `INSERT INTO sealed VALUES (?, ?, ?, (SELECT coalesce(max(n), 0) + 1 FROM sealed))
             ON CONFLICT DO UPDATE SET offset = max(offset, excluded.offset)`,
          )
          .run(collector, incarnation, offset);
      return files.map((file) => this.#insert(file));
    });
  }

  /** Puts files in the place of others. */
  replace(gone: readonly number[], files: readonly NewFile[]): readonly StoredFile[] {
    return this.#transaction(() => {
      for (const id of gone) this.#db.prepare('DELETE FROM file WHERE id = ?').run(id);
      return files.map((file) => this.#insert(file));
    });
  }

  /** Adds the files of a newer generation and hides what they replace. */
  replaceRanges(files: readonly NewFile[], replaced: readonly Replaced[]): readonly StoredFile[] {
    return this.#transaction(() => {
      for (const { range, generation, from, to } of replaced) {
        const { collector, incarnation } = range;
        // What the newer one covers wholly hides nothing besides.
        this.#db
          .prepare('DELETE FROM replaced WHERE collector = ? AND incarnation = ? AND first >= ? AND last <= ? AND generation < ?')
          .run(collector, incarnation, range.from, range.to, generation);
        this.#db
          .prepare('INSERT INTO replaced VALUES (?, ?, ?, ?, ?, ?, ?)')
          .run(collector, incarnation, range.from, range.to, generation, from, to);
      }
      return files.map((file) => this.#insert(file));
    });
  }

  replaced(): readonly Replaced[] {
    const rows = this.#db.prepare('SELECT * FROM replaced ORDER BY rowid').all();
    return rows.map((row) => ({
      range: {
        collector: String(row['collector']),
        incarnation: String(row['incarnation']),
        from: Number(row['first']),
        to: Number(row['last']),
      },
      generation: Number(row['generation']),
      from: Number(row['min_ingest']) as UnixMs,
      to: Number(row['max_ingest']) as UnixMs,
    }));
  }

  /** Copies the whole manifest, as it is now, to a file that does not exist. */
  copyTo(path: string): void {
    this.#db.prepare('VACUUM INTO ?').run(path);
  }

  /** Keeps a row that no load takes. Repeating it changes nothing. */
  bury(batch: string, line: number, text: Uint8Array, reason: string, at: number): void {
    this.#db.prepare('INSERT OR IGNORE INTO dead VALUES (?, ?, ?, ?, ?)').run(batch, line, text, reason, at);
  }

  /** Notes that a start begins to load a batch; answers how many starts have. */
  attempt(batch: string): number {
    const row = this.#db.prepare('INSERT INTO attempt VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n').get(batch);
    return Number(row?.['n']);
  }

  succeeded(batch: string): void {
    this.#db.prepare('DELETE FROM attempt WHERE batch = ?').run(batch);
  }

  deadLetters(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM dead').get()?.['n'] ?? 0);
  }

  /** Replaces what a hold of this name keeps; no ranges lift it. */
  hold(name: string, ranges: readonly JournalRange[]): void {
    this.#transaction(() => {
      this.#db.prepare('DELETE FROM hold WHERE name = ?').run(name);
      const insert = this.#db.prepare('INSERT INTO hold VALUES (?, ?, ?, ?, ?)');
      for (const range of ranges) insert.run(name, range.collector, range.incarnation, range.from, range.to);
    });
  }

  holds(): readonly JournalRange[] {
    const rows = this.#db.prepare('SELECT * FROM hold').all();
    return rows.map((row) => ({
      collector: String(row['collector']),
      incarnation: String(row['incarnation']),
      from: Number(row['first']),
      to: Number(row['last']),
    }));
  }

  close(): void {
    this.#db.close();
  }

  #insert(file: NewFile): StoredFile {
    const { lastInsertRowid } = this.#db
      .prepare('INSERT INTO file VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        file.path,
        file.dataset,
        file.day,
        file.rows,
        file.bytes,
        file.minTime,
        file.maxTime,
        file.minIngest,
        file.maxIngest,
        file.schema,
        JSON.stringify(file.ranges),
        file.generation,
        file.messageInOriginal ? 1 : 0,
        JSON.stringify(file.blocks.flatMap((block) => [block.first, block.rows, block.minTime, block.maxTime])),
      );
    return { ...file, id: Number(lastInsertRowid) };
  }

  #transaction<T>(act: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = act();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

const fileOf = (row: Record<string, unknown>): StoredFile => ({
  id: Number(row['id']),
  path: String(row['path']),
  dataset: String(row['dataset']),
  day: String(row['day']),
  rows: Number(row['rows']),
  bytes: Number(row['bytes']),
  minTime: Number(row['min_time']),
  maxTime: Number(row['max_time']),
  minIngest: Number(row['min_ingest']),
  maxIngest: Number(row['max_ingest']),
  schema: String(row['schema']),
  ranges: JSON.parse(String(row['ranges'])) as JournalRange[],
  generation: Number(row['generation']),
  messageInOriginal: row['message_in_original'] === 1,
  blocks: blocksOf(JSON.parse(String(row['blocks'])) as number[]),
});

const blocksOf = (numbers: readonly number[]): readonly Block[] => {
  const blocks: Block[] = [];
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    const [first, rows, minTime, maxTime] = numbers.slice(i, i + 4) as [number, number, number, number];
    blocks.push({ first, rows, minTime, maxTime });
  }
  return blocks;
};
