// SPDX-License-Identifier: Apache-2.0
/**
 * Observations as facts: the first run is the baseline, a changed answer says what it was, an unchanged one keeps fresh.
 * Input: observations of a run, the answers sealed before. Output: facts (core/fact.ts). Pure.
 */
import type { Fact, FactFields } from '../../../core/fact.ts';
import type { UnixMs } from '../../../core/units.ts';
import type { Observation } from './run.ts';

/** Answers as last sealed, by check. */
export type Baseline = ReadonlyMap<string, FactFields>;

/** Longest text of a field: a fact stays far below its limit. */
const TEXT_LIMIT = 8_000;
/** Fields whose change is a change of the answer; the others follow the policy's text. */
const ANSWER = ['result', 'actual', 'expected', 'severity', 'reason', 'waiver_until_at'] as const;

const cut = (text: string): string => (text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT - 1)}…` : text).toWellFormed();

export const fieldsOf = (one: Observation, intervalMs: number): FactFields => ({
  check: one.check,
  title: one.title,
  result: one.result,
  actual: cut(one.actual),
  expected: cut(one.expected),
  severity: one.severity,
  policy: one.policy,
  // An answer must not grow stale before the next run had its chance.
  fresh_ms: Math.max(one.freshMs, 2 * intervalMs),
  ...(one.fix === '' ? {} : { fix: cut(one.fix) }),
  ...(one.reason === undefined ? {} : { reason: cut(one.reason) }),
  ...(one.waiver === undefined
    ? {}
    : { waiver_reason: cut(one.waiver.reason), waiver_owner: cut(one.waiver.owner), waiver_until_at: one.waiver.until }),
});

/** The fact of one observation. */
export const factOf = (fields: FactFields, before: FactFields | undefined, first: boolean, at: UnixMs): Fact => {
  const base = { kind: 'observation', item: String(fields['check']), at, fields } as const;
  if (!before) return { ...base, change: first ? 'baseline' : 'added' };
  const was: Record<string, FactFields[string]> = {};
  let changed = false;
  for (const name of ANSWER)
    if (before[name] !== fields[name]) {
      changed = true;
      if (before[name] !== undefined) was[name] = before[name];
    }
  return changed ? { ...base, change: 'changed', was } : { ...base, change: 'seen' };
};

/** Facts of checks that are asked no more. */
export const removedFacts = (baseline: Baseline, asked: ReadonlySet<string>, at: UnixMs): readonly Fact[] =>
  [...baseline].flatMap(([item, fields]) =>
    asked.has(item) ? [] : [{ kind: 'observation', item, change: 'removed', at, fields } as const],
  );
