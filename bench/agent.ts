// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `agent`: what a running agent costs that has nothing to do but watch 20 logs and 10,000 files, take inventory and check settings, enrolled over real TLS.
 * Input: a temp folder with logs and files, a small collector in this process. Output: a table and one JSON line with idle RSS and CPU from /proc.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrol } from '../agent/enrol/enrol.ts';
import { writeIdentity } from '../agent/enrol/identity.ts';
import { openStateFolder } from '../agent/enrol/state.ts';
import { readToken } from '../agent/enrol/token.ts';
import { makePackage } from '../collector/fleet/package/archive.ts';
import { nodeOf } from '../collector/fleet/package/install.ts';
import { systemClock } from '../core/clock.ts';
import { seconds } from '../core/units.ts';
import { startSmallCollector } from '../test/support/small-collector.ts';

const LOGS = 20;
const FILES = 10_000;
const PER_FOLDER = 20;
const IDLE_SECONDS = Number(process.argv.find((arg) => arg.startsWith('--idle='))?.slice(7) ?? 60);
const TICKS_PER_SECOND = 100;

const rssOf = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

const cpuSecondsOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

const until = async (what: string, test: () => boolean): Promise<void> => {
  for (let i = 0; i < 600; i++) {
    if (test()) return;
    await systemClock.sleep(seconds(0.05));
  }
  throw new Error(`${what} did not come`);
};

const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
const state = join(dir, 'state');
const logs = join(dir, 'logs');
mkdirSync(logs);
openStateFolder(state);
openStateFolder(join(dir, 'ca'));
const collector = await startSmallCollector(join(dir, 'ca'));
let child: ChildProcess | undefined;
try {
  writeIdentity(state, await enrol(readToken(collector.token), { host: 'bench', machineId: '', zone: 'UTC', version: '0' }, systemClock));
  const append = (): void => {
    for (let i = 0; i < LOGS; i++)
      appendFileSync(
        join(logs, `${i}.log`),
        `${new Date().toISOString()} host app[${i}]: a line of an ordinary length that says that nothing happened\n`.repeat(20),
      );
  };
  append();
  const tree = join(dir, 'tree');
  for (let n = 0; n < FILES; n++) {
    if (n % PER_FOLDER === 0) mkdirSync(join(tree, `d${n / PER_FOLDER}`), { recursive: true });
    writeFileSync(join(tree, `d${Math.floor(n / PER_FOLDER)}`, `f${n}`), `file ${n}\n`.repeat(100));
  }
  // As it runs on a host: the package that the collector serves. In a checkout it keeps the compiler of types besides, 25 MB.
  const root = join(import.meta.dirname, '..');
  const { file } = await makePackage({ root, dir: join(dir, 'package'), version: '0', node: nodeOf(root) });
  mkdirSync(join(dir, 'installed'));
  spawnSync('tar', ['-xzf', file, '-C', join(dir, 'installed')]);
  const program = process.argv.includes('--checkout') ? join(root, 'bin', 'vigil-agent.js') : join(dir, 'installed', 'bin', 'vigil-agent');
  // One start before the measured one fills the compile cache, as every later start of an agent finds it.
  spawnSync(program, ['run', '--state', join(dir, 'none')], { stdio: 'ignore' });
  child = spawn(program, ['run', '--state', state, '--no-discover', '--tail', join(logs, '*.log'), '--fim', tree], {
    stdio: 'ignore',
  });
  const pid = child.pid as number;
  const lines = (): number => collector.blocks.reduce((sum, { header }) => sum + (header.kind === 'lines' ? header.count : 0), 0);
  await until('the first lines', () => lines() === LOGS * 20);
  append();
  const latencyBegan = performance.now();
  await until('the next lines', () => lines() === LOGS * 40);
  const latencyMs = Math.round(performance.now() - latencyBegan);
  const told = (): number => collector.lines('fim').length;
  await until('the first scan of files', () => told() >= FILES + FILES / PER_FOLDER + 2);
  // The look that follows the watches, and what the others do at their start.
  await systemClock.sleep(seconds(15));
  const touched = performance.now();
  appendFileSync(join(tree, 'd7', 'f140'), 'x');
  const before = told();
  await until('the change', () => told() > before);
  const changeMs = Math.round(performance.now() - touched);
  await systemClock.sleep(seconds(5));
  const cpuBefore = cpuSecondsOf(pid);
  await systemClock.sleep(seconds(IDLE_SECONDS));
  const ours = {
    logs: LOGS,
    files: FILES,
    idle_seconds: IDLE_SECONDS,
    idle_rss_mb: Number((rssOf(pid) / 1e6).toFixed(1)),
    idle_cpu_percent: Number((((cpuSecondsOf(pid) - cpuBefore) / IDLE_SECONDS) * 100).toFixed(2)),
    line_to_collector_ms: latencyMs,
    change_to_collector_ms: changeMs,
  };
  process.stdout.write(
    `agent: ${LOGS} logs, ${FILES} files, inventory and settings, idle for ${IDLE_SECONDS} s\n` +
      `  RSS                    ${ours.idle_rss_mb} MB   (mark 80)\n` +
      `  CPU                    ${ours.idle_cpu_percent} % of a core   (mark 0.5)\n` +
      `  line to collector      ${ours.line_to_collector_ms} ms\n` +
      `  change to collector    ${ours.change_to_collector_ms} ms\n`,
  );
  process.stdout.write(`${JSON.stringify({ lane: 'agent', ours })}\n`);
} finally {
  child?.kill('SIGTERM');
  await collector.close();
  if (child && child.exitCode === null) await new Promise((resolve) => child?.once('exit', resolve));
  rmSync(dir, { recursive: true, force: true });
}
