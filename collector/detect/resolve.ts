// SPDX-License-Identifier: Apache-2.0
/**
 * References of correlations: names to ids, cycles, aliases, and which rules stop raising alerts of their own.
 * Input: drafts of one rule set. Output: drafts with ids, findings for what leads nowhere.
 */
import type { CorrelationRule } from '../model/rule.ts';
import { type Finding, notesOf, PROBLEMS } from './problem.ts';
import type { CorrelationDraft } from './sigma/correlation.ts';
import type { RuleDraft } from './sigma/parse.ts';

export interface Resolved {
  readonly drafts: readonly CorrelationDraft[];
  /** Ids of rules that only feed correlations: read by at least one, and none of those generates. */
  readonly silenced: ReadonlySet<string>;
}

/** A reference that is not loaded is a warning and stays as written: the correlation waits for that rule. A cycle is refused. */
export const resolveCorrelations = (drafts: readonly CorrelationDraft[], rules: readonly RuleDraft[], findings: Finding[]): Resolved => {
  const ids = new Map<string, string>();
  for (const { envelope } of [...rules, ...drafts]) {
    ids.set(envelope.id, envelope.id);
    if (envelope.name !== undefined) ids.set(envelope.name, envelope.id);
  }
  const named = drafts.map((draft) => withIds(draft, ids, findings));
  const cyclic = cyclesOf(named);
  const kept = named.filter((draft) => {
    if (!cyclic.has(draft.envelope.id)) return true;
    const { file } = draft.envelope.origin;
    const at = draft.document.at(['correlation', 'rules']);
    findings.push({
      file,
      ...at,
      rule: draft.envelope.id,
      outcome: 'refused',
      code: 'CORRELATION_CYCLE',
      message: PROBLEMS.CORRELATION_CYCLE,
    });
    return false;
  });
  const read = new Set(kept.flatMap((d) => d.body.rules));
  const generated = new Set(kept.filter((d) => d.body.generate).flatMap((d) => d.body.rules));
  return { drafts: kept, silenced: new Set([...read].filter((id) => !generated.has(id))) };
};

const withIds = (draft: CorrelationDraft, ids: ReadonlyMap<string, string>, findings: Finding[]): CorrelationDraft => {
  const notes = notesOf(draft.envelope.origin.file, draft.document, () => draft.envelope.id, findings);
  const rules = draft.body.rules.map((name, i) => {
    const id = ids.get(name);
    if (id === undefined) notes.warn('CORRELATION_REFERENCE', ['correlation', 'rules', i], name);
    return id ?? name;
  });
  const aliases: Record<string, Record<string, string>> = Object.create(null);
  for (const [alias, targets] of Object.entries(draft.body.aliases)) {
    const byId: Record<string, string> = Object.create(null);
    for (const [name, field] of Object.entries(targets)) byId[ids.get(name) ?? name] = field;
    aliases[alias] = byId;
  }
  return { ...draft, body: { ...draft.body, rules, aliases: aliases as CorrelationRule['aliases'] } };
};

/** Ids of correlations that can reach themselves. */
const cyclesOf = (drafts: readonly CorrelationDraft[]): ReadonlySet<string> => {
  const reads = new Map(drafts.map((d) => [d.envelope.id, d.body.rules]));
  const cyclic = new Set<string>();
  for (const start of reads.keys()) {
    const seen = new Set<string>();
    const open = [...(reads.get(start) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === start) cyclic.add(start);
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(reads.get(next) ?? []));
    }
  }
  return cyclic;
};
