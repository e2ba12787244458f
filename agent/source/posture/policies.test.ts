// SPDX-License-Identifier: Apache-2.0
/**
 * The policies that come along: every check answers its own cases, and every fix that is printed turns its failing case green.
 * Input: rules/posture. Output: one test for each check, on real trees on disk.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixCommands } from '../../../core/fix.ts';
import type { PolicyCheck } from '../../../core/policy.ts';
import { unixMs } from '../../../core/units.ts';
import { buildTree, runCommands } from '../../../test/support/posture-tree.ts';
import { tempDir } from '../../../test/support/vigil.ts';
import { loadPolicies, OWN_POLICIES } from './load.ts';
import { type Observation, runChecks } from './run.ts';
import { openTree } from './tree.ts';

const STRICT = join(OWN_POLICIES, 'strict');
const policies = loadPolicies(existsSync(STRICT) ? [OWN_POLICIES, STRICT] : [OWN_POLICIES], '/');
const checks = policies.flatMap((policy) => policy.checks.map((check) => ({ policy, check })));

const observe = (root: string, check: PolicyCheck): Observation => {
  const own = policies.filter((policy) => policy.checks.includes(check));
  const [found] = [...runChecks({ policies: own, tree: openTree(root), waivers: new Map(), now: unixMs(1), only: [check.id] })];
  return found as Observation;
};

describe('the policies that come along', () => {
  it('ask at least forty things, each explained and with a way to mend it', () => {
    expect(checks.length).toBeGreaterThanOrEqual(40);
    for (const { check } of checks) {
      expect([check.id, check.rationale.length > 20, check.expected.length > 5]).toEqual([check.id, true, true]);
      expect([check.id, check.fix.steps.length > 0 || check.fix.say !== '']).toEqual([check.id, true]);
      const results = check.cases.map(({ result }) => result);
      expect([check.id, results.includes('pass'), results.includes('fail')]).toEqual([check.id, true, true]);
    }
  });

  it.each(checks.map(({ check }) => [check.id, check] as const))('%s answers its cases, and its fix mends what fails', (_, check) => {
    const trees = check.cases.map((one) => {
      const root = tempDir();
      buildTree(root, one);
      const found = observe(root, check);
      expect([one.name, found.result, found.actual]).toEqual([one.name, one.result, found.actual]);
      return { one, root, found };
    });
    const failing = trees.filter(({ found }) => found.result === 'fail');
    for (const { found } of failing) expect([found.fix === '', found.actual === '']).toEqual([false, false]);
    if (check.fix.steps.length === 0) return;
    // One shell for all of them: starting one takes longer than the commands.
    const said = runCommands(failing.flatMap(({ root, found }) => fixCommands(check.fix, found.items, root)));
    for (const { one, root } of failing) {
      const after = observe(root, check);
      expect([one.name, after.result, after.actual, said]).toEqual([one.name, 'pass', after.actual, said]);
    }
  });
});
