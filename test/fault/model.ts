// SPDX-License-Identifier: Apache-2.0
/**
 * The seeded model on demand: one seed replayed with every message, or a long row of seeds in processes of their own, so that memory stays small.
 * Input: seeds. Output: messages and schedules as text; totals in the words of `npm run fault`.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runSchedule } from '../model/finish.ts';
import { campaign, showFailure } from '../model/run.ts';
import { scheduleOf, showAction } from '../model/schedule.ts';
import { makeShow } from '../model/show.ts';
import type { Stats } from '../model/world.ts';
import { ROOT } from '../support/repository.ts';

/** Seeds of one process. */
const PART = 1_000;

interface Part {
  readonly seeds: number;
  readonly failed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly stats: Stats;
  readonly failures: readonly string[];
}

/** Replays a seed: its schedule, each request with its reply, what broke. */
export const replaySeed = async (seed: number, say: (text: string) => void): Promise<readonly string[]> => {
  const { family, actions } = scheduleOf(seed);
  say(`seed ${seed}, ${family}: ${actions.map(showAction).join(' ')}`);
  const show = makeShow();
  const { broken } = await runSchedule(actions, (...message) => say(`  ${show(...message)}`));
  return broken;
};

/** Runs seeds in this process. */
export const runPart = async (first: number, seeds: number): Promise<Part> => {
  const { failed, failures, stats } = await campaign(first, seeds);
  const times = (word: RegExp): number => failures.filter(({ broken }) => word.test(broken)).reduce((sum, one) => sum + one.times, 0);
  return { seeds, failed, lost: times(/lost|passed over/), doubled: times(/doubled|two /), stats, failures: failures.map(showFailure) };
};

/** Runs seeds in processes of their own, as many at once as there are cores. */
export const runParts = async (first: number, seeds: number, say: (line: unknown) => void): Promise<Part> => {
  const starts = Array.from({ length: Math.ceil(seeds / PART) }, (_, i) => first + i * PART);
  const parts: Part[] = [];
  const work = async (): Promise<void> => {
    for (let from = starts.shift(); from !== undefined; from = starts.shift()) {
      const part = await inProcess(from, Math.min(PART, first + seeds - from));
      parts.push(part);
      if (part.failed > 0) say({ from, failed: part.failed, failures: part.failures });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return parts.reduce(sumOf, NOTHING);
};

const NOTHING: Part = {
  seeds: 0,
  failed: 0,
  lost: 0,
  doubled: 0,
  stats: { acked: 0, conflicts: 0, resyncs: 0, crashes: 0, restores: 0, unmatched: 0, said: 0 },
  failures: [],
};

const sumOf = (a: Part, b: Part): Part => ({
  seeds: a.seeds + b.seeds,
  failed: a.failed + b.failed,
  lost: a.lost + b.lost,
  doubled: a.doubled + b.doubled,
  stats: Object.fromEntries(Object.entries(a.stats).map(([name, n]) => [name, n + b.stats[name as keyof Stats]])) as unknown as Stats,
  failures: [...a.failures, ...b.failures],
});

const inProcess = (first: number, seeds: number): Promise<Part> =>
  new Promise((resolve, reject) => {
    const words = [join(ROOT, 'bin', 'vigil.js'), '--script', 'test/fault/run.ts', '--part', `${first}+${seeds}`];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out) as Part);
      else reject(new Error(`the seeds from ${first} on ended with status ${code}`));
    });
  });
