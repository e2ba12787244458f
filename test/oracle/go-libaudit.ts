// SPDX-License-Identifier: Apache-2.0
/**
 * The auditd oracle: go-libaudit's parsed records, each fed alone, and its joined events, by the map in `go-libaudit-map.ts`.
 * Input: `go-libaudit/auparse` and `go-libaudit/aucoalesce`. Output: how many of 64 records and 27 events are the same; misses by name.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLines, said } from '../../collector/cli/decode.ts';
import { parseYaml } from '../../core/yaml.ts';
import { type ExpectedEvent, type ExpectedRecord, eventDifferences, type Printed, recordDifferences } from './go-libaudit-map.ts';

const MARK = { records: 64, events: 27 } as const;

interface Found {
  readonly event: Printed;
  readonly outcome: string;
  readonly lines: readonly number[];
}

/** What `vigil decode --dataset auditd` prints of these lines. */
const printed = async (lines: readonly string[]): Promise<readonly Found[]> => {
  const source = (async function* () {
    for (const line of lines) yield Buffer.from(line);
  })();
  const found: Found[] = [];
  for await (const { event, outcome, lines: numbers } of decodeLines(source, { dataset: 'auditd' }))
    found.push({ event: said(event), outcome, lines: numbers ?? [] });
  return found;
};

const differencesOf = async (lines: readonly string[], compare: (event: Printed) => readonly string[]): Promise<readonly string[]> => {
  const found = await printed(lines);
  const [one] = found;
  if (one === undefined || found.length !== 1) return [`${found.length} events`];
  return one.lines.length === lines.length ? compare(one.event) : [`${one.lines.length} of ${lines.length} lines`];
};

/** A line that is no record must not be taken for one. */
const refusal = async (line: string): Promise<readonly string[]> =>
  (await printed([line])).every(({ event, outcome }) => outcome === 'failed' && event['event.code'] === undefined)
    ? []
    : ['taken for a record'];

/** Runs the protocol on a data folder. */
export const run = async (dataDir: string) => {
  const root = join(dataDir, 'go-libaudit');
  const misses: Record<string, readonly string[]> = {};
  const tally = { records: 0, of_records: 0, events: 0, of_events: 0 };
  const parsed = join(root, 'auparse', 'testdata');
  for (const name of (await readdir(parsed)).filter((file) => file.endsWith('.log')).sort()) {
    const lines = (await readFile(join(parsed, name), 'utf8')).split('\n').filter((line) => line !== '');
    const golden = JSON.parse(await readFile(join(parsed, `${name}.golden`), 'utf8')) as readonly (ExpectedRecord | null)[];
    for (const [n, expected] of golden.entries()) {
      tally.of_records += 1;
      const line = lines[n] ?? '';
      const differences =
        expected === null ? await refusal(line) : await differencesOf([line], (event) => recordDifferences(expected, event));
      if (differences.length === 0) tally.records += 1;
      else misses[`${name}/${n}`] = differences;
    }
  }
  const coalesced = join(root, 'aucoalesce', 'testdata');
  for (const name of (await readdir(coalesced)).filter((file) => file.endsWith('.yaml')).sort()) {
    const [document] = parseYaml(await readFile(join(coalesced, name), 'utf8'), name);
    const tests = (document?.value as unknown as { readonly tests: Readonly<Record<string, string>> } | undefined)?.tests ?? {};
    const golden = JSON.parse(await readFile(join(coalesced, name.replace(/yaml$/, 'json.golden')), 'utf8')) as readonly {
      readonly test_name: string;
      readonly event: ExpectedEvent;
    }[];
    for (const { test_name: test, event: expected } of golden) {
      tally.of_events += 1;
      const lines = (tests[test] ?? '').split('\n').filter((line) => line !== '');
      const differences = await differencesOf(lines, (event) => eventDifferences(expected, event));
      if (differences.length === 0) tally.events += 1;
      else misses[`${name}/${test}`] = differences;
    }
  }
  return { protocol: 'go-libaudit', ...tally, mark: MARK, holds: tally.records === MARK.records && tally.events === MARK.events, misses };
};
