// SPDX-License-Identifier: Apache-2.0
/**
 * What the pass has gathered since its last batch of rows and its last page of signals: each goes out by itself, so that judging never delays searching.
 * Input: rows, signals, watermarks, how far the pass is. Output: batches and pages, each covering a journal range without holes.
 */
import type { UnixMs } from '../core/units.ts';
import { unixMs } from '../core/units.ts';
import type { Event } from './model/event.ts';
import type { FactAt, FactPage } from './model/fact.ts';
import { type JournalRange, type PackedPage, packLines } from './model/page.ts';
import type { Signal } from './model/signal.ts';
import { columnMask, eventRow, newColumnUse } from './store/schema.ts';
import type { EventBatch } from './store/store.ts';

/** A batch goes out at this size, or this old, or when a search waits. */
const BATCH_BYTES = 4_194_304;
/** A page goes out with this many signals, or this old; while the one before is judged it grows, so that a storm costs fewer pages. */
const PAGE_SIGNALS = 500;
/** A page that is this large, some 20,000 signals, makes the pass wait. */
const PAGE_BYTES = 4_194_304;

export interface Place {
  readonly collector: string;
  /** Offset where it goes on. */
  readonly from: number;
}

/** The range that is gathered, and since when there is something in it. */
class Span {
  incarnation: string;
  readonly #collector: string;
  #from: number;
  #to: number;
  #since = Number.POSITIVE_INFINITY;

  constructor({ collector, from }: Place, incarnation: string) {
    this.#collector = collector;
    this.#from = from;
    this.#to = from;
    this.incarnation = incarnation;
  }
  reached(end: number): void {
    if (end <= this.#to) return;
    this.#to = end;
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = performance.now();
  }
  get to(): number {
    return this.#to;
  }
  get waiting(): boolean {
    return this.#to > this.#from;
  }
  /** Milliseconds since the oldest of it was read; 0 when there is nothing. */
  get age(): number {
    return this.waiting ? performance.now() - this.#since : 0;
  }
  take(): JournalRange | null {
    if (!this.waiting) return null;
    const range = { collector: this.#collector, incarnation: this.incarnation, from: this.#from, to: this.#to };
    this.#from = this.#to;
    this.#since = Number.POSITIVE_INFINITY;
    return range;
  }
}

/** Least room for lines, in bytes; it doubles as they come. */
const ROOM_BYTES = 65_536;

/** Lines as bytes: as objects or text they would live until they are sent, and be moved about meanwhile. */
class Lines {
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  bytes = 0;
  count = 0;

  add(line: string): void {
    // A UTF-16 unit takes three bytes at most.
    const needed = this.bytes + line.length * 3 + 1;
    if (needed > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#room.length * 2));
      this.#room.copy(larger, 0, 0, this.bytes);
      this.#room = larger;
    }
    this.bytes += this.#room.write(line, this.bytes, 'utf8');
    this.#room[this.bytes++] = 10;
    this.count += 1;
  }
  /** The buffer is the receiver's: it may be transferred. */
  take(): Buffer {
    const taken = this.#room.subarray(0, this.bytes);
    // What comes next is mostly as much as this was: room that grows is copied each time it does.
    this.#room = Buffer.allocUnsafeSlow(Math.max(ROOM_BYTES, Math.ceil(this.bytes * 1.1)));
    this.#clear();
    return taken;
  }
  /** Packed, which leaves the room for what comes next. */
  takePacked(): Uint8Array {
    const packed = packLines(this.#room.subarray(0, this.bytes));
    this.#clear();
    return packed;
  }
  #clear(): void {
    this.bytes = 0;
    this.count = 0;
  }
}

/** Rows for the store. */
export class RowGathering {
  readonly span: Span;
  readonly #lines = new Lines();
  readonly #used = newColumnUse();
  readonly #generation: number;

  constructor(place: Place, incarnation: string, generation = 1) {
    this.span = new Span(place, incarnation);
    this.#generation = generation;
  }
  readonly add = (event: Event): void => {
    this.#lines.add(eventRow(event, this.#used));
  };
  get full(): boolean {
    return this.#lines.bytes >= BATCH_BYTES;
  }
  /** The batch's buffer is the receiver's: it may be transferred. */
  take(): EventBatch | null {
    const range = this.span.take();
    if (!range) return null;
    const rows = this.#lines.count;
    const batch = { range, generation: this.#generation, rows, ndjson: this.#lines.take(), columns: columnMask(this.#used) };
    this.#used.fill(0);
    return batch;
  }
}

/** A page of facts goes out with this many. */
const PAGE_FACTS = 1_000;
const FACTS_LIMIT = 5_000;

/** Facts for the state, which go out with the judge's page or without one (J3). */
export class FactGathering {
  readonly span: Span;
  #facts: FactAt[] = [];

  constructor(place: Place, incarnation: string) {
    this.span = new Span(place, incarnation);
  }
  readonly add = (fact: FactAt): void => {
    this.#facts.push(fact);
  };
  get due(): boolean {
    return this.#facts.length >= PAGE_FACTS;
  }
  get full(): boolean {
    return this.#facts.length >= FACTS_LIMIT;
  }
  take(): FactPage | null {
    const range = this.span.take();
    if (!range) return null;
    const page: FactPage = { ...range, facts: this.#facts };
    this.#facts = [];
    return page;
  }
}

/** Signals and watermarks for the judge (J3). */
export class SignalGathering {
  readonly span: Span;
  readonly #lines = new Lines();
  #watermarks: Record<string, UnixMs> = {};
  #n: number;

  constructor(place: Place, incarnation: string, n: number) {
    this.span = new Span(place, incarnation);
    this.#n = n;
  }
  readonly add = (signal: Signal): void => {
    this.#lines.add(JSON.stringify(signal));
  };
  readonly watermark = (stream: string, time: UnixMs): void => {
    this.#watermarks[stream] = unixMs(Math.max(this.#watermarks[stream] ?? 0, time));
  };
  get due(): boolean {
    return this.#lines.count >= PAGE_SIGNALS;
  }
  get full(): boolean {
    return this.#lines.bytes >= PAGE_BYTES;
  }
  /** The page's buffer is the receiver's: it may be transferred. */
  take(): PackedPage | null {
    const range = this.span.take();
    if (!range) return null;
    const page: PackedPage = { ...range, n: this.#n++, watermarks: this.#watermarks, packed: this.#lines.takePacked() };
    this.#watermarks = {};
    return page;
  }
}
