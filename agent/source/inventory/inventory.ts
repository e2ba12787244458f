// SPDX-License-Identifier: Apache-2.0
/**
 * The source of inventory: looks at each kind of item when it is due, and tells what changed since it was told last.
 * Input: scanners, a tree, the baselines in the state folder. Output: facts on the stream `inventory`, each kind's closed by a scan fact.
 */
import type { Clock } from '../../../core/clock.ts';
import { systemCode, toError } from '../../../core/errors.ts';
import { type Fact, type FactFields, type FactKind, factText } from '../../../core/fact.ts';
import { RECORD_FLAGS } from '../../../core/record.ts';
import { hours, type Ms, minutes, ms, type UnixMs, unixMs } from '../../../core/units.ts';
import type { Budget } from '../../budget.ts';
import type { Batch, FileId, Source, SourceProblem, StreamProgress } from '../source.ts';
import { type Baseline, readBaseline, writeBaseline } from './baseline.ts';
import { deltaOf } from './delta.ts';
import { type Clean, type Found, type Scanner, troubleOf, type Unseen } from './found.ts';
import { type Hardware, readHardware } from './hardware.ts';
import { makeScanners } from './scanners.ts';
import { openTree, type Tree } from './tree.ts';

export const INVENTORY_STREAM = 'inventory';
/** Everything is told again so often, which mends what a checksum finds. */
const FULL_MS = hours(24);
/** Kinds that show cheaply whether anything moved are looked at so often. */
const QUICK_MS = minutes(1);
/** Work between two looks at everything else. */
const SLICE_MS = 8;
const MAX_ITEMS = 50_000;
const BATCH_RECORDS = 2_000;
const BATCH_BYTES = 262_144;

export interface InventoryOptions {
  readonly clock: Clock;
  /** Folder of the baselines. */
  readonly folder: string;
  readonly root: string;
  readonly intervalMs: Ms;
  readonly budget?: Budget;
  readonly onWake: () => void;
  readonly clean?: Clean;
  readonly scanners?: readonly Scanner[];
}

/** What is told of one kind and not durable yet. */
interface Telling {
  readonly kind: FactKind;
  readonly facts: readonly Fact[];
  given: number;
  /** Items of which something was taken out. */
  readonly redacted: ReadonlySet<string>;
  /** Undefined where it stands as it was. */
  readonly baseline: Baseline | undefined;
}

interface KindState {
  readonly scanner: Scanner;
  dueAt: number;
  mark: string | undefined;
  problems: readonly SourceProblem[];
}

export class Inventory implements Source {
  readonly name = 'inventory';
  readonly #options: InventoryOptions;
  readonly #tree: Tree;
  readonly #kinds: readonly KindState[];
  readonly #stopping = new AbortController();
  #tellings: Telling[] = [];
  #given = 0;
  #committed: Telling[] = [];
  #restate = new Set<FactKind>();
  #quickAt = Number.NEGATIVE_INFINITY;
  #scanning: Promise<void> | undefined;
  #hardware: Hardware | undefined;
  #scannedAt: UnixMs = unixMs(0);
  #lost = new Map<FactKind, SourceProblem>();
  readonly #counts = { scans: 0, added: 0, changed: 0, removed: 0 };

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.#tree = openTree(options.root);
    this.#kinds = (options.scanners ?? makeScanners(() => this.#hardware)).map((scanner) => ({
      scanner,
      dueAt: Number.NEGATIVE_INFINITY,
      mark: undefined,
      problems: [],
    }));
  }

  async open(resumeOf: (stream: string) => string | undefined): Promise<void> {
    // A spool that knows nothing of the stream was lost with what it held: what was told may never have arrived.
    if (resumeOf(INVENTORY_STREAM) === undefined) this.#restateAll();
    if (this.#tree.live) this.#hardware = await readHardware();
  }

  poll(): void {
    if (this.#scanning !== undefined || this.#stopping.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    const quick = now - this.#quickAt >= QUICK_MS;
    if (quick) this.#quickAt = now;
    const due = this.#kinds.filter((kind) => !this.#isTelling(kind.scanner.kind) && (now >= kind.dueAt || (quick && this.#hasMoved(kind))));
    if (due.length === 0) return;
    this.#scanning = this.#scanAll(due, now).finally(() => {
      this.#scanning = undefined;
    });
  }

  async rescan(): Promise<void> {}

  next(): Batch | undefined {
    this.#given = 0;
    const telling = this.#tellings[0];
    if (telling === undefined) return undefined;
    const records = [];
    let size = 0;
    for (const fact of telling.facts.slice(telling.given, telling.given + BATCH_RECORDS)) {
      const bytes = Buffer.from(factText(fact));
      size += bytes.length;
      if (records.length > 0 && size > BATCH_BYTES) break;
      records.push({ bytes, readAt: fact.at, end: 0, flags: telling.redacted.has(fact.item) ? RECORD_FLAGS.redacted : 0 });
    }
    this.#given = records.length;
    const at = telling.facts[telling.given]!.at;
    return { stream: INVENTORY_STREAM, kind: 'facts', dataset: 'inventory', records, at, from: 0, resume: String(at), redacted: true };
  }

  commit(): void {
    const telling = this.#tellings[0];
    if (telling === undefined) return;
    telling.given += this.#given;
    this.#given = 0;
    if (telling.given < telling.facts.length) return;
    this.#tellings.shift();
    this.#committed.push(telling);
  }

  sealed(): void {
    for (const { kind, baseline } of this.#committed.splice(0)) {
      try {
        if (baseline) writeBaseline(this.#options.folder, kind, baseline);
        this.#lost.delete(kind);
      } catch (error) {
        // The old baseline stands: what was told is told again after the next scan.
        this.#complain(kind, `its baseline cannot be written: ${systemCode(error) ?? toError(error).message}`);
      }
    }
  }

  progress(): readonly StreamProgress[] {
    return [
      {
        stream: INVENTORY_STREAM,
        dataset: 'inventory',
        readUpTo: this.#scannedAt,
        behindBytes: 0,
        counts: { ...this.#counts },
      },
    ];
  }

  problems(): readonly SourceProblem[] {
    return [...this.#lost.values(), ...this.#kinds.flatMap(({ problems }) => problems)];
  }

  matches(): FileId | undefined {
    return undefined;
  }

  files(): readonly FileId[] {
    return [];
  }

  moveTo(): string | undefined {
    return undefined;
  }

  async restart(stream: string): Promise<void> {
    if (stream === INVENTORY_STREAM) this.#restateAll();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#scanning;
  }

  #restateAll(): void {
    this.#restate = new Set(this.#kinds.map(({ scanner }) => scanner.kind));
    for (const kind of this.#kinds) kind.dueAt = Number.NEGATIVE_INFINITY;
  }

  /** Until its facts are durable and its baseline has moved, a kind is not looked at again. */
  #isTelling(kind: FactKind): boolean {
    return this.#tellings.some((one) => one.kind === kind) || this.#committed.some((one) => one.kind === kind);
  }

  #hasMoved(kind: KindState): boolean {
    const { mark } = kind.scanner;
    return mark !== undefined && mark(this.#tree) !== kind.mark;
  }

  async #scanAll(kinds: readonly KindState[], now: number): Promise<void> {
    for (const kind of kinds) {
      if (this.#stopping.signal.aborted) return;
      const due = now >= kind.dueAt;
      if (due) kind.dueAt = now + this.#options.intervalMs;
      try {
        await this.#scan(kind, !due);
      } catch (error) {
        kind.problems = [troubleOf('INVENTORY_FAILED', aboutOf(kind.scanner.kind), toError(error).message)];
      }
    }
    this.#scannedAt = this.#options.clock.now();
    this.#counts.scans++;
  }

  async #scan(kind: KindState, quick: boolean): Promise<void> {
    const { scanner } = kind;
    const { clock, folder } = this.#options;
    const at = clock.now();
    // Taken before the look: what moves during it is looked at again.
    kind.mark = scanner.mark?.(this.#tree);
    const items = new Map<string, FactFields>();
    const problems: SourceProblem[] = [];
    const unseen: Unseen[] = [];
    let tooMany = false;
    const redacted = new Set<string>();
    let touched = false;
    const clean: Clean = (text) => {
      const cleaned = this.#options.clean?.(text) ?? text;
      touched ||= cleaned !== text;
      return cleaned;
    };
    const took = await this.#inSlices(scanner, clean, (found) => {
      if (found.kind === 'problem') problems.push(found.problem);
      else if (found.kind === 'unseen') unseen.push(found.unseen);
      else if (found.kind === 'pause') return;
      else if (items.size < MAX_ITEMS || items.has(found.item)) {
        items.set(found.item, found.fields);
        if (touched) redacted.add(found.item);
        touched = false;
      } else tooMany = true;
    });
    if (this.#stopping.signal.aborted) return;
    if (tooMany) {
      problems.push(troubleOf('INVENTORY_TOO_MANY', aboutOf(scanner.kind), `there are more than ${MAX_ITEMS}`));
      unseen.push('all');
    }
    const read = readBaseline(folder, scanner.kind);
    if (read === 'lost') this.#complain(scanner.kind, 'its baseline is not whole');
    const before = typeof read === 'string' ? undefined : read;
    const full = this.#restate.has(scanner.kind) || before === undefined || Math.abs(at - before.fullAt) >= FULL_MS;
    const result = { kind: scanner.kind, items, unseen, problems: problems.length, at, tookMs: Math.round(took), full, quick };
    const { facts, items: standing } = deltaOf(before, result, scanner.steady);
    kind.problems = problems;
    if (facts.length === 0) return;
    this.#restate.delete(scanner.kind);
    for (const { change } of facts) if (change === 'added' || change === 'changed' || change === 'removed') this.#counts[change]++;
    const moved = full || facts.length > 1 || JSON.stringify(unseen) !== JSON.stringify(before.unseen);
    const baseline = moved ? { items: standing, unseen, fullAt: full ? at : before.fullAt } : undefined;
    this.#tellings.push({ kind: scanner.kind, facts, given: 0, redacted, baseline });
    this.#options.onWake();
  }

  /** Pulls findings, and lets everything else go on between. Answers the time that the look itself took, ms. */
  async #inSlices(scanner: Scanner, clean: Clean, take: (found: Found) => void): Promise<number> {
    const { clock, budget } = this.#options;
    const { signal } = this.#stopping;
    const findings = scanner.look(this.#tree, clean)[Symbol.iterator]();
    for (let took = 0; ; ) {
      const pause = budget?.work();
      const began = clock.monotonic();
      let done = false;
      for (let span = 0; span < SLICE_MS && !done; span = clock.monotonic() - began) {
        const next = findings.next();
        if (next.done === true) done = true;
        else take(next.value);
      }
      took += clock.monotonic() - began;
      if (done || signal.aborted) return took;
      const rest = pause?.() ?? ms(0);
      if (rest > 0) await clock.sleep(rest, signal);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #complain(kind: FactKind, reason: string): void {
    this.#lost.set(kind, troubleOf('INVENTORY_BASELINE_LOST', aboutOf(kind), reason));
  }
}

const aboutOf = (kind: FactKind): string => `inventory of ${kind}`;
