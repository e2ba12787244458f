// SPDX-License-Identifier: Apache-2.0
/**
 * The journal: the collector's only promise. Blocks as their agents signed them, durable before they are acknowledged (river.md J1, W5 to W7).
 * Input: verified blocks from every connection. Output: positions after a shared fsync; an index of what is held; whole segments to release.
 */
import { isCoded, toError } from '../../core/errors.ts';
import { type Files, systemFiles } from '../../core/files.ts';
import { SEGMENT_START } from '../../core/frames.ts';
import type { AgentId } from '../../core/ids.ts';
import type { Block, BlockHeader, JournalMark, StreamRanges } from '../../core/protocol.ts';
import { openSegment, type Segment } from '../../core/segment.ts';
import { days, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Appended, AppendMeta, BlockJournal, BlockView, HeldBlock, HeldEnd, MissingRange, StreamEpoch } from '../model/journal.ts';
import { blockFrameHead } from './frame.ts';
import { type Incarnation, readIncarnation, writeIncarnation } from './incarnation.ts';
import { findBlock, holdsMark, readBlock, type Searched } from './lookup.ts';
import type { JournalOptions, JournalReport, JournalStatus } from './options.ts';
import { fingerprint, OpenPlaces } from './places.ts';
import { type ActiveSegment, type ClosedSegment, recover } from './recover.ts';
import { openingFrames, placesPath, readOpening, segmentPath } from './segments.ts';
import type { Streams } from './streams.ts';

interface Waiting {
  readonly block: Block;
  readonly encoded: Uint8Array;
  readonly meta: AppendMeta;
  readonly done: (place: Appended) => void;
  readonly failed: (error: Error) => void;
  /** Takes the block out of the index where it did not get to the disk. */
  readonly settle: () => void;
}

const BATCH_BYTES = 8_388_608;

/**
 * Opens the journal of a folder: repairs, rebuilds the index, and makes a new incarnation where its file is missing (W6).
 * @throws CodedError JOURNAL_FAILED; SEGMENT_BAD.
 */
export const openJournal = async (options: JournalOptions): Promise<Journal> => {
  const files = options.files ?? systemFiles;
  await files.makeFolder(options.dir);
  const recovery = await recover(options.dir, files);
  const saved = await readIncarnation(options.dir, files);
  const kept = saved !== null && (recovery.active?.incarnation ?? saved.incarnation) === saved.incarnation;
  const empty = recovery.active === null && recovery.closed.length === 0;
  const why = kept ? 'kept' : saved ? 'unfinished' : empty ? 'first' : 'file-missing';
  const report: JournalReport = { incarnation: why, cutBytes: recovery.cutBytes, damage: recovery.damage };
  const journal = new Journal(options, recovery.streams, recovery.closed, recovery.active, recovery.end, saved, report);
  if (!kept) await journal.begin();
  return journal;
};

export class Journal implements BlockJournal {
  readonly dir: string;
  readonly collector: string;
  readonly report: JournalReport;
  readonly #options: JournalOptions;
  readonly #files: Files;
  readonly #streams: Streams;
  readonly #closed: ClosedSegment[];
  readonly #watchers = new Set<(end: number) => void>();
  readonly #pins = new Set<{ readonly first: number }>();
  readonly #background = new Set<Promise<unknown>>();
  #active: ActiveSegment | null;
  /** Size of the active file up to its last fsync. */
  #synced: number;
  #end: number;
  #incarnation: Incarnation;
  #ownIncarnation = false;
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | null = null;
  #releasing: Promise<unknown> = Promise.resolve();
  #closing = false;
  #commits = 0;
  #blocks = 0;
  #slowestMs = 0;
  #failure: string | null = null;

  constructor(
    options: JournalOptions,
    streams: Streams,
    closed: ClosedSegment[],
    active: ActiveSegment | null,
    end: number,
    incarnation: Incarnation | null,
    report: JournalReport,
  ) {
    this.dir = options.dir;
    this.collector = options.collector;
    this.report = report;
    this.#options = options;
    this.#files = options.files ?? systemFiles;
    this.#streams = streams;
    this.#closed = closed;
    this.#active = active;
    this.#synced = active?.segment.size ?? 0;
    this.#end = end;
    this.#incarnation = incarnation ?? { incarnation: '', from: end };
  }

  get incarnation(): string {
    return this.#incarnation.incarnation;
  }

  get end(): number {
    return this.#end;
  }

  /** Why the last write failed; null since one succeeded. */
  get failure(): string | null {
    return this.#failure;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  view(header: BlockHeader): BlockView {
    return this.#streams.view(header);
  }

  heads(agent: AgentId): readonly StreamRanges[] {
    return this.#streams.heads(agent);
  }

  ends(agent: AgentId, stream: string, limit: number): readonly HeldEnd[] {
    return this.#streams.ends(agent, stream, limit);
  }

  epochs(agent: AgentId, stream: string): readonly StreamEpoch[] {
    return this.#streams.epochs(agent, stream);
  }

  missing(agent: AgentId, limit: number): readonly MissingRange[] {
    return this.#streams.missing(agent, limit);
  }

  /** Agents of whose streams something is missing. */
  agentsMissing(): readonly AgentId[] {
    return this.#streams.holed();
  }

  /** Calls back with the new end after each commit, until the answer is called. */
  watch(listener: (end: number) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  append(block: Block, encoded: Uint8Array, meta: AppendMeta): Promise<Appended> {
    if (this.#closing) return Promise.reject(fault('JOURNAL_CLOSED'));
    const limit = this.#options.waitingLimitBytes ?? 67_108_864;
    if (this.#waitingBytes > 0 && this.#waitingBytes + encoded.length > limit) {
      return Promise.reject(fault('JOURNAL_BUSY', { limitBytes: limit }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Appended>();
    const settle = this.#streams.expect(block.header, promise);
    // Who waits for a duplicate hears of a failure too; with nobody waiting it is not unhandled.
    promise.catch(() => undefined);
    this.#waitingBytes += encoded.length;
    this.#queue.push({ block, encoded, meta, done: resolve, failed: reject, settle });
    this.#running ??= this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    // Whatever arrives in this turn of the loop shares the first commit.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < this.#queue.length && (count === 0 || bytes < BATCH_BYTES)) bytes += this.#queue[count++]!.encoded.length;
      const batch = this.#queue.splice(0, count);
      try {
        await this.#commit(batch);
      } catch (error) {
        const failure = isCoded(error, 'JOURNAL_FAILED')
          ? error
          : fault('JOURNAL_FAILED', { dir: this.dir, reason: toError(error).message }, error);
        this.#failure = toError(error).message;
        // What waits behind goes too: a later block of a stream without the one before it would stand for both (W11).
        batch.push(...this.#queue.splice(0));
        for (const { settle, failed } of batch) {
          settle();
          failed(failure);
        }
      }
      for (const { encoded } of batch) this.#waitingBytes -= encoded.length;
    }
    this.#running = null;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const begun = this.#options.clock.monotonic();
    const { segment, start, places } = await this.#writable();
    const at = this.#options.clock.now();
    const payloads = batch.map(({ encoded, meta }) => Buffer.concat([blockFrameHead(meta.agent, at, meta.flags, meta.endOffset), encoded]));
    const offsets = await segment.append(payloads);
    await segment.sync();
    this.#synced = segment.size;
    this.#end = start + segment.size;
    for (const [i, { block, meta, done, settle }] of batch.entries()) {
      const offset = start + offsets[i]!;
      const place = { offset, end: start + (offsets[i + 1] ?? segment.size), at };
      places.add(fingerprint(block.header), offsets[i]!);
      settle();
      this.#streams.apply(block.header, meta, place);
      done(place);
    }
    this.#failure = null;
    this.#commits++;
    this.#blocks += batch.length;
    this.#slowestMs = Math.max(this.#slowestMs, this.#options.clock.monotonic() - begun);
    for (const watcher of this.#watchers) watcher(this.#end);
  }

  async #writable(): Promise<ActiveSegment> {
    const active = this.#active;
    if (active && !active.segment.abandoned && active.segment.size < (this.#options.segmentBytes ?? 67_108_864)) return active;
    return this.#roll();
  }

  /** Closes the segment being written and opens the next one with all ranges (W7). */
  async #roll(): Promise<ActiveSegment> {
    const old = this.#active;
    if (old) {
      const { path, abandoned } = old.segment;
      const places = old.places.close();
      const end = old.start + this.#synced;
      // At once: whoever looks for a block meanwhile finds it in the one list or the other.
      this.#active = null;
      if (this.#synced > SEGMENT_START)
        this.#closed.push({ path, start: old.start, bytes: this.#synced, writtenAt: this.#options.clock.now(), end, places });
      await old.segment.close().catch(() => undefined);
      // Bytes behind the last good fsync were acknowledged to nobody. The next segment begins where they would stand.
      if (abandoned) await this.#files.truncate(path, this.#synced).catch(() => undefined);
      if (this.#synced > SEGMENT_START) this.#later(places.save(placesPath(path), this.#files));
      this.#end = end;
    }
    this.#streams.expire(unixMs(this.#options.clock.now() - (this.#options.headKeepMs ?? days(90))));
    const start = this.#end;
    const path = segmentPath(this.dir, start);
    // What stands there was never finished being opened: its position is where durable data ends.
    await this.#files.remove(path);
    const segment = await openSegment(path, { files: this.#files });
    try {
      for (const frame of openingFrames(this.collector, this.incarnation, this.#streams)) await segment.append([frame]);
      await segment.sync();
    } catch (error) {
      await this.#dropUnopened(segment);
      throw error;
    }
    this.#active = { segment, start, places: new OpenPlaces(), incarnation: this.incarnation };
    this.#synced = segment.size;
    this.#end = start + segment.size;
    return this.#active;
  }

  async #dropUnopened(segment: Segment): Promise<void> {
    await segment.close().catch(() => undefined);
    await this.#files.remove(segment.path).catch(() => undefined);
  }

  // Work whose failure costs only time at the next start.
  #later(work: Promise<unknown>): void {
    const settled = work.catch(() => undefined).finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }

  /** Begins another incarnation, and a segment under it. `openJournal` and `renew` call it. */
  async begin(): Promise<void> {
    this.#incarnation = await writeIncarnation(this.dir, this.#end, this.incarnation, this.#options.clock.now(), this.#files);
    this.#ownIncarnation = true;
    await this.#roll();
  }

  async renew(): Promise<boolean> {
    // An incarnation that this process made cannot have been put back since: whoever names a position behind its end is wrong.
    if (this.#ownIncarnation || this.#closing) return false;
    this.#ownIncarnation = true;
    while (this.#running) await this.#running;
    const work = this.begin();
    this.#running = work
      .catch(() => undefined)
      .then(() => {
        this.#running = this.#queue.length > 0 ? this.#run() : null;
      });
    try {
      await work;
    } catch (error) {
      this.#ownIncarnation = false;
      throw error;
    }
    return true;
  }

  find(header: Pick<BlockHeader, 'agent' | 'stream' | 'epoch' | 'first'>): Promise<HeldBlock | null> {
    return findBlock(this.#newestFirst(), header, this.#files);
  }

  read(offset: number): Promise<Block | null> {
    return readBlock(this.#newestFirst(), offset, this.#files);
  }

  *#newestFirst(): Generator<Searched> {
    if (this.#active) yield { path: this.#active.segment.path, start: this.#active.start, places: this.#active.places };
    for (let i = this.#closed.length - 1; i >= 0; i--) yield this.#closed[i]!;
  }

  async checkMark(agent: AgentId, mark: JournalMark): Promise<'ok' | 'other' | 'beyond'> {
    if (mark.incarnation !== this.incarnation) return 'other';
    if (mark.offset > this.#end) return 'beyond';
    // Known, and nothing acked yet.
    if (mark.offset === 0) return 'ok';
    const near = this.#streams.hashAt(agent, mark.offset);
    if (near !== null) return near === mark.hash ? 'ok' : 'other';
    if (mark.offset < this.#incarnation.from) return 'other';
    return (await holdsMark(this.#newestFirst(), mark, this.#files)) ? 'ok' : 'other';
  }

  /**
   * Removes whole segments that end at or before the position and that the retention does not keep: written before `olderThan`,
   * or beyond `maxBytes`, oldest first. Pinned ones and the one being written stay. Answers how many went.
   */
  release(before: number, keep: { readonly olderThan?: UnixMs; readonly maxBytes?: number } = {}): Promise<number> {
    const done = this.#releasing.then(() => this.#release(before, keep));
    this.#releasing = done.catch(() => undefined);
    return done;
  }

  async #release(before: number, keep: { readonly olderThan?: UnixMs; readonly maxBytes?: number }): Promise<number> {
    let total = this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#synced);
    let removed = 0;
    while (this.#closed.length > 0) {
      const [segment] = this.#closed as [ClosedSegment];
      const old = keep.olderThan !== undefined && segment.writtenAt < keep.olderThan;
      const large = keep.maxBytes !== undefined && total > keep.maxBytes;
      const unkept = (keep.olderThan === undefined && keep.maxBytes === undefined) || old || large;
      if (segment.end > before || !unkept || [...this.#pins].some(({ first }) => first < segment.end)) break;
      this.#closed.shift();
      total -= segment.bytes;
      const next = this.#closed[0]?.path ?? this.#active?.segment.path;
      const opening = next ? await readOpening(next, this.#files) : null;
      for (const epoch of opening?.epochs ?? []) this.#streams.forget(epoch);
      // On the thread pool, one at a time: freeing 64 MB takes the disk 20 ms.
      await this.#files.unlink(segment.path);
      await this.#files.unlink(placesPath(segment.path)).catch(() => undefined);
      removed++;
    }
    return removed;
  }

  /** Keeps every segment from now on until the answer's `release`; lists the durable part of each, for a backup (J6). The incarnation file is left out on purpose: a copy is another journal. */
  pin(): {
    readonly files: readonly { readonly path: string; readonly bytes: number }[];
    readonly end: number;
    readonly release: () => void;
  } {
    const pin = { first: this.#closed[0]?.start ?? this.#active?.start ?? 0 };
    this.#pins.add(pin);
    const files = this.#closed.map(({ path, start, end }) => ({ path, bytes: end - start }));
    if (this.#active) files.push({ path: this.#active.segment.path, bytes: this.#synced });
    return { files, end: this.#end, release: () => this.#pins.delete(pin) };
  }

  status(): JournalStatus {
    const slowestCommitMs = this.#slowestMs;
    this.#slowestMs = 0;
    return {
      segments: this.#closed.length + (this.#active ? 1 : 0),
      bytes: this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#synced),
      streams: this.#streams.size,
      first: this.#closed[0]?.start ?? this.#active?.start ?? 0,
      end: this.#end,
      commits: this.#commits,
      blocks: this.#blocks,
      slowestCommitMs,
    };
  }

  /** Writes what waits, then closes. */
  async close(): Promise<void> {
    this.#closing = true;
    while (this.#running) await this.#running;
    await Promise.all([...this.#background, this.#releasing]);
    await this.#active?.segment.close();
    this.#active = null;
  }
}
