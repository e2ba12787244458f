// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P6, companion: file states of ComplianceAsCode's tests through `posture check`; the check named by the rule must pass or fail as told.
 * Input: `posture-config/cases.jsonl`, the map of rules to checks. Output: the share that agrees, in scope; a rule that nobody declared counts as missed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicies, OWN_POLICIES } from '../../agent/source/posture/load.ts';
import { runChecks } from '../../agent/source/posture/run.ts';
import { openTree } from '../../agent/source/posture/tree.ts';
import type { PolicyValues } from '../../core/policy.ts';
import { unixMs } from '../../core/units.ts';
import { buildTree } from '../support/posture-tree.ts';
import { DEBIAN } from './posture-base.ts';
import { CHECKS, OUT_OF_SCOPE, OUT_OF_SCOPE_FAMILIES, PROFILES, VALUES } from './posture-map.ts';

const MARK = 0.95;

interface Case {
  readonly rule: string;
  readonly scenario: string;
  readonly files: Readonly<Record<string, string | null>>;
  readonly base: Readonly<Record<string, string>>;
  readonly variables?: string | Readonly<Record<string, string>> | null;
  readonly expected: 'pass' | 'fail';
}

interface Miss {
  readonly rule: string;
  readonly scenario: string;
  readonly expected: string;
  readonly got: string;
}

const FOLDERS = [OWN_POLICIES, join(OWN_POLICIES, 'strict')];

/** The text that the case leaves at a path. */
const textAt = (path: string, text: string | null, how: string): string | null => {
  if (text === null || how === 'remove') return null;
  const stock = DEBIAN[path] ?? '';
  if (how === 'replace') return text;
  if (how === 'append') return stock + text;
  const source = how.slice(how.indexOf(':') + 1).replaceAll('[[:space:]]', '\\s');
  const gone = new RegExp(source.replace(/^\(\?i\)/, ''), source.startsWith('(?i)') ? 'i' : '');
  return (
    stock
      .split('\n')
      .filter((line) => !gone.test(line))
      .join('\n') + text
  );
};

const valuesOf = (one: Case): PolicyValues => {
  const given: Record<string, string> = {};
  const put = (name: string, value: string): void => {
    const own = VALUES[name.trim()];
    // Their patterns are written for XML.
    if (own !== undefined) given[own] = value.trim().replaceAll('\\&amp;', '&').replaceAll('&amp;', '&');
  };
  if (typeof one.variables === 'string')
    for (const part of one.variables.split(/,(?=\s*\w+\s*=)/)) put(part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1));
  else for (const [name, value] of Object.entries(one.variables ?? {})) put(name, String(value));
  return { ...given, ...PROFILES[`${one.rule}/${one.scenario}`] };
};

const loaded = new Map<string, ReturnType<typeof loadPolicies>>();

/** The policies with these values, read once. */
const policiesWith = (values: PolicyValues): ReturnType<typeof loadPolicies> => {
  const key = JSON.stringify(values);
  const policies = loaded.get(key) ?? loadPolicies(FOLDERS, '/', values);
  loaded.set(key, policies);
  return policies;
};

const answerOf = (one: Case, checks: readonly string[]): string => {
  const root = mkdtempSync(join(tmpdir(), 'vigil-oracle-'));
  try {
    const files: Record<string, string | null> = { ...DEBIAN };
    for (const [path, text] of Object.entries(one.files)) files[path] = textAt(path, text, one.base[path] ?? 'replace');
    buildTree(root, { files, modes: {}, links: {} });
    const policies = policiesWith(valuesOf(one));
    const results = [...runChecks({ policies, tree: openTree(root), waivers: new Map(), now: unixMs(1), only: checks })].map(
      ({ result }) => result,
    );
    return results.find((result) => result === 'fail') ?? results.find((result) => result !== 'pass') ?? 'pass';
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};

/** A rule with a check of ours is in scope whatever family it is of. */
const isOut = (rule: string): boolean =>
  Object.hasOwn(OUT_OF_SCOPE, rule) || (!Object.hasOwn(CHECKS, rule) && OUT_OF_SCOPE_FAMILIES.some(([family]) => family.test(rule)));

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const text = await readFile(join(dataDir, 'posture-config', 'cases.jsonl'), 'utf8');
  const cases = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Case]));
  const misses: Miss[] = [];
  const undeclared = new Set<string>();
  let inScope = 0;
  for (const one of cases) {
    if (isOut(one.rule)) continue;
    inScope++;
    const checks = CHECKS[one.rule]?.split(' ');
    if (!checks) undeclared.add(one.rule);
    const got = checks ? answerOf(one, checks) : 'no check';
    if (got !== one.expected) misses.push({ rule: one.rule, scenario: one.scenario, expected: one.expected, got });
  }
  const agree = inScope - misses.length;
  const share = inScope === 0 ? 0 : Math.round((agree / inScope) * 1000) / 1000;
  return {
    protocol: 'posture-config',
    share,
    agree,
    in_scope: inScope,
    cases: cases.length,
    out_of_scope: [...new Set(cases.filter(({ rule }) => isOut(rule)).map(({ rule }) => rule))],
    undeclared: [...undeclared],
    missed: misses.slice(0, 20).map(({ rule, scenario, expected }) => `${rule}/${scenario}.${expected}`),
    mark: MARK,
    holds: share >= MARK,
    misses,
  };
};
