// SPDX-License-Identifier: Apache-2.0
/**
 * Where the fields of a fact stand in an event: by their ECS names where there is one, else under `fact.` and, as they were, under `was.`.
 * Input: a fact. Output: the draft with its fields; nothing of the fact is lost.
 */
import type { EcsField } from '../../../core/ecs.ts';
import type { Fact, FactFields, FactKind, FactValue } from '../../../core/fact.ts';
import type { EventDraft } from '../../model/event.ts';
import { addUser, ipOf, setUser } from '../address.ts';
import { clip, setExtra, setField, wellFormed } from '../build.ts';

type Names = Readonly<Record<string, EcsField>>;

/** Whose account it is stands in `user.name`, so that the user is an entity of the event. */
const NAMES: Readonly<Partial<Record<FactKind, Names>>> = {
  os: { name: 'host.os.name', version: 'host.os.version', hostname: 'host.hostname' },
  package: { name: 'package.name', version: 'package.version', arch: 'package.architecture' },
  user: { uid: 'user.id', gid: 'user.group.id' },
  group: { name: 'group.name', gid: 'group.id' },
  'sudo-rule': { file: 'file.path' },
  'ssh-key': { path: 'file.path' },
  service: { name: 'service.name', active: 'service.state', exec: 'process.command_line', path: 'file.path' },
  timer: { name: 'service.name', command: 'process.command_line', path: 'file.path' },
  listener: {
    transport: 'network.transport',
    address: 'destination.ip',
    port: 'destination.port',
    pid: 'process.pid',
    process: 'process.name',
    executable: 'process.executable',
    user: 'process.user.name',
    package: 'package.name',
  },
  certificate: { path: 'file.path' },
  file: {
    path: 'file.path',
    type: 'file.type',
    size: 'file.size',
    mode: 'file.mode',
    uid: 'file.uid',
    gid: 'file.gid',
    owner: 'file.owner',
    group: 'file.group',
    inode: 'file.inode',
    mtime_at: 'file.mtime',
    sha256: 'file.hash.sha256',
    target: 'file.target_path',
    reason: 'event.reason',
  },
  observation: {
    check: 'vigil.check',
    result: 'vigil.result',
    severity: 'vigil.severity',
    actual: 'vigil.actual',
    expected: 'vigil.expected',
    reason: 'event.reason',
  },
};

const NO_NAMES: Names = {};
/** Members of a list that stand in an event. */
const LIST_SHOWN = 100;

/** A value as text, as it stands in `vigil.extra`. */
export const valueText = (value: FactValue): string => clip(wellFormed(typeof value === 'object' ? value.join(', ') : String(value)));

const text = (value: FactValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? clip(wellFormed(value)) : undefined;

/** Fills every field of the fact. */
export const setFields = (event: EventDraft, { kind, item, change, fields, was }: Fact): void => {
  event['vigil.fact'] = kind;
  event['vigil.item'] = clip(wellFormed(item));
  event['vigil.change'] = change;
  if (was !== undefined) event['vigil.changed'] = Object.keys(was);
  const names = NAMES[kind] ?? NO_NAMES;
  for (const name in fields) {
    const value = fields[name] as FactValue;
    const ecs = names[name];
    if (ecs === undefined || !setField(event, ecs, value)) setExtra(event, `fact.${name}`, valueText(value));
  }
  for (const name in was) setExtra(event, `was.${name}`, valueText(was[name] as FactValue));
  setRelated(event, kind, fields);
};

/** Users, addresses and names that the item has beside its own fields. */
const setRelated = (event: EventDraft, kind: FactKind, fields: FactFields): void => {
  if (kind === 'user') setUser(event, text(fields['name']) ?? '');
  else if (kind === 'ssh-key' || kind === 'timer') setUser(event, text(fields['user']) ?? '');
  else if (kind === 'sudo-rule') setSudoer(event, text(fields['who']) ?? '');
  else if (kind === 'group') for (const member of listOf(fields['members'])) addUser(event, member);
  else if (kind === 'interface') event['related.ip'] = addressesOf(fields['addresses']);
  else if (kind === 'file') setFile(event, fields);
  else if (kind === 'upgrade') event['package.name'] = text(listOf(fields['packages']).join(', '));
  else if (kind === 'observation') setOutcome(event, fields);
};

const listOf = (value: FactValue | undefined): readonly string[] =>
  (typeof value === 'string' ? [value] : typeof value === 'object' ? value : []).slice(0, LIST_SHOWN).map(wellFormed);

/** `deploy`, `%wheel`, `#1000`, `ALL`: only the first is a user by name. */
const setSudoer = (event: EventDraft, who: string): void => {
  if (who.startsWith('%')) event['group.name'] = who.slice(1);
  else if (/^[A-Za-z_][\w.-]{0,63}\$?$/.test(who) && who !== 'ALL') setUser(event, who);
};

const addressesOf = (value: FactValue | undefined): readonly string[] | undefined => {
  const found = listOf(value).flatMap((one) => ipOf(one.replace(/\/\d{1,3}$/, '')) ?? []);
  return found.length === 0 ? undefined : found;
};

const setFile = (event: EventDraft, fields: FactFields): void => {
  const path = text(fields['path']);
  if (path !== undefined) {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    const dot = name.lastIndexOf('.');
    event['file.directory'] = slash > 0 ? path.slice(0, slash) : slash === 0 ? '/' : undefined;
    event['file.name'] = name;
    if (dot > 0) event['file.extension'] = name.slice(dot + 1);
  }
  const hash = text(fields['sha256']);
  if (hash !== undefined) event['related.hash'] = [hash];
};

const setOutcome = (event: EventDraft, fields: FactFields): void => {
  const result = fields['result'];
  event['event.outcome'] = result === 'pass' ? 'success' : result === 'fail' ? 'failure' : 'unknown';
  // `rule.name` is what a check is called by people.
  event['rule.name'] = text(fields['title']);
};

/** Fields that a fact may fill, for the decoders' declarations. */
export const emitsOf = (kinds: readonly FactKind[], ...more: readonly EcsField[]): readonly EcsField[] => [
  ...new Set([...COMMON, ...kinds.flatMap((kind) => Object.values(NAMES[kind] ?? NO_NAMES)), ...more]),
];
const COMMON: readonly EcsField[] = ['message', 'vigil.fact', 'vigil.item', 'vigil.change', 'vigil.changed', 'vigil.extra'];
