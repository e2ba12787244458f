// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of the folder lock, with a second process where that matters.
 * Input: temp folders. Output: claims about who holds them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isCoded } from '../../../core/errors.ts';
import { lockFolder } from './lock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a folder is held once, and the refusal names the owner', () => {
  const lock = lockFolder(dir);
  let refused: unknown;
  try {
    lockFolder(dir);
  } catch (error) {
    refused = error;
  }
  expect(isCoded(refused, 'DATA_FOLDER_BUSY') && refused.details['pid']).toBe(String(process.pid));
  lock.release();
  lock.release();
  lockFolder(dir).release();
});

test('a lock ends with the process that held it, even by SIGKILL', async () => {
  const url = new URL('./lock.ts', import.meta.url).href;
  const script = `import { lockFolder } from ${JSON.stringify(url)}; lockFolder(process.argv[1]); process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    expect(() => lockFolder(dir)).toThrow(`in use by process ${child.pid}`);
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
  lockFolder(dir).release();
});
