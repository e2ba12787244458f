// SPDX-License-Identifier: Apache-2.0
/**
 * `npm test`: all that fits in ten minutes on two cores, then what was left out and how to run it, then the count.
 * Input: names of test files or folders, or none for all. Output: vitest's report and `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const dir = mkdtempSync(join(tmpdir(), 'vigil-test-'));
const file = join(dir, 'report.json');
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)];
const run = spawnSync(process.execPath, [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), ...args], {
  cwd: ROOT,
  stdio: ['ignore', 'inherit', 'inherit'],
});

let report: Report | null = null;
try {
  report = JSON.parse(readFileSync(file, 'utf8')) as Report;
} catch (error) {
  process.stdout.write(`The runner left no report: ${String(error)}\n`);
}
rmSync(dir, { recursive: true, force: true });

process.stdout.write(
  [
    '',
    'Left out here, because they need more time or other programs:',
    '  npm run test:e2e    real processes, real TLS, a real browser where Chromium is installed',
    '  npm run test:vm     the agent installed as root on bare machines with systemd, where QEMU and debootstrap are',
    '  npm run fault       kills, power cuts and outages with real processes',
    '  npm run oracle      the marks on real data of other projects',
    '  npm run bench       speed and cost',
    '',
  ].join('\n'),
);
const passed = report?.numPassedTests ?? 0;
const failed = (report?.numFailedTests ?? 0) + (report === null || (run.status !== 0 && report.numFailedTests === 0) ? 1 : 0);
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
