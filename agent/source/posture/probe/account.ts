// SPDX-License-Identifier: Apache-2.0
/**
 * Questions about accounts: who is root, what is given twice, who has no password or a weak one, who may log in.
 * Input: a question. Output: the accounts that are wrong, by name.
 */
import type { AccountQuestion, ProbeParams } from '../../../../core/probe.ts';
import { groupsOf, isLocked, plusRows, type ShadowRow, shadowOf, usersOf } from '../accounts.ts';
import { type Answer, answer, type Probe, some, unknown } from '../answer.ts';
import type { Tree } from '../tree.ts';

type Params = ProbeParams<'account'>;
type Question = (tree: Tree, params: Params) => readonly string[];

/** Shells that let nobody work. */
const NO_SHELL = /\/(?:nologin|false|sync|halt|shutdown|true)$/;
const FIRST_PERSON = 1_000;
const NOBODY = 65_534;
const STRONG = ['y', 'gy', '7', '6', '2b', '2y'];

const repeated = (values: readonly string[]): readonly string[] => [...new Set(values.filter((one, i) => values.indexOf(one) !== i))];

const repeatedBy = <T>(rows: readonly T[], keyOf: (row: T) => string, nameOf: (row: T) => string): readonly string[] => {
  const twice = new Set(repeated(rows.map(keyOf)));
  return [...new Set(rows.filter((row) => twice.has(keyOf(row))).map(nameOf))];
};

const withPassword = (tree: Tree): readonly ShadowRow[] => shadowOf(tree).filter(({ password }) => password !== '' && !isLocked(password));

const tooFew = (value: string, least: number | undefined): boolean => least !== undefined && !(value !== '' && Number(value) >= least);
const tooMany = (value: string, most: number | undefined): boolean =>
  most !== undefined && !(value !== '' && Number(value) >= 0 && Number(value) <= most);

const people = (tree: Tree) => usersOf(tree).filter(({ uid, shell }) => uid >= FIRST_PERSON && uid !== NOBODY && !NO_SHELL.test(shell));

const QUESTIONS: Readonly<Record<AccountQuestion, Question>> = {
  'only-root-has-uid-0': (tree) => usersOf(tree).flatMap(({ name, uid }) => (uid === 0 && name !== 'root' ? [name] : [])),
  'root-group-is-0': (tree) => usersOf(tree).flatMap(({ name, gid }) => (name === 'root' && gid !== 0 ? [name] : [])),
  'names-unique': (tree) => repeated(usersOf(tree).map(({ name }) => name)),
  'uids-unique': (tree) =>
    repeatedBy(
      usersOf(tree),
      ({ uid }) => String(uid),
      ({ name }) => name,
    ),
  'group-names-unique': (tree) => repeated(groupsOf(tree).map(({ name }) => name)),
  'gids-unique': (tree) =>
    repeatedBy(
      groupsOf(tree),
      ({ gid }) => String(gid),
      ({ name }) => name,
    ),
  'groups-of-users-exist': (tree) => {
    const gids = new Set(groupsOf(tree).map(({ gid }) => gid));
    return usersOf(tree).flatMap(({ name, gid }) => (gids.has(gid) ? [] : [name]));
  },
  shadowed: (tree) => usersOf(tree).flatMap(({ name, password }) => (password === 'x' || isLocked(password) ? [] : [name])),
  'no-empty-password': (tree) => [
    ...shadowOf(tree).flatMap(({ name, password }) => (password === '' ? [name] : [])),
    ...usersOf(tree).flatMap(({ name, password }) => (password === '' ? [name] : [])),
  ],
  'no-plus-in-passwd': (tree) => plusRows(tree, '/etc/passwd'),
  'no-plus-in-group': (tree) => plusRows(tree, '/etc/group'),
  'no-plus-in-shadow': (tree) => plusRows(tree, '/etc/shadow'),
  'shells-valid-or-locked': (tree) => {
    const shells = new Set((tree.read('/etc/shells') ?? '').split('\n').map((row) => row.trim()));
    const open = new Set(withPassword(tree).map(({ name }) => name));
    const shadowed = new Set(shadowOf(tree).map(({ name }) => name));
    return usersOf(tree).flatMap(({ name, password, shell }) => {
      // An account that passwd sends to shadow, and that has no entry there, is not known to be locked.
      const locked = isLocked(password) || (shadowed.has(name) && !open.has(name));
      return locked || shell === '' || shells.has(shell) || NO_SHELL.test(shell) ? [] : [name];
    });
  },
  'system-accounts-without-shell': (tree, { except = [] }) =>
    usersOf(tree).flatMap(({ name, uid, shell }) =>
      uid === 0 || (uid >= FIRST_PERSON && uid !== NOBODY) || NO_SHELL.test(shell) || except.includes(name) ? [] : [name],
    ),
  'password-hashes-strong': (tree, { hashes = STRONG }) =>
    withPassword(tree).flatMap(({ name, password }) => (hashes.includes(/^\$([^$]+)\$/.exec(password)?.[1] ?? '') ? [] : [name])),
  'password-ages': (tree, { max_days, min_days, warn_days, inactive_days }) =>
    withPassword(tree).flatMap(({ name, max, min, warn, inactive }) =>
      tooMany(max, max_days) || tooFew(min, min_days) || tooFew(warn, warn_days) || tooMany(inactive, inactive_days) ? [name] : [],
    ),
  'shadow-group-empty': (tree) => {
    const group = groupsOf(tree).find(({ name }) => name === 'shadow');
    return group ? [...group.members, ...usersOf(tree).flatMap(({ name, gid }) => (gid === group.gid ? [name] : []))] : [];
  },
  'homes-exist': (tree) => people(tree).flatMap(({ name, home }) => (tree.stat(home)?.isDirectory() === true ? [] : [name])),
  'homes-private': (tree) =>
    people(tree).flatMap(({ home }) => {
      const stat = tree.stat(home);
      return stat !== undefined && (stat.mode & 0o027) !== 0 ? [home] : [];
    }),
};

/** Questions that the password file answers; without it they are open. */
const NEEDS_SHADOW = new Set<AccountQuestion>(['no-empty-password', 'password-hashes-strong', 'password-ages']);

export const account: Probe<'account'> = (params, tree): Answer => {
  const passwd = tree.read('/etc/passwd');
  if (passwd === undefined && params.ask !== 'no-plus-in-group') return unknown('/etc/passwd is not there');
  if (NEEDS_SHADOW.has(params.ask) && tree.read('/etc/shadow') === undefined) return unknown('/etc/shadow is not there');
  const found = QUESTIONS[params.ask](tree, params);
  return answer(found.length === 0, found.length === 0 ? 'no such account' : some(found), found);
};
