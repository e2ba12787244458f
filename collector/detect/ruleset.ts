// SPDX-License-Identifier: Apache-2.0
/**
 * The rule set: every rule file compiled once into something immutable, with a report of what was loaded, refused and why.
 * Input: texts of rule files. Output: `detect`, `correlate` (through the model's RuleSet), `rules check`; swapped as a whole.
 */
import { sha256All } from '../../core/hash.ts';
import type { CorrelationRule, EventRule, LogSource, Rule, RuleSet } from '../model/rule.ts';
import { FieldTable } from './fields.ts';
import { type Finding, notesOf, PROBLEMS, type ProblemCode } from './problem.ts';
import { resolveCorrelations } from './resolve.ts';
import type { Node } from './sigma/ast.ts';
import { compileNode, type Predicate } from './sigma/compile.ts';
import type { CorrelationDraft } from './sigma/correlation.ts';
import type { Placeholders } from './sigma/encode.ts';
import type { Envelope } from './sigma/envelope.ts';
import { applyFilters, conflicts, type FilterDraft, narrower } from './sigma/filter.ts';
import { type Witness, witnessOf } from './sigma/literal.ts';
import { type Draft, parseRuleFile, type RuleDraft } from './sigma/parse.ts';

export interface RuleFile {
  readonly file: string;
  readonly text: string;
  /** `vigil` for ours, else the pack's folder name. */
  readonly pack: string;
}

/** A rule ready to match. */
export interface CompiledRule {
  /** Place among the event rules of its set. */
  readonly ordinal: number;
  readonly rule: EventRule;
  readonly logsource: LogSource;
  readonly node: Node;
  readonly matches: Predicate;
  readonly witness: Witness | null;
}

export interface CompiledRuleSet extends RuleSet {
  readonly events: readonly CompiledRule[];
  readonly table: FieldTable;
  readonly findings: readonly Finding[];
  /** Fields that correlations read from the signals of a rule, by rule id. */
  readonly signalFields: ReadonlyMap<string, readonly string[]>;
  readonly loaded: number;
  readonly refused: number;
}

export interface RuleSetOptions {
  /** Values of placeholders for the modifier expand; a rule with another one is refused. */
  readonly placeholders?: Placeholders;
}

/** Compiles all files into a rule set. Never throws for what stands in a file; the findings say it. */
export const compileRuleSet = (files: readonly RuleFile[], options: RuleSetOptions = {}): CompiledRuleSet => {
  const findings: Finding[] = [];
  const drafts: Draft[] = [];
  const texts = new Map<string, string>();
  for (const { file, text, pack } of files) {
    const twin = texts.get(text);
    if (twin !== undefined) {
      findings.push({
        file,
        line: 1,
        column: 1,
        rule: '',
        outcome: 'warning',
        code: 'RULE_FILE_TWICE',
        message: `${PROBLEMS.RULE_FILE_TWICE}: ${twin}`,
      });
      continue;
    }
    texts.set(text, file);
    const parsed = parseRuleFile(text, file, pack, options.placeholders ?? new Map());
    findings.push(...parsed.findings);
    drafts.push(...parsed.drafts);
  }
  const unique = withoutRepeats(drafts, findings);
  const rules = unique.filter((d): d is RuleDraft => d.kind === 'event');
  const filters = unique.filter((d): d is FilterDraft => d.kind === 'filter');
  const byRule = filtersByRule(rules, filters, findings);
  const resolved = resolveCorrelations(
    unique.filter((d): d is CorrelationDraft => d.kind === 'correlation'),
    rules,
    findings,
  );

  const table = new FieldTable();
  const events = rules.map<CompiledRule>((draft, ordinal) => {
    const node = applyFilters(draft.node, byRule.get(draft) ?? []);
    const { envelope, logsource } = draft;
    const rule: EventRule = { kind: 'event', ...shared(envelope), logsource, alerts: alertsOf(envelope, resolved.silenced) };
    return { ordinal, rule, logsource, node, matches: compileNode(node, table.slotOf), witness: witnessOf(node) };
  });
  const correlations = resolved.drafts.map<CorrelationRule>(({ envelope, body }) => ({
    kind: 'correlation',
    ...shared(envelope),
    ...body,
    incident: envelope.incident,
    alerts: alertsOf(envelope, resolved.silenced),
  }));
  for (const draft of [...rules, ...resolved.drafts, ...filters])
    findings.push(finding(draft, 'loaded', 'RULE_LOADED', draft.envelope.title));
  const all = new Map<string, Rule>();
  for (const { rule } of events) all.set(rule.id, rule);
  for (const rule of correlations) all.set(rule.id, rule);
  return {
    rules: all,
    correlations,
    version: sha256All(...[...texts.keys()].sort().flatMap((t) => [String(t.length), '\n', t])),
    events,
    table,
    findings,
    signalFields: signalFieldsOf(correlations, events),
    loaded: findings.filter((f) => f.outcome === 'loaded').length,
    refused: findings.filter((f) => f.outcome === 'refused').length,
  };
};

const shared = ({ buildingBlock: _block, incident: _incident, ...rest }: Envelope) => rest;

const alertsOf = (envelope: Envelope, silenced: ReadonlySet<string>): boolean =>
  envelope.level !== 'informational' && !envelope.buildingBlock && !silenced.has(envelope.id);

/** A finding about a whole document, at its first line. */
export const finding = (draft: Draft, outcome: Finding['outcome'], code: ProblemCode, message: string): Finding => ({
  file: draft.envelope.origin.file,
  ...draft.document.at([]),
  rule: draft.envelope.id,
  outcome,
  code,
  message,
});

/** A rule with an id that was taken gets one of its own, so that no detection is lost; its name goes to the first. */
const withoutRepeats = (drafts: readonly Draft[], findings: Finding[]): readonly Draft[] => {
  const seen = new Map<string, Draft>();
  return drafts.map((draft) => {
    const { id, name } = draft.envelope;
    const first = seen.get(id) ?? (name === undefined ? undefined : seen.get(name));
    let kept = draft;
    if (first) {
      let n = 2;
      while (seen.has(`${id}~${n}`)) n++;
      const { name: _taken, ...rest } = draft.envelope;
      kept = { ...draft, envelope: { ...rest, id: seen.has(id) ? `${id}~${n}` : id } };
      const where = `${first.envelope.origin.file}:${first.envelope.origin.line}`;
      findings.push(
        finding(draft, 'warning', 'RULE_ID_REPEATED', `${PROBLEMS.RULE_ID_REPEATED}: ${where}; this one is loaded as ${kept.envelope.id}`),
      );
    } else if (name !== undefined) seen.set(name, draft);
    seen.set(kept.envelope.id, kept);
    return kept;
  });
};

const filtersByRule = (
  rules: readonly RuleDraft[],
  filters: readonly FilterDraft[],
  findings: Finding[],
): ReadonlyMap<RuleDraft, FilterDraft[]> => {
  const byRule = new Map<RuleDraft, FilterDraft[]>();
  const byName = new Map<string, RuleDraft>();
  for (const rule of rules) for (const name of [rule.envelope.id, rule.envelope.name]) if (name !== undefined) byName.set(name, rule);
  const give = (rule: RuleDraft, filter: FilterDraft): void => {
    byRule.set(rule, [...(byRule.get(rule) ?? []), filter]);
  };
  for (const filter of filters) {
    const notes = notesOf(filter.envelope.origin.file, filter.document, () => filter.envelope.id, findings);
    if (filter.rules === 'any') {
      for (const rule of rules) if (filter.logsource && narrower(rule.logsource, filter.logsource)) give(rule, filter);
      continue;
    }
    for (const [i, name] of filter.rules.entries()) {
      const rule = byName.get(name);
      if (!rule) notes.warn('FILTER_REFERENCE', ['filter', 'rules', i], name);
      else {
        if (filter.logsource && conflicts(rule.logsource, filter.logsource)) notes.warn('FILTER_LOGSOURCE', ['filter', 'rules', i], name);
        give(rule, filter);
      }
    }
  }
  return byRule;
};

/** For each rule: its own entity, and what every correlation that reads it, directly or through another, groups by, counts or aliases. */
const signalFieldsOf = (
  correlations: readonly CorrelationRule[],
  events: readonly CompiledRule[],
): ReadonlyMap<string, readonly string[]> => {
  const fields = new Map<string, Set<string>>();
  for (const { rule } of events) if (rule.entity !== undefined) fields.set(rule.id, new Set([rule.entity]));
  const byId = new Map(correlations.map((c) => [c.id, c]));
  const give = (id: string, names: readonly string[], depth: number): void => {
    const set = fields.get(id) ?? new Set<string>();
    fields.set(id, set);
    for (const name of names) set.add(name);
    const chained = byId.get(id);
    if (chained && depth < 32) for (const rule of chained.rules) give(rule, names, depth + 1);
  };
  for (const { rules, groupBy, field, aliases } of correlations) {
    for (const rule of rules) {
      const aliased = Object.values(aliases).flatMap((targets) => (targets[rule] === undefined ? [] : [targets[rule]]));
      give(
        rule,
        [...groupBy.filter((name) => !(name in aliases)), ...(field === undefined || field in aliases ? [] : [field]), ...aliased],
        0,
      );
    }
  }
  return new Map([...fields].map(([id, set]) => [id, [...set].sort()]));
};
