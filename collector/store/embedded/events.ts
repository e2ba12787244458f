// SPDX-License-Identifier: Apache-2.0
/**
 * The event store of one machine: batches go to disk and into the engine's memory, searches wait for what was appended before them.
 * Input: batches of the pass, queries. Output: answers with the position they saw. Port: `EventStore` in `store/store.ts`.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../core/clock.ts';
import type { EcsField } from '../../../core/ecs.ts';
import { isCoded, toError } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { mib, ms } from '../../../core/units.ts';
import { fault } from '../../errors.ts';
import type { JournalPosition, JournalRange } from '../../model/page.ts';
import type { EventBatch, EventQuery, EventStore, EventStoreStatus, SearchState } from '../store.ts';
import { type BatchFile, batchFile, removeUnfinished, writeBatch } from './batch-file.ts';
import type { EngineOptions, Query } from './engine/protocol.ts';
import { EngineProcess } from './engine-process.ts';
import { JournalEnds } from './journal-ends.ts';

export interface EventsOptions {
  /** Folder of the event store; made when missing. */
  readonly dir: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Sizes of the engine; the defaults suit two cores and an ordinary load. */
  readonly engine?: Partial<Omit<EngineOptions, 'dir'>>;
  /** Resident memory above which the engine's process is replaced. */
  readonly maxRssBytes?: number;
  /** How long a search waits for what was appended before it (P4). */
  readonly catchUpMs?: number;
  /** How long a question may take before it fails with STORE_BUSY. */
  readonly limitMs?: number;
  /** How long the engine's process may be silent before it is replaced. */
  readonly hangMs?: number;
  /**
   * Called when a question begins: brings what the journal holds into `append`, waiting at most the given time.
   * Answers by how many milliseconds the store is still behind the journal's end.
   */
  readonly catchUp?: (limitMs: number) => Promise<number>;
  /** Told while the disk refuses batches, which are tried again; null when they are taken. */
  readonly onRefused?: (reason: string | null) => void;
}

/** The port, and what only this engine offers. */
export interface EmbeddedEvents extends EventStore {
  /** Ends of what lies fsynced in files: the journal may let go of what lies before. */
  sealed(): readonly JournalPosition[];
  /** Keeps the files that hold these ranges from expiry, under a name; no ranges lift it. */
  hold(name: string, ranges: readonly JournalRange[]): Promise<void>;
  /** Merges small files where at least so many of one dataset and day lie; answers how many went. */
  merge(minFiles: number): Promise<number>;
  /** Links of all that the store consists of now, below a folder that must not exist; answers the paths there. For a backup. */
  snapshot(into: string): Promise<readonly string[]>;
  /** Process id of the engine; it changes with a restart. */
  enginePid(): number | undefined;
}

const DEFAULTS: Omit<EngineOptions, 'dir'> = {
  memoryBytes: mib(250),
  tempBytes: mib(2048),
  sealRows: 60_000,
  sealBytes: mib(32),
  sealAgeMs: 3_600_000,
  maxTables: 16,
  rowGroupRows: 8192,
};
// A load or a seal is not a question: it may take as long as a slow disk does.
const WORK_LIMIT_MS = 600_000;
const REPLACE_LIMIT_MS = 86_400_000;
const RETRY_MS = ms(2_000);

/**
 * Opens the store and its engine.
 * @throws CodedError STORE_ENGINE_DOWN when the engine does not start.
 */
export const openEvents = async (options: EventsOptions): Promise<EmbeddedEvents> => {
  const {
    dir,
    clock = systemClock,
    log,
    catchUpMs = 2000,
    limitMs = 30_000,
    maxRssBytes = mib(900),
    hangMs = 20_000,
    catchUp = async () => 0,
    onRefused = () => {},
  } = options;
  const closing = new AbortController();
  const hotDir = join(dir, 'hot');
  await mkdir(hotDir, { recursive: true, mode: 0o700 });
  await removeUnfinished(hotDir);
  let ends = new JournalEnds();
  let sealed: readonly JournalPosition[] = [];
  const engine = await EngineProcess.open({
    engine: { ...DEFAULTS, ...options.engine, dir },
    clock,
    maxRssBytes,
    hangMs,
    onPositions: (positions) => {
      ends = new JournalEnds(positions.held);
      sealed = positions.sealed;
    },
    onLog: (level, event, fields) => log?.[level]({ event, ...fields }, 'event store'),
  });

  let appending: Promise<void> = Promise.resolve();
  let pending = 0;
  let pendingSince = 0;

  const appendNow = async (batch: EventBatch): Promise<void> => {
    await engine.ready();
    const place = ends.placeOf(batch.range);
    if (place === 'held') return;
    if (place === 'overlap')
      throw fault('STORE_RANGE_BROKEN', { from: batch.range.from, to: batch.range.to, held: ends.endOf(batch.range) ?? 0 });
    const file = batchFile(batch);
    for (let refused = false; ; ) {
      try {
        await writeBatch(hotDir, file, batch.ndjson);
        await engine.ask('load', { batch: file }, WORK_LIMIT_MS);
        if (refused) onRefused(null);
        break;
      } catch (error) {
        if (isCoded(error, 'STORE_RANGE_BROKEN') || closing.signal.aborted) throw error;
        // The next process finds the file by itself; asking again then only waits for it.
        if (isCoded(error, 'STORE_ENGINE_DOWN')) await engine.ready();
        else {
          // A disk that is full, or an engine that finds no room for a seal: the batch is in the journal, and waits.
          refused = true;
          onRefused(toError(error).message);
          await clock.sleep(RETRY_MS, closing.signal);
          if (closing.signal.aborted) throw fault('STORE_CLOSED', {}, error);
        }
      }
    }
    ends.reach({ collector: batch.range.collector, incarnation: batch.range.incarnation, offset: batch.range.to });
  };

  /** Waits for what was appended before; answers by how much the store is behind (P4). */
  const settle = async (): Promise<number> => {
    const deadline = clock.monotonic() + catchUpMs;
    const behind = await catchUp(catchUpMs);
    if (pending === 0) return behind;
    const before = appending.then(() => true);
    const done = new AbortController();
    const late = clock.sleep(ms(Math.max(0, deadline - clock.monotonic())), done.signal).then(() => false);
    const all = await Promise.race([before, late]);
    done.abort();
    return all ? behind : Math.max(behind, clock.monotonic() - pendingSince);
  };

  const asked = (query: EventQuery): Query => ({ ...query, now: clock.now() });
  const ask = async <T>(act: () => Promise<T>): Promise<{ readonly answer: T; readonly state: SearchState }> => {
    const lagMs = await settle();
    await engine.ready();
    const position = ends.last();
    try {
      return { answer: await act(), state: { position, lagMs } };
    } catch (error) {
      if (!isCoded(error, 'STORE_ENGINE_DOWN')) throw error;
      // Once: a question that ends the engine must not do so for ever.
      await engine.ready();
      return { answer: await act(), state: { position, lagMs } };
    }
  };
  const bound = (what: string, value: number, most: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw fault('USAGE', { reason: `${what} is ${value}, which is not a whole number from 1 to ${most}` });
  };

  return {
    append: (batch) => {
      if (pending++ === 0) pendingSince = clock.monotonic();
      const done = appending.then(() => appendNow(batch));
      appending = done.then(
        () => {},
        () => {},
      );
      const settled = (): void => {
        pending--;
      };
      done.then(settled, settled);
      return done;
    },
    position: async () => {
      await engine.ready();
      return ends.last();
    },
    search: async (query, { limit, after, order = 'newest' }) => {
      bound('limit', limit, 10_000);
      const { answer, state } = await ask(() => engine.ask('search', { query: asked(query), limit, after: after ?? null, order }, limitMs));
      return { ...answer, state };
    },
    get: async (ids) => {
      if (ids.length === 0) return [];
      bound('the number of ids', ids.length, 10_000);
      return (await ask(() => engine.ask('get', { ids }, limitMs))).answer;
    },
    count: async (query) => {
      const { answer, state } = await ask(() => engine.ask('count', { query: asked(query) }, limitMs));
      return { count: answer, state };
    },
    top: async (query, field: EcsField, limit) => {
      bound('limit', limit, 1000);
      return (await ask(() => engine.ask('top', { query: asked(query), field, limit }, limitMs))).answer;
    },
    histogram: async (query, buckets) => {
      bound('buckets', buckets, 1000);
      return (await ask(() => engine.ask('histogram', { query: asked(query), buckets }, limitMs))).answer;
    },
    fields: async (query) => (await ask(() => engine.ask('fields', { query: asked(query) }, limitMs))).answer,
    replace: async (what, batches) => {
      const staging = join(dir, 'redecode');
      const files: BatchFile[] = [];
      await rm(staging, { recursive: true, force: true });
      try {
        for await (const batch of batches) {
          const file = batchFile({ ...batch, generation: what.generation });
          await writeBatch(staging, file, batch.ndjson);
          files.push(file);
        }
        await engine.ready();
        return { events: await engine.ask('replace', { what, batches: files }, REPLACE_LIMIT_MS) };
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    },
    expire: async (keep) => {
      await engine.ready();
      return engine.ask('expire', keep, WORK_LIMIT_MS);
    },
    flush: async () => {
      await appending;
      await engine.ready();
      await engine.ask('seal', null, WORK_LIMIT_MS);
    },
    status: async (): Promise<EventStoreStatus> => {
      await engine.ready();
      const status = await engine.ask('status', null, limitMs);
      return { ...status, engine: { rssBytes: engine.rssBytes, restarts: engine.restarts } };
    },
    close: async () => {
      closing.abort();
      // What is being appended is on disk or will be asked for again: nothing is waited for.
      await engine.close();
      await appending;
    },
    sealed: () => sealed,
    hold: async (name, ranges) => {
      await engine.ready();
      await engine.ask('hold', { name, ranges }, limitMs);
    },
    merge: async (minFiles) => {
      await engine.ready();
      return engine.ask('merge', { minFiles }, WORK_LIMIT_MS);
    },
    snapshot: async (into) => {
      await engine.ready();
      return engine.ask('snapshot', { into }, WORK_LIMIT_MS);
    },
    enginePid: () => engine.pid,
  };
};
