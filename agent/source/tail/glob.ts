// SPDX-License-Identifier: Apache-2.0
/**
 * Globs over paths: `*`, `?`, `[a-z]` inside a name, `**` for folders, at most 8 deep.
 * Input: absolute patterns. Output: paths that exist, sorted, bounded; what could not be listed.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../core/errors.ts';

const MAX_DEPTH = 8;
/** Entries of one folder that are looked at. */
export const MAX_ENTRIES = 20_000;

export const isGlob = (path: string): boolean => /[*?[]/.test(path);

/** A pattern as a regular expression over whole paths; linear in the path's length for each star. */
export const globPattern = (glob: string): RegExp =>
  new RegExp(`^${glob.split('/').map(segment).join('/').replaceAll('(?:.*)/', '(?:.*/)?')}$`, 's');

const segment = (part: string): string => {
  if (part === '**') return '(?:.*)';
  return part
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replace(/\?/g, '[^/]')
    .replace(/\[!/g, '[^');
};

export interface Listing {
  readonly paths: readonly string[];
  /** Folders that this user may not list. */
  readonly denied: readonly string[];
}

/** Paths that match, files and what may be files; a plain path is given back as it is, there or not. */
export const expandGlob = (glob: string, limit = 10_000): Listing => {
  if (!isGlob(glob)) return { paths: [glob], denied: [] };
  const paths: string[] = [];
  const denied: string[] = [];
  const parts = glob.split('/').filter((part) => part !== '');
  const walk = (folder: string, index: number, depth: number): void => {
    const part = parts[index];
    if (part === undefined || paths.length >= limit || depth > MAX_DEPTH + parts.length) return;
    const last = index === parts.length - 1;
    if (!isGlob(part)) {
      const path = join(folder, part);
      if (last) paths.push(path);
      else walk(path, index + 1, depth + 1);
      return;
    }
    const pattern = globPattern(part);
    for (const entry of list(folder, denied)) {
      const path = join(folder, entry.name);
      const hidden = entry.name.startsWith('.') && !part.startsWith('.');
      if (part === '**') {
        if (entry.isDirectory() && !hidden) walk(path, index, depth + 1);
      } else if (!hidden && pattern.test(entry.name)) {
        if (!last) {
          if (entry.isDirectory() || entry.isSymbolicLink()) walk(path, index + 1, depth + 1);
        } else if (!entry.isDirectory()) paths.push(path);
      }
    }
    if (part === '**') walk(folder, index + 1, depth);
  };
  walk('/', 0, 0);
  return { paths: [...new Set(paths)].sort(), denied };
};

const list = (folder: string, denied: string[]): readonly Dirent[] => {
  try {
    return readdirSync(folder, { withFileTypes: true }).slice(0, MAX_ENTRIES);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES' || code === 'EPERM') denied.push(folder);
    return [];
  }
};
