// SPDX-License-Identifier: Apache-2.0
/**
 * Writes sorted Parquet files: temp, fsync, rename, fsync of the directory. The manifest makes them part of the store.
 * Input: rows of hot tables or of smaller files. Output: files below `files/<day>/`, described for the manifest.
 */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../../../core/hash.ts';
import type { JournalRange } from '../../../model/page.ts';
import { SCHEMA_ID, sqlText } from '../../schema.ts';
import { joinRanges } from '../journal-ends.ts';
import type { Connection } from './duck.ts';
import type { NewFile, StoredFile } from './manifest.ts';
import { type FromOptions, fromSql } from './sources.ts';

export interface WriteOptions {
  readonly filesDir: string;
  readonly rowGroupRows: number;
  /** zstd level: 3 for seals, higher where time does not matter. */
  readonly level: number;
}

const DATASET = `coalesce("vigil.dataset", "event.dataset", 'other')`;

/**
 * Writes one file for each dataset in the rows of `table` (a table expression). Nothing is in the store before the manifest says so.
 * The ranges are those the rows come from.
 */
export const writeFiles = async (
  connection: Connection,
  table: string,
  ranges: readonly JournalRange[],
  options: WriteOptions,
): Promise<readonly NewFile[]> => {
  // Names of datasets come from agents: they stay in a table and never stand in SQL or in a path as they are.
  await connection.rows(
    `CREATE OR REPLACE TEMP TABLE sealing AS
     SELECT row_number() OVER () AS n, * FROM (
       SELECT ${DATASET} AS dataset, count(*) AS total,
         epoch_ms(min("@timestamp")), epoch_ms(max("@timestamp")), epoch_ms(min("event.ingested")), epoch_ms(max("event.ingested")),
         bool_and(message IS NULL OR coalesce(contains("event.original", message), FALSE)), max(coalesce("vigil.journal.generation", 0))
       FROM ${table} GROUP BY dataset)`,
  );
  const groups = await connection.rows('SELECT * FROM sealing ORDER BY n');
  const files: NewFile[] = [];
  for (const [n, dataset, rows, minTime, maxTime, minIngest, maxIngest, messageInOriginal, generation] of groups) {
    const newest = Number(maxIngest ?? maxTime ?? 0);
    const day = new Date(newest).toISOString().slice(0, 10);
    const path = `${day}/${slug(String(dataset))}-${stamp(ranges, String(dataset))}.parquet`;
    const one = groups.length === 1 ? '' : `WHERE ${DATASET} = (SELECT dataset FROM sealing WHERE n = ${Number(n)})`;
    const temp = join(options.filesDir, `${path}.part`);
    await mkdir(dirname(temp), { recursive: true, mode: 0o700 });
    await connection.rows(
      `COPY (SELECT * FROM ${table} ${one} ORDER BY "@timestamp", "event.id") TO ${sqlText(temp)} ${formatOf(options)}`,
    );
    const bytes = await publish(temp, join(options.filesDir, path));
    files.push({
      path,
      dataset: String(dataset),
      day,
      rows: Number(rows),
      bytes,
      minTime: Number(minTime ?? 0),
      maxTime: Number(maxTime ?? 0),
      minIngest: Number(minIngest ?? newest),
      maxIngest: newest,
      schema: SCHEMA_ID,
      ranges,
      generation: Number(generation),
      messageInOriginal: messageInOriginal === true,
    });
  }
  await connection.rows('DROP TABLE sealing');
  return files;
};

/**
 * Writes one file with the rows of several of one dataset, one after another. They are sorted each, so row groups stay narrow in time
 * and nothing needs to be held in memory.
 */
export const concatFiles = async (
  connection: Connection,
  files: readonly StoredFile[],
  from: FromOptions,
  options: WriteOptions,
): Promise<NewFile> => {
  const ordered = files.toSorted((a, b) => a.minTime - b.minTime || a.id - b.id);
  const [first] = ordered as [StoredFile];
  const ranges = joinRanges(ordered.flatMap((file) => file.ranges));
  const path = `${first.day}/${slug(first.dataset)}-${stamp(ranges, `merged ${first.dataset}`)}.parquet`;
  const temp = join(options.filesDir, `${path}.part`);
  await mkdir(dirname(temp), { recursive: true, mode: 0o700 });
  await connection.rows(`COPY (SELECT * FROM ${fromSql(ordered, from)}) TO ${sqlText(temp)} ${formatOf(options)}`);
  const [row] = await connection.rows(`SELECT count(*) FROM read_parquet(${sqlText(temp)})`);
  const rows = ordered.reduce((sum, file) => sum + file.rows, 0);
  if (Number(row?.[0]) !== rows) throw new Error(`merged ${Number(row?.[0])} of ${rows} rows`);
  const of = (pick: (file: StoredFile) => number): readonly number[] => ordered.map(pick);
  return {
    path,
    dataset: first.dataset,
    day: first.day,
    rows,
    bytes: await publish(temp, join(options.filesDir, path)),
    minTime: Math.min(...of((file) => file.minTime)),
    maxTime: Math.max(...of((file) => file.maxTime)),
    minIngest: Math.min(...of((file) => file.minIngest)),
    maxIngest: Math.max(...of((file) => file.maxIngest)),
    schema: SCHEMA_ID,
    ranges,
    generation: Math.max(...of((file) => file.generation)),
    messageInOriginal: ordered.every((file) => file.messageInOriginal),
  };
};

const formatOf = ({ level, rowGroupRows }: WriteOptions): string =>
  `(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${level}, ROW_GROUP_SIZE ${rowGroupRows}, PARQUET_VERSION v2)`;

/** Makes a finished file durable under its own name; answers its length. */
const publish = async (temp: string, path: string): Promise<number> => {
  const handle = await open(temp, 'r');
  try {
    await handle.sync();
    await rename(temp, path);
    return (await handle.stat()).size;
  } finally {
    await handle.close();
    await syncFolder(dirname(path));
    await syncFolder(dirname(dirname(path)));
  }
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
  for (const day of await readdir(filesDir)) {
    if (!(await stat(join(filesDir, day))).isDirectory()) continue;
    for (const name of await readdir(join(filesDir, day))) {
      const path = `${day}/${name}`;
      if (known.has(path)) present.add(path);
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
const stamp = (ranges: readonly JournalRange[], dataset: string): string => {
  const [first] = ranges;
  return `${String(first?.from ?? 0).padStart(16, '0')}-${sha256(JSON.stringify([dataset, ranges])).slice(0, 16)}`;
};
