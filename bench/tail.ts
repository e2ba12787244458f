// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `tail`: a million log lines from a file to compressed, signed, fsynced blocks in the spool, in a process of its own.
 * Input: a synthetic auth log, made once a run. Output: a table and one JSON line with lines/s, CPU-s per million lines and peak RSS.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepSmall } from '../agent/memory.ts';
import { Tail } from '../agent/source/tail/tail.ts';
import { Spool } from '../agent/spool/spool.ts';
import { systemClock } from '../core/clock.ts';
import { makeId } from '../core/ids.ts';
import { generateSigner } from '../core/sign.ts';
import { gib, hours } from '../core/units.ts';

const LINES = 1_000_000;
const RUNS = 5;
/** As the agent is started: with the compile cache, so that no TypeScript is stripped. */
const ENTRY = join(import.meta.dirname, '..', 'bin', 'vigil.js');
const FLAGS = ['--disable-sigusr1', '--disable-proto=throw'];

interface Run {
  readonly lines: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly spoolBytes: number;
}

/** Peak resident set of this process, from the kernel. */
const peakRss = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;

const measure = async (dir: string, file: string, lines: number): Promise<Run> => {
  keepSmall();
  const signer = generateSigner();
  const spool = await Spool.open({
    folder: join(dir, 'spool'),
    agent: makeId('agt'),
    host: 'bench',
    zone: 'UTC',
    signer: () => signer,
    quotaBytes: gib(4),
    keepMs: hours(24),
    clock: systemClock,
  });
  const tail = new Tail({
    clock: systemClock,
    from: dir,
    paths: [`${file}=syslog`],
    exclude: [],
    usual: false,
    rules: [],
    refuse: [],
    watch: false,
    onWake: () => undefined,
  });
  await tail.open(() => undefined);
  const cpu = process.cpuUsage();
  const began = performance.now();
  let sealed = 0;
  for (let batch = tail.next(); batch; batch = tail.next()) {
    spool.seal(batch);
    tail.commit();
    sealed += batch.records.length;
    if (spool.flushDue && !(await spool.flush())) throw new Error(spool.failure);
  }
  if (!(await spool.flush())) throw new Error(spool.failure);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const run = { lines: sealed, seconds, cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRss(), spoolBytes: spool.bytes };
  await tail.close();
  await spool.close();
  if (sealed !== lines) throw new Error(`${sealed} of ${lines} lines were sealed`);
  return run;
};

/** Lines like those of sshd, every one different. */
const makeLog = (file: string, lines: number): void => {
  const parts: string[] = [];
  writeFileSync(file, '');
  for (let i = 0; i < lines; i++) {
    const time = new Date(Date.UTC(2026, 10, 24) + i * 40).toISOString();
    parts.push(
      `${time.slice(0, 19)}+00:00 bastion-${i % 7} sshd[${1000 + (i % 30_000)}]: Failed password for ${i % 5 === 0 ? 'invalid user ' : ''}user${(i * 7919) % 5003} from 203.0.${i % 113}.${(i * 31) % 251} port ${1024 + ((i * 7) % 60_000)} ssh2: session ${((i * 2_654_435_761) % 4_294_967_296).toString(16)} attempt ${i} of a client that says OpenSSH_9.${i % 8}p1 and asks for nothing else\n`,
    );
    if (parts.length === 20_000) writeFileSync(file, parts.splice(0).join(''), { flag: 'a' });
  }
  writeFileSync(file, parts.join(''), { flag: 'a' });
};

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

const main = async (): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  try {
    const file = join(dir, 'auth.log');
    makeLog(file, LINES);
    const bytes = statSync(file).size;
    const runs: Run[] = [];
    for (let i = 0; i <= RUNS; i++) {
      const child = join(dir, String(i));
      const out = execFileSync(process.execPath, [...FLAGS, ENTRY, '--script', 'bench/tail.ts', '--child', child, file, String(LINES)], {
        encoding: 'utf8',
      });
      // The first one fills the compile cache, as the first start of an agent does.
      if (i === 0) continue;
      runs.push(JSON.parse(out) as Run);
      rmSync(child, { recursive: true, force: true });
    }
    const ours = {
      lines: LINES,
      bytes,
      runs: RUNS,
      lines_per_second: Math.round(LINES / median(runs.map(({ seconds }) => seconds))),
      cpu_seconds_per_million: Number(median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)),
      peak_rss_mb: Number((Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)) / 1e6).toFixed(1)),
      spool_bytes_per_line: Number((runs[0]!.spoolBytes / LINES).toFixed(1)),
    };
    process.stdout.write(
      `tail: ${LINES} lines of ${Math.round(bytes / LINES)} bytes (synthetic) to sealed, fsynced blocks, medians of ${RUNS}\n` +
        `  lines/s                ${ours.lines_per_second}   (mark 250000)\n` +
        `  CPU-s per million      ${ours.cpu_seconds_per_million}   (mark 5)\n` +
        `  peak RSS               ${ours.peak_rss_mb} MB   (mark 120)\n` +
        `  spool bytes per line   ${ours.spool_bytes_per_line}\n`,
    );
    process.stdout.write(`${JSON.stringify({ lane: 'tail', ours })}\n`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

const [flag, dir, file, lines] = process.argv.slice(2);
if (flag === '--child' && dir !== undefined && file !== undefined)
  process.stdout.write(JSON.stringify(await measure(dir, file, Number(lines))));
else await main();
