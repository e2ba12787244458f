// SPDX-License-Identifier: Apache-2.0
/**
 * Installed packages from the files of dpkg and apk; where a host keeps another database, nothing is known.
 * Input: a tree. Output: names with versions, kept for one run.
 */
import type { Tree } from './tree.ts';

const DPKG = '/var/lib/dpkg/status';
const APK = '/lib/apk/db/installed';

const known = new WeakMap<Tree, ReadonlyMap<string, string> | undefined>();

/** Name and version of every installed package; undefined where this tree has no database that can be read. */
export const installedPackages = (tree: Tree): ReadonlyMap<string, string> | undefined => {
  if (known.has(tree)) return known.get(tree);
  const packages = fromDpkg(tree) ?? fromApk(tree);
  known.set(tree, packages);
  return packages;
};

/** The version of the first of these that is installed. */
export const installedVersion = (tree: Tree, names: readonly string[]): string | undefined => {
  const packages = installedPackages(tree);
  return names.map((name) => packages?.get(name)).find((version) => version !== undefined);
};

const fromDpkg = (tree: Tree): ReadonlyMap<string, string> | undefined => {
  const text = tree.read(DPKG);
  if (text === undefined) return undefined;
  const packages = new Map<string, string>();
  for (const block of text.split('\n\n')) {
    const name = /^Package: (\S+)$/m.exec(block)?.[1];
    const version = /^Version: (\S+)$/m.exec(block)?.[1];
    if (name !== undefined && version !== undefined && /^Status: \S+ \S+ installed$/m.test(block)) packages.set(name, version);
  }
  return packages;
};

const fromApk = (tree: Tree): ReadonlyMap<string, string> | undefined => {
  const text = tree.read(APK);
  if (text === undefined) return undefined;
  const packages = new Map<string, string>();
  for (const block of text.split('\n\n')) {
    const name = /^P:(\S+)$/m.exec(block)?.[1];
    const version = /^V:(\S+)$/m.exec(block)?.[1];
    if (name !== undefined && version !== undefined) packages.set(name, version);
  }
  return packages;
};
