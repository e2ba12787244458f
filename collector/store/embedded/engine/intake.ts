// SPDX-License-Identifier: Apache-2.0
/**
 * Everything that changes the store: loads batches, folds and seals tables, merges and expires files. One change at a time of each kind.
 * Input: batch files, asks of the collector. Output: sources that searches read; a manifest that a restart reads.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnixMs } from '../../../../core/units.ts';
import { fault } from '../../../errors.ts';
import type { JournalRange } from '../../../model/page.ts';
import { planExpiry } from '../../retention.ts';
import { type BatchFile, isWhole, listBatches } from '../batch-file.ts';
import { JournalEnds, joinRanges } from '../journal-ends.ts';
import type { Connection } from './duck.ts';
import { concatFiles, skipPath, tidyFiles, writeSealed } from './files.ts';
import { HotTables, isOutOfMemory } from './hot.ts';
import type { Manifest, Replaced, StoredFile } from './manifest.ts';
import { mergeable } from './merge.ts';
import type { Asks, EngineOptions, FromEngine, Positions } from './protocol.ts';
import { dropHidden, replacedBy, writeReplacement } from './replace.ts';
import { type FromOptions, fromSql, type HotTable, type Sources } from './sources.ts';

export interface IntakeParts {
  readonly options: EngineOptions;
  readonly manifest: Manifest;
  readonly sources: Sources;
  /** Loads, folds and drops. */
  readonly loader: Connection;
  /** Seals, while loading goes on. */
  readonly sealer: Connection;
  /** Merges, beside both. */
  readonly merger: Connection;
  readonly from: FromOptions;
  readonly send: (message: FromEngine) => void;
}

// Loading waits for the seal when this many times its rows are in memory.
const MOST_SEALS_IN_MEMORY = 2;
// Rows between two ticks up to which it is quiet, and how many small files of a dataset and day are merged then and otherwise: a merge costs
// what a seal does, so in a storm it waits until searches would feel the files.
const QUIET_ROWS = 10_000;
const MERGE_WHEN_QUIET = 8;
const MERGE_WHEN_BUSY = 128;
// A batch of this size was cut because it was full: more waits behind it, however slowly it comes.
const FULL_BYTES = 4_000_000;
// Starts that may end while the same batch is loaded, before it is set aside.
const MOST_TRIES = 3;

export class Intake {
  readonly #parts: IntakeParts;
  readonly #hot: HotTables;
  readonly #hotDir: string;
  readonly #held: JournalEnds;
  #loading: Promise<unknown> = Promise.resolve();
  #sealed: Promise<unknown> = Promise.resolve();
  #filing: Promise<unknown> = Promise.resolve();
  #seal: Promise<void> | null = null;
  readonly #sealing = new Set<HotTable>();
  /** When the oldest batch in memory was loaded, monotonic. */
  #oldest: number | null = null;
  #loadedRows = 0;
  #loadedFull = false;
  #merging = false;
  #dropping = false;

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
      const tries = manifest.attempt(batch.path);
      if (tries > MOST_TRIES) await this.#setAside(batch, tries);
      else await this.#load(batch);
      manifest.succeeded(batch.path);
    }
    for (const end of manifest.sealed()) if (!this.#held.endOf(end)) this.#held.reach(end);
  }

  // A batch that ends the process each time it is loaded must not keep the store down. Its events stay in the journal, and here.
  async #setAside(batch: BatchFile, tries: number): Promise<void> {
    const path = join(this.#hotDir, batch.path);
    const reason = `the engine ended ${tries - 1} times while loading it`;
    this.#parts.manifest.bury(batch.path, 0, await readFile(path), reason, Date.now());
    this.#held.reach({ collector: batch.collector, incarnation: batch.incarnation, offset: batch.to });
    this.#log('error', 'store.batch.set_aside', { batch: batch.path, rows: batch.rows, reason });
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
    this.#loadedRows += batch.rows;
    this.#loadedFull ||= batch.bytes >= FULL_BYTES;
    // The batch is searchable; what follows is housekeeping and fails by itself.
    await this.#foldIfDue().catch((error: unknown) => this.#failed('store.fold.failed', error));
    await this.#sealIfDue().catch((error: unknown) => this.#failed('store.seal.failed', error));
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
      // Without a merge and with the tables sealed there is room; a batch that does not fit then does not fit at all.
      if (this.#merging) this.#parts.merger.interrupt();
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
      else done.catch((error: unknown) => this.#failed('store.seal.failed', error));
    }
  }

  /** To be called every few seconds: seals what is old enough, merges small files when it is quiet or there are many. */
  tick(): void {
    if (this.#oldest !== null && performance.now() - this.#oldest >= this.#parts.options.sealAgeMs)
      this.seal().catch((error: unknown) => this.#failed('store.seal.failed', error));
    const quiet = this.#loadedRows <= QUIET_ROWS && !this.#loadedFull;
    this.#loadedRows = 0;
    this.#loadedFull = false;
    // Rows that a batch brought after its range was replaced, or that the last end left.
    if (this.#parts.sources.replaced.length > 0 && quiet) void this.#dropHidden();
    if (!this.#merging)
      this.merge(quiet ? MERGE_WHEN_QUIET : MERGE_WHEN_BUSY, 1).catch((error: unknown) => this.#failed('store.merge.failed', error));
  }

  #failed(event: string, error: unknown): void {
    this.#log('error', event, { reason: error instanceof Error ? error.message : String(error) });
  }

  /** Writes everything loaded before into files. A seal that is under way is waited for first. */
  seal(): Promise<void> {
    if (this.#seal === null) {
      this.#seal = this.#sealed.then(() => {
        this.#seal = null;
        return this.#sealNow();
      });
      this.#sealed = this.#seal.catch(() => {});
    }
    return this.#seal;
  }

  async #sealNow(): Promise<void> {
    const { sources, sealer, manifest, options } = this.#parts;
    const tables = sources.tables;
    // Empty batches have no table, but their ranges are sealed with what lies before them.
    const ends = this.#held.all();
    const oldest = this.#oldest;
    this.#oldest = null;
    if (tables.length === 0) {
      manifest.seal([], ends);
    } else {
      for (const table of tables) this.#sealing.add(table);
      try {
        const batches = tables.flatMap((table) => table.batches);
        const table = fromSql(tables, this.#parts.from);
        const files = await writeSealed(sealer, table, joinRanges(batches), {
          filesDir: this.#parts.from.filesDir,
          rowGroupRows: options.rowGroupRows,
          level: 3,
        });
        this.#show({ goneTables: tables, newFiles: manifest.seal(files, ends) });
      } catch (error) {
        this.#oldest = oldest;
        throw error;
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

  /** Merges small files of a day, at most `most` groups; answers how many files went. What held several datasets becomes a file for each first. */
  merge(minFiles: number, most = Number.POSITIVE_INFINITY): Promise<number> {
    return this.#file(async () => {
      const { sources, merger, manifest, options, from } = this.#parts;
      let gone = 0;
      this.#merging = true;
      try {
        for (let done = 0; done < most; done++) {
          const [files] = mergeable(sources.files, minFiles);
          if (files === undefined) break;
          const made = await concatFiles(merger, files, from, { filesDir: from.filesDir, rowGroupRows: options.rowGroupRows, level: 9 });
          const ids = files.map((file) => file.id);
          this.#show({ goneFiles: files, newFiles: manifest.replace(ids, made) });
          gone += files.length;
        }
      } finally {
        this.#merging = false;
      }
      return gone;
    });
  }

  /** Puts a newer generation in the place of older rows of its ranges, together (P5); answers how many rows it has. */
  replace(ask: Asks['replace']['ask']): Promise<number> {
    return this.#file(async () => {
      const { manifest } = this.#parts;
      const files = await writeReplacement(this.#replacing(), ask.batches);
      const made = manifest.replaceRanges(files, replacedBy(ask));
      this.#show({ newFiles: made, replaced: manifest.replaced() });
      void this.#dropHidden();
      return made.reduce((sum, file) => sum + file.rows, 0);
    });
  }

  /** Writes files with hidden rows again without them, one after another, while nothing else waits for its turn longer than for one. */
  async #dropHidden(): Promise<void> {
    const next = (): Promise<boolean> =>
      this.#file(async () => {
        const { manifest } = this.#parts;
        const change = await dropHidden(this.#replacing());
        if (change === null) return false;
        const newFiles = manifest.replace([change.gone.id], change.made === null ? [] : [change.made]);
        this.#show({ goneFiles: [change.gone], newFiles });
        return true;
      });
    if (this.#dropping) return;
    this.#dropping = true;
    try {
      while (await next());
    } catch (error) {
      this.#failed('store.drop.failed', error);
    } finally {
      this.#dropping = false;
    }
  }

  #replacing() {
    const { options, manifest, sources, merger, from } = this.#parts;
    return { options, manifest, sources, connection: merger, from };
  }

  /** Removes whole files by age of ingest, bytes and holds. */
  expire(olderThan: UnixMs, maxBytes: number): Promise<{ readonly files: number; readonly events: number; readonly bytes: number }> {
    return this.#file(async () => {
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
    replaced?: readonly Replaced[];
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

  // Merging and expiry take files away: one after the other.
  #file<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#filing.then(act);
    this.#filing = done.catch(() => {});
    return done;
  }

  #log(level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.send({ notice: 'log', level, event, fields });
  }
}

const touches = (a: JournalRange, b: JournalRange): boolean =>
  a.collector === b.collector && a.incarnation === b.incarnation && a.from < b.to && b.from < a.to;
