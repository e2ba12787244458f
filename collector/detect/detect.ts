// SPDX-License-Identifier: Apache-2.0
/**
 * The detector: one event to the rules it matches, with no memory of other events.
 * Input: decoded events, or flat events from elsewhere; an immutable rule set. Output: matches, from which `signal` makes signals.
 */
import { type Clock, systemClock } from '../../core/clock.ts';
import { type BudgetLimits, DEFAULT_LIMITS, makeBudget, type RuleCost } from './budget.ts';
import { type Explainer, makeExplainer } from './explain.ts';
import { eventWords, type FlatEvent } from './fields.ts';
import type { CompiledRule, CompiledRuleSet } from './ruleset.ts';
import { buildIndex, type RuleIndex } from './sigma/rule-index.ts';
import { admits, datasetSources, type EventSource, kindOf, type SourceDeclaration, sourceOf, UNKNOWN_SOURCE, withKind } from './source.ts';
import { decodedUrl } from './url.ts';

export interface DetectorOptions {
  /** What decoders say of their datasets. */
  readonly sources?: readonly SourceDeclaration[];
  /** `auto`: by source, an unknown one meets every rule. `strict`: an unknown one meets none. `any`: every rule meets every event. */
  readonly logsource?: 'auto' | 'strict' | 'any';
  readonly limits?: BudgetLimits;
  readonly clock?: Clock;
}

export interface Match {
  readonly rule: CompiledRule['rule'];
  /** Which literal stood in which field. Must be called before the next event. */
  why(): readonly string[];
}

export interface Quarantined {
  readonly rule: string;
  readonly reason: string;
}

export interface Detector {
  readonly ruleset: CompiledRuleSet;
  /** Calls `emit` for each rule the event matches, in the order of the rule set; gives their number. Never throws for what stands in an event. */
  detect(event: FlatEvent, emit: (match: Match) => void): number;
  /** The same for an event of the river, whose log source is its dataset. */
  detectDecoded(event: FlatEvent, emit: (match: Match) => void): number;
  /** Rules put in quarantine since the last call; each is said once. */
  takeQuarantined(): readonly Quarantined[];
  /** What each rule cost, of the evaluations that were timed. */
  costs(): readonly RuleCost[];
}

interface Partition {
  readonly rules: readonly CompiledRule[];
  readonly index: RuleIndex;
  readonly out: Int32Array;
  /** Request lines of web servers are searched decoded too. */
  readonly web: boolean;
}

const MAX_PARTITIONS = 512;
/** Stands for the dataset of lines that no decoder knows in a file that nobody named. */
const FOUND_TEXT = 'auto text';
// One event in so many is timed rule by rule; a power of two.
const SAMPLE = 128;

/** A detector over one rule set. It is cheap to make; indexes are built for each log source when its first event comes. */
export const makeDetector = (ruleset: CompiledRuleSet, options: DetectorOptions = {}): Detector => {
  const clock = options.clock ?? systemClock;
  const limits = options.limits ?? DEFAULT_LIMITS;
  const budget = makeBudget(ruleset.events.length, limits);
  const quarantine = new Uint8Array(ruleset.events.length);
  let quarantined: Quarantined[] = [];
  const { table } = ruleset;
  const subject = table.subject();
  const byDataset = datasetSources(options.sources ?? []);
  const partitions = new Map<string, Partition>();
  // Partition by dataset, then by the kinds of event it holds.
  const decoded = new Map<string, (Partition | undefined)[]>();
  const known = { category: new Set<string>(), product: new Set<string>(), service: new Set<string>() };
  for (const { logsource } of ruleset.events) {
    for (const key of ['category', 'product', 'service'] as const) if (logsource[key] !== undefined) known[key].add(logsource[key]);
  }
  let current: FlatEvent = {};
  let web = false;
  subject.makeWords = () => {
    const words = eventWords(current);
    const plain = web ? decodedUrl(words) : null;
    return plain === null ? words : `${words}\n${plain}`;
  };
  let n = 0;
  let matched: CompiledRule[] = [];
  let chosen: CompiledRule | undefined;
  const explainers: (Explainer | undefined)[] = new Array(ruleset.events.length).fill(undefined);
  const match: Match = {
    get rule() {
      return (chosen as CompiledRule).rule;
    },
    why: () => {
      const { ordinal, node } = chosen as CompiledRule;
      const explainer = explainers[ordinal] ?? (explainers[ordinal] = makeExplainer(node, table.slotOf));
      return explainer(subject);
    },
  };

  const partitionOf = (source: EventSource): Partition => {
    // Values that no rule names are all the same to the rules.
    const part = (key: keyof EventSource): string =>
      source[key]
        ?.map((v) => (known[key].has(v) ? v : ''))
        .sort()
        .join(',') ?? '*';
    const name = `${part('category')}|${part('product')}|${part('service')}`;
    const found = partitions.get(name);
    if (found) return found;
    if (partitions.size >= MAX_PARTITIONS) partitions.clear();
    const rules = ruleset.events.filter((rule) => admits(rule.logsource, source));
    const made: Partition = {
      rules,
      index: buildIndex(rules, table.slotOf),
      out: new Int32Array(rules.length),
      web: source.category?.includes('webserver') ?? false,
    };
    partitions.set(name, made);
    return made;
  };

  const evaluateTimed = (partition: Partition, count: number): void => {
    for (let i = 0; i < count; i++) {
      const rule = partition.rules[partition.out[i] as number] as CompiledRule;
      if (quarantine[rule.ordinal] === 1) continue;
      const start = clock.monotonic();
      const hit = rule.matches(subject);
      const spent = clock.monotonic() - start;
      if (hit) matched.push(rule);
      if (budget.charge(rule.ordinal, n, spent)) {
        quarantine[rule.ordinal] = 1;
        quarantined.push({
          rule: rule.rule.id,
          reason: `${limits.strikes} evaluations over ${limits.slowMs} ms within ${limits.window} events`,
        });
      }
    }
  };

  const evaluate = (partition: Partition, count: number): void => {
    for (let i = 0; i < count; i++) {
      const rule = partition.rules[partition.out[i] as number] as CompiledRule;
      if (quarantine[rule.ordinal] === 0 && rule.matches(subject)) matched.push(rule);
    }
  };

  const run = (partition: Partition, event: FlatEvent, emit: (match: Match) => void): number => {
    if (partition.rules.length === 0) return 0;
    n++;
    current = event;
    web = partition.web;
    table.fill(subject, event);
    const count = partition.index.candidates(subject, partition.out);
    if (count === 0) return 0;
    matched = [];
    if (n % SAMPLE === 0) evaluateTimed(partition, count);
    else {
      const start = clock.monotonic();
      evaluate(partition, count);
      // A slow event is looked at once more, rule by rule, to find which it was.
      if (clock.monotonic() - start > limits.slowMs) {
        matched = [];
        evaluateTimed(partition, count);
      }
    }
    if (matched.length === 0) return 0;
    const hits = matched.length === 1 ? matched : matched.sort((a, b) => a.ordinal - b.ordinal);
    for (const rule of hits) {
      chosen = rule;
      emit(match);
    }
    return hits.length;
  };

  const everything = partitionOf;
  return {
    ruleset,
    detect: (event, emit) => {
      if (options.logsource === 'any') return run(everything(UNKNOWN_SOURCE), event, emit);
      const source = sourceOf(event, byDataset);
      if (source === UNKNOWN_SOURCE && options.logsource === 'strict') return 0;
      return run(partitionOf(source), event, emit);
    },
    detectDecoded: (event, emit) => {
      // A fact at first sight, or said again, is no event: nothing happened.
      if (event['vigil.fact'] !== undefined && event['event.kind'] === 'state') return 0;
      const dataset = event['event.dataset'];
      if (typeof dataset !== 'string') return run(partitionOf(UNKNOWN_SOURCE), event, emit);
      // Free text that a person named so may be any application's; text that was only found is some log of a Linux host.
      const found = event['vigil.dataset'] === 'auto' && byDataset(dataset) === UNKNOWN_SOURCE;
      const key = found ? FOUND_TEXT : dataset;
      let kinds = decoded.get(key);
      if (!kinds) decoded.set(key, (kinds = []));
      const kind = kindOf(event);
      const partition = kinds[kind] ?? (kinds[kind] = partitionOf(withKind(found ? byDataset('syslog') : byDataset(dataset), kind)));
      return run(partition, event, emit);
    },
    takeQuarantined: () => {
      const taken = quarantined;
      quarantined = [];
      return taken;
    },
    costs: () => budget.costs(),
  };
};
