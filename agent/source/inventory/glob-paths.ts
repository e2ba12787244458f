// SPDX-License-Identifier: Apache-2.0
/**
 * Paths that a pattern of a configuration means, in a tree.
 * Input: an absolute pattern with stars and question marks. Output: paths that are there, sorted; bounded.
 */
import type { Tree } from './tree.ts';

const MAX_PATHS = 2_000;

export const globPaths = (tree: Tree, pattern: string): readonly string[] => {
  let found: readonly string[] = [''];
  for (const part of pattern.split('/').filter(Boolean)) {
    if (!/[*?[]/.test(part)) {
      found = found.map((path) => `${path}/${part}`);
      continue;
    }
    const matcher = matcherOf(part);
    found = found
      .flatMap((path) =>
        tree
          .list(path === '' ? '/' : path)
          .filter((name) => matcher(name))
          .map((name) => `${path}/${name}`),
      )
      .slice(0, MAX_PATHS);
  }
  return found.filter((path) => tree.stat(path) !== undefined);
};

const matcherOf = (part: string): ((name: string) => boolean) => {
  const source = part
    .replace(/[\\^$.|+(){}]/g, '\\$&')
    .replace(/\[!/g, '[^')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^${source}$`);
  } catch {
    // A bracket that never closes means itself.
    return (name) => name === part;
  }
  // A name that begins with a dot is meant only by a pattern that does.
  return (name) => (part.startsWith('.') || !name.startsWith('.')) && pattern.test(name);
};
