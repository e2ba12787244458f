// SPDX-License-Identifier: Apache-2.0
/**
 * The spool: seals batches into signed blocks, makes them durable before they are first sent, and keeps them until they are acknowledged and a while longer.
 * Input: batches of the sources; what the collector settled. Output: blocks to send, in order; where each stream stands (river.md W4, W8, A1, A4).
 */
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import { systemCode, toError } from '../../core/errors.ts';
import { type AgentId, random128 } from '../../core/ids.ts';
import type { Block, GapBody, HeartbeatBody, JournalMark } from '../../core/protocol.ts';
import type { SegmentOptions } from '../../core/segment.ts';
import type { Signer } from '../../core/sign.ts';
import type { Bytes, Ms } from '../../core/units.ts';
import { encodeBlock, sealBlock, sealJson } from '../../core/wire.ts';
import { fault } from '../errors.ts';
import type { Batch } from '../source/source.ts';
import {
  blockFrame,
  isBefore,
  type KeptBlock,
  type Settled,
  type SpoolPlace,
  type StreamState,
  settledFrame,
  streamFrame,
} from './frame.ts';
import { SegmentLog } from './log.ts';
import { ackedOf, type Recovered, recoverSpool, stateAfter } from './recover.ts';

export interface SpoolOptions extends SegmentOptions {
  readonly folder: string;
  readonly agent: AgentId;
  readonly host: string;
  readonly zone: string;
  /** The key of today; it changes with each renewal. */
  readonly signer: () => Signer;
  readonly quotaBytes: Bytes;
  /** Acknowledged blocks stay so long, while they take at most a quarter of the quota (W8). */
  readonly keepMs: Ms;
  readonly clock: Clock;
  readonly segmentBytes?: number;
}

/** A block that waits to be sent or for its answer. */
export interface Pending {
  readonly place: SpoolPlace;
  readonly end: SpoolPlace;
  readonly stream: string;
  readonly epoch: string;
  readonly first: number;
  readonly count: number;
  readonly hash: string;
  readonly at: number;
  /** As it travels. */
  readonly bytes: Uint8Array;
  /** Asked back by the collector: not part of the order. */
  readonly extra?: true;
}

/** Sealed and not yet on disk. */
interface Unsynced {
  readonly frame: Uint8Array;
  /** The stream behind it. */
  readonly state: StreamState;
  readonly pending?: Omit<Pending, 'place' | 'end'>;
}

/** Bytes of sealed blocks kept in memory before they are written or sent. */
const WINDOW_BYTES = 4_194_304;
const WINDOW_BLOCKS = 256;
const ROOM_BYTES = 2_097_152;
const MAX_KEPT = 1_000;

type Ranges = readonly (readonly [number, number])[];

export class Spool {
  readonly #options: SpoolOptions;
  readonly #log: SegmentLog;
  readonly #streams: Map<string, StreamState>;
  /** The same as of the last flush: what a new segment may open with. */
  readonly #durable: Map<string, StreamState>;
  readonly #acked: Recovered['acked'];
  #ackedChanged = new Map<string, readonly [string, string, number]>();
  #unsynced: Unsynced[] = [];
  #unsyncedBytes = 0;
  /** Everything before it is settled. */
  #upTo: SpoolPlace;
  #journal: JournalMark | null;
  #kept: KeptBlock[];
  /** Blocks loaded from `upTo` on, in order, and the place behind them. */
  #window: { readonly pending: Pending; settled: boolean }[] = [];
  #windowEnd: SpoolPlace;
  #extra: Pending[] = [];
  /** What a restored collector said it holds: such blocks are not sent again (W6). */
  #heldThere = new Map<string, Ranges>();
  #marksChanged = false;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: string | undefined;
  /** Last sequence passed by the window, by stream and epoch: a hole means a lost frame. */
  readonly #passed = new Map<string, number>();
  #holes: { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[] = [];
  readonly damage: Recovered['damage'];

  /** Opens or makes the folder. @throws CodedError AGENT_STATE_UNUSABLE. */
  static async open(options: SpoolOptions): Promise<Spool> {
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      return new Spool(options, await recoverSpool(options.folder));
    } catch (error) {
      const reason = systemCode(error) ?? toError(error).message;
      throw fault('AGENT_STATE_UNUSABLE', { dir: options.folder, reason }, error);
    }
  }

  private constructor(options: SpoolOptions, recovered: Recovered) {
    this.#options = options;
    this.#streams = recovered.streams;
    this.#durable = new Map(recovered.streams);
    this.#acked = recovered.acked;
    this.#journal = recovered.settled.journal;
    this.#kept = [...recovered.settled.kept];
    this.damage = recovered.damage;
    const first = recovered.segments[0];
    const { upTo } = recovered.settled;
    this.#upTo = first && isBefore(upTo, { segment: first.number, offset: 0 }) ? { segment: first.number, offset: 0 } : upTo;
    this.#windowEnd = this.#upTo;
    const segmentBytes = options.segmentBytes ?? Math.max(1_048_576, Math.min(16_777_216, Math.floor(options.quotaBytes / 32)));
    this.#log = new SegmentLog(
      { ...options, segmentBytes, now: () => options.clock.now(), snapshot: () => this.#snapshot() },
      recovered.segments,
    );
  }

  get journal(): JournalMark | null {
    return this.#journal;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Bytes behind the acked cursor: not yet acknowledged. */
  get waitingBytes(): number {
    return this.#log.files.reduce((sum, { number, bytes }) => {
      if (number < this.#upTo.segment) return sum;
      return sum + (number === this.#upTo.segment ? Math.max(0, bytes - this.#upTo.offset) : bytes);
    }, this.#unsyncedBytes);
  }

  get kept(): readonly KeptBlock[] {
    return this.#kept;
  }

  /** Why the disk takes nothing now; undefined when it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** False when the quota is used up by what was not acknowledged, or the disk refuses: the source must wait (A4). */
  get room(): boolean {
    if (this.#failure !== undefined) return false;
    const releasable = this.#releasable().reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#log.bytes - releasable + this.#unsyncedBytes + ROOM_BYTES <= this.#options.quotaBytes;
  }

  /** True when enough is sealed in memory that a flush is due. */
  get flushDue(): boolean {
    return this.#unsyncedBytes >= WINDOW_BYTES;
  }

  stateOf(stream: string): StreamState | undefined {
    return this.#streams.get(stream);
  }

  ackedSeq(stream: string, epoch: string): number {
    return this.#acked.get(stream)?.get(epoch) ?? 0;
  }

  ackedEpochs(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#acked;
  }

  /** Seals a batch in memory; `flush` makes it durable and ready to send. @throws CodedError WIRE_BAD_BLOCK. */
  seal(batch: Batch): StreamState {
    const draft = { ...this.#draft(batch.stream, batch.kind, batch.dataset), from: batch.from, at: batch.at };
    const block = sealBlock(batch.file ? { ...draft, file: batch.file } : draft, batch.records, this.#options.signer());
    return this.#add(block, batch.resume);
  }

  /** Seals a heartbeat or a gap. Its stream keeps its read cursor. */
  sealJson(stream: string, kind: 'gap' | 'heartbeat', dataset: string, body: GapBody | HeartbeatBody): StreamState {
    const draft = { ...this.#draft(stream, kind, dataset), from: 0, at: this.#options.clock.now() };
    return this.#add(sealJson(draft, body, this.#options.signer()), this.#streams.get(stream)?.resume ?? '');
  }

  /** The state of a stream; a new one gets its epoch now, so that a heartbeat can speak of it before its first record. */
  ensure(stream: string): StreamState {
    const known = this.#streams.get(stream);
    if (known) return known;
    const state = { stream, epoch: random128(), seq: 0, prev: null };
    this.#streams.set(stream, state);
    this.#put({ frame: streamFrame(state), state });
    return state;
  }

  #draft(stream: string, kind: Batch['kind'], dataset: string) {
    const state = this.ensure(stream);
    const { agent, host, zone } = this.#options;
    const { epoch, seq, prev, after } = state;
    return { agent, host, stream, kind, dataset, zone, epoch, ...(after ? { after } : {}), first: seq + 1, prev };
  }

  #add(block: Block, resume: string): StreamState {
    const { stream, epoch, first, count, hash, at } = block.header;
    const state = stateAfter(this.#streams.get(stream)!, block.header, resume);
    const bytes = encodeBlock(block);
    this.#streams.set(stream, state);
    this.#put({ frame: blockFrame(resume, bytes), state, pending: { stream, epoch, first, count, hash, at, bytes } });
    return state;
  }

  #put(item: Unsynced): void {
    this.#unsynced.push(item);
    this.#unsyncedBytes += item.frame.length;
  }

  /** Makes durable what was sealed. On a failing disk nothing is lost: it stays in memory and the next flush tries again. */
  flush(): Promise<boolean> {
    return this.#exclusive(async () => {
      const taken = this.#unsynced;
      const marks = this.#marksChanged ? [settledFrame(this.#marks(false))] : [];
      if (taken.length === 0 && marks.length === 0) return true;
      this.#unsynced = [];
      const contiguous = this.#isComplete();
      try {
        const places = await this.#log.append([...taken.map(({ frame }) => frame), ...marks], taken.length > 0);
        this.#failure = undefined;
        for (const { frame, state } of taken) {
          this.#unsyncedBytes -= frame.length;
          this.#durable.set(state.stream, state);
        }
        if (marks.length > 0) this.#marksWritten();
        if (contiguous) this.#take(taken, places);
        await this.#release();
        return true;
      } catch (error) {
        this.#unsynced = [...taken, ...this.#unsynced];
        this.#failure = toError(error).message;
        return false;
      }
    });
  }

  /** What was just written goes straight into the window when nothing stands between and there is room. */
  #take(taken: readonly Unsynced[], places: readonly SpoolPlace[]): void {
    let bytes = this.#windowBytes();
    for (const [index, { frame, pending }] of taken.entries()) {
      const place = places[index]!;
      const end = { segment: place.segment, offset: place.offset + 8 + frame.length };
      if (pending) {
        bytes += pending.bytes.length;
        if (this.#window.length >= WINDOW_BLOCKS || bytes > WINDOW_BYTES * 2) return;
        this.#passed.set(`${pending.stream}\0${pending.epoch}`, pending.first + pending.count - 1);
        this.#window.push({ pending: { ...pending, place, end }, settled: false });
      }
      this.#windowEnd = end;
    }
    this.#windowEnd = this.#log.end;
    if (this.#window.length === 0) this.#upTo = this.#windowEnd;
  }

  #isComplete(): boolean {
    const { end } = this.#log;
    return !isBefore(this.#windowEnd, end);
  }

  #windowBytes(): number {
    return this.#window.reduce((sum, { pending, settled }) => sum + (settled ? 0 : pending.bytes.length), 0);
  }

  /** Blocks to send next, oldest first, within the limits but at least one when there is one. */
  async window(maxBlocks: number, maxBytes: number): Promise<readonly Pending[]> {
    if (this.#window.every(({ settled }) => settled) || this.#window.length < Math.min(maxBlocks, 32)) await this.#load();
    const chosen: Pending[] = [];
    let bytes = 0;
    const open = [...this.#extra, ...this.#window.flatMap(({ pending, settled }) => (settled ? [] : [pending]))];
    for (const pending of open) {
      bytes += pending.bytes.length;
      if (chosen.length > 0 && (chosen.length >= maxBlocks || bytes > maxBytes)) break;
      chosen.push(pending);
    }
    return chosen;
  }

  #load(): Promise<void> {
    return this.#exclusive(async () => {
      if (this.#isComplete()) return;
      let bytes = this.#windowBytes();
      for await (const item of this.#log.read(this.#windowEnd)) {
        if (item.kind === 'damage') continue;
        const { frame, place, end } = item;
        if (frame.kind === 'block' && this.#isAlive(frame.header.stream, frame.header.epoch)) {
          const { stream, epoch, first, count, hash, at } = frame.header;
          this.#noteHole(stream, epoch, first, first + count - 1);
          if (this.#isHeldThere(stream, epoch, first, first + count - 1)) this.#ack(stream, epoch, first, count);
          else {
            if (bytes > 0 && (this.#window.length >= WINDOW_BLOCKS || bytes + frame.bytes.length > WINDOW_BYTES)) return;
            bytes += frame.bytes.length;
            // A copy: the view would hold its whole chunk of the file in memory.
            this.#window.push({
              pending: { place, end, stream, epoch, first, count, hash, at, bytes: frame.bytes.slice() },
              settled: false,
            });
          }
        }
        this.#windowEnd = end;
      }
      this.#windowEnd = this.#log.end;
      this.#advance();
    });
  }

  /** A block of an epoch that W11 closed was resealed: only the newest epoch of a stream is sent. */
  #isAlive(stream: string, epoch: string): boolean {
    return this.#streams.get(stream)?.epoch === epoch;
  }

  #noteHole(stream: string, epoch: string, first: number, last: number): void {
    const key = `${stream}\0${epoch}`;
    const before = Math.max(this.#passed.get(key) ?? 0, this.ackedSeq(stream, epoch));
    if (first > before + 1) this.#holes.push({ stream, epoch, from: before + 1, to: first - 1 });
    this.#passed.set(key, Math.max(before, last));
  }

  /** Sequences whose blocks were damaged on disk, once; the caller declares them (cause `spool-corrupt`). */
  takeHoles(): readonly { readonly stream: string; readonly epoch: string; readonly from: number; readonly to: number }[] {
    const holes = this.#holes;
    this.#holes = [];
    return holes;
  }

  #isHeldThere(stream: string, epoch: string, first: number, last: number): boolean {
    return this.#heldThere.get(`${stream}\0${epoch}`)?.some(([from, to]) => from <= first && last <= to) ?? false;
  }

  /** The collector has the block, durably. */
  settle(pending: Pending): void {
    this.#ack(pending.stream, pending.epoch, pending.first, pending.count);
    this.#done(pending);
  }

  /** The collector will not take the block now, or never: it is kept and not sent again. */
  keep(pending: Pending, why: 'held' | 'bad'): void {
    const { stream, epoch, first, count, place } = pending;
    this.#kept.push({ why, stream, epoch, first, count, segment: place.segment });
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    this.#ack(stream, epoch, first, count);
    this.#done(pending);
  }

  #done(pending: Pending): void {
    this.#marksChanged = true;
    if (pending.extra) this.#extra = this.#extra.filter((other) => other !== pending);
    else {
      const entry = this.#window.find((other) => other.pending === pending);
      if (entry) entry.settled = true;
    }
    this.#advance();
  }

  #advance(): void {
    let passed = 0;
    while (this.#window[passed]?.settled) passed++;
    if (passed > 0) this.#window.splice(0, passed);
    const next = this.#window[0]?.pending.place ?? this.#windowEnd;
    if (isBefore(this.#upTo, next)) {
      this.#upTo = next;
      this.#marksChanged = true;
    }
  }

  #ack(stream: string, epoch: string, first: number, count: number): void {
    const epochs = ackedOf(this.#acked, stream);
    const before = epochs.get(epoch) ?? 0;
    const last = first + count - 1;
    if (last <= before) return;
    epochs.set(epoch, last);
    this.#ackedChanged.set(`${stream}\0${epoch}`, [stream, epoch, last]);
    this.#marksChanged = true;
  }

  /** Where the collector's journal stands, to be told with the next request (W6). */
  setJournal(mark: JournalMark | null): void {
    this.#journal = mark;
    this.#marksChanged = true;
  }

  /** Drops blocks that wait for a person, once the collector holds them. */
  releaseKept(isHeld: (kept: KeptBlock) => boolean): void {
    this.#kept = this.#kept.filter((kept) => !isHeld(kept));
    this.#marksChanged = true;
  }

  /** Begins again from the oldest block kept, passing over what the collector said it holds (W6). */
  rewind(held: ReadonlyMap<string, Ranges>): void {
    this.#heldThere = new Map(held);
    this.#window = [];
    this.#extra = [];
    const first = this.#log.files[0];
    this.#upTo = { segment: first?.number ?? 0, offset: 0 };
    this.#windowEnd = this.#upTo;
    this.#passed.clear();
    this.#marksChanged = true;
  }

  /** What is acknowledged by a collector that was put back counts no longer. */
  forgetAcked(stream: string, epoch: string, seq: number): void {
    ackedOf(this.#acked, stream).set(epoch, seq);
    this.#ackedChanged.set(`${stream}\0${epoch}`, [stream, epoch, seq]);
    this.#marksChanged = true;
  }

  /** Puts blocks that were asked back before all others. */
  offer(pending: Pending): void {
    const known = this.#extra.some(
      (other) => other.hash === pending.hash && other.first === pending.first && other.epoch === pending.epoch,
    );
    if (!known && this.#extra.length < WINDOW_BLOCKS) this.#extra.push({ ...pending, extra: true });
  }

  /** Every block on disk, oldest first; `fromUnsettled` leaves out what lies before the acked cursor. */
  async *blocks(fromUnsettled: boolean): AsyncGenerator<Pending & { readonly resume: string }, void> {
    const from = fromUnsettled ? this.#upTo : { segment: 0, offset: 0 };
    for await (const item of this.#log.read(from)) {
      if (item.kind === 'damage' || item.frame.kind !== 'block') continue;
      const { header, bytes, resume } = item.frame;
      const { stream, epoch, first, count, hash, at } = header;
      yield { place: item.place, end: item.end, stream, epoch, first, count, hash, at, bytes: bytes.slice(), resume };
    }
  }

  /** The bytes of the block at a place; undefined when it was released or damaged. */
  async readBlock(place: SpoolPlace): Promise<Uint8Array | undefined> {
    for await (const item of this.#log.read(place)) {
      const found = item.kind === 'frame' && item.frame.kind === 'block' && item.place.offset === place.offset;
      return found && item.frame.kind === 'block' ? item.frame.bytes.slice() : undefined;
    }
    return undefined;
  }

  /** True while the block waits for its answer. */
  isOpen(pending: Pending): boolean {
    const entry = this.#window.find(
      ({ pending: other }) => other.place.segment === pending.place.segment && other.place.offset === pending.place.offset,
    );
    return entry ? !entry.settled : !isBefore(pending.place, this.#windowEnd);
  }

  /**
   * Puts a new epoch of a stream in force: its blocks were sealed by `make` from the state given, and are written with the state as one (W11).
   * Blocks of the old epoch are sent no more.
   */
  async replaceEpoch(
    begin: StreamState,
    make: (seal: (block: Block) => StreamState) => AsyncIterable<void>,
    resume: string | undefined,
  ): Promise<void> {
    let state = begin;
    const draftState = (block: Block): StreamState => (state = stateAfter(state, block.header, resume ?? begin.resume ?? ''));
    let frames: Uint8Array[] = [];
    let bytes = 0;
    const write = (last: boolean): Promise<unknown> => this.#exclusive(() => this.#log.append(frames, last));
    for await (const _ of make((block) => {
      const frame = blockFrame(resume ?? begin.resume ?? '', encodeBlock(block));
      frames.push(frame);
      bytes += frame.length;
      return draftState(block);
    })) {
      if (bytes < WINDOW_BYTES) continue;
      await write(false);
      frames = [];
      bytes = 0;
    }
    const final = { ...state, ...(resume === undefined ? {} : { resume }) };
    frames.push(streamFrame(final));
    await write(true);
    this.#streams.set(final.stream, final);
    this.#durable.set(final.stream, final);
    this.#window = [];
    this.#windowEnd = this.#upTo;
    this.#passed.clear();
  }

  #marks(snapshot: boolean): Settled {
    const acked = snapshot
      ? [...this.#acked].flatMap(([stream, epochs]) => [...epochs].slice(-4).map(([epoch, seq]) => [stream, epoch, seq] as const))
      : [...this.#ackedChanged.values()];
    const base = { upTo: this.#upTo, journal: this.#journal, acked, kept: this.#kept };
    return snapshot ? { ...base, snapshot: true } : base;
  }

  #marksWritten(): void {
    this.#marksChanged = false;
    this.#ackedChanged = new Map();
  }

  #snapshot(): readonly Uint8Array[] {
    return [...[...this.#durable.values()].map(streamFrame), settledFrame(this.#marks(true))];
  }

  #releasable() {
    const pinned = new Set(this.#kept.map(({ segment }) => segment));
    return this.#log.files.slice(0, -1).filter(({ number }) => number < this.#upTo.segment && !pinned.has(number));
  }

  /** Lets go of acknowledged segments that are old, or more than a quarter of the quota, or in the way of new ones (W8). */
  async #release(): Promise<void> {
    const now = this.#options.clock.now();
    const candidates = this.#releasable();
    let acked = candidates.reduce((sum, { bytes }) => sum + bytes, 0);
    let over = this.#log.bytes + ROOM_BYTES - this.#options.quotaBytes;
    for (const file of candidates) {
      if (now - file.writtenAt < this.#options.keepMs && acked <= this.#options.quotaBytes / 4 && over <= 0) continue;
      acked -= file.bytes;
      over -= file.bytes;
      await this.#log.remove(file);
    }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(work);
    this.#writing = result.catch(() => undefined); // The caller hears of it; the next work only waits.
    return result;
  }

  /** Writes what is settled, and closes. */
  async close(): Promise<void> {
    await this.flush();
    await this.#exclusive(() => this.#log.close());
  }
}
