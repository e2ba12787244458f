// SPDX-License-Identifier: Apache-2.0
/**
 * What a search reads: hot tables and files, seen as they were when it began. What is replaced goes once nobody reads it any more.
 * Input: loads, seals, merges, expiry. Output: snapshots, and the FROM clause over them.
 */
import { join } from 'node:path';
import { COLUMNS, SCHEMA_ID, sqlName, sqlText } from '../../schema.ts';
import type { BatchFile } from '../batch-file.ts';
import type { Block, Replaced, StoredFile } from './manifest.ts';

/** Times in milliseconds, both ends inclusive; infinite where the table has no rows. */
export interface HotTable {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly minIngest: number;
  readonly maxIngest: number;
  readonly batches: readonly BatchFile[];
}

export type Source = HotTable | StoredFile;

export const isFile = (source: Source): source is StoredFile => 'path' in source;

/** Some rows of a source. */
export interface Pick {
  readonly source: Source;
  /** Condition on the row's number, as `rowRanges` or `rowList` makes it; null for all. */
  readonly rows: string | null;
}

export interface Snapshot {
  readonly tables: readonly HotTable[];
  readonly files: readonly StoredFile[];
  readonly hidden: Hidden;
  /** Must be called once, also after a fault. */
  release(): void;
}

export interface Change {
  readonly goneTables?: readonly HotTable[];
  readonly newTables?: readonly HotTable[];
  readonly goneFiles?: readonly StoredFile[];
  readonly newFiles?: readonly StoredFile[];
  /** All ranges of which a newer generation is there. */
  readonly replaced?: readonly Replaced[];
}

/** Condition on the rows of a source that are still there; null when all are. */
export type Hidden = (source: Source) => string | null;

export class Sources {
  #tables: readonly HotTable[] = [];
  #files: readonly StoredFile[];
  #replaced: readonly Replaced[];
  /** Files that were looked through and hold nothing older than this generation in ranges that it replaced. */
  readonly #clean = new Map<number, number>();
  #moment = 0;
  readonly #readers = new Set<number>();
  #waste: { readonly since: number; readonly remove: () => void }[] = [];

  constructor(files: readonly StoredFile[], replaced: readonly Replaced[] = []) {
    this.#files = files;
    this.#replaced = replaced;
  }

  get replaced(): readonly Replaced[] {
    return this.#replaced;
  }

  /** Nothing of this file is hidden by what was replaced up to that generation. */
  cleaned(file: StoredFile, generation: number): void {
    this.#clean.set(file.id, generation);
  }

  /** What hides rows now. Rows are placed by time of ingest, so that those of a join that was stored with a later range are found too. */
  hidden(): Hidden {
    const replaced = this.#replaced;
    if (replaced.length === 0) return () => null;
    return (source) => {
      const known = isFile(source) ? Math.max(source.generation, this.#clean.get(source.id) ?? 0) : 0;
      const over = replaced.filter(({ generation, from, to }) => generation > known && source.maxIngest >= from && source.minIngest <= to);
      return over.length === 0 ? null : over.map(hidingSql).join(' AND ');
    };
  }

  get tables(): readonly HotTable[] {
    return this.#tables;
  }

  get files(): readonly StoredFile[] {
    return this.#files;
  }

  open(): Snapshot {
    const moment = ++this.#moment;
    this.#readers.add(moment);
    return {
      tables: this.#tables,
      files: this.#files,
      hidden: this.hidden(),
      release: () => {
        this.#readers.delete(moment);
        this.#sweep();
      },
    };
  }

  /** Shows the change to every later snapshot at once; `remove` runs when no earlier one is open. */
  change({ goneTables = [], newTables = [], goneFiles = [], newFiles = [], replaced }: Change, remove: () => void = () => {}): void {
    this.#tables = [...this.#tables.filter((table) => !goneTables.includes(table)), ...newTables];
    this.#files = [...this.#files.filter((file) => !goneFiles.includes(file)), ...newFiles];
    if (replaced !== undefined) this.#replaced = replaced;
    for (const { id } of goneFiles) this.#clean.delete(id);
    this.#waste.push({ since: ++this.#moment, remove });
    this.#sweep();
  }

  #sweep(): void {
    const oldest = Math.min(...this.#readers, Number.POSITIVE_INFINITY);
    const ready = this.#waste.filter((waste) => waste.since < oldest);
    this.#waste = this.#waste.filter((waste) => waste.since >= oldest);
    for (const { remove } of ready) remove();
  }
}

const hidingSql = ({ range: { collector, incarnation, from, to }, generation }: Replaced): string =>
  `(("vigil.journal.collector" = ${sqlText(collector)} AND "vigil.journal.incarnation" = ${sqlText(incarnation)} AND "vigil.journal.offset" >= ${from} AND "vigil.journal.offset" < ${to} AND "vigil.journal.generation" < ${generation}) IS NOT TRUE)`;

export interface FromOptions {
  /** Folder of the files. */
  readonly filesDir: string;
  readonly columnsOf: ReadonlyMap<string, readonly string[]>;
  /** True when `message` is only searched together with `event.original`: where it is part of that, it need not be read. */
  readonly messageSpared?: boolean;
  /** Of a snapshot; when absent every row is read. */
  readonly hidden?: Hidden;
}

/** Row numbers of blocks, joined where they touch. */
export const rowRanges = (blocks: readonly Block[]): string => {
  const ranges: [number, number][] = [];
  for (const { first, rows } of blocks.toSorted((a, b) => a.first - b.first)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === first) last[1] = first + rows - 1;
    else ranges.push([first, first + rows - 1]);
  }
  return ranges.map(([first, last]) => `ROW BETWEEN ${first} AND ${last}`).join(' OR ');
};

/** These row numbers alone. */
export const rowList = (rows: readonly number[]): string =>
  `ROW BETWEEN ${Math.min(...rows)} AND ${Math.max(...rows)} AND ROW IN (${rows.join(', ')})`;

/** Columns that `places` adds: position of the source in the list given, and number of the row in it. */
export const PLACE = '"#source", "#row"';

export interface From {
  /** A table expression in parentheses. Names of tables and files are our own. */
  readonly sql: string;
  /** The sources that `#source` counts. */
  readonly sources: readonly Source[];
}

/** The picked rows of all sources; with `places`, where each row stands. */
export const fromPicks = (picks: readonly Pick[], options: FromOptions, places = false): From => {
  const parts: string[] = [];
  const order: Source[] = [];
  for (const { source, rows } of picks) {
    if (isFile(source)) continue;
    const place = places ? `, ${order.length} AS "#source", rowid AS "#row"` : '';
    parts.push(`SELECT *${place} FROM ${source.name}${whereSql(rows, 'rowid', options.hidden?.(source) ?? null)}`);
    order.push(source);
  }
  for (const { files, spared, hidden } of alike(picks, options)) {
    const [{ source: first, rows }] = files as [FilePick];
    const list = files.map(({ source }) => sqlText(join(options.filesDir, source.path))).join(', ');
    const place = places ? `, file_index + ${order.length} AS "#source", file_row_number AS "#row"` : '';
    const where = whereSql(rows, 'file_row_number', hidden);
    parts.push(
      `SELECT ${selectOf(options.columnsOf.get(first.schema), first.schema, spared)}${place} FROM read_parquet([${list}])${where}`,
    );
    order.push(...files.map(({ source }) => source));
  }
  const single = parts.length === 1 && order.every(isFile);
  return { sql: single ? `(${parts[0]})` : `(${[EMPTY, ...parts].join(' UNION ALL BY NAME ')})`, sources: order };
};

const whereSql = (rows: string | null, number: string, hidden: string | null): string => {
  const all = [...(rows === null ? [] : [`(${rows.replaceAll('ROW ', `${number} `)})`]), ...(hidden === null ? [] : [hidden])];
  return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`;
};

/** All rows of the sources. */
export const fromSql = (sources: readonly Source[], options: FromOptions): string =>
  fromPicks(
    sources.map((source) => ({ source, rows: null })),
    options,
  ).sql;

type FilePick = Pick & { readonly source: StoredFile };

// Files that one select reads: whole ones of the same columns, with `message` spared or not. A file of which only some rows are picked
// has a select of its own: over several files the engine would look for the row numbers of one in all of them.
const alike = (
  picks: readonly Pick[],
  options: FromOptions,
): readonly { readonly files: readonly FilePick[]; readonly spared: boolean; readonly hidden: string | null }[] => {
  const groups = new Map<string, { readonly files: FilePick[]; readonly spared: boolean; readonly hidden: string | null }>();
  for (const { source, rows } of picks) {
    if (!isFile(source)) continue;
    const spared = options.messageSpared === true && source.messageInOriginal;
    const hidden = options.hidden?.(source) ?? null;
    const key = rows === null ? `${source.schema} ${spared} ${hidden}` : source.path;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { files: [{ source, rows }], spared, hidden });
    else group.files.push({ source, rows });
  }
  return [...groups.values()];
};

/** All rows of tables, each of which may lack columns, with every column in its place. */
export const fromTables = (tables: readonly HotTable[]): string =>
  [EMPTY, ...tables.map((table) => `SELECT * FROM ${table.name}`)].join(' UNION ALL BY NAME ');

const EMPTY = `SELECT ${COLUMNS.map((c) => `NULL::${c.sql} AS ${sqlName(c.name)}`).join(', ')} WHERE FALSE`;

// A file of an older schema lacks columns: such a field was sparse then, or unknown.
const selectOf = (names: readonly string[] | undefined, schema: string, spared: boolean): string => {
  if (schema === SCHEMA_ID || names === undefined) return spared ? '* REPLACE (NULL::VARCHAR AS message)' : '*';
  const has = new Set(names);
  return COLUMNS.map(({ name, sql }) => {
    if (spared && name === 'message') return 'NULL::VARCHAR AS message';
    if (has.has(name)) return sqlName(name);
    const value = `json_extract_string("vigil.extra", ${sqlText(`$."${name}"`)})`;
    return `${oldValue(value, sql)} AS ${sqlName(name)}`;
  }).join(', ');
};

const oldValue = (value: string, sql: string): string => {
  if (sql === 'TIMESTAMP') return `epoch_ms(TRY_CAST(${value} AS BIGINT))`;
  if (sql === 'VARCHAR[]') return `from_json(${value}, '["VARCHAR"]')`;
  return `TRY_CAST(${value} AS ${sql})`;
};
