// SPDX-License-Identifier: Apache-2.0
/**
 * One item of a watched folder as it is now: its key, by which an unchanged one is passed over, and the fields that are told of it.
 * Input: a path, what lstat said. Output: key, fields. Folders and devices are told by what does not change with their use.
 */
import { constants, readFileSync, readlinkSync, type Stats } from 'node:fs';
import type { FactFields, FactValue } from '../../../core/fact.ts';
import { type Digest, digestFile } from './hash.ts';
import { escapeName, type RawPath } from './name.ts';
import { statIfThere } from './stat.ts';

export type ItemType = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

export interface Item {
  /** Empty where it has to be looked at again. */
  readonly key: string;
  readonly fields: FactFields;
  readonly denied: boolean;
}

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK } = constants;
const TYPES: ReadonlyMap<number, ItemType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'dir'],
  [S_IFLNK, 'symlink'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'char'],
  [S_IFBLK, 'block'],
]);

export const typeOf = (stat: Stats): ItemType => TYPES.get(stat.mode & S_IFMT) ?? 'file';

/** Two looks that give the same key saw the same item: a change of content or attributes moves the ctime, which nobody sets. */
export const keyOf = (stat: Stats): string => {
  const base = `${stat.ino},${stat.mode},${stat.uid},${stat.gid}`;
  const kind = stat.mode & S_IFMT;
  return kind === S_IFREG || kind === S_IFLNK ? `${base},${stat.size},${stat.mtimeMs},${stat.ctimeMs}` : `${base},${stat.rdev}`;
};

const modeText = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
const deviceText = (device: number): string => `${Math.floor(device / 256) & 0xfff}:${(device & 0xff) | ((device / 4096) & 0xfff00)}`;

export interface DescribeOptions {
  readonly limitBytes: number;
  readonly names: Names;
  readonly pause: () => void;
}

const ATTEMPTS = 3;
const MOVING = 'it changed each time it was read';

/** What is told of an item; undefined when it is gone by now. `path` is its text, `raw` its bytes, `read` what was read of it with `first`. @throws the system's error where even lstat is refused. */
export const describeItem = (path: string, raw: RawPath, first: Stats, options: DescribeOptions, read?: Digest): Item | undefined => {
  let stat = first;
  for (let attempt = 1; ; attempt++) {
    const type = typeOf(stat);
    if (type === 'symlink') {
      const target = linkTarget(raw);
      if (target !== undefined) return { key: keyOf(stat), fields: fieldsOf(path, type, stat, options.names, { target }), denied: false };
    } else if (type !== 'file') return { key: keyOf(stat), fields: fieldsOf(path, type, stat, options.names, {}), denied: false };
    else {
      const digest = attempt === 1 && read ? read : digestFile(raw, stat, options.limitBytes, options.pause);
      if (digest.kind === 'gone') return undefined;
      if (digest.kind === 'ok')
        return { key: keyOf(stat), fields: fieldsOf(path, type, stat, options.names, { sha256: digest.hex }), denied: false };
      const { reason, denied } = digest.kind === 'none' ? digest : { reason: MOVING, denied: false };
      if (digest.kind === 'none' || attempt === ATTEMPTS)
        return {
          // What keeps moving is looked at again each time.
          key: digest.kind === 'none' ? keyOf(stat) : '',
          fields: fieldsOf(path, type, stat, options.names, { reason }),
          denied,
        };
    }
    const next = statIfThere(raw);
    if (!next || attempt > ATTEMPTS) return undefined;
    stat = next;
  }
};

/** Undefined when it is no link any more. */
const linkTarget = (raw: RawPath): string | undefined => {
  try {
    return escapeName(readlinkSync(raw, 'buffer'));
  } catch {
    // Gone, or another thing by now: the caller looks again.
    return undefined;
  }
};

const fieldsOf = (path: string, type: ItemType, stat: Stats, names: Names, more: Readonly<Record<string, FactValue>>): FactFields => {
  const { uid, gid } = stat;
  const owner = names.user(uid);
  const group = names.group(gid);
  return {
    path,
    type,
    ...(type === 'file' ? { size: stat.size } : {}),
    ...(type === 'symlink' ? {} : { mode: modeText(stat.mode) }),
    uid,
    gid,
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    ...(type === 'char' || type === 'block' ? { device: deviceText(stat.rdev) } : {}),
    ...(type === 'file' || type === 'symlink'
      ? { inode: String(stat.ino), mtime_at: Math.trunc(stat.mtimeMs), ctime_at: Math.trunc(stat.ctimeMs) }
      : {}),
    ...(type === 'file' ? { links: stat.nlink } : {}),
    ...more,
  };
};

/** Names of users and groups by their numbers. */
export interface Names {
  user(id: number): string | undefined;
  group(id: number): string | undefined;
}

/** From this host's own files, read once; numbers that stand elsewhere have no name. */
export const openNames = (root: string): Names => {
  const table = (file: string): Map<string, string> => {
    try {
      return new Map(
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => line.split(':'))
          .flatMap(([name, , id]) => (name && id ? [[id, name] as const] : [])),
      );
    } catch {
      // Without the file there are numbers only.
      return new Map();
    }
  };
  const users = table(`${root}/etc/passwd`);
  const groups = table(`${root}/etc/group`);
  return { user: (id) => users.get(String(id)), group: (id) => groups.get(String(id)) };
};

/** Names say the same as numbers; a number of an inode alone is another file only where its ctime moved too. */
const DERIVED = new Set(['owner', 'group']);

/** Values before, of the fields that changed, or undefined where nothing did that is worth telling. */
export const differences = (
  before: FactFields,
  now: FactFields,
): { readonly was: FactFields; readonly names: readonly string[] } | undefined => {
  const was: Record<string, FactValue> = {};
  const names: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (DERIVED.has(name) || before[name] === now[name]) continue;
    names.push(name);
    if (before[name] !== undefined) was[name] = before[name];
  }
  if (names.length === 0 || (names.length === 1 && names[0] === 'inode')) return undefined;
  return { was, names };
};
