// SPDX-License-Identifier: Apache-2.0
/**
 * The river worker: one pass over the journal, in a thread of its own (river.md J2).
 * Input: how far the journal reaches, agents and their hosts. Output: batches of rows for the store, pages of signals for the state worker.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type UnixMs, unixMs } from '../core/units.ts';
import { readRuleFolders } from './detect/folder.ts';
import { compileRuleSet } from './detect/ruleset.ts';
import { type JournalItem, JournalReader } from './journal/reader.ts';
import type { HostView } from './model/agent.ts';
import type { JournalRange, Page } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import type { Signal } from './model/signal.ts';
import { makePass } from './pipeline.ts';
import type { EventBatch } from './store/store.ts';

export interface RiverData {
  readonly journalDir: string;
  readonly collector: string;
  readonly incarnation: string;
  /** Where each sink goes on; offsets of the journal. */
  readonly from: { readonly store: number; readonly detect: number };
  /** Number of the next page. */
  readonly page: number;
  readonly end: number;
  readonly ruleDirs: readonly string[];
  readonly hosts: readonly HostView[];
  readonly state: MessagePort;
}

export type ToRiver =
  | { readonly kind: 'end'; readonly end: number }
  | { readonly kind: 'hosts'; readonly hosts: readonly HostView[] }
  /** A search waits: what the journal holds up to its end goes out at once. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'stored'; readonly to: number }
  | { readonly kind: 'stop' };

export interface RulesView {
  readonly loaded: number;
  readonly refused: readonly {
    readonly file: string;
    readonly line: number;
    readonly rule: string;
    readonly code: string;
    readonly message: string;
  }[];
}

export type FromRiver =
  | { readonly kind: 'rules'; readonly view: RulesView }
  | { readonly kind: 'batch'; readonly batch: EventBatch }
  | { readonly kind: 'progress'; readonly position: number; readonly events: number; readonly failed: number; readonly signals: number }
  | { readonly kind: 'quarantined'; readonly rule: string; readonly reason: string }
  /** Bytes of the journal that hold no readable frame. */
  | { readonly kind: 'hole'; readonly offset: number; readonly end: number }
  | { readonly kind: 'stopped' };

export type ToState = { readonly kind: 'rules'; readonly rules: RuleSet } | { readonly kind: 'page'; readonly page: Page };
export type FromState = { readonly kind: 'judged'; readonly n: number };

/** A batch goes out at this size, or this old, or when a search waits. */
const BATCH_BYTES = 4_194_304;
const BATCH_AGE_MS = 250;
/** A page goes out with this many signals, or with its batch (J3). */
const PAGE_SIGNALS = 500;
/** What is read from the journal at once; messages are heard between. */
const PART_BYTES = 1_048_576;
const IDLE_MS = 60_000;
/** Batches and pages under way before the pass waits. */
const OUTSTANDING = 3;

const main = parentPort as MessagePort;
const data = workerData as RiverData;
const encoder = new TextEncoder();

/** What has gathered since the last batch or page. */
class Gathering {
  #rows: string[] = [];
  #bytes = 0;
  #signals: Signal[] = [];
  #watermarks: Record<string, UnixMs> = {};
  readonly store: { from: number; to: number };
  readonly detect: { from: number; to: number };
  /** When the oldest of it was read; infinite when there is nothing. */
  since = Number.POSITIVE_INFINITY;
  incarnation: string;
  n: number;

  constructor({ from, page, incarnation }: RiverData) {
    this.store = { from: from.store, to: from.store };
    this.detect = { from: from.detect, to: from.detect };
    this.n = page;
    this.incarnation = incarnation;
  }
  row = (row: string): void => {
    this.#rows.push(row);
    this.#bytes += row.length;
  };
  signal = (signal: Signal): void => {
    this.#signals.push(signal);
  };
  watermark = (stream: string, time: UnixMs): void => {
    this.#watermarks[stream] = unixMs(Math.max(this.#watermarks[stream] ?? 0, time));
  };
  /** The pass is behind the end of a block. */
  reached(end: number): void {
    if (end <= this.store.to && end <= this.detect.to) return;
    this.store.to = Math.max(this.store.to, end);
    this.detect.to = Math.max(this.detect.to, end);
    if (!this.waiting) this.since = performance.now();
  }
  get full(): boolean {
    return this.#bytes >= BATCH_BYTES || this.#signals.length >= PAGE_SIGNALS;
  }
  get waiting(): boolean {
    return this.since !== Number.POSITIVE_INFINITY;
  }
  get age(): number {
    return this.waiting ? performance.now() - this.since : 0;
  }
  takeBatch(): EventBatch | null {
    if (this.store.to <= this.store.from) return null;
    const ndjson = encoder.encode(this.#rows.length === 0 ? '' : `${this.#rows.join('\n')}\n`);
    const batch: EventBatch = { range: this.#range(this.store), generation: 1, rows: this.#rows.length, ndjson };
    this.#rows = [];
    this.#bytes = 0;
    this.store.from = this.store.to;
    return batch;
  }
  takePage(): Page | null {
    if (this.detect.to <= this.detect.from) return null;
    const page: Page = { ...this.#range(this.detect), n: this.n++, watermarks: this.#watermarks, signals: this.#signals };
    this.#signals = [];
    this.#watermarks = {};
    this.detect.from = this.detect.to;
    return page;
  }
  #range({ from, to }: { from: number; to: number }): JournalRange {
    return { collector: data.collector, incarnation: this.incarnation, from, to };
  }
}

const yieldNow = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const run = async (): Promise<void> => {
  const ruleset = compileRuleSet(await readRuleFolders(data.ruleDirs));
  main.postMessage({
    kind: 'rules',
    view: {
      loaded: ruleset.loaded,
      refused: ruleset.findings
        .filter(({ outcome }) => outcome === 'refused')
        .map(({ file, line, rule, code, message }) => ({ file, line, rule, code, message })),
    },
  } satisfies FromRiver);
  data.state.postMessage({
    kind: 'rules',
    rules: { rules: ruleset.rules, correlations: ruleset.correlations, version: ruleset.version },
  } satisfies ToState);

  const hosts = new Map(data.hosts.map((host) => [host.key, host]));
  const pass = makePass({ collector: data.collector, ruleset, hostOf: (key) => hosts.get(key) });
  const gathering = new Gathering(data);
  let end = data.end;
  let flush = false;
  let stopping = false;
  let batches = 0;
  let pages = 0;
  let wake = (): void => {};
  const woken = (): void => wake();
  main.on('message', (message: ToRiver) => {
    if (message.kind === 'end') end = Math.max(end, message.end);
    else if (message.kind === 'hosts') for (const host of message.hosts) hosts.set(host.key, host);
    else if (message.kind === 'flush') flush = true;
    else if (message.kind === 'stored') batches -= 1;
    else stopping = true;
    woken();
  });
  data.state.on('message', (message: FromState) => {
    if (message.kind === 'judged') pages -= 1;
    woken();
  });
  const wait = (span: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, span);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const send = (): void => {
    gathering.since = Number.POSITIVE_INFINITY;
    const page = gathering.takePage();
    if (page) {
      pages += 1;
      data.state.postMessage({ kind: 'page', page } satisfies ToState);
    }
    const batch = gathering.takeBatch();
    if (batch) {
      batches += 1;
      main.postMessage({ kind: 'batch', batch } satisfies FromRiver, [batch.ndjson.buffer as ArrayBuffer]);
    }
    for (const { rule, reason } of pass.takeQuarantined()) main.postMessage({ kind: 'quarantined', rule, reason } satisfies FromRiver);
    main.postMessage({ kind: 'progress', position: gathering.detect.to, ...pass.counts() } satisfies FromRiver);
  };

  const take = (item: JournalItem): void => {
    // A range belongs to one incarnation (P5).
    if (item.incarnation !== gathering.incarnation) {
      send();
      gathering.incarnation = item.incarnation;
    }
    if (item.kind === 'hole') main.postMessage({ kind: 'hole', offset: item.offset, end: item.end } satisfies FromRiver);
    else
      pass.block(item, {
        ...(item.offset >= data.from.store ? { row: gathering.row } : {}),
        ...(item.offset >= data.from.detect ? { signal: gathering.signal, watermark: gathering.watermark } : {}),
      });
    gathering.reached(item.end);
  };

  const reader = new JournalReader(data.journalDir);
  let position = Math.min(data.from.store, data.from.detect);
  while (!stopping) {
    const free = batches < OUTSTANDING && pages < OUTSTANDING;
    if (position < end && !(gathering.full && !free)) {
      const part = reader.read(position, end, PART_BYTES);
      for (const item of part.items) {
        take(item);
        if (gathering.full) send();
      }
      if (part.next > position) {
        position = part.next;
        gathering.reached(position);
      } else end = position;
    }
    if (free && (gathering.age >= BATCH_AGE_MS || (flush && position >= end))) send();
    if (position >= end && !gathering.waiting) flush = false;
    // Messages are heard between parts, also when there is always more to read.
    await (position < end && free ? yieldNow() : wait(gathering.waiting ? Math.max(5, BATCH_AGE_MS - gathering.age) : IDLE_MS));
  }
  send();
  while (batches > 0 || pages > 0) await wait(1_000);
  main.postMessage({ kind: 'stopped' } satisfies FromRiver);
  main.close();
  data.state.close();
};

await run();
