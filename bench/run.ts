// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench [-- LANE…]`: runs each lane in a process of its own, one after another.
 * Input: names of lanes, or none for all. Output: each lane's table and its one JSON line; writes nothing to the repository.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../test/support/repository.ts';

/** Files that lanes share. */
const SHARED = new Set(['run.ts', 'corpus.ts', 'measure.ts', 'generator.ts']);

const lanes = readdirSync(join(ROOT, 'bench'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !SHARED.has(name))
  .map((name) => name.slice(0, -3));
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const passed = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
const unknown = wanted.filter((lane) => !lanes.includes(lane));

if (unknown.length > 0) {
  process.stderr.write(`There is no lane ${unknown.join(', ')}. The lanes are ${lanes.join(', ')}.\n`);
  process.exitCode = 2;
} else {
  let failed = 0;
  for (const lane of wanted.length > 0 ? wanted : lanes) {
    const { status } = spawnSync(process.execPath, ['--disable-proto=throw', join(ROOT, 'bench', `${lane}.ts`), ...passed], {
      cwd: ROOT,
      stdio: 'inherit',
    });
    if (status !== 0) failed += 1;
  }
  process.exitCode = failed === 0 ? 0 : 1;
}
