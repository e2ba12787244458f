// SPDX-License-Identifier: Apache-2.0
/**
 * All checks of settings on this host, as a person runs them: the whole program, from its start to its last line.
 * Input: the policies that come along, and the strict ones besides. Output: a table of the best of five runs, and one JSON line.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../test/support/repository.ts';

const RUNS = 5;
const MARK_SECONDS = 2;

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly checks: number;
  readonly answers: Readonly<Record<string, number>>;
}

/** CPU time of the children that ended so far. */
const childrenCpu = (): number => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
};

const once = (policies: readonly string[]): Promise<Run> =>
  new Promise((resolve, reject) => {
    const before = childrenCpu();
    const began = performance.now();
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin', 'vigil-agent.js'), 'posture', 'check', '--root', '/', '--json', ...policies.flatMap((one) => ['--policy', one])],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    let rssBytes = 0;
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString('utf8');
      try {
        rssBytes = Math.max(rssBytes, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024);
      } catch {
        // It has just ended.
      }
    });
    child.on('error', reject);
    child.on('close', () => {
      const seconds = (performance.now() - began) / 1000;
      const lines = out.trim().split('\n').slice(0, -1);
      const answers: Record<string, number> = {};
      for (const line of lines) {
        const { result } = JSON.parse(line) as { readonly result: string };
        answers[result] = (answers[result] ?? 0) + 1;
      }
      resolve({ seconds, cpuSeconds: childrenCpu() - before, rssBytes, checks: lines.length, answers });
    });
  });

const measure = async (name: string, policies: readonly string[]) => {
  const runs: Run[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await once(policies));
  const best = [...runs].sort((a, b) => a.seconds - b.seconds)[0] as Run;
  const worst = Math.max(...runs.map(({ seconds }) => seconds));
  return { name, ...best, worstSeconds: Math.round(worst * 100) / 100, rssBytes: Math.max(...runs.map(({ rssBytes }) => rssBytes)) };
};

const OWN = join(ROOT, 'rules', 'posture');
const measured = [await measure('those that come along', []), await measure('with the strict ones', [OWN, join(OWN, 'strict')])];
for (const one of measured)
  process.stdout.write(
    `${one.name.padEnd(22)} ${String(one.checks).padStart(4)} checks  ${one.seconds.toFixed(2)} s best, ${one.worstSeconds.toFixed(2)} s worst  ${one.cpuSeconds.toFixed(2)} CPU-s  ${Math.round(one.rssBytes / 1e6)} MB\n`,
  );
process.stdout.write(
  `${JSON.stringify({ lane: 'posture', measured, mark: MARK_SECONDS, holds: measured.every(({ seconds }) => seconds < MARK_SECONDS) })}\n`,
);
