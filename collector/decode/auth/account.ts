// SPDX-License-Identifier: Apache-2.0
/**
 * The shadow tools: users and groups made, changed and removed, passwords set.
 * Input: the message of a syslog line. Output: an auth event about `user.target.name` or `group.name`.
 */
import type { EventDraft } from '../../model/event.ts';
import { addUser, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
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

/** Groups by name: user, uid, group, gid, by, and what else there is to know: home, shell, from, to, attribute. Names are quoted from their ends. */
const FORMS: readonly Form[] = [
  {
    pattern:
      /^new (?:user|account): (?:name|account)=(?<user>[^,]*), (?:UID|uid)=(?<uid>\d+)(?:, (?:GID|gid)=(?<gid>\d+))?(?:, home=(?<home>[^,]*))?(?:, shell=(?<shell>[^,]*))?/,
    action: 'user-add',
    type: 'userCreate',
  },
  {
    pattern: /^(?:account added to \S+ - account|new account added - account)=(?<user>[^,]*), uid=(?<uid>\d+)/,
    action: 'user-add',
    type: 'userCreate',
  },
  { pattern: /^failed adding user ['`](?<user>.*)'(?:, .*)?$/s, action: 'user-add', type: 'userCreate', outcome: 'failure' },
  { pattern: /^new group: name=(?<group>[^,]*), GID=(?<gid>\d+)/, action: 'group-add', type: 'groupCreate' },
  { pattern: /^new group added - group=(?<group>[^,]*), gid=(?<gid>\d+)/, action: 'group-add', type: 'groupCreate' },
  { pattern: /^group added to \S+: name=(?<group>[^,]*)(?:, GID=(?<gid>\d+))?/, action: 'group-add', type: 'groupCreate' },
  { pattern: /^failed adding group ['`](?<group>.*)'(?:, .*)?$/s, action: 'group-add', type: 'groupCreate', outcome: 'failure' },
  { pattern: /^delete user ['`](?<user>.*)'$/s, action: 'user-delete', type: 'userDelete' },
  {
    pattern: /^(?:remove|removed)(?: shadow)? group ['`](?<group>[^']*)'(?: owned by '(?<user>[^']*)')?/,
    action: 'group-delete',
    type: 'groupDelete',
  },
  { pattern: /^group ['`](?<group>[^']*)' removed/, action: 'group-delete', type: 'groupDelete' },
  {
    pattern: /^add(?:ed)? (?:user )?['`](?<user>[^']*)' to (?:shadow )?group ['`](?<group>[^']*)'/,
    action: 'group-member-add',
    type: 'groupChange',
  },
  {
    pattern: /^(?:deleted?|removed?) (?:user )?['`](?<user>[^']*)' from (?:shadow )?group ['`](?<group>[^']*)'/,
    action: 'group-member-remove',
    type: 'groupChange',
  },
  { pattern: /^user (?<user>\S+) added by (?<by>\S+) to group (?<group>\S+)$/, action: 'group-member-add', type: 'groupChange' },
  { pattern: /^user (?<user>\S+) removed by (?<by>\S+) from group (?<group>\S+)$/, action: 'group-member-remove', type: 'groupChange' },
  {
    pattern: /^(?:administrators|members) of group (?<group>\S+) set by (?<by>\S+) to (?<to>\S*)$/,
    action: 'group-change',
    type: 'groupChange',
  },
  { pattern: /^password of group (?<group>\S+) (?:changed|removed) by (?<by>\S+)$/, action: 'group-password-change', type: 'groupChange' },
  {
    pattern: /^group changed in \S+ \(group (?<group>[^/,)]+)(?:\/(?<gid>\d+))?, new (?<attribute>\w+): (?<to>[^)]*)\)/,
    action: 'group-change',
    type: 'groupChange',
  },
  { pattern: /^change group ['`](?<group>[^']*)'(?: (?<attribute>[\w ]{1,32}) from .*)?/s, action: 'group-change', type: 'groupChange' },
  {
    pattern: /^change user name ['`](?<from>[^']*)' to ['`](?<user>[^']*)'/,
    action: 'user-rename',
    type: 'userChange',
  },
  { pattern: /^change user ['`](?<user>[^']*)' password/, action: 'password-change', type: 'userChange' },
  {
    pattern: /^change user ['`](?<user>[^']*)' (?<attribute>[\w -]{1,32}) from ['`](?<from>[^']*)' to ['`](?<to>[^']*)'/,
    action: 'user-change',
    type: 'userChange',
  },
  { pattern: /^change user ['`](?<user>[^']*)'/, action: 'user-change', type: 'userChange' },
  { pattern: /^lock user ['`](?<user>[^']*)'/, action: 'user-lock', type: 'userChange' },
  { pattern: /^unlock user ['`](?<user>[^']*)'/, action: 'user-unlock', type: 'userChange' },
  { pattern: /^password for ['`](?<user>.*)' changed by ['`](?<by>.*)'$/s, action: 'password-change', type: 'userChange' },
  {
    pattern: /^(?:set|changed) password for ['`]?(?<user>[^'\s]+)'?(?: by ['`]?(?<by>[^'\s]+)'?)?$/,
    action: 'password-change',
    type: 'userChange',
  },
  { pattern: /^password changed for (?<user>\S+)$/, action: 'password-change', type: 'userChange' },
  {
    pattern: /^can't (?:view or modify|change) (?:the )?(?:password|expiry)(?: information)? for [`'](?<user>.*)'$/s,
    action: 'password-change',
    type: 'userChange',
    outcome: 'failure',
  },
  { pattern: /^changed password expiry for (?<user>\S+)$/, action: 'user-change', type: 'userChange' },
  { pattern: /^changed user ['`](?<user>[^']*)' shell to ['`](?<to>[^']*)'/, action: 'user-change', type: 'userChange' },
  { pattern: /^changed user ['`](?<user>[^']*)'/, action: 'user-change', type: 'userChange' },
  {
    pattern: /^user ['`](?<user>[^']*)' \(login '(?<by>[^']*)' on [^)]*\) switched to group ['`](?<group>[^']*)'/,
    action: 'group-switch',
    type: 'groupChange',
  },
  {
    pattern: /^Invalid password for group ['`](?<group>.*)' from ['`](?<user>[^']*)'$/s,
    action: 'group-switch',
    type: 'groupChange',
    outcome: 'failure',
  },
];

const DETAILS = ['home', 'shell', 'attribute', 'from', 'to'] as const;

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
    for (const name of DETAILS) if (groups[name] !== undefined) setExtra(event, `account.${name}`, groups[name]);
    return event;
  }
  return null;
};

export const account: Decoder = {
  dataset: 'account',
  title: 'useradd, usermod, userdel, groupadd, gpasswd, passwd, chage: accounts and groups',
  logsource: [{ product: 'linux', service: 'auth' }],
  emits: [
    'message',
    'event.outcome',
    'user.name',
    'user.target.name',
    'user.target.id',
    'group.name',
    'group.id',
    'related.user',
    'vigil.extra',
  ],
  programs: [
    'useradd',
    'usermod',
    'userdel',
    'adduser',
    'deluser',
    'groupadd',
    'groupmod',
    'groupdel',
    'groupmems',
    'gpasswd',
    'passwd',
    'chage',
    'chpasswd',
    'chgpasswd',
    'chfn',
    'chsh',
    'newgrp',
    'sg',
    'newusers',
    'vipw',
  ],
  form: 'message',
  decode: decodeAccount,
};
