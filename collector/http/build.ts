// SPDX-License-Identifier: Apache-2.0
/**
 * Builds the console with Vite in a child process when its sources are newer than the build, by hash.
 * Input: `dashboards/console` and the lock file. Output: a folder of static files under the data folder.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fault } from '../errors.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SOURCES = join(ROOT, 'dashboards', 'console');
const STAMP = 'built-from';

/** True when the folder holds what the sources would give. */
export const consoleIsCurrent = (outDir: string): boolean => {
  const stamp = join(outDir, STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash();
};

/**
 * Builds into a new folder and puts it in place, so that a build that fails leaves the old one.
 * @throws CodedError CONSOLE_BUILD_FAILED with what Vite said last.
 */
export const buildConsole = async (outDir: string): Promise<void> => {
  // Vite takes a relative folder from the sources.
  const fresh = resolve(`${outDir}.new`);
  await rm(fresh, { recursive: true, force: true });
  // The native loader writes nothing beside the sources, which may belong to another user.
  await vite(['build', SOURCES, '--configLoader', 'native', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn']);
  writeFileSync(join(fresh, STAMP), sourceHash());
  await rm(outDir, { recursive: true, force: true });
  await rename(fresh, outDir);
};

const vite = (args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), ...args], {
      cwd: SOURCES,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const listen = (piece: Buffer): void => {
      said = (said + piece.toString('utf8')).slice(-4_000);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', (error) => reject(fault('CONSOLE_BUILD_FAILED', { reason: error.message }, error)));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(fault('CONSOLE_BUILD_FAILED', { reason: reasonOf(said) || `vite ended with ${code}` })),
    );
  });

/** The line that names the error, else the last ones. */
const reasonOf = (said: string): string => {
  const lines = said.trim().split('\n');
  return (lines.find((line) => /error/i.test(line)) ?? lines.slice(-5).join(' ')).trim().replace(/\.$/, '');
};

/** Hash over every source and the lock file. */
const sourceHash = (): string => {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else hash.update(path.slice(SOURCES.length)).update(readFileSync(path));
    }
  };
  walk(SOURCES);
  return hash.digest('hex');
};
