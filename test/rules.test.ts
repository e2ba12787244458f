// SPDX-License-Identifier: Apache-2.0
/**
 * The rules that come with Vigil: all of them load, every rule of ours has cases, and every case holds.
 * Input: `rules/`. Output: one test for each rule of ours.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { offlineCorrelator } from '../collector/cli/judge.ts';
import { decodeForRules } from '../collector/cli/river.ts';
import { rulesCheck, rulesTest } from '../collector/cli/rules.ts';
import { makePlan } from '../collector/correlate/plan.ts';
import { readRuleFolders } from '../collector/detect/folder.ts';
import { compileRuleSet } from '../collector/detect/ruleset.ts';
import { techniquesOf } from '../collector/model/rule.ts';
import { ROOT } from './support/repository.ts';

const RULES = join(ROOT, 'rules');
const linesOf = (out: readonly string[]): readonly Readonly<Record<string, unknown>>[] =>
  out
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const FOLDERS = ['sigma', 'correlation', 'packs'].map((name) => join(RULES, name));
const ruleset = compileRuleSet(await readRuleFolders(FOLDERS));
const ours = [...ruleset.rules.values()].filter((rule) => rule.origin.pack === 'vigil');
const verdicts: string[] = [];
await rulesTest(FOLDERS, { out: (text) => verdicts.push(text) }, { decode: decodeForRules, correlate: offlineCorrelator });
const results = linesOf(verdicts);

describe('the rules of ours', () => {
  it.each(ours.map((rule) => [rule.id] as const))('%s holds its cases', (id) => {
    const own = results.filter((result) => result['rule'] === id);
    expect(own.length).toBeGreaterThan(1);
    expect(own.filter((result) => result['outcome'] !== 'passed')).toEqual([]);
  });

  it('say what they are about, whom, and by which technique', () => {
    for (const rule of ours) {
      expect(rule.id, rule.origin.file).toMatch(/^vigil-[a-z0-9-]+$/);
      expect(rule.description?.length ?? 0, rule.id).toBeGreaterThan(40);
      expect(techniquesOf(rule.tags).length, rule.id).toBeGreaterThan(0);
      expect(rule.entity, rule.id).toBeDefined();
    }
  });

  it('have correlations that the correlator takes', () => {
    expect(makePlan(ruleset).refused).toEqual([]);
  });
});

describe('the pack of SigmaHQ', () => {
  it('loads whole and without a warning', async () => {
    const out: string[] = [];
    expect(await rulesCheck([join(RULES, 'packs', 'sigmahq')], { out: (text) => out.push(text) })).toBe(true);
    const findings = linesOf(out);
    expect(findings).toHaveLength(351);
    expect(new Set(findings.map((f) => f['outcome']))).toEqual(new Set(['loaded']));
  });

  it('keeps author and id of every rule', () => {
    for (const rule of ruleset.rules.values()) if (rule.origin.pack === 'sigmahq') expect(rule.author, rule.id).toBeTruthy();
  });
});
