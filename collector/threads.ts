// SPDX-License-Identifier: Apache-2.0
/**
 * The two worker threads as the main thread holds them: started, told, listened to, stopped in order.
 * Input: positions and agents from the main thread. Output: batches for the store, progress, what pages changed.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import type { RuleCoverage } from './detect/figures.ts';
import { fault } from './errors.ts';
import type { HostView } from './model/agent.ts';
import type { FromRiver, RiverData, RulesView, ToRiver } from './river.ts';
import type { FromStateWorker, StateData, ToStateWorker } from './state.ts';
import { connectState } from './store/embedded/state-port.ts';
import type { StateStore } from './store/store.ts';

/** What a thread may hold of old objects, in MB: far above its need, near enough that V8 keeps house. */
const STATE_HEAP_MB = 256;
const RIVER_HEAP_MB = 320;
/** Young objects of a thread, in MB. What they make lives on as bytes, so few must be moved when a small space is full. */
const STATE_YOUNG_MB = 24;
const RIVER_YOUNG_MB = 24;

const STOP_LIMIT_MS = 10_000;

/** A thread's death by its name: of memory used up, V8 tells no more than that. */
const died = (what: string, error: unknown): Error => fault('THREAD_FAILED', { what, reason: toError(error).message }, error);

export interface StateThread {
  readonly store: StateStore;
  readonly lastPage: { readonly incarnation: string; readonly n: number } | null;
  /** Hands the river's port over. */
  attach(port: MessagePort): void;
  tidy(): void;
  /** Titles of checks, for the scores. */
  titles(titles: Readonly<Record<string, string>>): void;
  stop(): Promise<void>;
}

export interface StateListeners {
  readonly judged: (message: Extract<FromStateWorker, { kind: 'judged' }>) => void;
  /** A page of facts is in. */
  readonly known: (message: Extract<FromStateWorker, { kind: 'known' }>) => void;
  readonly refused: (rule: string, reason: string) => void;
  /** The disk refuses a page; null when it was taken. */
  readonly waiting: (reason: string | null) => void;
  /** Nothing can go on: a page could not be committed, or the thread died. */
  readonly failed: (error: Error) => void;
}

/** Starts the state worker; resolves when its database is open. @throws what opening it threw. */
export const startState = async (data: Omit<StateData, 'calls'>, listeners: StateListeners, clock: Clock): Promise<StateThread> => {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./state.ts', import.meta.url), {
    workerData: { ...data, calls: port2 } satisfies StateData,
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: STATE_HEAP_MB, maxYoungGenerationSizeMb: STATE_YOUNG_MB },
  });
  const tell = (message: ToStateWorker, transfer: MessagePort[] = []): void => worker.postMessage(message, transfer);
  let lastPage: StateThread['lastPage'] = null;
  let stopping = false;
  const stopped = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message: FromStateWorker) => {
      if (message.kind === 'ready') {
        lastPage = message.lastPage;
        worker.removeAllListeners('error');
        worker.on('error', (error) => listeners.failed(died('state worker', error)));
        worker.once('exit', () => stopping || listeners.failed(fault('THREAD_FAILED', { what: 'state worker', reason: 'it ended' })));
        resolve();
      } else if (message.kind === 'judged') listeners.judged(message);
      else if (message.kind === 'known') listeners.known(message);
      else if (message.kind === 'refused') listeners.refused(message.rule, message.reason);
      else if (message.kind === 'waiting') listeners.waiting(message.reason);
      else if (message.kind === 'failed') listeners.failed(fault('THREAD_FAILED', { what: `page ${message.n}`, reason: message.reason }));
    });
  });
  const store = connectState(port1, clock);
  return {
    store,
    lastPage,
    attach: (port) => tell({ kind: 'river', port }, [port]),
    tidy: () => tell({ kind: 'tidy' }),
    titles: (titles) => tell({ kind: 'titles', titles }),
    stop: async () => {
      stopping = true;
      tell({ kind: 'stop' });
      await stopped;
      await store.close();
    },
  };
};

export interface RiverThread {
  advance(end: number): void;
  /** A search waits. */
  flush(): void;
  hosts(hosts: readonly HostView[]): void;
  stored(to: number): void;
  /** Which rules can fire on these datasets; null when the thread stops first. */
  coverage(heard: readonly string[]): Promise<readonly RuleCoverage[] | null>;
  stop(): Promise<void>;
}

export interface RiverListeners {
  readonly rules: (view: RulesView) => void;
  readonly batch: (message: Extract<FromRiver, { kind: 'batch' }>) => void;
  readonly progress: (message: Extract<FromRiver, { kind: 'progress' }>) => void;
  readonly quarantined: (rule: string, reason: string) => void;
  readonly hole: (offset: number, end: number) => void;
  readonly shapes: (shapes: Extract<FromRiver, { kind: 'shapes' }>['shapes']) => void;
  /** The disk refuses what the pass keeps beside its positions; null when it takes it. */
  readonly waiting: (reason: string | null) => void;
  readonly failed: (error: Error) => void;
}

/** Starts the river worker; its pages go to the port that `attach` hands to the state worker. */
export const startRiver = (data: Omit<RiverData, 'state'>, attach: (port: MessagePort) => void, listeners: RiverListeners): RiverThread => {
  const { port1, port2 } = new MessageChannel();
  attach(port1);
  const worker = new Worker(new URL('./river.ts', import.meta.url), {
    workerData: { ...data, state: port2 } satisfies RiverData,
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: RIVER_HEAP_MB, maxYoungGenerationSizeMb: RIVER_YOUNG_MB },
  });
  let stopping = false;
  const asked: ((rules: readonly RuleCoverage[] | null) => void)[] = [];
  const stopped = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.once('exit', () => {
    for (const answer of asked.splice(0)) answer(null);
  });
  worker.on('error', (error) => listeners.failed(died('river worker', error)));
  worker.once('exit', () => stopping || listeners.failed(fault('THREAD_FAILED', { what: 'river worker', reason: 'it ended' })));
  worker.on('message', (message: FromRiver) => {
    switch (message.kind) {
      case 'rules':
        return listeners.rules(message.view);
      case 'batch':
        return listeners.batch(message);
      case 'progress':
        return listeners.progress(message);
      case 'quarantined':
        return listeners.quarantined(message.rule, message.reason);
      case 'hole':
        return listeners.hole(message.offset, message.end);
      case 'shapes':
        return listeners.shapes(message.shapes);
      case 'coverage':
        return asked.shift()?.(message.rules);
      case 'waiting':
        return listeners.waiting(message.reason);
      case 'stopped':
        return undefined;
    }
  });
  const tell = (message: ToRiver): void => worker.postMessage(message);
  return {
    advance: (end) => tell({ kind: 'end', end }),
    flush: () => tell({ kind: 'flush' }),
    hosts: (hosts) => tell({ kind: 'hosts', hosts }),
    stored: (to) => tell({ kind: 'stored', to }),
    coverage: (heard) =>
      new Promise((resolve) => {
        if (stopping) return resolve(null);
        asked.push(resolve);
        tell({ kind: 'coverage', heard });
      }),
    stop: async () => {
      stopping = true;
      tell({ kind: 'stop' });
      // What is under way is made again from the positions: nobody waits for a disk that takes nothing.
      const late = setTimeout(() => void worker.terminate(), STOP_LIMIT_MS);
      await stopped;
      clearTimeout(late);
    },
  };
};
