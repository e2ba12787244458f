// SPDX-License-Identifier: Apache-2.0
/**
 * What a package manager's own files say: which packages stand in which version, which files are theirs with which digest, whether it is at work.
 * Input: nothing. Output: the port that dpkg, rpm and apk fulfil, and what they share.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DigestAlgorithm } from '../hash.ts';
import type { RawPath } from '../name.ts';
import { statIfAllowed } from '../stat.ts';

export interface OwnedFile {
  /** Text of the path, without links among its first folders. */
  readonly path: string;
  readonly package: string;
  /** Absent where the package states none: folders, links, some old packages. */
  readonly digest?: { readonly algorithm: DigestAlgorithm; readonly hex: string };
}

export type PackageList =
  | { readonly kind: 'ok'; readonly file: string; readonly packages: ReadonlyMap<string, string> }
  /** Its files cannot be believed now: nothing is explained by them. */
  | { readonly kind: 'bad'; readonly file: string; readonly reason: string };

export interface PackageManager {
  readonly name: 'dpkg' | 'rpm' | 'apk';
  /** Changes with the list of packages; cheap. */
  stamp(): string;
  list(): PackageList;
  /** True where files of a package still are noted that the list does not name: then the list is not whole. */
  stillNotes(name: string): boolean;
  /** Files of these packages as they stand now, as far as `wanted` says yes to the path. */
  files(packages: ReadonlySet<string>, wanted: (path: string) => boolean): Iterable<OwnedFile>;
  /** A transaction is under way: what it changes cannot be judged yet. */
  isBusy(): boolean;
}

/** Of a file that is there; empty where it is not. */
export const stampOf = (path: RawPath): string => {
  const stat = statIfAllowed(path);
  return stat ? `${stat.ino},${stat.size},${stat.mtimeMs},${stat.ctimeMs}` : '';
};

/** True while a process holds a lock on one of these files. The kernel lists locks by device and inode. */
export const isLocked = (paths: readonly string[]): boolean => {
  const inodes = new Set<string>();
  for (const path of paths) {
    const stat = statIfAllowed(path);
    if (stat) inodes.add(String(stat.ino));
  }
  if (inodes.size === 0) return false;
  let locks: string;
  try {
    locks = readFileSync('/proc/locks', 'utf8');
  } catch {
    // Without /proc nobody knows: a change is then told at once.
    return false;
  }
  // `1: POSIX  ADVISORY  WRITE 4711 fe:00:9978372 0 EOF`: device numbers differ between mounts of one file system, inodes do not.
  return [...locks.matchAll(/\s[0-9a-f]+:[0-9a-f]+:(\d+)\s/g)].some(([, inode]) => inodes.has(inode!));
};

/** Packages name `/bin/ls` where `/bin` is a link to `/usr/bin` today: the real place is the one that is watched. */
export const mergedPaths = (root: string): ((path: string) => string) => {
  const merged = new Map<string, string>();
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'])
    if (statIfAllowed(join(root, name))?.isSymbolicLink()) merged.set(name, `/usr/${name}`);
  return (path) => {
    const end = path.indexOf('/', 1);
    const to = end > 0 ? merged.get(path.slice(1, end)) : undefined;
    return to === undefined ? path : to + path.slice(end);
  };
};
