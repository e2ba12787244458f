// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P3: whole log files of the CrowdSec hub's scenarios through the river in event time.
 * Input: `crowdsec-hub/alert-cases.jsonl` and its raw logs; the river as a function. Output: recall, precision and F1 over (class, source), duplicates, noise.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml } from '../../core/yaml.ts';
import { type AlertClass, classOfAlert, classOfScenario, OUT_OF_SCOPE, type ProducedAlert } from './alert-classes.ts';
import { IN_SCOPE, SYSLOG_TESTS } from './decode-map.ts';

export const MARK = { recall: 0.9, precision: 0.9, duplicate_factor: 1.2, alerts_where_none: 0 } as const;

/** The river: lines of one file, the source dataset, to the alerts that stand in the end. */
export type AlertRiver = (lines: readonly string[], dataset: string) => Promise<readonly ProducedAlert[]>;

interface Case {
  readonly id: string;
  readonly test: string;
  readonly log_type: string;
  readonly expected_alerts: readonly { readonly sources: readonly string[]; readonly scenario?: string | null }[];
}

interface Outcome {
  readonly test: string;
  readonly expected: ReadonlySet<string>;
  readonly produced: readonly string[];
  readonly unnamed: number;
}

/** Log types that P1 has in scope, and scenarios that host logs can show. */
const inScope = ({ test, log_type, expected_alerts }: Case): boolean =>
  (log_type === 'syslog' ? SYSLOG_TESTS.test(test) : IN_SCOPE[log_type] !== undefined) &&
  !expected_alerts.some(({ scenario }) => scenario != null && OUT_OF_SCOPE.test(scenario));

const isAddress = (text: string): boolean => /^[0-9.]{7,15}$/.test(text) || /^[0-9a-f:]+(:[0-9.]+)?$/i.test(text);

// Their other scopes (a process id, a path, a user) are compared by class alone.
const pair = (of: AlertClass, source: string): string => `${of} ${isAddress(source) ? source.toLowerCase().replace(/^::ffff:/, '') : '*'}`;

const expectedOf = (test: Case): ReadonlySet<string> =>
  new Set(
    test.expected_alerts.flatMap(({ scenario, sources }) => {
      const of = scenario == null ? null : classOfScenario(scenario);
      return of === null ? [] : sources.map((source) => pair(of, source));
    }),
  );

const linesOf = async (folder: string): Promise<readonly string[]> => {
  const config = parseYaml(await readFile(join(folder, 'config.yaml'), 'utf8'), 'config.yaml')[0]?.value;
  const named = config !== null && typeof config === 'object' && !Array.isArray(config) ? Reflect.get(config, 'log_file') : undefined;
  const file = typeof named === 'string' ? named : (await readdir(folder)).find((name) => name.endsWith('.log'));
  if (file === undefined) return [];
  return (await readFile(join(folder, file.split('/').at(-1)!), 'utf8')).split(/\r?\n/).filter((line) => line !== '');
};

const play = async (dataDir: string, test: Case, river: AlertRiver): Promise<Outcome> => {
  const lines = await linesOf(join(dataDir, 'crowdsec-hub', 'raw', test.test));
  const alerts = await river(lines, IN_SCOPE[test.log_type] ?? 'auto');
  const expected = expectedOf(test);
  const produced: string[] = [];
  let unnamed = 0;
  for (const alert of alerts) {
    const of = classOfAlert(alert);
    if (of === null) unnamed++;
    else {
      const exact = pair(of, alert.entity.slice(alert.entity.indexOf(':') + 1));
      produced.push(expected.has(exact) || !expected.has(`${of} *`) ? exact : `${of} *`);
    }
  }
  return { test: test.test, expected, produced, unnamed };
};

const ratio = (part: number, whole: number): number => (whole === 0 ? 1 : Math.round((part / whole) * 1000) / 1000);

const figures = (outcomes: readonly Outcome[]) => {
  let wanted = 0;
  let found = 0;
  let said = 0;
  let right = 0;
  let raised = 0;
  for (const { expected, produced } of outcomes) {
    const distinct = new Set(produced);
    wanted += expected.size;
    said += distinct.size;
    const hits = [...distinct].filter((one) => expected.has(one));
    found += hits.length;
    right += hits.length;
    raised += produced.filter((one) => expected.has(one)).length;
  }
  const recall = ratio(found, wanted);
  const precision = ratio(right, said);
  return {
    tests: outcomes.length,
    expected: wanted,
    recall,
    precision,
    f1: recall + precision === 0 ? 0 : Math.round(((2 * recall * precision) / (recall + precision)) * 1000) / 1000,
    duplicate_factor: ratio(raised, found),
    unnamed: outcomes.reduce((sum, { unnamed }) => sum + unnamed, 0),
  };
};

/** Runs the protocol on a data folder with a river. */
export const run = async (dataDir: string, river: AlertRiver) => {
  const text = await readFile(join(dataDir, 'crowdsec-hub', 'alert-cases.jsonl'), 'utf8');
  const cases = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
  const outcomes: Outcome[] = [];
  const outside: Outcome[] = [];
  let whereNone = 0;
  for (const test of cases) {
    const outcome = await play(dataDir, test, river);
    if (test.expected_alerts.length === 0) whereNone += outcome.produced.length + outcome.unnamed;
    else (inScope(test) ? outcomes : outside).push(outcome);
  }
  const result = figures(outcomes);
  const misses = outcomes.flatMap(({ test, expected, produced }) => {
    const missing = [...expected].filter((one) => !produced.includes(one));
    const extra = [...new Set(produced)].filter((one) => !expected.has(one));
    return missing.length + extra.length === 0 ? [] : [[test, { missing, extra }] as const];
  });
  return {
    protocol: 'alerts',
    ...result,
    alerts_where_none: whereNone,
    out_of_scope: figures(outside),
    mark: MARK,
    holds:
      result.recall >= MARK.recall &&
      result.precision >= MARK.precision &&
      result.duplicate_factor <= MARK.duplicate_factor &&
      whereNone === MARK.alerts_where_none,
    misses: Object.fromEntries(misses),
  };
};
