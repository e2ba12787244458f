// SPDX-License-Identifier: Apache-2.0
/**
 * Batches as in-memory tables: each file one table, small tables folded, rows that no load takes buried one by one.
 * Input: whole batch files below `hot/`. Output: tables for the sources.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COLUMNS, type Column, columnsOfMask, ndjsonColumns, ndjsonSelect, sqlText } from '../../schema.ts';
import type { BatchFile } from '../batch-file.ts';
import type { Connection } from './duck.ts';
import { fromTables, type HotTable } from './sources.ts';

export interface HotOptions {
  readonly hotDir: string;
  readonly tempDir: string;
  /** Of the tables' names. */
  readonly prefix?: string;
  /** Told of each row that no load takes: its line in the batch, counted from 0. */
  readonly bury: (batch: BatchFile, line: number, text: Uint8Array, reason: string) => void;
}

const LINE_BYTES = 64 * 1024 * 1024;
// Tables above this are large enough to stand alone.
const SMALL_ROWS = 8192;

/** True when the engine lacked memory: the rows themselves are not to blame. */
export const isOutOfMemory = (error: unknown): boolean => error instanceof Error && /out of memory/i.test(error.message);

export class HotTables {
  readonly #connection: Connection;
  readonly #options: HotOptions;
  #n = 0;

  constructor(connection: Connection, options: HotOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Loads a batch. A batch with rows that cannot be loaded is loaded without them.
   * @throws when the engine lacks memory; nothing is changed then.
   */
  async load(batch: BatchFile): Promise<HotTable> {
    const path = join(this.#options.hotDir, batch.path);
    try {
      return await this.#create(this.#ndjson(path, columnsOfMask(batch.columns)), [batch], batch.rows);
    } catch (error) {
      if (isOutOfMemory(error)) throw error;
      return this.#loadGood(batch, path);
    }
  }

  /** One table in the place of the small ones, or null when there are too few. The caller shows it and drops the others. */
  async fold(
    tables: readonly HotTable[],
    maxTables: number,
  ): Promise<{ readonly gone: readonly HotTable[]; readonly made: HotTable } | null> {
    const small = tables.filter((table) => table.rows < SMALL_ROWS);
    if (small.length <= maxTables) return null;
    const rows = small.reduce((sum, table) => sum + table.rows, 0);
    return {
      gone: small,
      made: await this.#create(
        fromTables(small),
        small.flatMap((table) => table.batches),
        rows,
      ),
    };
  }

  async drop(tables: readonly HotTable[]): Promise<void> {
    for (const table of tables) await this.#connection.rows(`DROP TABLE IF EXISTS ${table.name}`);
  }

  #ndjson(path: string, columns: readonly Column[] = COLUMNS): string {
    return `SELECT ${ndjsonSelect(columns)} FROM read_json(${sqlText(path)}, format = 'newline_delimited', compression = 'uncompressed',
      maximum_object_size = ${LINE_BYTES}, columns = ${ndjsonColumns(columns)})`;
  }

  async #create(select: string, batches: readonly BatchFile[], rows: number): Promise<HotTable> {
    const name = `${this.#options.prefix ?? 'hot'}_${++this.#n}`;
    await this.#connection.rows(`CREATE TABLE ${name} AS ${select}`);
    const [row = []] = await this.#connection.rows(
      `SELECT count(*), epoch_ms(min("@timestamp")), epoch_ms(max("@timestamp")), epoch_ms(min("event.ingested")), epoch_ms(max("event.ingested")) FROM ${name}`,
    );
    const [found, minTime, maxTime, minIngest, maxIngest] = row;
    // A failed load can look like a fast one with too few rows.
    if (Number(found) !== rows) {
      await this.#connection.rows(`DROP TABLE ${name}`);
      throw new Error(`loaded ${Number(found)} of ${rows} rows`);
    }
    return {
      name,
      rows,
      bytes: batches.reduce((sum, batch) => sum + batch.bytes, 0),
      minTime: numberOr(minTime, Number.POSITIVE_INFINITY),
      maxTime: numberOr(maxTime, Number.NEGATIVE_INFINITY),
      minIngest: numberOr(minIngest, Number.POSITIVE_INFINITY),
      maxIngest: numberOr(maxIngest, Number.NEGATIVE_INFINITY),
      batches,
    };
  }

  async #loadGood(batch: BatchFile, path: string): Promise<HotTable> {
    // Where even a row that is surely right fails, the rows are not to blame: none may be buried for it.
    await this.drop([await this.#fromLines([PROBE], (temp) => this.#create(this.#ndjson(temp), [], 1))]);
    const lines = linesOf(await readFile(path));
    const bad = new Set<number>();
    await this.#findBad(batch, lines, 0, lines.length, bad);
    const good = lines.filter((_, i) => !bad.has(i));
    return this.#fromLines(good, (temp) => this.#create(this.#ndjson(temp), [batch], good.length));
  }

  async #findBad(batch: BatchFile, lines: readonly Uint8Array[], from: number, to: number, bad: Set<number>): Promise<void> {
    if (from >= to) return;
    try {
      const table = await this.#fromLines(lines.slice(from, to), (temp) => this.#create(this.#ndjson(temp), [], to - from));
      await this.drop([table]);
    } catch (error) {
      if (isOutOfMemory(error)) throw error;
      if (to - from === 1) {
        bad.add(from);
        this.#options.bury(batch, from, lines[from] as Uint8Array, error instanceof Error ? error.message : String(error));
        return;
      }
      const middle = (from + to) >> 1;
      await this.#findBad(batch, lines, from, middle, bad);
      await this.#findBad(batch, lines, middle, to, bad);
    }
  }

  async #fromLines<T>(lines: readonly Uint8Array[], use: (path: string) => Promise<T>): Promise<T> {
    const temp = join(this.#options.tempDir, `${this.#options.prefix ?? 'hot'}-${++this.#n}.ndjson`);
    await writeFile(temp, Buffer.concat(lines.flatMap((line) => [line, LINE_END])));
    try {
      return await use(temp);
    } finally {
      await rm(temp, { force: true });
    }
  }
}

const LINE_END = Buffer.from('\n');
const PROBE = Buffer.from('{"@timestamp":0,"event.id":"probe"}');

const linesOf = (content: Buffer): readonly Uint8Array[] => {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let end = content.indexOf(10); end >= 0; end = content.indexOf(10, from)) {
    lines.push(content.subarray(from, end));
    from = end + 1;
  }
  if (from < content.length) lines.push(content.subarray(from));
  return lines;
};

const numberOr = (value: unknown, otherwise: number): number => (value === null || value === undefined ? otherwise : Number(value));
