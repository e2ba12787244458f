// SPDX-License-Identifier: Apache-2.0
/**
 * Takes a backup of a collector that runs: store and state first, the journal last, its segments pinned meanwhile (river.md J6).
 * Input: the parts of the collector as ports. Output: one archive; what the journal acknowledged before is in it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../core/clock.ts';
import { systemCode, toError } from '../../core/errors.ts';
import { linkOrCopy } from '../../core/files.ts';
import type { Signer } from '../../core/sign.ts';
import { fault } from '../errors.ts';
import type { FromBackup, ToBackup } from './worker.ts';
import type { BackupMade, BackupSource } from './write.ts';

export interface BackupParts {
  /** The data folder. */
  readonly dir: string;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly version: string;
  readonly collector: string;
  readonly journal: {
    readonly incarnation: string;
    pin(): {
      readonly files: readonly { readonly path: string; readonly bytes: number }[];
      readonly end: number;
      readonly release: () => void;
    };
  };
  /** Puts the event store as it is at one moment below a folder; answers the paths there. */
  readonly events: { snapshot(into: string): Promise<readonly string[]> };
}

export interface BackupProgress {
  readonly running: boolean;
  readonly done: number;
  readonly total: number;
}

export interface Backups {
  /** @throws CodedError BACKUP_RUNNING, BACKUP_FAILED; nothing is left behind then. */
  take(out: string, signal: AbortSignal): Promise<BackupMade>;
  progress(): BackupProgress;
  /** Ends one that is under way. */
  close(): Promise<void>;
}

const FOLDER = 'backup';
// What a restart of the collector makes by itself. The incarnation stays behind, so that the copy is another journal (W6).
const COPIED = ['keys', 'audit', 'quarantine', 'reports'];

export const openBackups = (parts: BackupParts): Backups => {
  const { dir, clock, journal } = parts;
  const folder = join(dir, FOLDER);
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  clear();
  const stop = new AbortController();
  let running: Promise<unknown> | null = null;
  let done = 0;
  let total = 0;

  const takeNow = async (out: string, signal: AbortSignal): Promise<BackupMade> => {
    const held = journal.pin();
    clear();
    mkdirSync(folder, { mode: 0o700 });
    let writer: Writer | null = null;
    try {
      const joins = join(dir, 'state', 'joins.jsonl');
      const saved = [readLines(joins)];
      const events = await parts.events.snapshot(join(folder, 'events'));
      saved.push(readLines(joins));
      writer = startWriter(parts, join(dir, 'state', 'state.db'), join(folder, 'state.db'), (n, of) => {
        done = n;
        total = of;
      });
      await writer.copied;
      saved.push(readLines(joins));
      writeFileSync(join(folder, 'joins.jsonl'), joinLines(saved), { mode: 0o600 });
      const sources: BackupSource[] = [
        ...COPIED.flatMap((name) => freeze(dir, name, folder)),
        sourceOf('state/state.db', join(folder, 'state.db')),
        sourceOf('state/joins.jsonl', join(folder, 'joins.jsonl')),
        ...events.map((path) => sourceOf(`events/${path}`, join(folder, 'events', path))),
      ];
      signal.throwIfAborted();
      // Last, so that it reaches beyond every position that store and state have (J6).
      const last = journal.pin();
      last.release();
      for (const { path, bytes } of last.files) sources.push({ path: `journal/${basename(path)}`, from: path, bytes });
      const { version, collector } = parts;
      const about = { at: clock.now(), version, collector, journal: { incarnation: journal.incarnation, end: last.end } };
      return await writer.write(out, sources, about, signal);
    } finally {
      await writer?.stop();
      held.release();
      clear();
    }
  };

  return {
    take: async (out, signal) => {
      if (running !== null) throw fault('BACKUP_RUNNING');
      done = 0;
      total = 0;
      const work = takeNow(out, AbortSignal.any([signal, stop.signal]));
      running = work.catch(() => undefined);
      try {
        return await work;
      } catch (error) {
        const reason = signal.aborted ? 'it was given up' : (systemCode(error) ?? toError(error).message);
        throw fault('BACKUP_FAILED', { file: out, reason }, error);
      } finally {
        running = null;
      }
    },
    progress: () => ({ running: running !== null, done, total }),
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

const sourceOf = (path: string, from: string): BackupSource => ({ path, from, bytes: statSync(from).size });

/** Links of a folder's files: they keep what they hold when others take their names. Checkpoints first, so that a log is never older than its own. */
const freeze = (dir: string, name: string, into: string): readonly BackupSource[] => {
  // A data folder that no report was made in has none.
  if (!existsSync(join(dir, name))) return [];
  const names = readFolder(join(dir, name)).toSorted((a, b) => Number(b.endsWith('.checkpoint')) - Number(a.endsWith('.checkpoint')));
  mkdirSync(join(into, name), { mode: 0o700 });
  return names.flatMap((one) => {
    const to = join(into, name, one);
    return linkOrCopy(join(dir, name, one), to) ? [sourceOf(`${name}/${one}`, to)] : [];
  });
};

const readFolder = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(new|part|tmp)$/.test(entry.name))
    .map(({ name }) => name);

// What waits to be joined is kept for the last positions of each sink: those of before and after are together all that the copies may stand at.
const readLines = (file: string): readonly string[] => {
  try {
    // What stands behind the last line end is half a line, which is still being written.
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    // Absent while nothing waited.
    return [];
  }
};
const joinLines = (lists: readonly (readonly string[])[]): string => [...new Set(lists.flat())].map((line) => `${line}\n`).join('');

interface Writer {
  readonly copied: Promise<void>;
  write(out: string, sources: readonly BackupSource[], about: WriteAbout, signal: AbortSignal): Promise<BackupMade>;
  stop(): Promise<void>;
}
type WriteAbout = Extract<ToBackup, { kind: 'write' }>['work']['about'];

const startWriter = (parts: BackupParts, state: string, copy: string, onProgress: (done: number, total: number) => void): Writer => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { state, copy, key: parts.signer.privatePem } });
  const copied = Promise.withResolvers<void>();
  const made = Promise.withResolvers<BackupMade>();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const fail = (error: Error): void => {
    copied.reject(error);
    made.reject(error);
  };
  // Whoever does not wait for one of them hears of the fault from the other.
  copied.promise.catch(() => undefined);
  made.promise.catch(() => undefined);
  worker.on('message', (message: FromBackup) => {
    if (message.kind === 'copied') copied.resolve();
    else if (message.kind === 'progress') onProgress(message.done, message.total);
    else if (message.kind === 'made') made.resolve(message.made);
    else fail(new Error(message.reason));
  });
  worker.on('error', (error) => fail(toError(error)));
  worker.once('exit', () => fail(new Error('its thread ended')));
  const tell = (message: ToBackup): void => worker.postMessage(message);
  return {
    copied: copied.promise,
    write: (out, sources, about, signal) => {
      signal.addEventListener('abort', () => tell({ kind: 'stop' }), { once: true });
      tell({ kind: 'write', work: { out, sources, about } });
      return made.promise;
    },
    stop: async () => {
      tell({ kind: 'stop' });
      await ended;
    },
  };
};
