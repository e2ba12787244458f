// SPDX-License-Identifier: Apache-2.0
/**
 * Everything that changes the store: loads batches, folds and seals tables, merges and expires files. One change at a time of each kind.
 * Input: batch files, asks of the collector. Output: sources that searches read; a manifest that a restart reads.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnixMs } from '../../../../core/units.ts';
import { fault } from '../../../errors.ts';
import type { JournalRange } from '../../../model/page.ts';
import { planExpiry } from '../../retention.ts';
import { type BatchFile, isWhole, listBatches } from '../batch-file.ts';
import { JournalEnds, joinRanges } from '../journal-ends.ts';
import type { Connection } from './duck.ts';
import { concatFiles, skipPath, tidyFiles, writeFiles } from './files.ts';
import { HotTables, isOutOfMemory } from './hot.ts';
import type { Manifest, StoredFile } from './manifest.ts';
import { mergeable } from './merge.ts';
import type { EngineOptions, FromEngine, Positions } from './protocol.ts';
import { type FromOptions, fromSql, type HotTable, type Snapshot, type Sources } from './sources.ts';

export interface IntakeParts {
  readonly options: EngineOptions;
  readonly manifest: Manifest;
  readonly sources: Sources;
  /** Loads, folds and drops. */
  readonly loader: Connection;
  /** Seals and merges, while loading goes on. */
  readonly sealer: Connection;
  readonly from: FromOptions;
  readonly send: (message: FromEngine) => void;
}

// Loading waits for the seal when this many times its rows are in memory.
const MOST_SEALS_IN_MEMORY = 2;

export class Intake {
  readonly #parts: IntakeParts;
  readonly #hot: HotTables;
  readonly #hotDir: string;
  readonly #held: JournalEnds;
  #loading: Promise<unknown> = Promise.resolve();
  #changing: Promise<unknown> = Promise.resolve();
  #seal: Promise<void> | null = null;
  #oldest: number | null = null;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#hotDir = join(parts.options.dir, 'hot');
    this.#held = new JournalEnds(parts.manifest.sealed());
    this.#hot = new HotTables(parts.loader, {
      hotDir: this.#hotDir,
      tempDir: join(parts.options.dir, 'tmp'),
      bury: (batch, line, text, reason) => parts.manifest.bury(batch.path, line, text, reason, Date.now()),
    });
  }

  /** Brings back what a crash left: whole batches in journal order up to the first that is broken or missing; the journal has the rest. */
  async start(): Promise<void> {
    const { manifest, sources, options } = this.#parts;
    const missing = new Set(await tidyFiles(join(options.dir, 'files'), new Set(sources.files.map((file) => file.path))));
    if (missing.size > 0) {
      sources.change({ goneFiles: sources.files.filter((file) => missing.has(file.path)) });
      this.#log('error', 'store.files.missing', { files: [...missing].slice(0, 20), count: missing.size });
    }
    const stopped = new Set<string>();
    for (const batch of await listBatches(this.#hotDir)) {
      const journal = `${batch.collector} ${batch.incarnation}`;
      const place = this.#held.placeOf(batch);
      if (place !== 'held' && place !== 'next') stopped.add(journal);
      if (place === 'held' || stopped.has(journal) || !(await isWhole(this.#hotDir, batch))) {
        if (place !== 'held') {
          stopped.add(journal);
          this.#log('warn', 'store.batch.broken', { batch: batch.path });
        }
        await rm(join(this.#hotDir, batch.path), { force: true });
        continue;
      }
      await this.#load(batch);
    }
    for (const end of manifest.sealed()) if (!this.#held.endOf(end)) this.#held.reach(end);
  }

  positions(): Positions {
    return { held: this.#held.all(), sealed: this.#parts.manifest.sealed() };
  }

  /** Rows and bytes in memory. */
  hot(): { readonly rows: number; readonly bytes: number } {
    const { tables } = this.#parts.sources;
    return { rows: tables.reduce((sum, t) => sum + t.rows, 0), bytes: tables.reduce((sum, t) => sum + t.bytes, 0) };
  }

  /**
   * Makes a batch searchable; one already held is passed over.
   * @throws CodedError STORE_RANGE_BROKEN when the batch begins inside what is held.
   */
  load(batch: BatchFile): Promise<void> {
    const loaded = this.#loading.then(() => this.#load(batch));
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  async #load(batch: BatchFile): Promise<void> {
    const place = this.#held.placeOf(batch);
    if (place === 'held') return;
    const { collector, incarnation } = batch;
    if (place === 'overlap') throw fault('STORE_RANGE_BROKEN', { from: batch.from, to: batch.to, held: this.#held.endOf(batch) ?? 0 });
    if (place === 'first') this.#parts.manifest.begin({ collector, incarnation, offset: batch.from });
    if (batch.rows > 0) this.#parts.sources.change({ newTables: [await this.#loadTable(batch)] });
    this.#held.reach({ collector, incarnation, offset: batch.to });
    this.#oldest ??= performance.now();
    await this.#foldIfDue();
    await this.#sealIfDue();
  }

  async #foldIfDue(): Promise<void> {
    const free = (table: HotTable): boolean => !this.#sealing.has(table) && this.#parts.sources.tables.includes(table);
    const folded = await this.#hot.fold(this.#parts.sources.tables.filter(free), this.#parts.options.maxTables);
    if (folded === null) return;
    // A seal that began meanwhile writes the small tables themselves.
    if (folded.gone.every(free)) this.#show({ goneTables: folded.gone, newTables: [folded.made] });
    else await this.#hot.drop([folded.made]);
  }

  async #loadTable(batch: BatchFile): Promise<HotTable> {
    try {
      const table = await this.#hot.load(batch);
      const refused = batch.rows - table.rows;
      if (refused > 0) this.#log('warn', 'store.rows.refused', { batch: batch.path, rows: refused });
      return table;
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      // Sealing empties the memory; a batch that does not fit then does not fit at all.
      await this.seal();
      return this.#hot.load(batch);
    }
  }

  async #sealIfDue(): Promise<void> {
    const { options } = this.#parts;
    const { rows, bytes } = this.hot();
    const sealing = [...this.#sealing].reduce((sum, table) => sum + table.rows, 0);
    const sealingBytes = [...this.#sealing].reduce((sum, table) => sum + table.bytes, 0);
    if (rows - sealing >= options.sealRows || bytes - sealingBytes >= options.sealBytes) {
      const done = this.seal();
      if (rows > options.sealRows * MOST_SEALS_IN_MEMORY || bytes > options.sealBytes * MOST_SEALS_IN_MEMORY) await done;
      else done.catch((error: unknown) => this.#sealFailed(error));
    }
  }

  /** To be called now and then: seals what is older than the set age. */
  tick(): void {
    if (this.#oldest === null || performance.now() - this.#oldest < this.#parts.options.sealAgeMs) return;
    this.seal().catch((error: unknown) => this.#sealFailed(error));
  }

  #sealFailed(error: unknown): void {
    this.#log('error', 'store.seal.failed', { reason: error instanceof Error ? error.message : String(error) });
  }

  readonly #sealing = new Set<HotTable>();

  /** Writes everything loaded before into files. A seal that is under way is waited for first. */
  seal(): Promise<void> {
    if (this.#seal === null) {
      this.#seal = this.#change(() => {
        this.#seal = null;
        return this.#sealNow();
      });
    }
    return this.#seal;
  }

  async #sealNow(): Promise<void> {
    const { sources, sealer, manifest, options } = this.#parts;
    const tables = sources.tables;
    // Empty batches have no table, but their ranges are sealed with what lies before them.
    const ends = this.#held.all();
    this.#oldest = null;
    if (tables.length === 0) {
      manifest.seal([], ends);
    } else {
      for (const table of tables) this.#sealing.add(table);
      try {
        const batches = tables.flatMap((table) => table.batches);
        const table = fromSql(tables, this.#parts.from);
        const files = await writeFiles(sealer, table, joinRanges(batches), {
          filesDir: this.#parts.from.filesDir,
          rowGroupRows: options.rowGroupRows,
          level: 3,
        });
        this.#show({ goneTables: tables, newFiles: manifest.seal(files, ends) });
      } finally {
        for (const table of tables) this.#sealing.delete(table);
      }
    }
    await this.#dropSealedBatches();
    this.#parts.send({ notice: 'sealed', positions: this.positions() });
  }

  async #dropSealedBatches(): Promise<void> {
    const sealed = new JournalEnds(this.#parts.manifest.sealed());
    for (const batch of await listBatches(this.#hotDir))
      if (sealed.placeOf(batch) === 'held') await rm(join(this.#hotDir, batch.path), { force: true });
  }

  /** Merges small files of one dataset and day; answers how many files went. */
  merge(minFiles: number): Promise<number> {
    return this.#change(async () => {
      const { sources, sealer, manifest, options, from } = this.#parts;
      let gone = 0;
      for (const files of mergeable(sources.files, minFiles)) {
        const snapshot: Snapshot = sources.open();
        try {
          const made = await concatFiles(sealer, files, from, { filesDir: from.filesDir, rowGroupRows: options.rowGroupRows, level: 9 });
          this.#show({
            goneFiles: files,
            newFiles: manifest.replace(
              files.map((file) => file.id),
              [made],
            ),
          });
          gone += files.length;
        } finally {
          snapshot.release();
        }
      }
      return gone;
    });
  }

  /** Removes whole files by age of ingest, bytes and holds. */
  expire(olderThan: UnixMs, maxBytes: number): Promise<{ readonly files: number; readonly events: number; readonly bytes: number }> {
    return this.#change(async () => {
      const { sources, manifest } = this.#parts;
      const holds = manifest.holds();
      const going = new Set(
        planExpiry(
          sources.files.map((file) => ({
            id: file.id,
            bytes: file.bytes,
            newestIngest: file.maxIngest as UnixMs,
            held: holds.some((hold) => file.ranges.some((range) => touches(hold, range))),
          })),
          { olderThan, maxBytes: maxBytes as never },
        ),
      );
      const gone = sources.files.filter((file) => going.has(file.id));
      manifest.replace([...going], []);
      this.#show({ goneFiles: gone });
      return {
        files: gone.length,
        events: gone.reduce((sum, file) => sum + file.rows, 0),
        bytes: gone.reduce((sum, file) => sum + file.bytes, 0),
      };
    });
  }

  #show(change: {
    goneTables?: readonly HotTable[];
    newTables?: readonly HotTable[];
    goneFiles?: readonly StoredFile[];
    newFiles?: readonly StoredFile[];
  }): void {
    const { goneTables = [], goneFiles = [] } = change;
    this.#parts.sources.change(change, () => {
      this.#remove(goneTables, goneFiles).catch((error: unknown) => this.#log('warn', 'store.waste.stays', { reason: String(error) }));
    });
  }

  async #remove(tables: readonly HotTable[], files: readonly StoredFile[]): Promise<void> {
    await this.#hot.drop(tables);
    for (const { path } of files)
      for (const name of [path, skipPath(path)]) await rm(join(this.#parts.from.filesDir, name), { force: true });
  }

  #change<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(act);
    this.#changing = done.catch(() => {});
    return done;
  }

  #log(level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.send({ notice: 'log', level, event, fields });
  }
}

const touches = (a: JournalRange, b: JournalRange): boolean =>
  a.collector === b.collector && a.incarnation === b.incarnation && a.from < b.to && b.from < a.to;
