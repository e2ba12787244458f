// SPDX-License-Identifier: Apache-2.0
/**
 * The spool: seals batches into signed blocks, makes them durable before they are first sent, and keeps them until they are acknowledged and a while longer.
 * Input: batches of the sources; what the collector settled. Output: blocks to send, in order; where each stream stands (river.md W4, W8, A1, A4).
 */
import { systemCode, toError } from '../../core/errors.ts';
import { systemFiles } from '../../core/files.ts';
import { FRAME_HEAD_BYTES } from '../../core/frames.ts';
import { random128 } from '../../core/ids.ts';
import type { Block, GapBody, HeartbeatBody, JournalMark } from '../../core/protocol.ts';
import { encodeBlock, sealBlock, sealJson } from '../../core/wire.ts';
import { fault } from '../errors.ts';
import type { Batch } from '../source/source.ts';
import { blockFrameBytes, isBefore, type KeptBlock, type SpoolPlace, type StreamState, streamFrame, writeBlockFrame } from './frame.ts';
import { Ledger } from './ledger.ts';
import { SegmentLog } from './log.ts';
import type { SpoolOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { type Recovered, recoverSpool, stateAfter } from './recover.ts';
import { type Pending, SendWindow, type SequenceRange } from './window.ts';

/** Sealed bytes after which a flush is due. */
const FLUSH_BYTES = 1_048_576;
const ROOM_BYTES = 2_097_152;

type Ranges = readonly (readonly [number, number])[];

export class Spool {
  readonly #options: SpoolOptions;
  readonly #log: SegmentLog;
  readonly #streams: Map<string, StreamState>;
  /** The same as of the last flush: what a new segment may open with. */
  readonly #durable: Map<string, StreamState>;
  readonly #ledger: Ledger;
  readonly #outbox = new Outbox();
  readonly #window: SendWindow;
  /** What a restored collector said it holds: such blocks are not sent again (W6). */
  #heldThere = new Map<string, Ranges>();
  #writing: Promise<unknown> = Promise.resolve();
  #failure: string | undefined;
  readonly damage: Recovered['damage'];

  /** Opens or makes the folder. @throws CodedError AGENT_STATE_UNUSABLE. */
  static async open(options: SpoolOptions): Promise<Spool> {
    try {
      const files = options.files ?? systemFiles;
      await files.makeFolder(options.folder);
      return new Spool(options, await recoverSpool(options.folder, files));
    } catch (error) {
      const reason = systemCode(error) ?? toError(error).message;
      throw fault('AGENT_STATE_UNUSABLE', { dir: options.folder, reason }, error);
    }
  }

  private constructor(options: SpoolOptions, recovered: Recovered) {
    this.#options = options;
    this.#streams = recovered.streams;
    this.#durable = new Map(recovered.streams);
    this.#ledger = new Ledger(recovered);
    this.damage = recovered.damage;
    const first = recovered.segments[0];
    const { upTo } = recovered.settled;
    const segmentBytes = options.segmentBytes ?? Math.max(1_048_576, Math.min(16_777_216, Math.floor(options.quotaBytes / 32)));
    this.#log = new SegmentLog(
      { ...options, segmentBytes, now: () => options.clock.now(), snapshot: () => this.#snapshot() },
      recovered.segments,
    );
    const begin = first && isBefore(upTo, { segment: first.number, offset: 0 }) ? { segment: first.number, offset: 0 } : upTo;
    this.#window = new SendWindow(this.#log, begin, {
      // Of an epoch that W11 closed, what was not acked was resealed; what was acked is sent again where a collector lost it (W6).
      isAlive: (stream, epoch, last) => this.#streams.get(stream)?.epoch === epoch || last <= this.ackedSeq(stream, epoch),
      acked: (stream, epoch) => this.ackedSeq(stream, epoch),
      isHeldThere: (...block) => this.#isHeldThere(...block),
      onAck: (...block) => this.#ledger.ack(...block),
    });
  }

  get journal(): JournalMark | null {
    return this.#ledger.journal;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Bytes behind the acked cursor: not yet acknowledged. */
  get waitingBytes(): number {
    return this.#log.files.reduce((sum, { number, bytes }) => {
      if (number < this.#window.upTo.segment) return sum;
      return sum + (number === this.#window.upTo.segment ? Math.max(0, bytes - this.#window.upTo.offset) : bytes);
    }, this.#outbox.bytes);
  }

  get kept(): readonly KeptBlock[] {
    return this.#ledger.kept;
  }

  /** Why the disk takes nothing now; undefined when it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** False when the quota is used up by what was not acknowledged, or the disk refuses: the source must wait (A4). */
  get room(): boolean {
    if (this.#failure !== undefined) return false;
    const releasable = this.#releasable().reduce((sum, { bytes }) => sum + bytes, 0);
    return this.#log.bytes - releasable + this.#outbox.bytes + ROOM_BYTES <= this.#options.quotaBytes;
  }

  /** True when enough is sealed in memory that a flush is due. */
  get flushDue(): boolean {
    return this.#outbox.bytes >= FLUSH_BYTES;
  }

  stateOf(stream: string): StreamState | undefined {
    return this.#streams.get(stream);
  }

  ackedSeq(stream: string, epoch: string): number {
    return this.#ledger.seq(stream, epoch);
  }

  /** Every stream as it stands. */
  states(): readonly StreamState[] {
    return [...this.#streams.values()];
  }

  /** True for an epoch that was sealed or acked here. */
  knowsEpoch(stream: string, epoch: string): boolean {
    return this.#streams.get(stream)?.epoch === epoch || this.#ledger.knows(stream, epoch);
  }

  /** What was acked behind a sequence does not count any more: it was lost there, and is sealed anew. */
  lowerAcked(stream: string, epoch: string, seq: number): void {
    this.#ledger.lower(stream, epoch, seq);
  }

  /** What was acked of a stream does not count any more: its records are sealed or read anew. */
  forgetAcked(stream: string): void {
    this.#ledger.forget(stream);
  }

  ackedEpochs(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#ledger.acked;
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
    this.#outbox.put({ frame: streamFrame(state), state });
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
    const encoded = encodeBlock(block);
    const frame = this.#outbox.reserve(blockFrameBytes(resume, encoded));
    const bytes = writeBlockFrame(frame, resume, encoded);
    this.#streams.set(stream, state);
    this.#outbox.put({ frame, state, pending: { stream, epoch, first, count, hash, at, bytes } });
    return state;
  }

  /** Makes durable what was sealed. On a failing disk nothing is lost: it stays in memory and the next flush tries again. */
  flush(): Promise<boolean> {
    return this.#exclusive(async () => {
      const taken = this.#outbox.take();
      const marks = this.#ledger.take(this.#window.upTo);
      if (taken.length === 0 && !marks) return true;
      const contiguous = this.#window.isComplete;
      try {
        const places = await this.#log.append([...taken.map(({ frame }) => frame), ...(marks ? [marks.frame] : [])], taken.length > 0);
        this.#failure = undefined;
        for (const { state } of taken) this.#durable.set(state.stream, state);
        if (contiguous)
          this.#window.take(
            taken.map(({ frame, pending }, i) => ({
              frameBytes: FRAME_HEAD_BYTES + frame.length,
              place: places[i]!,
              ...(pending ? { pending } : {}),
            })),
          );
        this.#outbox.written(taken);
        await this.#release();
        return true;
      } catch (error) {
        this.#outbox.failed(taken);
        marks?.undo();
        this.#failure = toError(error).message;
        return false;
      }
    });
  }

  /** Blocks to send next, oldest first, within the limits but at least one when there is one. */
  async window(maxBlocks: number, maxBytes: number): Promise<readonly Pending[]> {
    await this.#exclusive(() => this.#window.load(maxBlocks));
    return this.#window.next(maxBlocks, maxBytes);
  }

  /** Sequences whose blocks were damaged on disk, once; the caller declares them (cause `spool-corrupt`). */
  takeHoles(): readonly SequenceRange[] {
    return this.#window.takeHoles();
  }

  /** The collector has the block, durably. */
  settle(pending: Pending): void {
    const { stream, epoch, first, count, extra } = pending;
    this.#ledger.ack(stream, epoch, first, count);
    if (extra) this.releaseKept((kept) => kept.stream === stream && kept.epoch === epoch && kept.first === first);
    this.#done(pending);
  }

  /** The collector will not take the block now, or never: it is kept and not sent again. */
  keep(pending: Pending, why: 'held' | 'bad'): void {
    const { stream, epoch, first, count, place } = pending;
    this.#ledger.keep({ why, stream, epoch, first, count, segment: place.segment });
    this.#ledger.ack(stream, epoch, first, count);
    this.#done(pending);
  }

  #done(pending: Pending): void {
    this.#window.done(pending);
    this.#ledger.touch();
  }

  /** Where the collector's journal stands, to be told with the next request (W6). */
  setJournal(mark: JournalMark | null): void {
    this.#ledger.setJournal(mark);
  }

  /** Drops blocks that wait for a person, once the collector holds them. */
  releaseKept(isHeld: (kept: KeptBlock) => boolean): void {
    this.#ledger.release(isHeld);
  }

  /** Begins again from the oldest block kept, passing over what the collector said it holds (W6). */
  rewind(held: ReadonlyMap<string, Ranges>): void {
    this.#heldThere = new Map(held);
    this.#window.reset({ segment: this.#log.files[0]?.number ?? 0, offset: 0 });
    this.#ledger.touch();
  }

  /** Puts blocks that were asked back before all others. */
  offer(pending: Pending): void {
    this.#window.offer(pending);
  }

  /** Every block on disk, oldest first; `fromUnsettled` leaves out what lies before the acked cursor. */
  async *blocks(fromUnsettled: boolean): AsyncGenerator<Pending & { readonly resume: string; readonly prev: string | null }, void> {
    const from = fromUnsettled ? this.#window.upTo : { segment: 0, offset: 0 };
    for await (const item of this.#log.read(from)) {
      if (item.kind === 'damage' || item.frame.kind !== 'block') continue;
      const { header, bytes, resume } = item.frame;
      const { stream, epoch, first, count, hash, at, prev } = header;
      yield { place: item.place, end: item.end, stream, epoch, first, count, hash, prev, at, bytes: new Uint8Array(bytes), resume };
    }
  }

  /** The bytes of the block at a place; undefined when it was released or damaged. */
  async readBlock(place: SpoolPlace): Promise<Uint8Array | undefined> {
    for await (const item of this.#log.read(place)) {
      const found = item.kind === 'frame' && item.frame.kind === 'block' && item.place.offset === place.offset;
      return found && item.frame.kind === 'block' ? new Uint8Array(item.frame.bytes) : undefined;
    }
    return undefined;
  }

  /** True while the block waits for its answer. */
  isOpen(pending: Pending): boolean {
    const { stream, epoch, first, count } = pending;
    return this.#window.isOpen(pending) && !this.#isHeldThere(stream, epoch, first, first + count - 1);
  }

  #isHeldThere(stream: string, epoch: string, first: number, last: number): boolean {
    // Ranges tell no content: what was never acked is sent, as the same numbers may hold other records there (a host that was put back).
    if (last > this.ackedSeq(stream, epoch)) return false;
    return this.#heldThere.get(`${stream}\0${epoch}`)?.some(([from, to]) => from <= first && last <= to) ?? false;
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
      const encoded = encodeBlock(block);
      const text = resume ?? begin.resume ?? '';
      const frame = Buffer.allocUnsafeSlow(blockFrameBytes(text, encoded));
      writeBlockFrame(frame, text, encoded);
      frames.push(frame);
      bytes += frame.length;
      return draftState(block);
    })) {
      if (bytes < FLUSH_BYTES) continue;
      await write(false);
      frames = [];
      bytes = 0;
    }
    const final = { ...state, ...(resume === undefined ? {} : { resume }) };
    frames.push(streamFrame(final));
    // The journal that told of this place is on record with it (W6).
    const marks = this.#ledger.take(this.#window.upTo);
    if (marks) frames.push(marks.frame);
    try {
      await write(true);
    } catch (error) {
      marks?.undo();
      throw error;
    }
    this.#streams.set(final.stream, final);
    this.#durable.set(final.stream, final);
    this.#window.reset();
  }

  #snapshot(): readonly Uint8Array[] {
    return [...[...this.#durable.values()].map(streamFrame), this.#ledger.snapshot(this.#window.upTo)];
  }

  #releasable() {
    const pinned = new Set(this.#ledger.kept.map(({ segment }) => segment));
    return this.#log.files.slice(0, -1).filter(({ number }) => number < this.#window.upTo.segment && !pinned.has(number));
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

  /** Closes the files and writes nothing more, as the end of the process would. */
  async abandon(): Promise<void> {
    await this.#exclusive(() => this.#log.close(false));
  }

  /** Writes what is settled, and closes. */
  async close(): Promise<void> {
    await this.flush();
    await this.#exclusive(() => this.#log.close(true));
  }
}
