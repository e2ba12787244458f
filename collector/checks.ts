// SPDX-License-Identifier: Apache-2.0
/**
 * Every check that comes with Vigil, those of the agents' policies and those the collector answers itself: titles, severities, fixes.
 * Input: `rules/posture`. Output: checks by id, read one policy at a time so that nothing waits for it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fixText } from '../core/fix.ts';
import { parsePolicy } from '../core/policy.ts';
import { OWN_CHECKS } from './facts/check.ts';
import type { Check } from './model/observation.ts';

/** @throws CodedError POLICY_BAD, YAML_BAD. */
export const readChecks = async (dir: string): Promise<ReadonlyMap<string, Check>> => {
  const checks = new Map<string, Check>(OWN_CHECKS.map((check) => [check.id, check]));
  const folder = join(dir, 'posture');
  for (const name of (await readdir(folder)).filter((one) => one.endsWith('.yml')).sort()) {
    await setImmediate();
    const file = join(folder, name);
    // NAME stands for what a check finds on a host.
    for (const { id, title, severity, freshMs, fix } of parsePolicy(await readFile(file, 'utf8'), file).checks)
      checks.set(id, { id, title, severity, method: 'TEST', freshMs, by: 'agent', fix: fixText(fix, ['NAME']) });
  }
  return checks;
};
