// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil-agent posture check`: the checks of settings over any file tree, `/` for this host.
 * Input: a folder, perhaps policies, values, waivers. Output: an observation for each check and totals, or tables with the exact fixes; exit 1 with a fail.
 */
import { lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearest } from '../../core/config.ts';
import { systemCode } from '../../core/errors.ts';
import { unixMs } from '../../core/units.ts';
import { hostName } from '../enrol/enrol.ts';
import { fault } from '../errors.ts';
import { loadPolicies, loadWaivers, readValues } from '../source/posture/load.ts';
import { type Observation, runChecks } from '../source/posture/run.ts';
import { openTree, type Tree } from '../source/posture/tree.ts';
import { COMMON_HELP, type Command, type Flags, table, text, visible } from './terminal.ts';

const list = (flags: Flags, name: string): readonly string[] | undefined => {
  const value = flags[name];
  return Array.isArray(value) ? value.map(String) : undefined;
};

const RESULTS = ['fail', 'error', 'unknown', 'not-applicable', 'pass'] as const;
const LEVELS = ['critical', 'high', 'medium', 'low', 'informational'] as const;

export const postureCommand: Command = {
  name: 'posture',
  summary: 'check the settings of this host, or of any file tree',
  help: `vigil-agent posture check [--root DIR] [--policy FILE]… [--check ID]… [--set NAME=VALUE]… [--waivers FILE]

Runs the checks of settings and changes nothing. Exit 1 when one fails that nobody has waived.

  --root DIR         folder that stands for / (default /, this host)
  --policy FILE      a policy, or a folder of them; may be repeated (default: posture.policies, else those that come along)
  --check ID         only this check, whether or not its policy applies there; may be repeated
  --set NAME=VALUE   a value of a policy; may be repeated
  --waivers FILE     waivers (default: posture.waivers)
${COMMON_HELP}

Example:
  vigil-agent posture check --root / --json`,
  options: {
    root: { type: 'string' },
    policy: { type: 'string', multiple: true },
    check: { type: 'string', multiple: true },
    set: { type: 'string', multiple: true },
    waivers: { type: 'string' },
  },
  positionals: { name: 'ACTION', required: true },
  run: async ({ flags, positional, config }, terminal) => {
    if (positional !== 'check') throw fault('AGENT_USAGE', { reason: `posture has no "${positional}", only check` });
    const root = resolve(terminal.from, text(flags, 'root') ?? '/');
    mustBeFolder(root);
    const values = readValues([...config['posture.values'], ...(list(flags, 'set') ?? [])]);
    const policies = loadPolicies(list(flags, 'policy') ?? config['posture.policies'], terminal.from, values);
    const only = list(flags, 'check');
    const ids = policies.flatMap(({ checks }) => checks.map(({ id }) => id));
    const missing = only?.find((id) => !ids.includes(id));
    if (missing !== undefined)
      throw fault('AGENT_USAGE', { reason: `there is no check "${missing}"; the nearest is "${nearest(missing, ids)}"` });
    const waiverFile = text(flags, 'waivers') ?? config['posture.waivers'];
    const waivers = loadWaivers(waiverFile === null ? null : resolve(terminal.from, waiverFile), policies);
    const tree = openTree(root);
    const subject = `host:${subjectOf(tree)}`;
    const found = [...runChecks({ policies, tree, waivers, now: unixMs(Date.now()), ...(only === undefined ? {} : { only }) })];
    const failing = found.filter((one) => one.result === 'fail' && one.waiver === undefined);
    if (flags['json'] === true) {
      for (const one of found) terminal.out(`${JSON.stringify(asJson(one, subject))}\n`);
      terminal.out(`${JSON.stringify({ totals: totalsOf(found) })}\n`);
    } else terminal.out(forPeople(found, root));
    return failing.length > 0 ? 1 : 0;
  },
};

const mustBeFolder = (root: string): void => {
  try {
    if (statSync(root).isDirectory()) return;
  } catch (error) {
    throw fault('POSTURE_UNREADABLE', { path: root, reason: systemCode(error) ?? 'it cannot be opened' }, error);
  }
  throw fault('POSTURE_UNREADABLE', { path: root, reason: lstatSync(root).isSymbolicLink() ? 'it leads to no folder' : 'it is no folder' });
};

const subjectOf = (tree: Tree): string => {
  if (tree.live) return hostName();
  try {
    const name = tree.read('/etc/hostname')?.trim();
    if (name !== undefined && /^[\w.-]{1,253}$/.test(name)) return name;
  } catch {
    // A tree whose name cannot be read is called by its folder.
  }
  return tree.root;
};

const asJson = (one: Observation, subject: string): Record<string, unknown> => ({
  check: one.check,
  subject,
  result: one.result,
  actual: one.actual,
  expected: one.expected,
  severity: one.severity,
  controls: one.controls,
  title: one.title,
  policy: one.policy,
  ...(one.reason === undefined ? {} : { reason: one.reason }),
  ...(one.fix === '' ? {} : { fix: one.fix }),
  ...(one.waiver === undefined
    ? {}
    : { waiver: { reason: one.waiver.reason, owner: one.waiver.owner, until: new Date(one.waiver.until).toISOString() } }),
});

interface Total {
  readonly total: number;
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

/** Counts in the form that imports of scanners' results print; what is waived is counted apart. */
const totalsOf = (found: readonly Observation[]): Readonly<Record<string, Total>> => {
  const count = (of: readonly Observation[]): Total => {
    const at = (level: string): number => of.filter(({ severity }) => severity === level).length;
    return { total: of.length, critical: at('critical'), high: at('high'), medium: at('medium'), low: at('low') };
  };
  const by = (result: string): Total => count(found.filter((one) => one.result === result && one.waiver === undefined));
  return {
    pass: by('pass'),
    fail: by('fail'),
    'not-applicable': by('not-applicable'),
    skipped: by('skipped'),
    error: by('error'),
    unknown: by('unknown'),
    waived: count(found.filter(({ waiver }) => waiver !== undefined)),
  };
};

const forPeople = (found: readonly Observation[], root: string): string => {
  const sorted = [...found].sort(
    (a, b) =>
      RESULTS.indexOf(a.result) - RESULTS.indexOf(b.result) ||
      LEVELS.indexOf(a.severity) - LEVELS.indexOf(b.severity) ||
      (a.check < b.check ? -1 : 1),
  );
  const rows = sorted
    .filter(({ result }) => result !== 'not-applicable')
    .map((one) => [
      one.waiver ? 'waived' : one.result,
      one.severity,
      one.check,
      one.result === 'pass' ? one.actual : one.reason === undefined || one.result === 'fail' ? one.actual : one.reason,
    ]);
  const parts = [table(['RESULT', 'SEVERITY', 'CHECK', 'FOUND'], rows)];
  const failing = sorted.filter(({ result, waiver }) => result === 'fail' && waiver === undefined);
  if (failing.length > 0) {
    parts.push('', 'How to mend what fails:');
    for (const one of failing)
      parts.push(
        '',
        `${one.check}: ${visible(one.title)} (expected: ${visible(one.expected)})`,
        ...one.fix.split('\n').map((row) => `  ${visible(row)}`),
      );
  }
  const count = (result: string): number => found.filter((one) => one.result === result && one.waiver === undefined).length;
  const waived = found.filter(({ waiver }) => waiver !== undefined).length;
  const asked = found.length - count('not-applicable');
  parts.push(
    '',
    `${root}: ${asked} checks, ${count('pass')} pass, ${count('fail')} fail, ${waived} waived, ${count('unknown') + count('error')} without an answer; ${count('not-applicable')} do not apply.`,
    '',
  );
  return parts.join('\n');
};
