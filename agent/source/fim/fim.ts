// SPDX-License-Identifier: Apache-2.0
/**
 * The source of file integrity: scans on schedule are the truth, looks after a wake-up are soon; both are done by a worker that lives only while it works.
 * Input: settings, the state folder. Output: batches of facts on the stream `fim`; the baseline moves when they are sealed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../core/clock.ts';
import { toError } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { minutes, ms, seconds, type UnixMs, unixMs } from '../../../core/units.ts';
import type { Batch, Source, SourceProblem, StreamProgress } from '../source.ts';
import { BASELINE_FILE } from './baseline.ts';
import { type EntryOptions, excludedOf, rootsOf, watchEntries } from './entries.ts';
import { splitPath } from './name.ts';
import { type Chunk, type FimWorkerData, type FromFimWorker, GATE, type Job, type JobFigures, type ToFimWorker } from './protocol.ts';
import { type StirWatch, watchStir } from './watch.ts';

export const FIM_STREAM = 'fim';

export interface FimOptions extends EntryOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The agent's state folder. */
  readonly dir: string;
  /** Folder that relative paths start from. */
  readonly from: string;
  readonly refuse: readonly string[];
  readonly intervalMs: number;
  readonly fullMs: number;
  readonly limitBytes: number;
  readonly maxItems: number;
  readonly maxWatches: number;
  /** Findings told in a minute. */
  readonly rate: number;
  readonly cpuPercent: number;
  /** False: scans only. */
  readonly watch: boolean;
  readonly packageRoot: string;
  /** Called when there may be something to read; may be called often. */
  readonly onWake: () => void;
}

/** A worker without work is kept so long: what stirs once often stirs again. */
const LINGER_MS = seconds(2);
const RATE_MS = minutes(1);
/** After a burst of events, and while a package manager works. */
const SOON_MS = seconds(2);
/** A package manager is waited for no longer. */
const PATIENCE_MS = minutes(10);
const RETRY_MS = minutes(1);
const LONGEST_RETRY_MS = minutes(60);
const CLOSE_MS = seconds(5);
const HEAP_MB = 96;

interface Thread {
  readonly worker: Worker;
  readonly gate: Int32Array<SharedArrayBuffer>;
  readonly ended: Promise<void>;
  job: Job | undefined;
  idleSince: number;
}

export class Fim implements Source {
  readonly name = 'fim';
  readonly #options: FimOptions;
  readonly #clock: Clock;
  readonly #watch: StirWatch | undefined;
  #thread: Thread | undefined;
  #queue: Chunk[] = [];
  #given: Chunk | undefined;
  /** Committed and not yet on disk. */
  #committed: number[] = [];
  #scanAt = 0;
  /** A scan between the scheduled ones. */
  #sweepAt = Number.POSITIVE_INFINITY;
  #fullWanted = false;
  #deferredSince: number | undefined;
  #allowance: number;
  #allowanceSince = 0;
  #jobBegan: UnixMs = unixMs(0);
  #readUpTo: UnixMs = unixMs(0);
  #failures = 0;
  #failed: SourceProblem | undefined;
  #lost: SourceProblem | undefined;
  #problems: readonly SourceProblem[] = [];
  #roots: ReadonlySet<string> | undefined;
  readonly #closing = new AbortController();
  readonly #counts = { files: 0, folders: 0, scans: 0, looks: 0, findings: 0, withheld: 0, deferred: 0, unreadable: 0, cpu_ms: 0 };

  constructor(options: FimOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#allowance = options.rate;
    this.#watch = options.watch
      ? watchStir({ max: options.maxWatches, monotonic: () => this.#clock.monotonic(), onStir: (spanMs) => this.#wakeIn(spanMs) })
      : undefined;
  }

  async open(resumeOf: (stream: string) => string | undefined): Promise<void> {
    const file = join(this.#options.dir, BASELINE_FILE);
    if (resumeOf(FIM_STREAM) !== undefined && !existsSync(file)) this.#lost = lostProblem(file, 'it is not there any more');
    await this.rescan();
    this.#scanAt = this.#clock.monotonic();
  }

  /** Looks for paths that were not there before, e.g. the keys of a new user. */
  async rescan(): Promise<void> {
    const now = new Set(rootsOf(watchEntries(this.#options, this.#options.from)).roots.map(({ path }) => path));
    if (this.#roots && this.#watch) for (const path of now) if (!this.#roots.has(path)) this.#watch.poke(splitPath(path)[0]);
    this.#roots = now;
  }

  poll(): void {
    const now = this.#clock.monotonic();
    const thread = this.#thread;
    if (this.#closing.signal.aborted || thread?.job) return;
    if (now - this.#allowanceSince >= RATE_MS) [this.#allowance, this.#allowanceSince] = [this.#options.rate, now];
    if (this.#watch?.burst()) this.#sweepAt = Math.min(this.#sweepAt, now + SOON_MS);
    const patient = this.#deferredSince === undefined || now - this.#deferredSince < PATIENCE_MS;
    const allowance = this.#allowance;
    if (now >= this.#scanAt) this.#start({ kind: 'scan', full: this.#fullWanted, closes: true, allowance, patient });
    else if (now >= this.#sweepAt) this.#start({ kind: 'scan', full: false, closes: false, allowance, patient });
    else {
      // Without allowance every look would only count.
      const folders = allowance > 0 && this.#failed === undefined ? (this.#watch?.due(now) ?? []) : [];
      if (folders.length > 0) this.#start({ kind: 'look', folders, allowance, patient });
      else if (thread && now - thread.idleSince >= LINGER_MS) this.#tell(thread, { kind: 'end' });
    }
  }

  next(): Batch | undefined {
    this.#given = this.#queue[0];
    if (!this.#given) return undefined;
    const { id, at, bytes, ends, flags } = this.#given;
    const records = Array.from(ends, (end, i) => ({
      bytes: bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end),
      readAt: at,
      end: 0,
      flags: flags[i]!,
    }));
    return { stream: FIM_STREAM, kind: 'facts', dataset: 'fim', records, at, from: 0, resume: `${this.#jobBegan}/${id}` };
  }

  commit(): void {
    if (!this.#given) return;
    this.#queue.shift();
    this.#committed.push(this.#given.id);
    this.#given = undefined;
  }

  sealed(): void {
    const chunks = this.#committed;
    if (chunks.length === 0) return;
    this.#committed = [];
    if (this.#thread) this.#tell(this.#thread, { kind: 'sealed', chunks });
  }

  progress(): readonly StreamProgress[] {
    const behindBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // Facts bear the time at which they were found: while nothing is being looked at, none can come that is older than now.
    const idle = this.#counts.scans > 0 && behindBytes === 0 && !this.#thread?.job;
    const readUpTo = idle ? this.#clock.now() : this.#readUpTo;
    return [{ stream: FIM_STREAM, dataset: 'fim', readUpTo, behindBytes, counts: { ...this.#counts } }];
  }

  problems(): readonly SourceProblem[] {
    const watch = this.#watch?.problem;
    return [...(this.#failed ? [this.#failed] : []), ...(this.#lost ? [this.#lost] : []), ...this.#problems, ...(watch ? [watch] : [])];
  }

  /** Facts have no place in a file: nothing is ever recognised, and what a collector lost is told anew. */
  matches(): undefined {}
  files(): readonly never[] {
    return [];
  }
  moveTo(): undefined {}

  async restart(stream: string): Promise<void> {
    if (stream !== FIM_STREAM) return;
    this.#fullWanted = true;
    this.#scanAt = this.#clock.monotonic();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#watch?.close();
    const thread = this.#thread;
    if (!thread) return;
    Atomics.store(thread.gate, GATE.stop, 1);
    this.#tell(thread, { kind: 'end' });
    const patience = new AbortController();
    // A disk that answers nothing must not keep the agent from ending.
    await Promise.race([thread.ended, this.#clock.sleep(CLOSE_MS, patience.signal)]);
    patience.abort();
    await thread.worker.terminate();
  }

  #wakeIn(spanMs: number): void {
    void this.#clock.sleep(ms(spanMs), this.#closing.signal).then(this.#options.onWake);
  }

  #start(job: Job): void {
    const thread = (this.#thread ??= this.#open());
    thread.job = job;
    this.#jobBegan = this.#clock.now();
    if (job.kind === 'scan') {
      this.#sweepAt = Number.POSITIVE_INFINITY;
      if (job.closes) this.#scanAt = Number.POSITIVE_INFINITY;
    }
    this.#tell(thread, { kind: 'job', job });
  }

  #tell(thread: Thread, message: ToFimWorker): void {
    thread.worker.postMessage(message);
    Atomics.add(thread.gate, GATE.messages, 1);
    Atomics.notify(thread.gate, GATE.messages);
    // From here on it belongs to nobody; the next job gets another one.
    if (message.kind === 'end' && this.#thread === thread) this.#thread = undefined;
  }

  #open(): Thread {
    const { options, gate } = { options: this.#options, gate: new SharedArrayBuffer(8) };
    const data: FimWorkerData = {
      gate,
      file: join(options.dir, BASELINE_FILE),
      entries: watchEntries(options, options.from),
      exclude: excludedOf(options, options.from),
      refuse: options.refuse,
      limitBytes: options.limitBytes,
      maxItems: options.maxItems,
      cpuPercent: options.cpuPercent,
      fullMs: options.fullMs,
      packageRoot: options.packageRoot,
    };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const thread: Thread = { worker, gate: new Int32Array(gate), ended, job: undefined, idleSince: this.#clock.monotonic() };
    worker.on('message', (message: FromFimWorker) => this.#hear(thread, message));
    worker.on('error', (error) => this.#fail(toError(error).message));
    worker.once('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      if (thread.job && !this.#closing.signal.aborted) this.#fail('the worker ended before its work');
    });
    return thread;
  }

  #hear(thread: Thread, message: FromFimWorker): void {
    if (this.#thread !== thread) return;
    if (message.kind === 'chunk') {
      this.#queue.push(message.chunk);
      this.#options.onWake();
    } else if (message.kind === 'folders') {
      for (const folder of this.#watch?.set(message.folders, message.whole) ?? []) this.#watch?.poke(folder);
    } else if (message.kind === 'broken') {
      this.#options.log.error({ event: 'fim.baseline', reason: message.reason }, 'The baseline is damaged and begun anew.');
      this.#lost = lostProblem(join(this.#options.dir, BASELINE_FILE), `it was damaged (${message.reason}) and is kept beside the new one`);
      thread.job = undefined;
      this.#drop(thread);
      this.#scanAt = this.#clock.monotonic();
    } else {
      const job = thread.job!;
      thread.job = undefined;
      thread.idleSince = this.#clock.monotonic();
      [this.#failures, this.#failed] = [0, undefined];
      this.#done(job, message.figures, message.problems);
    }
  }

  #done(job: Job, figures: JobFigures, problems: readonly SourceProblem[]): void {
    const now = this.#clock.monotonic();
    const counts = this.#counts;
    counts.findings += figures.findings;
    counts.withheld += figures.withheld;
    counts.deferred += figures.deferred;
    counts.cpu_ms += figures.cpuMs;
    if (job.kind === 'scan') counts.scans += 1;
    else counts.looks += 1;
    if (figures.whole) {
      [counts.files, counts.folders, counts.unreadable] = [figures.items, figures.folders, figures.unreadable];
      this.#problems = problems;
      this.#readUpTo = this.#jobBegan;
    }
    if (job.kind === 'scan' && job.closes) {
      this.#scanAt = now + this.#options.intervalMs;
      if (job.full) this.#fullWanted = false;
    }
    if (figures.left > 0) [this.#fullWanted, this.#scanAt] = [true, now];
    this.#allowance -= figures.findings;
    // What was withheld or deferred is found again, soon.
    if (figures.withheld > 0) this.#sweepAt = Math.min(this.#sweepAt, this.#allowanceSince + RATE_MS);
    if (figures.deferred > 0) {
      this.#deferredSince ??= now;
      this.#sweepAt = Math.min(this.#sweepAt, now + SOON_MS);
    } else if (figures.whole) this.#deferredSince = undefined;
    this.#options.onWake();
  }

  #fail(reason: string): void {
    this.#failures += 1;
    this.#options.log.error({ event: 'fim.failed', reason, failures: this.#failures }, 'A scan of files failed and is tried again.');
    this.#failed = {
      code: 'FIM_FAILED',
      about: 'the scan of watched files',
      reason,
      hint: 'Nothing is lost: it is tried again. See the disk of the state folder and what was watched last.',
    };
    if (this.#thread) this.#drop(this.#thread);
    this.#scanAt = this.#clock.monotonic() + Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (this.#failures - 1));
  }

  /** What it found and nobody committed is found again. */
  #drop(thread: Thread): void {
    if (this.#thread === thread) this.#thread = undefined;
    this.#queue = [];
    this.#given = undefined;
    this.#committed = [];
  }
}

const lostProblem = (file: string, reason: string): SourceProblem => ({
  code: 'FIM_BASELINE_LOST',
  about: file,
  reason: `${reason}; what changed before a new one was made is not seen here`,
  hint: 'Compare this host’s files with what the collector knows of them.',
});
