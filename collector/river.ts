// SPDX-License-Identifier: Apache-2.0
/**
 * The river worker: one pass over the journal, in a thread of its own (river.md J2).
 * Input: how far the journal reaches, agents and their hosts. Output: batches of rows for the store, pages of signals for the state worker.
 */
import { dirname, join, relative } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { isDiskFault, toError } from '../core/errors.ts';
import { standBack } from '../core/priority.ts';
import { openSavedJoins } from './decode/auditd/saved.ts';
import { declarations } from './decode/decode.ts';
import type { FailedShape } from './decode/shapes.ts';
import { coverageOf, type RuleCoverage } from './detect/figures.ts';
import { readRuleFolders } from './detect/folder.ts';
import { compileRuleSet } from './detect/ruleset.ts';
import { FactGathering, RowGathering, SignalGathering } from './gather.ts';
import { type JournalItem, JournalReader } from './journal/reader.ts';
import type { HostView } from './model/agent.ts';
import type { FactPage } from './model/fact.ts';
import type { PackedPage } from './model/page.ts';
import type { RuleSet } from './model/rule.ts';
import { makePass } from './pipeline.ts';
import type { EventBatch } from './store/store.ts';

export interface RiverData {
  readonly journalDir: string;
  /** Keeps what waits to be joined at each position that was sent (J2). */
  readonly joinsFile: string;
  readonly collector: string;
  readonly incarnation: string;
  /** Where each sink goes on; offsets of the journal. */
  readonly from: { readonly store: number; readonly detect: number; readonly facts: number };
  /** The lowest of them as its sink committed it: after a restore it is of another life of the journal. */
  readonly resumed: { readonly incarnation: string; readonly offset: number };
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
  /** Which rules can fire on these datasets. */
  | { readonly kind: 'coverage'; readonly heard: readonly string[] }
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
  | { readonly kind: 'coverage'; readonly rules: readonly RuleCoverage[] }
  /** Bytes of the journal that hold no readable frame. */
  | { readonly kind: 'hole'; readonly offset: number; readonly end: number }
  /** Lines that no decoder understood, grouped by shape, since the start. */
  | { readonly kind: 'shapes'; readonly shapes: readonly FailedShape[] }
  /** The disk refuses what waits to be joined; null when it takes it. */
  | { readonly kind: 'waiting'; readonly reason: string | null }
  | { readonly kind: 'stopped' };

export type ToState = { readonly kind: 'rules'; readonly rules: RuleSet } | PageMessage;

/** Signals and facts of what the pass read since; each sink commits its own, in one transaction. */
export interface PageMessage {
  readonly kind: 'page';
  readonly page: PackedPage | null;
  readonly facts: FactPage | null;
}

export type FromState = { readonly kind: 'judged' };

/** Rows and signals go out at least this often while there are some. */
const AGE_MS = 250;
/** What is read from the journal at once; messages are heard between. */
const PART_BYTES = 262_144;
const IDLE_MS = 60_000;
/** Batches and pages under way before the pass waits. */
const BATCHES = 3;
const PAGES = 1;
/** Full pages that may wait for the judge, as bytes, before the pass does: a storm of attacks must not keep lines from being found. */
const CUT_PAGES = 4;
/** After a page the judge rests for so many times as long as it took, at most this long. */
const PAGE_REST = 6;
const PAGE_REST_MS = 2_500;

const RETRY_MS = 2_000;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Where processors are full, acknowledging goes first, then this pass, then the query engine, then the judge: searching lags less than judging. */
const STAND_BACK = 3;

const main = parentPort as MessagePort;
const data = workerData as RiverData;
standBack(STAND_BACK);
/** A rule file as people know it: from the folder of rules on. */
const shownPath = (file: string): string => {
  const dir = data.ruleDirs.find((one) => file.startsWith(join(one, '/')));
  return dir === undefined ? file : relative(dirname(dir), file);
};

const yieldNow = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const run = async (): Promise<void> => {
  const ruleset = compileRuleSet(await readRuleFolders(data.ruleDirs));
  main.postMessage({
    kind: 'rules',
    view: {
      loaded: ruleset.loaded,
      refused: ruleset.findings
        .filter(({ outcome }) => outcome === 'refused')
        .map(({ file, line, rule, code, message }) => ({ file: shownPath(file), line, rule, code, message })),
    },
  } satisfies FromRiver);
  data.state.postMessage({
    kind: 'rules',
    rules: { rules: ruleset.rules, correlations: ruleset.correlations, version: ruleset.version },
  } satisfies ToState);

  const hosts = new Map(data.hosts.map((host) => [host.key, host]));
  const saved = openSavedJoins(data.joinsFile);
  let position = Math.min(data.from.store, data.from.detect, data.from.facts);
  const joins = saved.at(data.resumed);
  const pass = makePass({ collector: data.collector, ruleset, hostOf: (key) => hosts.get(key), joins });
  const rows = new RowGathering({ collector: data.collector, from: data.from.store }, data.incarnation);
  const signals = new SignalGathering({ collector: data.collector, from: data.from.detect }, data.incarnation, data.page);
  const facts = new FactGathering({ collector: data.collector, from: data.from.facts }, data.incarnation);
  let end = data.end;
  let flush = false;
  let stopping = false;
  let batches = 0;
  let pages = 0;
  /** Pages that wait for the judge, which takes one at a time. */
  const cut: PageMessage[] = [];
  let wake = (): void => {};
  const woken = (): void => wake();
  main.on('message', (message: ToRiver) => {
    if (message.kind === 'end') end = Math.max(end, message.end);
    else if (message.kind === 'hosts') for (const host of message.hosts) hosts.set(host.key, host);
    else if (message.kind === 'flush') flush = true;
    else if (message.kind === 'coverage')
      main.postMessage({ kind: 'coverage', rules: coverageOf(ruleset, declarations(), new Set(message.heard)) } satisfies FromRiver);
    else if (message.kind === 'stored') batches -= 1;
    else stopping = true;
    woken();
  });
  // A judge that takes long is asked less often, for more at once: a storm pays once for each alert it changes.
  let sentAt = 0;
  let nextPageAt = 0;
  data.state.on('message', (message: FromState) => {
    if (message.kind === 'judged') {
      pages -= 1;
      const now = performance.now();
      nextPageAt = now + Math.min(PAGE_REST_MS, PAGE_REST * (now - sentAt));
    }
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

  // Nothing may go out before it: where the disk refuses, this thread rests, and what comes in waits in the journal.
  const save = (sink: 'store' | 'detect' | 'facts', place: { readonly incarnation: string; readonly offset: number }): void => {
    for (let refused = false; ; ) {
      try {
        saved.save(sink, place, pass.joins());
        if (refused) main.postMessage({ kind: 'waiting', reason: null } satisfies FromRiver);
        return;
      } catch (error) {
        if (!isDiskFault(error)) throw error;
        refused = true;
        main.postMessage({ kind: 'waiting', reason: toError(error).message } satisfies FromRiver);
        Atomics.wait(NEVER, 0, 0, RETRY_MS);
      }
    }
  };

  const sendRows = (): void => {
    const batch = rows.take();
    if (!batch) return;
    // Before the sink can commit the position, so that a restart there finds it.
    save('store', { incarnation: batch.range.incarnation, offset: batch.range.to });
    batches += 1;
    main.postMessage({ kind: 'batch', batch } satisfies FromRiver, [batch.ndjson.buffer as ArrayBuffer]);
  };
  const cutPage = (): void => {
    const [page, factPage] = [signals.take(), facts.take()];
    if (!page && !factPage) return;
    if (page) save('detect', { incarnation: page.incarnation, offset: page.to });
    if (factPage) save('facts', { incarnation: factPage.incarnation, offset: factPage.to });
    cut.push({ kind: 'page', page, facts: factPage });
  };
  const sendPage = (): void => {
    if (cut.length === 0) cutPage();
    const message = cut.shift();
    if (!message) return;
    pages += 1;
    sentAt = performance.now();
    data.state.postMessage(message satisfies ToState, message.page ? [message.page.packed.buffer as ArrayBuffer] : []);
    for (const { rule, reason } of pass.takeQuarantined()) main.postMessage({ kind: 'quarantined', rule, reason } satisfies FromRiver);
    const shapes = pass.takeFailedShapes();
    if (shapes) main.postMessage({ kind: 'shapes', shapes } satisfies FromRiver);
    main.postMessage({ kind: 'progress', position: signals.span.to, ...pass.counts() } satisfies FromRiver);
  };
  const reached = (to: number): void => {
    rows.span.reached(to);
    signals.span.reached(to);
    facts.span.reached(to);
  };
  const take = (item: JournalItem): void => {
    // A range belongs to one incarnation (P5).
    if (item.incarnation !== rows.span.incarnation) {
      sendRows();
      cutPage();
      rows.span.incarnation = item.incarnation;
      signals.span.incarnation = item.incarnation;
      facts.span.incarnation = item.incarnation;
    }
    if (item.kind === 'hole') main.postMessage({ kind: 'hole', offset: item.offset, end: item.end } satisfies FromRiver);
    else
      pass.block(item, {
        ...(item.offset >= data.from.store ? { event: rows.add } : {}),
        ...(item.offset >= data.from.detect ? { signal: signals.add, watermark: signals.watermark } : {}),
        ...(item.offset >= data.from.facts ? { fact: facts.add } : {}),
      });
    reached(item.end);
  };

  const reader = new JournalReader(data.journalDir);
  while (!stopping) {
    if ((signals.full || facts.full) && cut.length < CUT_PAGES) cutPage();
    const open = batches < BATCHES && !signals.full && !facts.full;
    if (position < end && open) {
      const part = reader.read(position, end, PART_BYTES);
      for (const item of part.items) {
        take(item);
        if (rows.full) sendRows();
      }
      if (part.next > position) {
        position = part.next;
        reached(position);
      } else end = position;
    }
    const asked = flush && position >= end;
    if (asked) flush = false;
    if (batches < BATCHES && (asked || rows.span.age >= AGE_MS)) sendRows();
    const full = cut.length > 0 || signals.full || facts.full;
    const pageAge = Math.max(signals.span.age, facts.span.age);
    if (pages < PAGES && (asked || full || (performance.now() >= nextPageAt && (signals.due || facts.due || pageAge >= AGE_MS))))
      sendPage();
    // Messages are heard between parts, also when there is always more to read.
    const rowsIn = rows.span.waiting && batches < BATCHES ? AGE_MS - rows.span.age : IDLE_MS;
    const waiting = signals.span.waiting || facts.span.waiting;
    const pageIn = waiting && pages < PAGES ? Math.max(AGE_MS - pageAge, nextPageAt - performance.now()) : IDLE_MS;
    const idle = Math.max(2, Math.min(rowsIn, pageIn));
    await (position < end && open ? yieldNow() : wait(idle));
  }
  sendRows();
  cutPage();
  while (cut.length > 0 || batches > 0 || pages > 0) {
    if (cut.length > 0 && pages < PAGES) sendPage();
    await wait(1_000);
  }
  main.postMessage({ kind: 'stopped' } satisfies FromRiver);
  main.close();
  data.state.close();
};

await run();
