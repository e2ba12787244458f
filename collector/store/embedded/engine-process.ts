// SPDX-License-Identifier: Apache-2.0
/**
 * Keeps the engine's process: starts it, asks it, and starts it anew when it dies, hangs or grows beyond its bounds.
 * Input: asks with a time limit. Output: answers; coded errors keep their code on the way.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../../core/clock.ts';
import { runtimeLibraries } from '../../../core/config.ts';
import { toError } from '../../../core/errors.ts';
import { ms } from '../../../core/units.ts';
import { COLLECTOR_ERRORS, type CollectorErrorCode, fault } from '../../errors.ts';
import type { AskKind, Asks, CrossedError, EngineOptions, FromEngine, Positions, ToEngine } from './engine/protocol.ts';

export interface ProcessOptions {
  readonly engine: EngineOptions;
  readonly clock: Clock;
  /** Resident memory above which the process is replaced. */
  readonly maxRssBytes: number;
  /** Silence after which the process is replaced. */
  readonly hangMs: number;
  /** Called with each start and each seal. */
  readonly onPositions: (positions: Positions) => void;
  readonly onLog: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

const ENTRY = fileURLToPath(new URL('./engine/main.ts', import.meta.url));
const START_LIMIT_MS = 120_000;
const PING_EVERY_MS = 1000;
const CLOSE_LIMIT_MS = 5000;
const QUESTIONS: ReadonlySet<AskKind> = new Set<AskKind>(['search', 'get', 'count', 'top', 'histogram', 'fields']);
const BACKOFF_MS = [50, 200, 1000, 5000];

export class EngineProcess {
  readonly #options: ProcessOptions;
  readonly #stop = new AbortController();
  #child: ChildProcess | null = null;
  #up: Promise<ChildProcess>;
  #waiting = new Map<number, Waiting>();
  /** Questions that were stopped and have not said so yet. */
  readonly #cancelled = new Set<number>();
  #n = 0;
  #failures = 0;
  restarts = 0;
  rssBytes = 0;

  private constructor(options: ProcessOptions) {
    this.#options = options;
    this.#up = this.#start();
    this.#up.catch(() => {});
  }

  /** @throws CodedError STORE_ENGINE_DOWN when the first start fails. */
  static async open(options: ProcessOptions): Promise<EngineProcess> {
    const engine = new EngineProcess(options);
    try {
      await engine.#up;
    } catch (error) {
      await engine.close();
      throw error;
    }
    void engine.#watch();
    return engine;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the process can answer; rejects when it was closed. */
  async ready(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#up;
        return;
      } catch {
        // That start failed; its exit has already set the next one going.
      }
    }
    throw fault('STORE_CLOSED');
  }

  /**
   * Asks and waits at most `limitMs`.
   * @throws CodedError STORE_ENGINE_DOWN when the process ended meanwhile, STORE_BUSY past the limit, or the engine's own error.
   */
  async ask<K extends AskKind>(kind: K, ask: Asks[K]['ask'], limitMs: number): Promise<Asks[K]['answer']> {
    if (this.#stop.signal.aborted) throw fault('STORE_CLOSED');
    const child = this.#child;
    if (child === null) throw fault('STORE_ENGINE_DOWN', { reason: 'it is being started' });
    const id = ++this.#n;
    const done = new AbortController();
    try {
      return await new Promise<Asks[K]['answer']>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        void this.#options.clock.sleep(ms(limitMs), done.signal).then(() => {
          if (done.signal.aborted) return;
          reject(fault('STORE_BUSY', { limitMs }));
          tell(child, { cancel: id });
          if (QUESTIONS.has(kind)) void this.#endIfStuck(child, id, kind);
        });
        tell(child, { id, kind, ask } as ToEngine);
      });
    } finally {
      done.abort();
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const child = this.#child;
    this.#fail('it was closed');
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.connected) child.disconnect();
    const waiting = new AbortController();
    await Promise.race([gone, this.#options.clock.sleep(ms(CLOSE_LIMIT_MS), waiting.signal)]);
    // A wait that lost would keep the process alive for its whole length.
    waiting.abort();
    child.kill('SIGKILL');
    await gone;
  }

  #start(): Promise<ChildProcess> {
    const { engine, onPositions, onLog } = this.#options;
    const child = fork(ENTRY, [JSON.stringify(engine)], {
      serialization: 'advanced',
      execArgv: ['--disable-proto=throw', '--max-old-space-size=256'],
      // Nothing else of the collector's environment is needed there. Fewer arenas keep freed memory from piling up.
      env: { TZ: 'UTC', MALLOC_ARENA_MAX: '2', ...runtimeLibraries() },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const started = new Promise<ChildProcess>((resolve, reject) => {
      const late = this.#options.clock.sleep(ms(START_LIMIT_MS), this.#stop.signal).then(() => {
        if (this.#child !== child && child.exitCode === null) child.kill('SIGKILL');
      });
      void late;
      child.on('message', (message: FromEngine) => {
        if (!('notice' in message)) return this.#answer(message);
        if (message.notice === 'log') return onLog(message.level, message.event, message.fields);
        onPositions(message.positions);
        if (message.notice !== 'ready') return;
        this.#child = child;
        this.#failures = 0;
        resolve(child);
      });
      child.once('error', (error) => reject(fault('STORE_ENGINE_DOWN', { reason: error.message }, error)));
      child.once('exit', (code, signal) => {
        const reason = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
        reject(fault('STORE_ENGINE_DOWN', { reason }));
        if (this.#child === child) this.#child = null;
        this.#fail(reason);
        if (this.#stop.signal.aborted) return;
        onLog('warn', 'store.engine.ended', { reason });
        this.#up = this.#restart();
        this.#up.catch(() => {});
      });
    });
    return started;
  }

  async #restart(): Promise<ChildProcess> {
    const pause = BACKOFF_MS[Math.min(this.#failures++, BACKOFF_MS.length - 1)] as number;
    await this.#options.clock.sleep(ms(pause), this.#stop.signal);
    if (this.#stop.signal.aborted) throw fault('STORE_CLOSED');
    this.restarts++;
    return this.#start();
  }

  // A cancelled question ends in a moment. One that does not, e.g. inside one function over one huge value, holds its reader for ever.
  async #endIfStuck(child: ChildProcess, id: number, kind: AskKind): Promise<void> {
    const { clock, hangMs, onLog } = this.#options;
    this.#cancelled.add(id);
    await clock.sleep(ms(hangMs), this.#stop.signal);
    if (!this.#cancelled.delete(id) || this.#child !== child || this.#stop.signal.aborted) return;
    onLog('warn', 'store.engine.stuck', { ask: kind });
    child.kill('SIGKILL');
  }

  #answer(message: Exclude<FromEngine, { notice: unknown }>): void {
    this.#cancelled.delete(message.id);
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if ('error' in message) waiting.reject(uncrossed(message.error));
    else waiting.resolve(message.answer as never);
  }

  #fail(reason: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(this.#stop.signal.aborted ? fault('STORE_CLOSED') : fault('STORE_ENGINE_DOWN', { reason }));
  }

  // A process that does not answer a ping, or holds more memory than it may, is ended; its exit starts the next.
  async #watch(): Promise<void> {
    const { clock, maxRssBytes, hangMs, onLog } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ms(PING_EVERY_MS), this.#stop.signal);
      const child = this.#child;
      if (child === null || this.#stop.signal.aborted) continue;
      try {
        this.rssBytes = (await this.ask('ping', null, hangMs)).rssBytes;
        if (this.rssBytes <= maxRssBytes) continue;
        onLog('warn', 'store.engine.too_large', { rssBytes: this.rssBytes, maxRssBytes });
      } catch (error) {
        if (this.#child !== child || this.#stop.signal.aborted) continue;
        onLog('warn', 'store.engine.hangs', { reason: toError(error).message });
      }
      child.kill('SIGKILL');
    }
  }
}

// A message to a process that has just ended is lost; its exit rejects whoever waits.
const tell = (child: ChildProcess, message: ToEngine): void => {
  if (child.connected) child.send(message, () => {});
};

const uncrossed = ({ code, details, message }: CrossedError): Error =>
  code !== undefined && Object.hasOwn(COLLECTOR_ERRORS, code)
    ? fault(code as CollectorErrorCode, details)
    : fault('STORE_ENGINE_FAILED', { reason: message });
