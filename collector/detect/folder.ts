// SPDX-License-Identifier: Apache-2.0
/**
 * Rule files on disk.
 * Input: folders or single files. Output: their texts, sorted by path; cases files are left to `rules test`.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../core/errors.ts';
import { fault } from '../errors.ts';
import type { RuleFile } from './ruleset.ts';

const RULE = /\.ya?ml$/i;
const CASES = /\.cases\.ya?ml$/i;
/** Folders of the rules' folder that hold data of other parts: posture policies, controls, risks, lists. */
const OTHERS = /^(?:posture|controls|risks|lists)[\\/]/;

/**
 * Every `.yml` below the folders, without `.cases.yml`. A file stands once, however often it is named.
 * @throws CodedError FILE_UNREADABLE.
 */
export const readRuleFolders = async (paths: readonly string[]): Promise<readonly RuleFile[]> => {
  const files = (await Promise.all(paths.map(rulePaths))).flat();
  return Promise.all([...new Set(files)].sort().map(async (file) => ({ file, text: await readText(file), pack: packOf(file) })));
};

const rulePaths = async (path: string): Promise<readonly string[]> => {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path, { recursive: true });
    return names.filter((name) => RULE.test(name) && !CASES.test(name) && !OTHERS.test(name)).map((name) => join(path, name));
  } catch (thrown) {
    throw fault('FILE_UNREADABLE', { file: path, reason: toError(thrown).message }, thrown);
  }
};

/** The text of a file. @throws CodedError FILE_UNREADABLE. */
export const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw fault('FILE_UNREADABLE', { file, reason: toError(thrown).message }, thrown);
  }
};

/** The folder below `packs/`, else `vigil`. */
const packOf = (file: string): string => /(?:^|[\\/])packs[\\/]([^\\/]+)[\\/]/.exec(file)?.[1] ?? 'vigil';
