// SPDX-License-Identifier: Apache-2.0
/**
 * Who may log in on a host, and with which rights: accounts, their shells, passwords and keys, groups and sudo rules together. Pure.
 * Input: the host's latest facts. Output: one row for each account that may log in or act as root.
 */
import type { FactValue } from '../../core/fact.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import type { HostFact } from '../model/fact.ts';

export interface Access {
  readonly user: string;
  readonly uid: number | null;
  readonly shell: string | null;
  /** Ways in: `password`, and each key. Empty where the account may not log in. */
  readonly password: boolean;
  readonly keys: readonly {
    readonly fingerprint: string;
    readonly type: string | null;
    readonly comment: string | null;
    readonly path: string | null;
  }[];
  readonly admin: boolean;
  /** Why it acts as root: `uid 0`, `group sudo`, `rule in /etc/sudoers.d/x`. */
  readonly through: readonly string[];
  readonly lastLogin: UnixMs | null;
  readonly since: UnixMs;
}

const NO_LOGIN = /\/(?:nologin|false|true|sync|halt|shutdown)$/;

const textOf = (value: FactValue | undefined): string | null => (typeof value === 'string' && value !== '' ? value : null);
const numberOf = (value: FactValue | undefined): number | null => (typeof value === 'number' ? value : null);
const listOf = (value: FactValue | undefined): readonly string[] =>
  typeof value === 'object' ? value : typeof value === 'string' && value !== '' ? value.split(/[ ,]+/) : [];

const ofKind = (facts: readonly HostFact[], kind: HostFact['kind']): readonly HostFact[] =>
  facts.filter((fact) => fact.kind === kind && fact.removed === undefined);

/** Rules that reach a user: by name, by a group of his, or everybody. */
const rulesOf = (rules: readonly HostFact[], user: string, groups: ReadonlySet<string>): readonly string[] =>
  rules
    .filter(
      ({ fields: { who } }) =>
        who === user || who === 'ALL' || (typeof who === 'string' && who.startsWith('%') && groups.has(who.slice(1))),
    )
    .map(
      ({ fields: { file, who, nopasswd } }) => `rule of ${String(who)} in ${String(file)}${nopasswd === true ? ' without password' : ''}`,
    );

/** Groups of a user: as the account names them, and as the groups name their members. */
const groupsOf = (groups: readonly HostFact[], { fields, item }: HostFact): ReadonlySet<string> =>
  new Set([
    ...listOf(fields['groups']),
    ...groups
      .filter(({ fields: { gid, members } }) => listOf(members).includes(item) || (gid !== undefined && gid === fields['gid']))
      .map((group) => group.item),
  ]);

export const accessOf = (facts: readonly HostFact[], now: UnixMs): readonly Access[] => {
  const [groups, rules, keys] = [ofKind(facts, 'group'), ofKind(facts, 'sudo-rule'), ofKind(facts, 'ssh-key')];
  return ofKind(facts, 'user')
    .map((account): Access => {
      const { item: user, fields } = account;
      const [shell, uid] = [textOf(fields['shell']), numberOf(fields['uid'])];
      const expires = numberOf(fields['expires_at']);
      const open = (shell === null || !NO_LOGIN.test(shell)) && (expires === null || expires > now);
      const through = [...(uid === 0 ? ['uid 0'] : []), ...rulesOf(rules, user, groupsOf(groups, account))];
      const lastLogin = numberOf(fields['last_login_at']);
      return {
        user,
        uid,
        shell,
        password: open && fields['password'] !== 'locked' && fields['password'] !== undefined,
        keys: open
          ? keys
              .filter((key) => key.fields['user'] === user)
              .map(({ fields: key, item }) => ({
                fingerprint: textOf(key['fingerprint']) ?? item,
                type: textOf(key['type']),
                comment: textOf(key['comment']),
                path: textOf(key['path']),
              }))
          : [],
        admin: fields['admin'] === true || through.length > 0,
        through: through.length === 0 && fields['admin'] === true ? ['said by the host'] : through,
        lastLogin: lastLogin === null ? null : unixMs(lastLogin),
        since: account.since,
      };
    })
    .filter(({ password, keys: own, admin }) => password || own.length > 0 || admin)
    .sort((a, b) => Number(b.admin) - Number(a.admin) || (a.user < b.user ? -1 : 1));
};
