// SPDX-License-Identifier: Apache-2.0
/**
 * Accounts and groups of a host: who may be somebody here, with what rights, and when they last came.
 * Input: passwd, shadow, group, sudoers, the records of logins. Output: items `user` and `group`. No hash of a password ever leaves a file.
 */
import type { FactFields } from '../../../core/fact.ts';
import { type Clean, type Found, item, PAUSE } from './found.ts';
import { lastLogins } from './logins.ts';
import { quietly, readAccounts, readGroups } from './passwd.ts';
import { readSudoRules } from './sudoers.ts';
import { LINE_CHARS, oddities, readText } from './text.ts';
import type { Tree } from './tree.ts';

const DAY_MS = 86_400_000;

interface Shadow {
  readonly password: 'set' | 'locked' | 'none';
  readonly changedAt?: number;
  readonly expiresAt?: number;
}

export function* userItems(tree: Tree, clean: Clean): Generator<Found> {
  const accounts = yield* readAccounts(tree, 'all');
  const groups = quietly(readGroups(tree));
  const shadow = yield* readShadow(tree);
  const logins = yield* lastLogins(tree, accounts);
  const admin = adminsOf(tree);
  for (const { name, password, uid, gid, comment, home, shell } of accounts) {
    const secret = shadow.get(name);
    const names = groups.filter((group) => group.gid === gid || group.members.includes(name)).map((group) => group.name);
    const login = logins.get(name);
    yield item(name, {
      name,
      uid,
      gid,
      home,
      shell,
      comment: clean(comment.replace(/,+$/, '')),
      password: password === 'x' ? secret?.password : stateOf(password),
      password_changed_at: secret?.changedAt,
      expires_at: secret?.expiresAt,
      last_login_at: login?.at,
      last_login_from: login?.from,
      admin: uid === 0 || admin.users.has(name) || admin.users.has('ALL') || names.some((group) => admin.groups.has(group)),
      groups: names,
    });
  }
}

export function* groupItems(tree: Tree): Generator<Found> {
  const accounts = quietly(readAccounts(tree));
  for (const { name, gid, members } of yield* readGroups(tree, 'all')) {
    // Those whose first group it is are members too, though the file does not say so.
    const primary = accounts.filter((account) => account.gid === gid).map((account) => account.name);
    yield item(name, { name, gid, members: [...new Set([...primary, ...members])].sort() });
  }
}

/** Whoever may do everything by sudo; groups of that custom count even where sudo is set up elsewhere. */
const adminsOf = (tree: Tree): { readonly users: ReadonlySet<string>; readonly groups: ReadonlySet<string> } => {
  const users = new Set<string>();
  const groups = new Set(['sudo', 'wheel', 'admin']);
  for (const { who, commands } of quietly(readSudoRules(tree))) {
    if (!commands.includes('ALL')) continue;
    for (const one of who) {
      if (one.startsWith('%')) groups.add(one.slice(1));
      else users.add(one);
    }
  }
  return { users, groups };
};

/** A star or an exclamation mark can be no hash: no password opens the account. */
const stateOf = (hash: string): Shadow['password'] => (hash === '' ? 'none' : /^[!*]/.test(hash) ? 'locked' : 'set');

const dayOf = (text: string | undefined): number | undefined => (/^\d{1,6}$/.test(text ?? '') ? Number(text) * DAY_MS : undefined);

function* readShadow(tree: Tree): Generator<Found, ReadonlyMap<string, Shadow>> {
  const found = new Map<string, Shadow>();
  const text = yield* readText(tree, '/etc/shadow', undefined);
  const odd = oddities();
  for (const [i, line] of (text ?? '').split('\n').entries()) {
    if (line.trim() === '' || /^[#+-]/.test(line)) continue;
    const parts = line.length > LINE_CHARS ? [] : line.split(':');
    if (parts.length < 8 || parts[0] === '') {
      odd.add(i + 1, 'is no entry');
      continue;
    }
    const [changedAt, expiresAt] = [dayOf(parts[2]), dayOf(parts[7])];
    if (!found.has(parts[0]!))
      found.set(parts[0]!, {
        password: stateOf(parts[1]!),
        ...(changedAt === undefined || changedAt === 0 ? {} : { changedAt }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
  }
  yield* odd.tell('/etc/shadow');
  yield PAUSE;
  return found;
}

/** A login each hour is told by the logs; the inventory says on which day somebody was last here. */
export const steadyLogin = (before: FactFields, now: FactFields): FactFields => {
  const [old, fresh] = [before['last_login_at'], now['last_login_at']];
  if (typeof old !== 'number' || typeof fresh !== 'number' || fresh < old || fresh - old >= DAY_MS) return now;
  const { last_login_from: _, ...rest } = now;
  const from = before['last_login_from'];
  return { ...rest, last_login_at: old, ...(from === undefined ? {} : { last_login_from: from }) };
};
