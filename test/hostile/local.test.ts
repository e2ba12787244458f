// SPDX-License-Identifier: Apache-2.0
/**
 * A local user without rights on the data folder: finds no file to read there, no secret in a log, and leads the agent nowhere.
 * Input: a folder that lets others in, links that others own. Output: modes, refusals.
 */
import { chmodSync, lchownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openRegular, resolveFile } from '../../agent/source/tail/identity.ts';
import { removeDir, startCollector, tempDir } from '../support/vigil.ts';

const dirs: string[] = [];
const folder = (): string => {
  const dir = tempDir();
  dirs.push(dir);
  return dir;
};
afterAll(() => dirs.forEach(removeDir));

describe('a data folder that was there before and lets others in', () => {
  test('holds no file for others, and no secret in a log', async () => {
    const dir = folder();
    chmodSync(dir, 0o755);
    const vigil = await startCollector({ dir, localAgent: false });
    try {
      const made = await vigil.vigil(['token', 'create', '--role', 'auditor', '--json']);
      const { token } = JSON.parse(made.out) as { readonly token: string };
      const password = vigil.password() ?? '';
      expect(password).not.toBe('');
      const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
      // The console's own files are no secret; their mode is that of the checkout.
      const ours = entries.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.startsWith(join(dir, 'console')));
      expect(ours.length).toBeGreaterThan(10);
      for (const path of ours) expect(statSync(path).mode & 0o077, path).toBe(0);
      for (const entry of entries.filter((one) => one.isFile())) {
        const text = readFileSync(join(entry.parentPath, entry.name)).toString('latin1');
        for (const secret of [password, token, token.slice(24)]) expect(text.includes(secret), entry.name).toBe(false);
      }
    } finally {
      await vigil.stop();
    }
  });
});

describe('a link of somebody else', () => {
  const asRoot = process.getuid?.() === 0;
  const NOBODY = 65_534;

  test.skipIf(!asRoot)('leads the agent nowhere: at the end, in the middle, or behind one of root', () => {
    const dir = folder();
    const secret = join(dir, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'app.log'), 'for root alone\n', { mode: 0o600 });
    const foreign = (target: string, name: string): string => {
      symlinkSync(target, join(dir, name));
      lchownSync(join(dir, name), NOBODY, NOBODY);
      return join(dir, name);
    };
    const end = foreign(join(secret, 'app.log'), 'end.log');
    const middle = join(foreign(secret, 'logs'), 'app.log');
    symlinkSync(end, join(dir, 'behind.log'));
    for (const path of [end, middle, join(dir, 'behind.log')]) {
      expect(resolveFile(path), path).toMatchObject({ problem: 'untrusted-link' });
      expect(
        openRegular(path, () => false),
        path,
      ).toMatchObject({ kind: 'no', problem: 'untrusted-link' });
    }
  });

  test('of root or of this user is followed, also in the middle', () => {
    const dir = folder();
    mkdirSync(join(dir, 'real'));
    writeFileSync(join(dir, 'real', 'app.log'), 'x\n');
    symlinkSync('real', join(dir, 'logs'));
    symlinkSync(join('logs', 'app.log'), join(dir, 'two.log'));
    for (const path of [join(dir, 'logs', 'app.log'), join(dir, 'two.log')])
      expect(resolveFile(path)).toEqual({ real: join(dir, 'real', 'app.log') });
    symlinkSync('ring.log', join(dir, 'ring.log'));
    expect(resolveFile(join(dir, 'ring.log'))).toHaveProperty('problem');
  });
});
