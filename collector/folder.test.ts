// SPDX-License-Identifier: Apache-2.0
/** The data folder is private when it is made, and refused in words where it cannot be. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDataFolder } from './folder.ts';

const dir = mkdtempSync(join(tmpdir(), 'vigil-folder-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('is made for its owner alone, with the folders above', () => {
  makeDataFolder(join(dir, 'a', 'b'));
  expect(statSync(join(dir, 'a', 'b')).mode & 0o777).toBe(0o700);
  makeDataFolder(join(dir, 'a', 'b'));
});

it('is refused as bad input where a file stands in the way', () => {
  writeFileSync(join(dir, 'file'), '');
  for (const path of ['file', 'file/below'])
    expect(() => makeDataFolder(join(dir, path))).toThrowError(expect.objectContaining({ code: 'DATA_FOLDER_UNUSABLE', exit: 2 }));
});
