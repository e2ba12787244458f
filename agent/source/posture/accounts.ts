// SPDX-License-Identifier: Apache-2.0
/**
 * Users, groups and password entries of a tree, as their files have them.
 * Input: passwd, group, shadow. Output: rows in order, broken ones left out; ids of names.
 */
import type { Tree } from './tree.ts';

export interface UserRow {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface GroupRow {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export interface ShadowRow {
  readonly name: string;
  readonly password: string;
  readonly min: string;
  readonly max: string;
  readonly warn: string;
  readonly inactive: string;
}

const rows = (tree: Tree, path: string): readonly (readonly string[])[] =>
  (tree.read(path) ?? '')
    .split('\n')
    .filter((row) => row.trim() !== '' && !row.startsWith('#'))
    .map((row) => row.trimEnd().split(':'));

export const usersOf = (tree: Tree): readonly UserRow[] =>
  rows(tree, '/etc/passwd').flatMap(([name, password, uid, gid, , home, shell]) =>
    name === undefined || name.startsWith('+') || name.startsWith('-') || !/^\d+$/.test(uid ?? '')
      ? []
      : [{ name, password: password ?? '', uid: Number(uid), gid: Number(gid), home: home ?? '', shell: shell ?? '' }],
  );

export const groupsOf = (tree: Tree): readonly GroupRow[] =>
  rows(tree, '/etc/group').flatMap(([name, , gid, members]) =>
    name === undefined || name.startsWith('+') || !/^\d+$/.test(gid ?? '')
      ? []
      : [{ name, gid: Number(gid), members: (members ?? '').split(',').filter((one) => one !== '') }],
  );

export const shadowOf = (tree: Tree): readonly ShadowRow[] =>
  rows(tree, '/etc/shadow').flatMap(([name, password, , min, max, warn, inactive]) =>
    name === undefined || name.startsWith('+')
      ? []
      : [{ name, password: password ?? '', min: min ?? '', max: max ?? '', warn: warn ?? '', inactive: inactive ?? '' }],
  );

/** Names that stand in a file with a plus before them: accounts of a directory service of old. */
export const plusRows = (tree: Tree, path: string): readonly string[] =>
  rows(tree, path).flatMap(([name]) => (name?.startsWith('+') ? [name] : []));

/** A password that lets nobody in by it. */
export const isLocked = (password: string): boolean => /^[!*]/.test(password);

/** Numbers of users or groups by name; a number stands for itself. */
export const idsOf = (tree: Tree, file: 'passwd' | 'group', names: readonly string[]): readonly number[] => {
  const table: ReadonlyMap<string, number> =
    file === 'passwd'
      ? new Map(usersOf(tree).map(({ name, uid }) => [name, uid]))
      : new Map(groupsOf(tree).map(({ name, gid }) => [name, gid]));
  return names.flatMap((name) =>
    name === 'root' ? [0] : /^\d+$/.test(name) ? [Number(name)] : table.has(name) ? [table.get(name) as number] : [],
  );
};
