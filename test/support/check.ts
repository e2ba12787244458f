// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run check`: types, lint and format, architecture, documents, unused code; one line each, then the count.
 * Input: the checkout. Output: what failed, in full, and `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

const BIN = join(ROOT, 'node_modules', '.bin');

const STEPS: readonly (readonly [string, string, readonly string[]])[] = [
  ['types', 'tsc', ['-p', '.']],
  ['types of the console', 'tsc', ['-p', 'dashboards/console']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['architecture and documents', 'vitest', ['run', '--reporter=dot', 'test/architecture.test.ts', 'test/docs.test.ts']],
  ['unused code', 'knip', ['--no-progress']],
];

let failed = 0;
for (const [name, command, args] of STEPS) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(join(BIN, command), args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}` },
  });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)\n`);
  if (status !== 0) {
    failed += 1;
    process.stdout.write(`${stdout}${stderr}\n`);
  }
}
process.stdout.write(`${STEPS.length - failed} passed, ${failed} failed, 0 skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
