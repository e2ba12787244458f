// SPDX-License-Identifier: Apache-2.0
/**
 * Coverage: can each rule fire here at all, by what the decoders give and which sources are heard.
 * Input: a rule set, declarations of decoders, datasets seen. Output: live, silent or blind for each rule, with the reason.
 */
import { isEcsField } from '../../core/ecs.ts';
import { type LogSource, techniquesOf } from '../model/rule.ts';
import type { CompiledRule, CompiledRuleSet } from './ruleset.ts';
import type { Node } from './sigma/ast.ts';
import { admits, datasetSources, type EventSource, UNKNOWN_SOURCE, withPossibleKinds } from './source.ts';
import { argumentOf, candidatesOf, foldName } from './taxonomy.ts';

/** What a decoder declares. */
export interface DatasetDeclaration {
  readonly dataset: string;
  readonly logsource: readonly LogSource[];
  /** ECS names it may fill; names that it puts into vigil.extra may stand here too. */
  readonly emits: readonly string[];
}

export interface RuleCoverage {
  readonly rule: string;
  readonly title: string;
  readonly level: string;
  /** ATT&CK techniques it names. */
  readonly techniques: readonly string[];
  /** `live`: a source that is heard gives every field. `silent`: one that would was not seen. `blind`: no decoder gives a field. */
  readonly state: 'live' | 'silent' | 'blind';
  readonly datasets: readonly string[];
  /** Fields that no decoder of its sources emits; only where the rule cannot match without. */
  readonly missing: readonly string[];
}

// What every event has, whatever decoded it.
const ALWAYS = [
  ...['@timestamp', 'message', 'host.id', 'host.name', 'log.file.path', 'log.syslog.appname', 'log.syslog.hostname'],
  ...['event.id', 'event.kind', 'event.dataset', 'event.category', 'event.type', 'event.action', 'event.created', 'event.ingested'],
  ...['event.original', 'vigil.stream', 'vigil.agent.id', 'vigil.flags', 'vigil.decode'],
];

/** One entry for each event rule. `heard` holds the datasets that were seen; undefined where no collector runs: then a decoder is enough. */
export const coverageOf = (
  ruleset: CompiledRuleSet,
  declarations: readonly DatasetDeclaration[],
  heard?: ReadonlySet<string>,
): readonly RuleCoverage[] => {
  const byDataset = datasetSources(declarations);
  const sources = declarations.map((d) => ({ ...d, source: withPossibleKinds(byDataset(d.dataset), d.emits), names: namesOf(d) }));
  return ruleset.events.map((rule) => {
    const feeding = sources.filter(({ source }) => feeds(rule, source));
    const seen = feeding.filter(({ dataset }) => heard === undefined || heard.has(dataset));
    const { id, title, level } = rule.rule;
    const base = { rule: id, title, level, techniques: techniquesOf(rule.rule.tags), datasets: feeding.map((f) => f.dataset) };
    if (seen.length === 0) return { ...base, state: 'silent', missing: [] };
    if (seen.some(({ names }) => canHold(rule.node, names))) return { ...base, state: 'live', missing: [] };
    // Another source that was not seen yet would give every field: that one is awaited.
    if (feeding.some(({ names }) => canHold(rule.node, names))) return { ...base, state: 'silent', missing: [] };
    const all = new Set(seen.flatMap(({ names }) => [...names]));
    return { ...base, state: 'blind', missing: missingOf(rule.node, all) };
  });
};

const feeds = (rule: CompiledRule, source: EventSource): boolean => source !== UNKNOWN_SOURCE && admits(rule.logsource, source);

// These keep every raw field by its own name, so that any name may be there.
const RAW = new Set(['auditd', 'json']);
const ANY_NAME = '*';

const namesOf = ({ dataset, emits }: DatasetDeclaration): ReadonlySet<string> =>
  new Set([...[...ALWAYS, ...emits].flatMap((name) => [name, foldName(name)]), ...(RAW.has(dataset) ? [ANY_NAME] : [])]);

const isEmitted = (field: string, names: ReadonlySet<string>): boolean =>
  names.has(field) ||
  names.has(foldName(field)) ||
  // A field with a place in ECS is emitted there or not at all; any other may be a raw one.
  (names.has(ANY_NAME) && candidatesOf(field).every((name) => !isEcsField(name))) ||
  candidatesOf(field).some((name) => names.has(name)) ||
  (argumentOf(field) >= 0 && names.has('process.args'));

/** Whether the tree can be true for an event that has only these fields. */
const canHold = (node: Node, names: ReadonlySet<string>): boolean => {
  if (node.kind === 'not') return true;
  if (node.kind === 'and') return node.of.every((child) => canHold(child, names));
  if (node.kind === 'or') return node.of.some((child) => canHold(child, names));
  if (node.kind === 'some') return node.of.filter((child) => canHold(child, names)).length >= node.n;
  const { field, values } = node.item;
  return (
    field === null ||
    isEmitted(field, names) ||
    values.some((tests) => tests.some((t) => t.kind === 'null' || (t.kind === 'exists' && !t.value)))
  );
};

const missingOf = (node: Node, names: ReadonlySet<string>): readonly string[] => {
  const missing = new Set<string>();
  const walk = (one: Node): void => {
    if (one.kind === 'not' || canHold(one, names)) return;
    if (one.kind === 'item') {
      if (one.item.field !== null) missing.add(one.item.field);
    } else for (const child of one.of) walk(child);
  };
  walk(node);
  return [...missing];
};
