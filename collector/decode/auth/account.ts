// SPDX-License-Identifier: Apache-2.0
/**
 * The shadow tools: users and groups made, changed and removed, passwords set.
 * Input: the message of a syslog line. Output: an auth event about `user.target.name` or `group.name`.
 */
import type { EventDraft } from '../../model/event.ts';
import { addUser, setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';

const IAM: readonly string[] = ['iam'];
const TYPES = {
  userCreate: ['user', 'creation'],
  userDelete: ['user', 'deletion'],
  userChange: ['user', 'change'],
  groupCreate: ['group', 'creation'],
  groupDelete: ['group', 'deletion'],
  groupChange: ['group', 'change'],
} as const;

interface Form {
  readonly pattern: RegExp;
  readonly action: string;
  readonly type: keyof typeof TYPES;
  readonly outcome?: 'failure';
}

/** Groups by name: user, uid, group, gid, by. */
const FORMS: readonly Form[] = [
  { pattern: /^new user: name=(?<user>[^,]*), UID=(?<uid>\d+), GID=(?<gid>\d+)/, action: 'user-add', type: 'userCreate' },
  { pattern: /^failed adding user '(?<user>.*)'/, action: 'user-add', type: 'userCreate', outcome: 'failure' },
  { pattern: /^new group: name=(?<group>[^,]*), GID=(?<gid>\d+)/, action: 'group-add', type: 'groupCreate' },
  { pattern: /^group added to \S+: name=(?<group>[^,]*)(?:, GID=(?<gid>\d+))?/, action: 'group-add', type: 'groupCreate' },
  { pattern: /^delete user '(?<user>.*)'$/, action: 'user-delete', type: 'userDelete' },
  { pattern: /^(?:remove|removed) group '(?<group>[^']*)'/, action: 'group-delete', type: 'groupDelete' },
  { pattern: /^group '(?<group>[^']*)' removed/, action: 'group-delete', type: 'groupDelete' },
  { pattern: /^add '(?<user>[^']*)' to (?:shadow )?group '(?<group>[^']*)'/, action: 'group-member-add', type: 'groupChange' },
  { pattern: /^delete '(?<user>[^']*)' from (?:shadow )?group '(?<group>[^']*)'/, action: 'group-member-remove', type: 'groupChange' },
  { pattern: /^user (?<user>\S+) added by (?<by>\S+) to group (?<group>\S+)/, action: 'group-member-add', type: 'groupChange' },
  { pattern: /^user (?<user>\S+) removed by (?<by>\S+) from group (?<group>\S+)/, action: 'group-member-remove', type: 'groupChange' },
  { pattern: /^change user '(?<user>[^']*)'/, action: 'user-change', type: 'userChange' },
  { pattern: /^lock user '(?<user>[^']*)'/, action: 'user-lock', type: 'userChange' },
  { pattern: /^unlock user '(?<user>[^']*)'/, action: 'user-unlock', type: 'userChange' },
  { pattern: /^password for '(?<user>.*)' changed by '(?<by>.*)'$/, action: 'password-change', type: 'userChange' },
  { pattern: /^changed password expiry for (?<user>\S+)/, action: 'user-change', type: 'userChange' },
  { pattern: /^changed user '(?<user>[^']*)'/, action: 'user-change', type: 'userChange' },
];

const decodeAccount = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  for (const form of FORMS) {
    const groups = form.pattern.exec(text)?.groups;
    if (groups === undefined) continue;
    const event = authEvent(frame);
    event['message'] = text;
    event['event.action'] = form.action;
    event['event.category'] = IAM;
    event['event.type'] = TYPES[form.type];
    event['event.outcome'] = form.outcome ?? 'success';
    const user = groups['user'];
    if (user !== undefined) {
      event['user.target.name'] = user;
      addUser(event, user);
    }
    if (groups['uid'] !== undefined) event['user.target.id'] = groups['uid'];
    if (groups['group'] !== undefined) event['group.name'] = groups['group'];
    if (groups['gid'] !== undefined) event['group.id'] = groups['gid'];
    if (groups['by'] !== undefined) setUser(event, groups['by']);
    return event;
  }
  return null;
};

export const account: Decoder = {
  dataset: 'account',
  title: 'useradd, usermod, userdel, groupadd, gpasswd, passwd, chage: accounts and groups',
  logsource: [{ product: 'linux', service: 'auth' }],
  emits: ['message', 'event.outcome', 'user.name', 'user.target.name', 'user.target.id', 'group.name', 'group.id', 'related.user'],
  programs: [
    'useradd',
    'usermod',
    'userdel',
    'adduser',
    'deluser',
    'groupadd',
    'groupmod',
    'groupdel',
    'gpasswd',
    'passwd',
    'chage',
    'chpasswd',
    'chfn',
    'chsh',
    'newusers',
  ],
  form: 'message',
  decode: decodeAccount,
};
