// SPDX-License-Identifier: Apache-2.0
/**
 * What a search reads: hot tables and files, seen as they were when it began. What is replaced goes once nobody reads it any more.
 * Input: loads, seals, merges, expiry. Output: snapshots, and the FROM clause over them.
 */
import { join } from 'node:path';
import { COLUMNS, SCHEMA_ID, sqlName, sqlText } from '../../schema.ts';
import type { BatchFile } from '../batch-file.ts';
import type { StoredFile } from './manifest.ts';

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

export interface Snapshot {
  readonly tables: readonly HotTable[];
  readonly files: readonly StoredFile[];
  /** Must be called once, also after a fault. */
  release(): void;
}

export interface Change {
  readonly goneTables?: readonly HotTable[];
  readonly newTables?: readonly HotTable[];
  readonly goneFiles?: readonly StoredFile[];
  readonly newFiles?: readonly StoredFile[];
}

export class Sources {
  #tables: readonly HotTable[] = [];
  #files: readonly StoredFile[];
  #moment = 0;
  readonly #readers = new Set<number>();
  #waste: { readonly since: number; readonly remove: () => void }[] = [];

  constructor(files: readonly StoredFile[]) {
    this.#files = files;
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
      release: () => {
        this.#readers.delete(moment);
        this.#sweep();
      },
    };
  }

  /** Shows the change to every later snapshot at once; `remove` runs when no earlier one is open. */
  change({ goneTables = [], newTables = [], goneFiles = [], newFiles = [] }: Change, remove: () => void = () => {}): void {
    this.#tables = [...this.#tables.filter((table) => !goneTables.includes(table)), ...newTables];
    this.#files = [...this.#files.filter((file) => !goneFiles.includes(file)), ...newFiles];
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

export interface FromOptions {
  /** Folder of the files. */
  readonly filesDir: string;
  readonly columnsOf: ReadonlyMap<string, readonly string[]>;
  /** True when `message` is only searched together with `event.original`: where it is part of that, it need not be read. */
  readonly messageSpared?: boolean;
}

/** All rows of the sources, as a table expression. Names of tables and files are our own. */
export const fromSql = (sources: readonly Source[], options: FromOptions): string => {
  const parts: string[] = [];
  const tables = sources.filter((source): source is HotTable => !isFile(source));
  const groups = new Map<string, StoredFile[]>();
  for (const source of sources) {
    if (isFile(source)) {
      const key = `${source.schema} ${options.messageSpared === true && source.messageInOriginal}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [source]);
      else group.push(source);
    }
  }
  for (const files of groups.values()) {
    const { schema, messageInOriginal } = files[0] as StoredFile;
    const list = files.map((file) => sqlText(join(options.filesDir, file.path))).join(', ');
    const spared = options.messageSpared === true && messageInOriginal;
    parts.push(`SELECT ${selectOf(options.columnsOf.get(schema), schema, spared)} FROM read_parquet([${list}])`);
  }
  if (parts.length === 1 && tables.length === 0) return `(${parts[0]})`;
  return `(${[fromTables(tables), ...parts].join(' UNION ALL BY NAME ')})`;
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
