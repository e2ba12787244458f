// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `detect`: events a second through the rules, one thread, with and without the parsing of JSON.
 * Input: the peers' event generator where it is (VIGIL_PEERS), else our own; rule sets of the test data, a whole SigmaHQ checkout with VIGIL_SIGMA.
 * Output: a table, then one JSON line. Writes nothing to the repository.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flatten } from '../collector/detect/adapt.ts';
import { makeDetector } from '../collector/detect/detect.ts';
import { readRuleFolders } from '../collector/detect/folder.ts';
import { type CompiledRuleSet, compileRuleSet } from '../collector/detect/ruleset.ts';
import { sigmaEvents } from './support/sigma-events.ts';

const DATA = process.env['VIGIL_DATA'] ?? '../shared/data';
const PEERS = process.env['VIGIL_PEERS'] ?? '../shared/peers';
const SIGMA = process.env['VIGIL_SIGMA'];
const EVENTS = 100_000;
const RUNS = 5;

const eventsOf = (lane: 'linux' | 'windows'): { readonly lines: readonly string[]; readonly from: string } => {
  const generator = join(PEERS, 'gen-events.py');
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  const file = join(folder, `${lane}.ndjson`);
  try {
    const made =
      existsSync(generator) && spawnSync('python3', [generator, '--lane', lane, '--n', String(EVENTS), '--out', file]).status === 0;
    if (made)
      return {
        lines: readFileSync(file, 'utf8')
          .split('\n')
          .filter((l) => l !== ''),
        from: 'gen-events.py',
      };
    return { lines: sigmaEvents(lane, EVENTS), from: 'own generator' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

interface Row {
  readonly lane: string;
  readonly rules: number;
  readonly loadMs: number;
  readonly bytesAnEvent: number;
  readonly events: string;
  /** Medians, events a second of wall time. */
  readonly withParse: number;
  readonly withoutParse: number;
  /** Median, events for each second of CPU (all threads), parse included: says more on a busy machine. */
  readonly perCpuSecond: number;
  readonly matches: number;
}

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[all.length >> 1] as number;
const rate = (ms: number): number => Math.round((EVENTS / ms) * 1000);

const measure = (
  lane: string,
  ruleset: CompiledRuleSet,
  loadMs: number,
  lines: readonly string[],
  from: string,
  logsource: 'auto' | 'any',
): Row => {
  const detector = makeDetector(ruleset, { logsource });
  const withParse: number[] = [];
  const withoutParse: number[] = [];
  const cpu: number[] = [];
  let matches = 0;
  const count = (): void => {
    matches++;
  };
  for (let run = 0; run < RUNS; run++) {
    let start = performance.now();
    matches = 0;
    const before = process.cpuUsage();
    for (const line of lines) detector.detect(flatten(JSON.parse(line)) ?? {}, count);
    withParse.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
    const parsed = lines.map((line) => flatten(JSON.parse(line)) ?? {});
    start = performance.now();
    for (const event of parsed) detector.detect(event, () => {});
    withoutParse.push(performance.now() - start);
  }
  const bytesAnEvent = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
  const name = `${lane}${logsource === 'any' ? ', not routed' : ''}`;
  return {
    lane: name,
    rules: ruleset.events.length,
    loadMs,
    bytesAnEvent,
    events: from,
    withParse: rate(median(withParse)),
    withoutParse: rate(median(withoutParse)),
    perCpuSecond: rate(median(cpu)),
    matches,
  };
};

const main = async (): Promise<void> => {
  const sets: readonly (readonly ['linux' | 'windows', string])[] = [
    ['linux', join(DATA, 'sigma-linux-rules')],
    ['windows', join(DATA, 'sigma-regression', 'rules', 'rules')],
    ...(SIGMA === undefined
      ? []
      : ([
          ['linux', join(SIGMA, 'rules', 'linux')],
          ['linux', join(SIGMA, 'rules')],
          ['windows', join(SIGMA, 'rules')],
        ] as const)),
  ];
  const rows: Row[] = [];
  const cache = new Map<string, ReturnType<typeof eventsOf>>();
  for (const [lane, dir] of sets) {
    if (!existsSync(dir)) {
      process.stdout.write(`left out: ${lane}, no rules at ${dir}\n`);
      continue;
    }
    const files = await readRuleFolders([dir]);
    const start = performance.now();
    const ruleset = compileRuleSet(files);
    const loadMs = Math.round(performance.now() - start);
    const events = cache.get(lane) ?? eventsOf(lane);
    cache.set(lane, events);
    for (const logsource of ['auto', 'any'] as const) rows.push(measure(lane, ruleset, loadMs, events.lines, events.from, logsource));
  }
  const pad = (text: string | number, width: number): string => String(text).padStart(width);
  process.stdout.write(
    `${pad('lane', 20)}${pad('rules', 7)}${pad('load ms', 9)}${pad('bytes', 7)}${pad('parse incl.', 13)}${pad('parse excl.', 13)}${pad('per CPU-s', 11)}${pad('matches', 9)}  events\n`,
  );
  for (const r of rows) {
    process.stdout.write(
      `${pad(r.lane, 20)}${pad(r.rules, 7)}${pad(r.loadMs, 9)}${pad(r.bytesAnEvent, 7)}${pad(r.withParse, 13)}${pad(r.withoutParse, 13)}${pad(r.perCpuSecond, 11)}${pad(r.matches, 9)}  ${r.events}\n`,
    );
  }
  const rssMb = Math.round(process.memoryUsage.rss() / 1e6);
  process.stdout.write(`${JSON.stringify({ lane: 'detect', ours: { eventsASecond: rows, runs: RUNS, node: process.version, rssMb } })}\n`);
};

await main();
