// SPDX-License-Identifier: Apache-2.0
/**
 * One plain watch for each folder, as a wake-up only: events get lost, names lie, scans are the truth.
 * Input: folders with their identity. Output: which folders stirred and are due for a look; whether so much stirred that events may be lost.
 */
import { type FSWatcher, watch } from 'node:fs';
import { systemCode } from '../../../core/errors.ts';
import type { SourceProblem } from '../source.ts';
import { rawPath } from './name.ts';

/** What is written together is looked at together. */
const GATHER_MS = 300;
/** A folder that stirs more often than this in a minute is looked at ever less often. */
const LIVELY_LOOKS = 10;
const MINUTE_MS = 60_000;
const LONGEST_WAIT_MS = 30_000;
/** The kernel's queue holds 16,384; its overflow is not told. */
const BURST_EVENTS = 4_096;
const BURST_MS = 1_000;

interface Watched {
  readonly id: string;
  readonly watcher: FSWatcher;
}

interface Stirred {
  /** Monotonic time of the look; infinite while nothing stirs. */
  due: number;
  looks: number;
  since: number;
}

export interface StirWatch {
  /** Folders that are new, or another one than before, are watched; answers them. With `whole`, all others are let go. */
  set(folders: readonly (readonly [path: string, id: string])[], whole: boolean): readonly string[];
  /** Asks for a look without an event. */
  poke(folder: string): void;
  /** Folders whose look is due, taken off the list. */
  due(now: number): readonly string[];
  /** True once after a burst in which events may have been lost. */
  burst(): boolean;
  readonly problem: SourceProblem | undefined;
  readonly count: number;
  close(): void;
}

export const watchStir = (options: {
  readonly max: number;
  readonly monotonic: () => number /** A look is due after this span. */;
  readonly onStir: (spanMs: number) => void;
}): StirWatch => {
  const watched = new Map<string, Watched>();
  const stirred = new Map<string, Stirred>();
  let trouble: string | undefined;
  let refused = 0;
  let burst = false;
  let events = 0;
  let eventsSince = 0;

  const stir = (folder: string): void => {
    const now = options.monotonic();
    if (now - eventsSince > BURST_MS) [events, eventsSince] = [0, now];
    if (++events >= BURST_EVENTS) burst = true;
    const one = stirred.get(folder);
    if (!one) stirred.set(folder, { due: now + GATHER_MS, looks: 0, since: now });
    else if (one.due === Number.POSITIVE_INFINITY) {
      if (now - one.since > MINUTE_MS) [one.looks, one.since] = [0, now];
      one.due = now + Math.min(LONGEST_WAIT_MS, GATHER_MS * 2 ** Math.max(0, one.looks - LIVELY_LOOKS));
    } else return;
    options.onStir((stirred.get(folder)?.due ?? now) - now);
  };
  const letGo = (folder: string): void => {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  };
  const add = (folder: string, id: string): boolean => {
    if (watched.size >= options.max) {
      refused += 1;
      return false;
    }
    try {
      const watcher = watch(rawPath(folder), { persistent: false }, () => stir(folder));
      watcher.on('error', () => letGo(folder));
      watched.set(folder, { id, watcher });
      return true;
    } catch (error) {
      const code = systemCode(error);
      // Gone again, or not ours to list: the scan says so.
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EPERM') return false;
      trouble = code ?? String(error);
      refused += 1;
      return false;
    }
  };
  return {
    set: (folders, whole) => {
      if (whole) {
        const wanted = new Set(folders.map(([path]) => path));
        for (const path of watched.keys()) if (!wanted.has(path)) letGo(path);
        [refused, trouble] = [0, undefined];
      }
      const fresh: string[] = [];
      for (const [path, id] of folders) {
        if (watched.get(path)?.id === id) continue;
        letGo(path);
        if (add(path, id)) fresh.push(path);
      }
      return fresh;
    },
    poke: stir,
    due: (now) => {
      const folders: string[] = [];
      for (const [folder, one] of stirred) {
        if (one.due <= now) {
          folders.push(folder);
          one.due = Number.POSITIVE_INFINITY;
          one.looks += 1;
        } else if (one.due === Number.POSITIVE_INFINITY && now - one.since > 2 * MINUTE_MS) stirred.delete(folder);
      }
      return folders;
    },
    burst: () => {
      const was = burst;
      burst = false;
      return was;
    },
    get problem() {
      if (refused === 0) return undefined;
      return {
        code: 'FIM_WATCH_LIMIT',
        about: `${refused} folders`,
        reason:
          trouble === undefined ? `more than ${options.max} folders would be watched` : `the system refuses more watches (${trouble})`,
        hint: 'Nothing is lost: they are scanned each fim.interval. Raise fs.inotify.max_user_watches or fim.watches to be told sooner.',
      };
    },
    get count() {
      return watched.size;
    },
    close: () => {
      for (const folder of [...watched.keys()]) letGo(folder);
      stirred.clear();
    },
  };
};
