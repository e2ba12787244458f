// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol P1: decoding of the CrowdSec hub's cases, seven facts a line after one mapping table (`decode-map.ts`).
 * Input: `crowdsec-hub/decode-cases.jsonl`. Output: recall and precision of the source address and of all facts, negatives, misses by test.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLines } from '../../collector/cli/decode.ts';
import type { Event } from '../../collector/model/event.ts';
import { actualFacts, type Expected, expectedFacts, FACTS, IN_SCOPE, SYSLOG_TESTS } from './decode-map.ts';

const MARK = { source_recall: 0.98, source_precision: 0.995, all_facts: 0.9, negatives_clean: 0.98 } as const;

interface Case {
  readonly id: string;
  readonly test: string;
  readonly log_type: string;
  readonly line: string;
  readonly expected: Expected | null;
}

const inScope = (test: Case): boolean =>
  test.log_type === 'syslog' ? SYSLOG_TESTS.test(test.test) : IN_SCOPE[test.log_type] !== undefined;

/** Decodes one line with the function of `vigil decode`. */
export const decodeOne = async (line: string, dataset: string, zone: string, year?: number): Promise<Event> => {
  const lines = (async function* () {
    yield Buffer.from(line);
  })();
  for await (const { event } of decodeLines(lines, { dataset, zone, ...(year === undefined ? {} : { year }) })) return event;
  throw new Error('a line gave no event');
};

/** `1.0` for nothing wanted. */
const ratio = (part: number, whole: number): number => (whole === 0 ? 1 : Math.round((part / whole) * 10_000) / 10_000);

interface Tally {
  cases: number;
  right: number;
  wanted: number;
  found: number;
  said: number;
  facts: Record<string, { wanted: number; found: number }>;
  negatives: number;
  clean: number;
  quiet: number;
  misses: Map<string, string[]>;
}

const newTally = (): Tally => ({
  cases: 0,
  right: 0,
  wanted: 0,
  found: 0,
  said: 0,
  facts: {},
  negatives: 0,
  clean: 0,
  quiet: 0,
  misses: new Map(),
});

const score = async (cases: readonly Case[]): Promise<Tally> => {
  const tally = newTally();
  for (const test of cases) {
    const event = await decodeOne(test.line, IN_SCOPE[test.log_type] ?? 'auto', 'UTC');
    if (test.expected === null) {
      tally.negatives += 1;
      const source = event['source.ip'];
      // An address that stands in the line is read, not invented.
      if (source === undefined || test.line.toLowerCase().includes(source)) tally.clean += 1;
      if (source === undefined) tally.quiet += 1;
      continue;
    }
    const wanted = expectedFacts(test.expected);
    const actual = actualFacts(event, test.expected);
    tally.cases += 1;
    const wrong: string[] = [];
    for (const fact of FACTS) {
      if (wanted[fact] === undefined) continue;
      const counts = (tally.facts[fact] ??= { wanted: 0, found: 0 });
      counts.wanted += 1;
      if (wanted[fact] === actual[fact]) counts.found += 1;
      else wrong.push(`${fact}: ${wanted[fact]} / ${actual[fact]}`);
    }
    if (wanted.source !== undefined) tally.wanted += 1;
    if (wanted.source !== undefined && actual.source === wanted.source) tally.found += 1;
    if (wanted.source !== undefined && actual.source !== undefined) tally.said += 1;
    if (wrong.length === 0) tally.right += 1;
    else tally.misses.set(test.id, wrong);
  }
  return tally;
};

const figures = (tally: Tally) => ({
  cases: tally.cases,
  source_recall: ratio(tally.found, tally.wanted),
  source_precision: ratio(tally.found, tally.said),
  all_facts: ratio(tally.right, tally.cases),
  facts: Object.fromEntries(Object.entries(tally.facts).map(([name, { wanted, found }]) => [name, ratio(found, wanted)])),
  negatives: tally.negatives,
  negatives_clean: ratio(tally.clean, tally.negatives),
  negatives_without_source: ratio(tally.quiet, tally.negatives),
});

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const text = await readFile(join(dataDir, 'crowdsec-hub', 'decode-cases.jsonl'), 'utf8');
  const cases = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
  const scope = await score(cases.filter(inScope));
  const rest = await score(cases.filter((test) => !inScope(test)));
  const result = figures(scope);
  return {
    protocol: 'decode',
    ...result,
    out_of_scope: figures(rest),
    mark: MARK,
    holds:
      result.source_recall >= MARK.source_recall &&
      result.source_precision >= MARK.source_precision &&
      result.all_facts >= MARK.all_facts &&
      result.negatives_clean >= MARK.negatives_clean,
    misses: Object.fromEntries(scope.misses),
  };
};
