// SPDX-License-Identifier: Apache-2.0
/**
 * What the pass has gathered since its last batch of rows and its last page of signals: each goes out by itself, so that judging never delays searching.
 * Input: rows, signals, watermarks, how far the pass is. Output: batches and pages, each covering a journal range without holes.
 */
import type { UnixMs } from '../core/units.ts';
import { unixMs } from '../core/units.ts';
import type { Event } from './model/event.ts';
import type { FactAt, FactPage } from './model/fact.ts';
import type { JournalRange, Page } from './model/page.ts';
import type { Signal } from './model/signal.ts';
import { columnMask, eventRow, newColumnUse } from './store/schema.ts';
import type { EventBatch } from './store/store.ts';

/** A batch goes out at this size, or this old, or when a search waits. */
const BATCH_BYTES = 4_194_304;
/** A page goes out with this many signals, or this old; while the one before is judged it grows, so that a storm costs fewer pages. */
const PAGE_SIGNALS = 500;
/** A page that is this large makes the pass wait. */
const PAGE_LIMIT = 20_000;

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

/** First room for rows, in bytes; it doubles as they come. */
const ROOM_BYTES = 65_536;

/** Rows for the store, written as bytes at once: as text they would live until the batch goes, and be moved about meanwhile. */
export class RowGathering {
  readonly span: Span;
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  #bytes = 0;
  #rows = 0;
  readonly #used = newColumnUse();
  readonly #generation: number;

  constructor(place: Place, incarnation: string, generation = 1) {
    this.span = new Span(place, incarnation);
    this.#generation = generation;
  }
  readonly add = (event: Event): void => {
    const row = eventRow(event, this.#used);
    // A UTF-16 unit takes three bytes at most.
    const needed = this.#bytes + row.length * 3 + 1;
    if (needed > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#room.length * 2));
      this.#room.copy(larger, 0, 0, this.#bytes);
      this.#room = larger;
    }
    this.#bytes += this.#room.write(row, this.#bytes, 'utf8');
    this.#room[this.#bytes++] = 10;
    this.#rows += 1;
  };
  get full(): boolean {
    return this.#bytes >= BATCH_BYTES;
  }
  /** The batch's buffer is the receiver's: it may be transferred. */
  take(): EventBatch | null {
    const range = this.span.take();
    if (!range) return null;
    const batch = {
      range,
      generation: this.#generation,
      rows: this.#rows,
      ndjson: this.#room.subarray(0, this.#bytes),
      columns: columnMask(this.#used),
    };
    this.#room = Buffer.allocUnsafeSlow(ROOM_BYTES);
    this.#bytes = 0;
    this.#rows = 0;
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
  #signals: Signal[] = [];
  #watermarks: Record<string, UnixMs> = {};
  #n: number;

  constructor(place: Place, incarnation: string, n: number) {
    this.span = new Span(place, incarnation);
    this.#n = n;
  }
  readonly add = (signal: Signal): void => {
    this.#signals.push(signal);
  };
  readonly watermark = (stream: string, time: UnixMs): void => {
    this.#watermarks[stream] = unixMs(Math.max(this.#watermarks[stream] ?? 0, time));
  };
  get due(): boolean {
    return this.#signals.length >= PAGE_SIGNALS;
  }
  get full(): boolean {
    return this.#signals.length >= PAGE_LIMIT;
  }
  take(): Page | null {
    const range = this.span.take();
    if (!range) return null;
    const page: Page = { ...range, n: this.#n++, watermarks: this.#watermarks, signals: this.#signals };
    this.#signals = [];
    this.#watermarks = {};
    return page;
  }
}
