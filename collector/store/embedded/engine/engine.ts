// SPDX-License-Identifier: Apache-2.0
/**
 * The engine: opens DuckDB and the manifest over the store's folder and answers asks, searches beside loads.
 * Input: asks by number. Output: answers and notices, given to `send`.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../../../core/errors.ts';
import { unixMs } from '../../../../core/units.ts';
import { fault } from '../../../errors.ts';
import * as aggregate from './aggregate.ts';
import { type Connection, openDuck } from './duck.ts';
import { isOutOfMemory } from './hot.ts';
import { Intake } from './intake.ts';
import { Manifest } from './manifest.ts';
import type { AskKind, Asks, CrossedError, EngineOptions, FromEngine, Positions, ToEngine } from './protocol.ts';
import { Readers } from './readers.ts';
import { REDECODE } from './replace.ts';
import { getEvents, search } from './search.ts';
import { snapshot } from './snapshot.ts';
import { type FromOptions, type Snapshot, Sources } from './sources.ts';

export interface Engine {
  take(message: ToEngine): void;
  positions(): Positions;
}

const READERS = 2;
const TICK_MS = 5000;

type Handlers = { readonly [K in AskKind]: (ask: Asks[K]['ask'], id: number) => Promise<Asks[K]['answer']> };

/** Opens the store's folder and loads what a restart must know. Resolves when it can answer. */
export const openEngine = async (options: EngineOptions, send: (message: FromEngine) => void): Promise<Engine> => {
  const [hotDir, filesDir, tempDir] = ['hot', 'files', 'tmp'].map((name) => join(options.dir, name)) as [string, string, string];
  await rm(tempDir, { recursive: true, force: true });
  for (const dir of [hotDir, filesDir, tempDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
  const manifest = new Manifest(join(options.dir, 'manifest.db'));
  const duck = await openDuck({
    memoryBytes: options.memoryBytes,
    tempBytes: options.tempBytes,
    tempDir,
    folders: [hotDir, filesDir, join(options.dir, REDECODE)],
  });
  const sources = new Sources(manifest.files(), manifest.replaced());
  const from = { filesDir, columnsOf: manifest.columns() };
  const intake = new Intake({
    options,
    manifest,
    sources,
    loader: await duck.connect(),
    sealer: await duck.connect(),
    merger: await duck.connect(),
    from,
    send,
  });
  await intake.start();
  setInterval(() => intake.tick(), TICK_MS).unref();

  const readers = new Readers(await Promise.all(Array.from({ length: READERS }, () => duck.connect())));
  const read = <T>(id: number, act: (connection: Connection, snapshot: Snapshot, from: FromOptions) => Promise<T>): Promise<T> =>
    readers.run(id, async (connection) => {
      const moment = sources.open();
      try {
        return await act(connection, moment, { ...from, hidden: moment.hidden });
      } finally {
        moment.release();
      }
    });

  const handlers: Handlers = {
    load: async ({ batch }) => {
      await intake.load(batch);
      return null;
    },
    search: (ask, id) => read(id, (connection, snapshot, seen) => search(connection, snapshot, ask, seen)),
    get: ({ ids }, id) => read(id, (connection, snapshot, seen) => getEvents(connection, snapshot, ids, seen)),
    count: ({ query }, id) => read(id, (connection, snapshot, seen) => aggregate.count(connection, snapshot, query, seen)),
    top: (ask, id) => read(id, (connection, snapshot, seen) => aggregate.top(connection, snapshot, ask, seen)),
    histogram: (ask, id) => read(id, (connection, snapshot, seen) => aggregate.histogram(connection, snapshot, ask, seen)),
    fields: ({ query }, id) => read(id, (connection, snapshot, seen) => aggregate.fields(connection, snapshot, query, seen)),
    expire: ({ olderThan, maxBytes }) => intake.expire(olderThan, maxBytes),
    hold: async ({ name, ranges }) => {
      manifest.hold(name, ranges);
      return null;
    },
    replace: (ask) => intake.replace(ask),
    snapshot: async ({ into }) => snapshot(manifest, options.dir, into),
    seal: async () => {
      await intake.seal();
      return null;
    },
    merge: ({ minFiles }) => intake.merge(minFiles),
    status: async () => {
      const { rows } = intake.hot();
      const { files, tables } = sources;
      const oldest = Math.min(...[...files, ...tables].map((source) => source.minIngest));
      return {
        events: files.reduce((sum, file) => sum + file.rows, rows),
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
        files: files.length,
        hotRows: rows,
        oldest: Number.isFinite(oldest) ? unixMs(oldest) : null,
        generation: Math.max(1, ...sources.replaced.map((one) => one.generation)),
        deadLetters: manifest.deadLetters(),
      };
    },
    ping: async () => ({ rssBytes: process.memoryUsage.rss() }),
  };

  return {
    positions: () => intake.positions(),
    take: (message) => {
      if ('cancel' in message) return readers.cancel(message.cancel);
      const { id, kind, ask } = message;
      const handler = handlers[kind] as (ask: unknown, id: number) => Promise<Asks[AskKind]['answer']>;
      handler(ask, id).then(
        (answer) => send({ id, answer }),
        (error: unknown) => send({ id, error: crossed(error) }),
      );
    },
  };
};

const crossed = (error: unknown): CrossedError => {
  const known = error instanceof CodedError ? error : isOutOfMemory(error) ? fault('STORE_TOO_MUCH') : null;
  if (known !== null) return { code: known.code, details: known.details, message: known.message };
  return { message: error instanceof Error ? error.message : String(error) };
};
