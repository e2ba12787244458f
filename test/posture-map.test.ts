// SPDX-License-Identifier: Apache-2.0
/**
 * The map of others' rules to checks of ours names only checks and values that there are.
 * Input: the map, the policies that come along. Output: nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicies, OWN_POLICIES } from '../agent/source/posture/load.ts';
import { policyValues } from '../core/policy.ts';
import { CHECKS, OUT_OF_SCOPE, PROFILES, VALUES } from './oracle/posture-map.ts';

const policies = loadPolicies([OWN_POLICIES, join(OWN_POLICIES, 'strict')], '/');

describe('the map of rules', () => {
  it('leads to checks that there are, from rules that are in scope', () => {
    const ids = new Set(policies.flatMap(({ checks }) => checks.map(({ id }) => id)));
    expect(
      Object.values(CHECKS)
        .flatMap((one) => one.split(' '))
        .filter((id) => !ids.has(id)),
    ).toEqual([]);
    expect(Object.keys(OUT_OF_SCOPE).filter((rule) => Object.hasOwn(CHECKS, rule))).toEqual([]);
  });

  it('gives values that policies have', () => {
    const names = new Set(policies.flatMap(({ file }) => Object.keys(policyValues(readFileSync(file, 'utf8'), file))));
    expect(
      [...Object.values(VALUES), ...Object.values(PROFILES).flatMap((one) => Object.keys(one))].filter((name) => !names.has(name)),
    ).toEqual([]);
  });
});
