// SPDX-License-Identifier: Apache-2.0
/**
 * Writes Parquet files and the filters beside them: temp, fsync, rename, fsync of the directory. The manifest makes them part of the store.
 * Input: rows of hot tables or of smaller files. Output: files below `files/<day>/`, described for the manifest.
 */
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../../../core/hash.ts';
import type { JournalRange } from '../../../model/page.ts';
import { SCHEMA_ID, sqlName, sqlText } from '../../schema.ts';
import { joinRanges } from '../journal-ends.ts';
import type { Connection, Row } from './duck.ts';
import type { Block, NewFile, StoredFile } from './manifest.ts';
import { SKIP_FIELDS, SkipBuilder, skipFile, TEXT_END } from './skip.ts';
import { type FromOptions, fromSql } from './sources.ts';

export interface WriteOptions {
  readonly filesDir: string;
  readonly rowGroupRows: number;
  /** zstd level: 3 for seals, higher where time does not matter. */
  readonly level: number;
}

// The source's dataset, never what a decoder made of it (P1).
const DATASET = `coalesce("vigil.dataset", 'other')`;

/** Stands for the dataset of a file that holds several; no agent can name one so. */
export const SEVERAL = '';

/** What the manifest says of rows, as `facts` reads it. */
const FACTS = `count(*), epoch_ms(min("@timestamp")), epoch_ms(max("@timestamp")), epoch_ms(min("event.ingested")), epoch_ms(max("event.ingested")),
  bool_and(message IS NULL OR coalesce(contains("event.original", message), FALSE)), min(coalesce("vigil.journal.generation", 0))`;

interface Facts {
  readonly rows: number;
  readonly day: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly minIngest: number;
  readonly maxIngest: number;
  readonly messageInOriginal: boolean;
  readonly generation: number;
}

const factsOf = ([rows, minTime, maxTime, minIngest, maxIngest, messageInOriginal, generation]: Row): Facts => {
  const newest = Number(maxIngest ?? maxTime ?? 0);
  return {
    rows: Number(rows),
    day: new Date(newest).toISOString().slice(0, 10),
    minTime: Number(minTime ?? 0),
    maxTime: Number(maxTime ?? 0),
    minIngest: Number(minIngest ?? newest),
    maxIngest: newest,
    messageInOriginal: messageInOriginal === true,
    generation: Number(generation),
  };
};

/**
 * Writes the rows of `table` (a table expression) as one file, in order of source dataset, kind and time; a merge makes one for each dataset.
 * Nothing is in the store before the manifest says so. The ranges are those the rows come from.
 */
export const writeSealed = async (
  connection: Connection,
  table: string,
  ranges: readonly JournalRange[],
  options: WriteOptions,
): Promise<readonly NewFile[]> => {
  const [row = []] = await connection.rows(`SELECT min(${DATASET}), max(${DATASET}), ${FACTS} FROM ${table}`);
  const [firstName, lastName, ...rest] = row;
  const facts = factsOf(rest);
  if (facts.rows === 0) return [];
  const dataset = firstName === lastName ? String(firstName) : SEVERAL;
  // Another generation of the same ranges is another file.
  const path = `${facts.day}/${nameOf(dataset, ranges, facts.generation > 1 ? `${dataset} ${facts.generation}` : dataset)}`;
  const temp = await tempFor(options, path);
  await connection.rows(
    `COPY (SELECT * FROM ${table} ORDER BY ${DATASET}, "event.dataset", "@timestamp", "event.id") TO ${sqlText(temp)} ${formatOf(options)}`,
  );
  const made = await publish(connection, temp, join(options.filesDir, path), facts.rows, facts.messageInOriginal, options);
  return [{ ...made, ...facts, path, dataset, schema: SCHEMA_ID, ranges }];
};

/**
 * Writes the rows of several files anew, a file for each source dataset in them: those of each frequent `event.dataset` together, in order of
 * time, so that blocks hold lines of one kind and most words rule most blocks out. The files are sorted so already; nothing is held in memory.
 */
export const concatFiles = async (
  connection: Connection,
  files: readonly StoredFile[],
  from: FromOptions,
  options: WriteOptions,
): Promise<readonly NewFile[]> => {
  const ordered = files.toSorted((a, b) => a.minTime - b.minTime || a.id - b.id);
  const ranges = joinRanges(ordered.flatMap((file) => file.ranges));
  const all = fromSql(ordered, from);
  const rows = ordered.reduce((sum, file) => sum + file.rows, 0);
  const [{ dataset }] = ordered as [StoredFile];
  if (dataset !== SEVERAL)
    return [await writeMerged(connection, { all, own: 'TRUE', dataset, ranges, facts: joinFacts(ordered) }, options)];
  // Names of datasets come from agents: they stay in a table and never stand in SQL or in a path as they are.
  await connection.rows(
    `CREATE OR REPLACE TEMP TABLE merging AS
     SELECT row_number() OVER () AS n, * FROM (SELECT ${DATASET} AS dataset, ${FACTS} FROM ${all} GROUP BY dataset)`,
  );
  try {
    const made: NewFile[] = [];
    for (const [n, name, ...rest] of await connection.rows('SELECT * FROM merging ORDER BY n')) {
      const own = `${DATASET} = (SELECT dataset FROM merging WHERE n = ${Number(n)})`;
      made.push(await writeMerged(connection, { all, own, dataset: String(name), ranges, facts: factsOf(rest) }, options));
    }
    const kept = made.reduce((sum, file) => sum + file.rows, 0);
    if (kept !== rows) throw new Error(`merged ${kept} of ${rows} rows`);
    return made;
  } finally {
    await connection.rows('DROP TABLE IF EXISTS merging');
  }
};

/** What the manifest says of several files of one dataset and day together. */
const joinFacts = (files: readonly StoredFile[]): Facts => {
  const of = (pick: (file: StoredFile) => number): readonly number[] => files.map(pick);
  return {
    rows: of((file) => file.rows).reduce((sum, rows) => sum + rows, 0),
    day: (files[0] as StoredFile).day,
    minTime: Math.min(...of((file) => file.minTime)),
    maxTime: Math.max(...of((file) => file.maxTime)),
    minIngest: Math.min(...of((file) => file.minIngest)),
    maxIngest: Math.max(...of((file) => file.maxIngest)),
    messageInOriginal: files.every((file) => file.messageInOriginal),
    generation: Math.min(...of((file) => file.generation)),
  };
};

interface Merging {
  /** The rows of all files; those of the dataset among them. */
  readonly all: string;
  readonly own: string;
  readonly dataset: string;
  readonly ranges: readonly JournalRange[];
  readonly facts: Facts;
}

const writeMerged = async (
  connection: Connection,
  { all, own, dataset, ranges, facts }: Merging,
  options: WriteOptions,
): Promise<NewFile> => {
  const path = `${facts.day}/${nameOf(dataset, ranges, `merged ${dataset}`)}`;
  const temp = await tempFor(options, path);
  const kinds = await frequentKinds(connection, `${all} WHERE ${own}`, options.rowGroupRows);
  const branches = kinds.map((kind) => `"event.dataset" = ${sqlText(kind)}`);
  if (kinds.length > 0) branches.push(`("event.dataset" NOT IN (${kinds.map(sqlText).join(', ')})) IS NOT FALSE`);
  const parts = (branches.length === 0 ? ['TRUE'] : branches).map((branch) => `SELECT * FROM ${all} WHERE ${own} AND ${branch}`);
  await connection.rows(`COPY (${parts.join(' UNION ALL ')}) TO ${sqlText(temp)} ${formatOf(options)}`);
  const [row] = await connection.rows(`SELECT count(*) FROM read_parquet(${sqlText(temp)})`);
  if (Number(row?.[0]) !== facts.rows) throw new Error(`merged ${Number(row?.[0])} of ${facts.rows} rows`);
  const made = await publish(connection, temp, join(options.filesDir, path), facts.rows, facts.messageInOriginal, options);
  return { ...made, ...facts, path, dataset, schema: SCHEMA_ID, ranges };
};

const tempFor = async ({ filesDir }: WriteOptions, path: string): Promise<string> => {
  const temp = join(filesDir, `${path}.part`);
  await mkdir(dirname(temp), { recursive: true, mode: 0o700 });
  return temp;
};

/** Writes a file again without the rows that are hidden; null when none is left. */
export const rewriteFile = async (
  connection: Connection,
  file: StoredFile,
  from: FromOptions,
  options: WriteOptions & { readonly generation: number },
): Promise<NewFile | null> => {
  const path = `${file.day}/${nameOf(file.dataset, file.ranges, `${file.id} without ${options.generation} ${file.dataset}`)}`;
  const temp = await tempFor(options, path);
  await connection.rows(`COPY (SELECT * FROM ${fromSql([file], from)}) TO ${sqlText(temp)} ${formatOf(options)}`);
  const [row = []] = await connection.rows(`SELECT ${FACTS} FROM read_parquet(${sqlText(temp)})`);
  const facts = factsOf(row);
  if (facts.rows === 0) {
    await rm(temp, { force: true });
    return null;
  }
  const { dataset, day, ranges, messageInOriginal } = file;
  const made = await publish(connection, temp, join(options.filesDir, path), facts.rows, messageInOriginal, options);
  return { ...made, ...facts, path, dataset, day, schema: SCHEMA_ID, ranges, messageInOriginal };
};

const MOST_KINDS = 32;

// Kinds of events that fill a block. Names come from decoders; one that is not plain stays with the rest and never stands in SQL.
const frequentKinds = async (connection: Connection, table: string, blockRows: number): Promise<readonly string[]> => {
  const rows = await connection.rows(
    `SELECT "event.dataset" FROM ${table} GROUP BY ALL HAVING count(*) >= ${blockRows} ORDER BY count(*) DESC LIMIT ${MOST_KINDS}`,
  );
  return rows.flatMap(([kind]) => (typeof kind === 'string' && /^[\w.:-]{1,64}$/.test(kind) ? [kind] : [])).sort();
};

const formatOf = ({ level, rowGroupRows }: WriteOptions): string =>
  `(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${level}, ROW_GROUP_SIZE ${rowGroupRows}, PARQUET_VERSION v2)`;

/** Path of the filters of a file. */
export const skipPath = (path: string): string => `${path}.skip`;

/** Indexes a finished file and makes it durable under its own name, its filters first. */
const publish = async (
  connection: Connection,
  temp: string,
  path: string,
  rows: number,
  messageInOriginal: boolean,
  { rowGroupRows }: WriteOptions,
): Promise<{ readonly bytes: number; readonly blocks: readonly Block[] }> => {
  const { blocks, filters } = await indexFile(connection, temp, rows, rowGroupRows, messageInOriginal);
  const skip = skipFile(filters);
  await writeFile(skipPath(path), skip, { mode: 0o600, flush: true });
  const handle = await open(temp, 'r');
  try {
    await handle.sync();
    await rename(temp, path);
    return { bytes: (await handle.stat()).size + skip.length, blocks };
  } finally {
    await handle.close();
    await syncFolder(dirname(path));
    await syncFolder(dirname(dirname(path)));
  }
};

const indexFile = async (
  connection: Connection,
  path: string,
  rows: number,
  blockRows: number,
  messageInOriginal: boolean,
): Promise<{ readonly blocks: readonly Block[]; readonly filters: readonly Uint8Array[] }> => {
  const fields = SKIP_FIELDS.filter((field) => field !== 'message' || !messageInOriginal);
  const joined = [...fields, 'event.id'].map((field) => `string_agg(${sqlName(field)}, chr(${TEXT_END.charCodeAt(0)}))`).join(', ');
  const blocks: Block[] = [];
  const filters: Uint8Array[] = [];
  const builder = new SkipBuilder();
  for (let first = 0; first < rows; first += blockRows) {
    const last = Math.min(first + blockRows, rows) - 1;
    // All texts of a column as one: a value each would cost three times as much as reading and hashing them.
    const [row = []] = await connection.rows(
      `SELECT epoch_ms(min("@timestamp")), epoch_ms(max("@timestamp")), ${joined}
       FROM read_parquet(${sqlText(path)}) WHERE file_row_number BETWEEN ${first} AND ${last}`,
    );
    const [minTime, maxTime, ...texts] = row;
    const ids = texts.pop();
    for (const text of texts) if (typeof text === 'string') builder.addTexts(text);
    if (typeof ids === 'string') builder.addIds(ids);
    filters.push(builder.finish());
    blocks.push({ first, rows: last - first + 1, minTime: Number(minTime ?? 0), maxTime: Number(maxTime ?? 0) });
  }
  return { blocks, filters };
};

const syncFolder = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Removes what the manifest does not know: unfinished writes and files whose removal was cut short. Answers the paths it misses. */
export const tidyFiles = async (filesDir: string, known: ReadonlySet<string>): Promise<readonly string[]> => {
  const present = new Set<string>();
  const kept = new Set([...known].flatMap((path) => [path, skipPath(path)]));
  for (const day of await readdir(filesDir)) {
    if (!(await stat(join(filesDir, day))).isDirectory()) continue;
    for (const name of await readdir(join(filesDir, day))) {
      const path = `${day}/${name}`;
      if (kept.has(path)) present.add(path);
      else await rm(join(filesDir, path), { force: true });
    }
  }
  return [...known].filter((path) => !present.has(path));
};

const slug = (dataset: string): string =>
  dataset
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '') || 'other';

// The same rows make the same name, so a write that was cut short is written over.
const nameOf = (dataset: string, ranges: readonly JournalRange[], what: string): string => {
  const [first] = ranges;
  const stamp = `${String(first?.from ?? 0).padStart(16, '0')}-${sha256(JSON.stringify([what, ranges])).slice(0, 16)}`;
  return `${dataset === SEVERAL ? 'several' : slug(dataset)}-${stamp}.parquet`;
};
