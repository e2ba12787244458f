// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil rules check|test|coverage`: what loads, what the cases say, and which rules can fire here.
 * Input: rule folders. Output: NDJSON; each function gives true where the answer is yes (exit 0), false for exit 1.
 */
import { access } from 'node:fs/promises';
import { toError } from '../../core/errors.ts';
import { parseCases, type RuleCase } from '../detect/cases.ts';
import { makeDetector } from '../detect/detect.ts';
import type { FlatEvent } from '../detect/fields.ts';
import { coverageOf, type DatasetDeclaration } from '../detect/figures.ts';
import { readRuleFolders, readText } from '../detect/folder.ts';
import { type CompiledRuleSet, compileRuleSet } from '../detect/ruleset.ts';
import { foreignSignal, makeForeignFields } from '../detect/signal.ts';
import { fault } from '../errors.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import type { Satisfied } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { OfflineCorrelator } from './detect.ts';
import type { Terminal } from './terminal.ts';

export type RulesIo = Pick<Terminal, 'out'>;

/** Decodes raw lines of a dataset; comes from `decode`. Lines that give no event are left out. */
export type DecodeLines = (dataset: string, lines: readonly string[]) => readonly FlatEvent[];

const load = async (dirs: readonly string[]): Promise<CompiledRuleSet> => {
  const files = await readRuleFolders(dirs);
  if (files.length === 0) throw fault('USAGE', { reason: `No rule file stands in ${dirs.join(', ')}` });
  return compileRuleSet(files);
};

/** One line for each document and each warning. False when one is refused. @throws CodedError FILE_UNREADABLE, USAGE. */
export const rulesCheck = async (dirs: readonly string[], io: RulesIo): Promise<boolean> => {
  const { findings, refused } = await load(dirs);
  const sorted = [...findings].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
  for (const finding of sorted) io.out(`${JSON.stringify(finding)}\n`);
  return refused === 0;
};

export interface RulesTestOptions {
  readonly decode?: DecodeLines;
  readonly correlate?: (set: RuleSet) => OfflineCorrelator;
}

interface Verdict {
  readonly rule: string;
  readonly case: string;
  readonly outcome: 'passed' | 'failed';
  readonly message?: string;
}

/**
 * Runs the cases beside every rule file. False when one fails, when a rule is refused, or when a rule of ours (not under `packs/`) has none.
 * @throws CodedError FILE_UNREADABLE, USAGE.
 */
export const rulesTest = async (dirs: readonly string[], io: RulesIo, options: RulesTestOptions = {}): Promise<boolean> => {
  const ruleset = await load(dirs);
  const verdicts: Verdict[] = ruleset.findings
    .filter((f) => f.outcome === 'refused')
    .map((f) => ({ rule: f.rule || f.file, case: 'loads', outcome: 'failed', message: `${f.code}: ${f.message}` }));
  const run = makeRunner(ruleset, options);
  const byFile = new Map<string, Rule[]>();
  for (const rule of ruleset.rules.values()) byFile.set(rule.origin.file, [...(byFile.get(rule.origin.file) ?? []), rule]);
  for (const [file, rules] of [...byFile].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const cases = await casesOf(file);
    if (cases === null) {
      if (rules[0]?.origin.pack === 'vigil') {
        for (const rule of rules)
          verdicts.push({ rule: rule.id, case: 'has cases', outcome: 'failed', message: 'no cases stand beside this rule' });
      }
      continue;
    }
    if (typeof cases === 'string') verdicts.push({ rule: rules[0]?.id ?? file, case: 'can be read', outcome: 'failed', message: cases });
    else verdicts.push(...verdictsOf(rules, cases, run));
  }
  for (const verdict of verdicts) io.out(`${JSON.stringify(verdict)}\n`);
  return verdicts.every((v) => v.outcome === 'passed');
};

/** Null where no cases file stands beside the rule; a text where it cannot be read. */
const casesOf = async (file: string): Promise<readonly RuleCase[] | string | null> => {
  const path = file.replace(/\.ya?ml$/i, '.cases.yml');
  try {
    await access(path);
  } catch {
    // Not there: said by the caller where cases are required.
    return null;
  }
  const result = parseCases(await readText(path), path);
  return result.ok ? result.cases : result.reason;
};

const verdictsOf = (rules: readonly Rule[], cases: readonly RuleCase[], run: Runner): readonly Verdict[] => {
  const verdicts: Verdict[] = [];
  const covered = new Map<string, Set<string>>();
  for (const one of cases) {
    const rule = one.rule === undefined ? rules[0] : rules.find((r) => r.id === one.rule || r.name === one.rule);
    if (!rule)
      verdicts.push({ rule: one.rule ?? '', case: one.name, outcome: 'failed', message: 'no rule of this file has that id or name' });
    else {
      covered.set(rule.id, (covered.get(rule.id) ?? new Set()).add(one.expect));
      const message = run(rule, one);
      verdicts.push({
        rule: rule.id,
        case: one.name,
        outcome: message === null ? 'passed' : 'failed',
        ...(message === null ? {} : { message }),
      });
    }
  }
  for (const rule of rules) {
    for (const expect of ['match', 'none']) {
      if (!covered.get(rule.id)?.has(expect))
        verdicts.push({ rule: rule.id, case: `has a case that expects ${expect}`, outcome: 'failed' });
    }
  }
  return verdicts;
};

/** Gives null when the case holds, else what was seen instead. */
type Runner = (rule: Rule, one: RuleCase) => string | null;

const makeRunner = (ruleset: CompiledRuleSet, options: RulesTestOptions): Runner => {
  const detector = makeDetector(ruleset);
  const fields = makeForeignFields(ruleset);
  return (rule, one) => {
    const { input } = one;
    if (input.kind === 'lines' && !options.decode) return 'raw lines need the decoders';
    if (rule.kind === 'correlation' && !options.correlate) return 'correlations need the correlator';
    try {
      const events = input.kind === 'events' ? input.events : (options.decode as DecodeLines)(input.dataset, input.lines);
      const signals: Signal[] = [];
      const decoded = input.kind === 'lines';
      for (const [i, event] of events.entries()) {
        const take: Parameters<typeof detector.detect>[1] = (match) =>
          signals.push(foreignSignal(event, match.rule, i, fields(match.rule.id, event), match.why()));
        if (decoded) detector.detectDecoded(event, take);
        else detector.detect(event, take);
      }
      if (rule.kind === 'event') return judge(one, signals.filter((s) => s.rule === rule.id).length, `${events.length} events`);
      const correlator = (options.correlate as NonNullable<RulesTestOptions['correlate']>)(ruleset);
      const all: readonly Satisfied[] = [...correlator.judge(signals), ...correlator.end()];
      const own = all.filter((s) => s.rule === rule.id && (one.entity === undefined || s.entity === one.entity));
      return judge(
        one,
        own.length,
        `${events.length} events, ${signals.length} signals, alerts ${all.map((s) => `${s.rule} ${s.entity}`).join('; ') || 'none'}`,
      );
    } catch (thrown) {
      return toError(thrown).message;
    }
  };
};

const judge = (one: RuleCase, matches: number, seen: string): string | null =>
  matches > 0 === (one.expect === 'match') ? null : `expected ${one.expect}, found ${matches} in ${seen}`;

/** One line for each rule: live, silent or blind. `heard`: datasets seen by a running collector. */
export const rulesCoverage = async (
  dirs: readonly string[],
  declarations: readonly DatasetDeclaration[],
  io: RulesIo,
  heard?: ReadonlySet<string>,
): Promise<void> => {
  for (const one of coverageOf(await load(dirs), declarations, heard)) io.out(`${JSON.stringify(one)}\n`);
};
