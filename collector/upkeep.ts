// SPDX-License-Identifier: Apache-2.0
/**
 * What the owner asks of the data as a whole while the collector runs: a backup, a range decoded again. One of a kind at a time.
 * Input: the open parts of the collector. Output: their routes, and one place to close.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { isCoded, toError } from '../core/errors.ts';
import type { Signer } from '../core/sign.ts';
import { type UnixMs, unixMs } from '../core/units.ts';
import type { AuditLog } from './auth/audit/log.ts';
import { backupRoutes } from './backup/routes.ts';
import { openBackups } from './backup/take.ts';
import { fault } from './errors.ts';
import type { Route } from './http/route.ts';
import type { Journal } from './journal/journal.ts';
import type { HostView } from './model/agent.ts';
import type { FromRedecode, RedecodeData, ToRedecode } from './redecode.ts';
import type { EmbeddedEvents } from './store/embedded/events.ts';
import { type RedecodeResult, redecodeRoutes } from './store/routes.ts';
import type { EventBatch } from './store/store.ts';

export interface UpkeepParts {
  readonly dir: string;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly version: string;
  readonly collector: string;
  readonly journal: Journal;
  readonly events: EmbeddedEvents;
  readonly audit: AuditLog;
  readonly hosts: () => readonly HostView[];
}

export interface Upkeep {
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

export const openUpkeep = (parts: UpkeepParts): Upkeep => {
  const { audit } = parts;
  const backups = openBackups(parts);
  const redecoding = openRedecoding(parts);
  return {
    routes: [
      ...backupRoutes({
        progress: backups.progress,
        take: (by, path, from, signal) => {
          if (by.kind !== 'local-owner') throw fault('NOT_PERMITTED', { role: by.role, permission: 'backup into a local file' });
          if (!isAbsolute(path)) throw fault('REQUEST_BAD', { reason: 'the path is not absolute' });
          if (existsSync(path)) throw fault('BACKUP_FAILED', { file: path, reason: 'it is there already' });
          return audit.act({ act: 'backup', on: path, actor: by, from }, () => backups.take(path, signal));
        },
      }),
      ...redecodeRoutes({
        now: () => parts.clock.now(),
        progress: redecoding.progress,
        redecode: (by, range, from, signal) =>
          audit.act({ act: 'redecode', on: 'events', details: { from: range.from, to: range.to }, actor: by, from }, () =>
            redecoding.run(range, signal),
          ),
      }),
    ],
    close: async () => {
      await Promise.all([backups.close(), redecoding.close()]);
    },
  };
};

interface Range {
  readonly from: UnixMs;
  readonly to: UnixMs;
}

const openRedecoding = ({ dir, collector, journal, events, hosts }: UpkeepParts) => {
  const stop = new AbortController();
  let running: Promise<unknown> | null = null;
  let done = 0;
  let total = 0;

  const runNow = async ({ from, to }: Range, signal: AbortSignal): Promise<RedecodeResult> => {
    const pin = journal.pin();
    try {
      const generation = (await events.status()).generation + 1;
      const data: RedecodeData = { journalDir: join(dir, 'journal'), collector, generation, from, to, end: pin.end, hosts: hosts() };
      let range: { readonly from: number; readonly to: number } | null = null;
      const batches = batchesOf(data, signal, {
        range: (found) => {
          range = found;
          total = found === null ? 0 : found.to - found.from;
        },
        reached: (at) => {
          done = range === null ? 0 : at - range.from;
        },
      });
      const made = await events.replace({ generation, from, to: unixMs(to - 1) }, batches);
      return { generation, events: made.events, bytes: total };
    } finally {
      pin.release();
    }
  };

  return {
    run: async (range: Range, signal: AbortSignal): Promise<RedecodeResult> => {
      if (running !== null) throw fault('REDECODE_RUNNING');
      done = 0;
      total = 0;
      const work = runNow(range, AbortSignal.any([signal, stop.signal]));
      running = work.catch(() => undefined);
      try {
        return await work;
      } catch (error) {
        if (isCoded(error, 'STORE_CLOSED')) throw error;
        throw fault('REDECODE_FAILED', { reason: signal.aborted ? 'it was given up' : toError(error).message }, error);
      } finally {
        running = null;
      }
    },
    progress: () => ({ running: running !== null, done, total }),
    close: async (): Promise<void> => {
      stop.abort();
      await running;
    },
  };
};

/** What the worker decodes, one batch at a time: the next is made while the one before is written. */
async function* batchesOf(
  data: RedecodeData,
  signal: AbortSignal,
  on: { readonly range: (range: { readonly from: number; readonly to: number } | null) => void; readonly reached: (at: number) => void },
): AsyncGenerator<EventBatch> {
  const worker = new Worker(new URL('./redecode.ts', import.meta.url), { workerData: data });
  const come: (FromRedecode | Error)[] = [];
  let wake = (): void => {};
  const take = (message: FromRedecode | Error): void => {
    come.push(message);
    wake();
  };
  const onAbort = (): void => take(new Error('it was given up'));
  worker.on('message', take);
  worker.on('error', (error) => take(toError(error)));
  worker.once('exit', () => take(new Error('its thread ended')));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      const message = come.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      signal.throwIfAborted();
      if (message instanceof Error) throw message;
      if (message.kind === 'done') return;
      if (message.kind === 'failed') throw new Error(message.reason);
      if (message.kind === 'range') on.range(message.range);
      else {
        worker.postMessage('next' satisfies ToRedecode);
        yield message.batch;
        on.reached(message.at);
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}
