// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `fim`: the first scan, the daily one that hashes and tells everything, and the hourly one over a tree of files; AIDE over the same tree where it is installed.
 * Input: a tree of 4 kB files made here (`--files=50000`). Output: a table and one JSON line: seconds, CPU seconds, files a second, peak memory. Files are in the page cache.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDriver } from '../test/support/fim-driver.ts';

const FILES = Number(process.argv.find((arg) => arg.startsWith('--files='))?.slice(8) ?? 50_000);
const PER_FOLDER = 100;
const FILE_BYTES = 4_096;
/** One run's row when this process is a child: `--child=CASE STATE TREE`. */
const child = process.argv.indexOf('--child');

interface Row {
  readonly case: string;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly files_per_second: number;
  readonly peak_rss_mb: number;
}

const rowOf = (name: string, seconds: number, cpu: number, rssBytes: number): Row => ({
  case: name,
  seconds: Number(seconds.toFixed(2)),
  cpu_seconds: Number(cpu.toFixed(2)),
  files_per_second: Math.round(FILES / seconds),
  peak_rss_mb: Math.round(rssBytes / 1e6),
});

/** One scan as the agent makes it, facts and sealing included, without spool and network; the CPU of all threads, the start of the process left out. */
const scan = async (name: string, dir: string, tree: string): Promise<Row> => {
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  let told = -1; // The scan's own fact is no item.
  const options = { dir, paths: [tree], watch: false, fullMs: name === 'verify' ? 0 : 86_400_000 };
  const driver = await openDriver(
    options,
    () => true,
    () => {
      told += 1;
    },
  );
  await driver.until('the scan', () => driver.fim.progress()[0]!.counts['scans']! > 0, 300_000);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBegan);
  if (told !== (name === 'change-only' ? 0 : FILES + FILES / PER_FOLDER + 1)) throw new Error(`${name} told ${told} items`);
  await driver.close();
  return rowOf(name, seconds, (user + system) / 1e6, process.resourceUsage().maxRSS * 1_024);
};

/** Type, rights, owner, size, times, links and SHA-256: what is told here, and no more. */
const AIDE = 'ftype+p+i+n+l+u+g+s+m+c+sha256';
const aide = (name: 'init' | 'check', dir: string): Row | undefined => {
  const timed = spawnSync('bash', ['-c', `TIMEFORMAT='%R %U %S'; time aide -c "$0" --${name} >/dev/null 2>&1`, join(dir, 'aide.conf')], {
    encoding: 'utf8',
  });
  const [real, user, system] = timed.stderr.trim().split(' ').map(Number);
  return real === undefined || user === undefined || system === undefined ? undefined : rowOf(`aide ${name}`, real, user + system, 0);
};

if (child > 0) {
  const [name = '', dir = '', tree = ''] = process.argv.slice(child + 1);
  process.stdout.write(JSON.stringify(await scan(name, dir, tree)));
} else {
  const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  try {
    const tree = join(dir, 'tree');
    mkdirSync(join(dir, 'state'));
    const block = Buffer.alloc(FILE_BYTES);
    for (let n = 0; n < FILES; n++) {
      const folder = join(tree, `d${Math.floor(n / PER_FOLDER)}`);
      if (n % PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
      block.writeUInt32LE(n);
      writeFileSync(join(folder, `f${n}`), block);
    }
    const rows: Row[] = [];
    for (const name of ['baseline', 'verify', 'change-only']) {
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [import.meta.filename, `--files=${FILES}`, '--child', name, join(dir, 'state'), tree],
        { encoding: 'utf8' },
      );
      if (stdout === '') throw new Error(`${name} failed: ${stderr}`);
      rows.push(JSON.parse(stdout) as Row);
    }
    const hasAide = spawnSync('aide', ['--version']).status === 0;
    if (hasAide) {
      writeFileSync(
        join(dir, 'aide.conf'),
        `database_in=file:${dir}/db\ndatabase_out=file:${dir}/db\nreport_url=stdout\n${tree} ${AIDE}\n`,
      );
      for (const name of ['init', 'check'] as const) {
        const row = aide(name, dir);
        if (row) rows.push(row);
      }
    }
    process.stdout.write(`fim: ${FILES} files of ${FILE_BYTES} bytes\n`);
    for (const row of rows)
      process.stdout.write(
        `  ${row.case.padEnd(12)} ${String(row.seconds).padStart(6)} s  ${String(row.cpu_seconds).padStart(6)} CPU-s  ${String(row.files_per_second).padStart(7)} files/s  ${row.peak_rss_mb || '?'} MB\n`,
      );
    if (!hasAide) process.stdout.write('  aide is not installed here: nothing to compare with\n');
    process.stdout.write(
      `${JSON.stringify({ lane: 'fim', files: FILES, ours: rows.filter(({ case: name }) => !name.startsWith('aide')), aide: rows.filter(({ case: name }) => name.startsWith('aide')) })}\n`,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
