// SPDX-License-Identifier: Apache-2.0
/**
 * Types are taken out once: the second process reads what the first kept, and a cache that cannot be written stops nobody.
 * Input: a small file in a folder. Output: what it prints, in processes of their own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HOOK = pathToFileURL(fileURLToPath(new URL('../bin/types.js', import.meta.url))).href;

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-types-'));
  writeFileSync(
    join(dir, 'greet.ts'),
    "export const greet = (name: string): string => name.toUpperCase();\nconsole.log(greet('x' as string));\n",
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const run = (cache: string): { readonly out: string; readonly err: string } => {
  const { stdout, stderr } = spawnSync(process.execPath, [`--import=${HOOK}`, join(dir, 'greet.ts')], {
    encoding: 'utf8',
    env: { ...process.env, VIGIL_TYPES_CACHE: cache, NODE_OPTIONS: '' },
  });
  return { out: stdout, err: stderr };
};

test('a file is kept without its types, and read from there until it changes', () => {
  const cache = join(dir, 'cache');
  expect(run(cache)).toEqual({ out: 'X\n', err: '' });
  const [kept] = readdirSync(cache);
  expect(readFileSync(join(cache, String(kept)), 'utf8')).not.toContain(': string');
  writeFileSync(join(cache, String(kept)), "console.log('kept');\n");
  expect(run(cache).out).toBe('kept\n');
  writeFileSync(join(dir, 'greet.ts'), "console.log('changed' satisfies string);\n");
  expect(run(cache)).toEqual({ out: 'changed\n', err: '' });
});

test('where nothing can be kept the file runs all the same', () => {
  writeFileSync(join(dir, 'cache'), 'a file, not a folder');
  expect(run(join(dir, 'cache'))).toEqual({ out: 'X\n', err: '' });
});
