// SPDX-License-Identifier: Apache-2.0
/**
 * The part of the spool that is being sent: the oldest unsettled blocks, loaded from disk in small portions.
 * Input: the segment log, what was just written, what was settled. Output: blocks to send, the acked cursor, holes that damage left.
 */
import { isBefore, type SpoolPlace } from './frame.ts';
import type { SegmentLog } from './log.ts';

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

export interface SequenceRange {
  readonly stream: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
}

export interface WindowRules {
  /** False for a block that W11 sealed anew. */
  readonly isAlive: (stream: string, epoch: string, last: number) => boolean;
  /** Last acked sequence of an epoch. */
  readonly acked: (stream: string, epoch: string) => number;
  /** The collector said that it holds these (W6): acknowledged without being sent. */
  readonly isHeldThere: (stream: string, epoch: string, first: number, last: number) => boolean;
  readonly onAck: (stream: string, epoch: string, first: number, count: number) => void;
}

/** Bytes of blocks loaded at once. */
const LOAD_BYTES = 1_048_576;
/** Bytes that stay in memory from the sealing on; when more waits, it is read back from the disk's cache. */
const LIVE_BYTES = 524_288;
const MAX_BLOCKS = 256;
const LOW_BLOCKS = 32;

export class SendWindow {
  readonly #log: SegmentLog;
  readonly #rules: WindowRules;
  #entries: { readonly pending: Pending; settled: boolean }[] = [];
  #extra: Pending[] = [];
  /** Everything before it is settled. */
  #upTo: SpoolPlace;
  /** The place behind the last block loaded. */
  #end: SpoolPlace;
  /** Last sequence passed, by stream and epoch: a jump means a lost frame. */
  readonly #passed = new Map<string, number>();
  #holes: SequenceRange[] = [];

  constructor(log: SegmentLog, upTo: SpoolPlace, rules: WindowRules) {
    this.#log = log;
    this.#rules = rules;
    this.#upTo = upTo;
    this.#end = upTo;
  }

  get upTo(): SpoolPlace {
    return this.#upTo;
  }

  /** True when nothing on disk stands behind the window. */
  get isComplete(): boolean {
    return !isBefore(this.#end, this.#log.end);
  }

  /** Takes what was just written, if nothing stands between and little waits. `isComplete` must have been true before the write. */
  take(
    written: readonly { readonly frameBytes: number; readonly place: SpoolPlace; readonly pending?: Omit<Pending, 'place' | 'end'> }[],
  ): void {
    let bytes = this.#bytes();
    for (const { frameBytes, place, pending } of written) {
      const end = { segment: place.segment, offset: place.offset + frameBytes };
      if (pending) {
        bytes += pending.bytes.length;
        if (this.#entries.length >= MAX_BLOCKS || bytes > LIVE_BYTES) return;
        this.#pass(pending.stream, pending.epoch, pending.first + pending.count - 1);
        this.#entries.push({ pending: { ...pending, bytes: new Uint8Array(pending.bytes), place, end }, settled: false });
      }
      this.#end = end;
    }
    this.#end = this.#log.end;
    this.#advance();
  }

  /** Loads more when little is left. Must not run while the log is written. */
  async load(maxBlocks: number): Promise<void> {
    const open = this.#entries.filter(({ settled }) => !settled).length;
    if (this.isComplete || (open > 0 && open >= Math.min(maxBlocks, LOW_BLOCKS)) || this.#bytes() >= LOAD_BYTES / 2) return;
    let bytes = this.#bytes();
    for await (const item of this.#log.read(this.#end)) {
      if (item.kind === 'damage') continue;
      const { frame, place, end } = item;
      const last = frame.kind === 'block' ? frame.header.first + frame.header.count - 1 : 0;
      if (frame.kind === 'block' && this.#rules.isAlive(frame.header.stream, frame.header.epoch, last)) {
        const { stream, epoch, first, count, hash, at } = frame.header;
        const full = this.#entries.length >= MAX_BLOCKS || bytes + frame.bytes.length > LOAD_BYTES;
        if (bytes > 0 && full && !this.#rules.isHeldThere(stream, epoch, first, last)) {
          this.#advance();
          return;
        }
        this.#noteHole(stream, epoch, first, last);
        if (this.#rules.isHeldThere(stream, epoch, first, last)) this.#rules.onAck(stream, epoch, first, count);
        else {
          bytes += frame.bytes.length;
          // A copy: the view would hold its whole chunk of the file in memory.
          this.#entries.push({
            pending: { place, end, stream, epoch, first, count, hash, at, bytes: new Uint8Array(frame.bytes) },
            settled: false,
          });
        }
      }
      this.#end = end;
    }
    this.#end = this.#log.end;
    this.#advance();
  }

  /** Blocks to send next, oldest first, within the limits but at least one when there is one. */
  next(maxBlocks: number, maxBytes: number): readonly Pending[] {
    const chosen: Pending[] = [];
    let bytes = 0;
    for (const pending of this.#open()) {
      bytes += pending.bytes.length;
      if (chosen.length > 0 && (chosen.length >= maxBlocks || bytes > maxBytes)) break;
      chosen.push(pending);
    }
    return chosen;
  }

  *#open(): Generator<Pending> {
    yield* this.#extra;
    for (const { pending, settled } of this.#entries) if (!settled) yield pending;
  }

  /** The block needs no more sending. */
  done(pending: Pending): void {
    if (pending.extra) this.#extra = this.#extra.filter((other) => other !== pending);
    else {
      const entry = this.#entries.find((other) => other.pending === pending);
      if (entry) entry.settled = true;
    }
    this.#advance();
  }

  /** Puts a block before all others; one that is there already is passed over. */
  offer(pending: Pending): void {
    const known = this.#extra.some(({ hash, first, epoch }) => hash === pending.hash && first === pending.first && epoch === pending.epoch);
    if (!known && this.#extra.length < MAX_BLOCKS) this.#extra.push({ ...pending, extra: true });
  }

  /** True while the block at that place waits for its answer. */
  isOpen({ place }: Pick<Pending, 'place'>): boolean {
    if (this.#extra.some((one) => one.place.segment === place.segment && one.place.offset === place.offset)) return true;
    const entry = this.#entries.find(({ pending }) => pending.place.segment === place.segment && pending.place.offset === place.offset);
    return entry ? !entry.settled : !isBefore(place, this.#end);
  }

  /** Loads anew from the first unsettled block, or from another place. */
  reset(from: SpoolPlace = this.#upTo): void {
    this.#entries = [];
    this.#extra = [];
    this.#upTo = from;
    this.#end = from;
    this.#passed.clear();
  }

  /** Sequences whose blocks were damaged on disk, once. */
  takeHoles(): readonly SequenceRange[] {
    const holes = this.#holes;
    this.#holes = [];
    return holes;
  }

  #bytes(): number {
    return this.#entries.reduce((sum, { pending, settled }) => sum + (settled ? 0 : pending.bytes.length), 0);
  }

  #pass(stream: string, epoch: string, last: number): number {
    const key = `${stream}\0${epoch}`;
    const before = Math.max(this.#passed.get(key) ?? 0, this.#rules.acked(stream, epoch));
    this.#passed.set(key, Math.max(before, last));
    return before;
  }

  #noteHole(stream: string, epoch: string, first: number, last: number): void {
    const before = this.#pass(stream, epoch, last);
    if (first > before + 1) this.#holes.push({ stream, epoch, from: before + 1, to: first - 1 });
  }

  #advance(): void {
    let passed = 0;
    while (this.#entries[passed]?.settled) passed++;
    if (passed > 0) this.#entries.splice(0, passed);
    const next = this.#entries[0]?.pending.place ?? this.#end;
    if (isBefore(this.#upTo, next)) this.#upTo = next;
  }
}
