// SPDX-License-Identifier: Apache-2.0
/**
 * One run of the checks over a tree: each check becomes an observation, with the fix for what was found and the waiver that holds.
 * Input: policies, a tree, waivers, the time. Output: observations, one by one, so that the caller can pause between them.
 */
import { fixText } from '../../../core/fix.ts';
import type { Policy, PolicyCheck, Severity, Test } from '../../../core/policy.ts';
import { isoTime, type Ms, type UnixMs } from '../../../core/units.ts';
import type { Answer } from './answer.ts';
import type { Waiver } from './load.ts';
import { answerTest } from './probes.ts';
import type { Tree } from './tree.ts';

export interface Observation {
  readonly check: string;
  readonly policy: string;
  readonly title: string;
  readonly severity: Severity;
  readonly result: 'pass' | 'fail' | 'error' | 'unknown' | 'not-applicable';
  readonly actual: string;
  readonly expected: string;
  /** Why there is no answer, or why the check does not apply. */
  readonly reason?: string;
  /** How to mend it, exactly; empty unless it fails. */
  readonly fix: string;
  readonly freshMs: Ms;
  readonly controls: readonly string[];
  /** What is wrong, by name. */
  readonly items: readonly string[];
  /** Somebody answers for this fail at this time. */
  readonly waiver?: Waiver;
}

export interface RunOptions {
  readonly policies: readonly Policy[];
  readonly tree: Tree;
  readonly waivers: ReadonlyMap<string, Waiver>;
  readonly now: UnixMs;
  /** Only these checks, whether or not their policy applies here. */
  readonly only?: readonly string[];
}

/** Answers check by check. */
export function* runChecks({ policies, tree, waivers, now, only }: RunOptions): Generator<Observation, void, undefined> {
  for (const policy of policies) {
    const checks = only === undefined ? policy.checks : policy.checks.filter(({ id }) => only.includes(id));
    if (checks.length === 0) continue;
    const gate = only === undefined ? gateOf(policy.applies, tree) : undefined;
    for (const check of checks)
      yield observe(
        policy,
        check,
        gate ?? (only === undefined ? gateOf(check.applies, tree) : undefined),
        tree,
        waivers.get(check.id),
        now,
      );
  }
}

/** Why nothing is asked here; undefined where it applies. */
const gateOf = (test: Test | null, tree: Tree): Answer | undefined => {
  if (test === null) return undefined;
  const told = answerTest(test, tree);
  return told.result === 'pass' ? undefined : told;
};

const observe = (
  policy: Policy,
  check: PolicyCheck,
  gate: Answer | undefined,
  tree: Tree,
  waiver: Waiver | undefined,
  now: UnixMs,
): Observation => {
  const base = {
    check: check.id,
    policy: policy.id,
    title: check.title,
    severity: check.severity,
    expected: check.expected,
    freshMs: check.freshMs,
    controls: check.controls,
  };
  if (gate) {
    const result = gate.result === 'fail' ? 'not-applicable' : (gate.result as 'unknown' | 'error');
    return { ...base, result, actual: '', reason: gate.actual, fix: '', items: [] };
  }
  const { result, actual, items } = answerTest(check.test, tree);
  if (result !== 'fail') return { ...base, result, actual, fix: '', items, ...(result === 'pass' ? {} : { reason: actual }) };
  const failed: Observation = { ...base, result, actual, fix: fixText(check.fix, items), items };
  if (!waiver) return failed;
  return waiver.until > now
    ? { ...failed, waiver, reason: waiver.reason }
    : { ...failed, reason: `the waiver of ${waiver.owner} ended on ${isoTime(waiver.until).slice(0, 10)}` };
};
