// SPDX-License-Identifier: Apache-2.0
/**
 * The file tree of a policy's case on disk, and a fix applied to it as a person would, through a shell.
 * Input: files, modes, links of a case. Output: a folder that stands for `/`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PolicyCase } from '../../core/policy.ts';

/** Writes the tree below `root`; what is named as absent is removed. */
export const buildTree = (root: string, { files, modes, links }: Pick<PolicyCase, 'files' | 'modes' | 'links'>): void => {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) {
      rmSync(join(root, path), { recursive: true, force: true });
      continue;
    }
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o600);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  for (const [path, mode] of Object.entries(modes)) {
    if (files[path] === undefined) mkdirSync(join(root, path), { recursive: true });
    chmodSync(join(root, path), mode);
  }
};

/** Runs commands one after another; what the shell said where one fails. */
export const runCommands = (commands: readonly string[]): string => {
  const { stdout, stderr } = spawnSync('sh', ['-c', commands.join('\n')], { encoding: 'utf8', timeout: 20_000 });
  return `${stdout}${stderr}`;
};
