// SPDX-License-Identifier: Apache-2.0
/**
 * The repository as data: source files with their imports, for the tests that hold its rules.
 * Input: the checkout. Output: paths, texts, imports with line numbers.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface SourceFile {
  /** Path from the checkout's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /** Path from the root for a relative import, else undefined. */
  readonly target?: string;
  /** Name of the package for one of others', without sub-path. */
  readonly pkg?: string;
}

const SKIP = new Set(['node_modules', '.git', 'fixtures', 'generated', 'dist', 'coverage', '.vigil']);

/** Every file of the checkout under these folders whose name ends like one of `endings`. */
export const listFiles = (folders: readonly string[], endings: readonly string[]): readonly SourceFile[] => {
  const found: SourceFile[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) {
        if (!SKIP.has(entry.name) && !entry.name.startsWith('.vigil')) walk(path);
      } else if (endings.some((ending) => entry.name.endsWith(ending)))
        found.push({ path: relative(ROOT, path).split(sep).join('/'), text: readFileSync(path, 'utf8') });
    }
  };
  for (const folder of folders) {
    try {
      walk(join(ROOT, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|new Worker\(\s*new URL\(\s*['"]([^'"]+)['"]/g;

/** What a file imports, dynamic imports and workers included. */
export const importsOf = (file: SourceFile): readonly Import[] => {
  const found: Import[] = [];
  for (const match of file.text.matchAll(IMPORT)) {
    const specifier = (match[1] ?? match[2] ?? match[3] ?? match[4]) as string;
    const line = file.text.slice(0, (match.index ?? 0) + match[0].indexOf(specifier)).split('\n').length;
    const base = { from: file.path, line, specifier };
    if (specifier.startsWith('.')) found.push({ ...base, target: posix.normalize(posix.join(posix.dirname(file.path), specifier)) });
    else if (specifier.startsWith('node:')) found.push(base);
    else {
      const parts = specifier.split('/');
      found.push({ ...base, pkg: (specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]) as string });
    }
  }
  return found;
};
