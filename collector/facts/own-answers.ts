// SPDX-License-Identifier: Apache-2.0
/**
 * The answers that the collector gives itself about one host. Pure: what is not known is unknown, and never a pass.
 * Input: the host's standing, its latest facts, what its agent said last, what was found missing. Output: one answer for each check.
 */
import type { FactKind, FactValue } from '../../core/fact.ts';
import type { AssetId } from '../../core/ids.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import { days, minutes, type UnixMs } from '../../core/units.ts';
import { makeEntity } from '../model/entity.ts';
import type { FactTable, HostFact } from '../model/fact.ts';
import type { HostStanding } from '../model/host.ts';
import type { Result } from '../model/observation.ts';
import { accessOf } from './access.ts';
import { OWN_CHECKS, type OwnCheckId } from './check.ts';
import { type ReleaseLists, supportOf } from './end-of-life.ts';
import type { Answer } from './span.ts';

export interface HostKnowledge {
  readonly host: AssetId;
  readonly standing: HostStanding;
  readonly heartbeat: HeartbeatBody | null;
  /** Latest facts of the kinds that are asked for; of files and packages only what a check needs. */
  readonly facts: readonly HostFact[];
  readonly tables: ReadonlyMap<FactKind, FactTable>;
  /** Newest installation or change of a package; null where none is known. */
  readonly newestPackage: UnixMs | null;
  /** Notices of the last 7 days that records of it are missing or lost. */
  readonly missing: number;
}

interface Said {
  readonly result: Result;
  readonly actual: string;
  readonly expected: string;
  readonly reason?: string;
}

const pass = (actual: string, expected: string): Said => ({ result: 'pass', actual, expected });
const fail = (actual: string, expected: string): Said => ({ result: 'fail', actual, expected });
const unknown = (reason: string, expected: string): Said => ({ result: 'unknown', actual: '', expected, reason });

const PATCH_AGE = days(45);
const LOGIN_AGE = days(90);
const CERTIFICATE_LEFT = days(30);
const RECENT = days(7);
const BEHIND = minutes(15);
const NAMED = 5;

/** `a, b and 3 more`. */
const named = (names: readonly string[]): string =>
  names.length > NAMED ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more` : names.join(', ');
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const text = (value: FactValue | undefined): string => (typeof value === 'object' ? value.join(', ') : String(value ?? ''));

const ofKind = ({ facts }: HostKnowledge, kind: FactKind): readonly HostFact[] =>
  facts.filter((fact) => fact.kind === kind && fact.removed === undefined);

/** Why nothing can be said of a kind; null where all that stands of it is known. */
const notKnown = ({ tables }: HostKnowledge, kinds: readonly FactKind[]): string | null => {
  const absent = kinds.find((kind) => !tables.has(kind));
  if (absent !== undefined) return `no scan of ${absent} was received`;
  const doubtful = kinds.find((kind) => tables.get(kind)?.doubtful);
  return doubtful === undefined ? null : `what is known of ${doubtful} is in doubt until the next full restatement`;
};

const endOfLife = (host: HostKnowledge, now: UnixMs, lists: ReleaseLists): Said => {
  const expected = 'a release that gets security updates';
  const os = ofKind(host, 'os')[0];
  if (os === undefined) return unknown('the operating system is not known', expected);
  const support = supportOf(os.fields, lists);
  const name = `${text(os.fields['name'])} ${text(os.fields['version'])}`.trim();
  if (support === null) return unknown(`no list of releases knows ${name}`, expected);
  if (support.until === null) return pass(`${support.name}, no end announced`, expected);
  const actual = `${support.name}, ${support.until > now ? 'until' : 'ended'} ${day(support.until - 1)}`;
  return support.until > now ? pass(actual, expected) : fail(actual, expected);
};

const reporting = ({ standing: { standing, lastSeen } }: HostKnowledge): Said => {
  const expected = 'an agent that is heard';
  if (standing === 'reporting') return pass('heard', expected);
  if (standing === 'planned-off') return unknown('the host is planned off', expected);
  if (standing === 'silent') return fail(lastSeen === null ? 'silent' : `silent, last heard ${new Date(lastSeen).toISOString()}`, expected);
  return fail('never heard', expected);
};

const UNREADABLE = /^(?:FILE|FOLDER|GLOB)_/;
const FACTS = new Set(['fim', 'inventory', 'posture']);

const sources = ({ standing, heartbeat }: HostKnowledge, now: UnixMs): Said => {
  const expected = 'every source read to its end';
  if (standing.standing !== 'reporting' || heartbeat === null) return unknown('its agent is not heard', expected);
  const unreadable = heartbeat.conditions.filter(({ code }) => UNREADABLE.test(code)).map(({ about }) => about);
  if (unreadable.length > 0) return fail(`${count(unreadable.length, 'source')} cannot be read: ${named(unreadable)}`, expected);
  const logs = heartbeat.streams.filter(({ dataset, stream }) => !FACTS.has(dataset) && stream !== 'heartbeat');
  if (logs.length === 0) return fail('no log is read', expected);
  // What was never read to its end is behind once the agent had its time for it.
  const isBehind = (readUpTo: UnixMs): boolean => (readUpTo === 0 ? heartbeat.uptimeMs > BEHIND : now - readUpTo > BEHIND);
  const behind = logs.filter(({ behindBytes, readUpTo }) => behindBytes > 0 && isBehind(readUpTo)).map(({ stream }) => stream);
  return behind.length > 0
    ? fail(`${count(behind.length, 'source')} behind: ${named(behind)}`, expected)
    : pass(count(logs.length, 'source'), expected);
};

const LOSSES = ['dropped', 'lost', 'gap'];

const complete = ({ standing, heartbeat, missing }: HostKnowledge): Said => {
  const expected = 'none lost, none missing within 7 days';
  if (missing > 0) return fail(`${count(missing, 'gap')} found within 7 days`, expected);
  if (standing.standing !== 'reporting' || heartbeat === null) return unknown('its agent is not heard', expected);
  const lost = heartbeat.streams.reduce((sum, { counts }) => sum + LOSSES.reduce((n, name) => n + (counts[name] ?? 0), 0), 0);
  return lost > 0 ? fail(`${count(lost, 'record')} lost by the agent since it started`, expected) : pass('none', expected);
};

const patched = (host: HostKnowledge, now: UnixMs): Said => {
  const expected = 'an update within 45 days';
  const doubt = notKnown(host, ['package']);
  if (doubt !== null) return unknown(doubt, expected);
  const newest = host.newestPackage;
  if (newest === null) return unknown('no package says when it was installed', expected);
  return now - newest <= PATCH_AGE ? pass(`newest of ${day(newest)}`, expected) : fail(`newest of ${day(newest)}`, expected);
};

const stale = (host: HostKnowledge, now: UnixMs): Said => {
  const expected = 'a login within 90 days for each account that may log in';
  const doubt = notKnown(host, ['user', 'ssh-key']);
  if (doubt !== null) return unknown(doubt, expected);
  const open = accessOf(host.facts, now).filter(({ uid, password, keys }) => uid !== 0 && (password || keys.length > 0));
  const old = open.filter(({ lastLogin }) => lastLogin !== null && now - lastLogin > LOGIN_AGE).map(({ user }) => user);
  if (old.length > 0) return fail(`${count(old.length, 'account')} unused: ${named(old)}`, expected);
  const silent = open.filter(({ lastLogin, since }) => lastLogin === null && now - since > LOGIN_AGE).map(({ user }) => user);
  if (silent.length > 0) return fail(`${count(silent.length, 'account')} never seen to log in: ${named(silent)}`, expected);
  const unseen = open.filter(({ lastLogin }) => lastLogin === null).length;
  if (unseen > 0) return unknown(`of ${count(unseen, 'account')} no login is known, and they are not watched for 90 days yet`, expected);
  return pass(count(open.length, 'account'), expected);
};

const certificates = (host: HostKnowledge, now: UnixMs): Said => {
  const expected = '30 days or more left';
  const doubt = notKnown(host, ['certificate']);
  if (doubt !== null) return unknown(doubt, expected);
  const own = ofKind(host, 'certificate').filter(
    ({ fields }) => fields['authority'] !== true && typeof fields['not_after_at'] === 'number',
  );
  if (own.length === 0) return { result: 'not-applicable', actual: 'no certificate of its own', expected };
  const ends = own
    .map(({ fields, item }) => ({ name: text(fields['path']) || item, at: Number(fields['not_after_at']) }))
    .sort((a, b) => a.at - b.at);
  const soon = ends.filter(({ at }) => at - now < CERTIFICATE_LEFT).map(({ name, at }) => `${name} until ${day(at)}`);
  return soon.length > 0
    ? fail(named(soon), expected)
    : pass(`${count(own.length, 'certificate')}, the first ends ${day(ends[0]?.at ?? 0)}`, expected);
};

const filesExplained = (host: HostKnowledge, now: UnixMs): Said => {
  const expected = 'none within 7 days but by package upgrades';
  const doubt = notKnown(host, ['file']);
  if (doubt !== null) return unknown(doubt, expected);
  const changed = host.facts
    .filter(({ kind, reported }) => kind === 'file' && reported !== undefined && now - reported <= RECENT)
    .sort((a, b) => (b.reported ?? 0) - (a.reported ?? 0))
    .map(({ item }) => item);
  return changed.length > 0 ? fail(`${count(changed.length, 'file')}: ${named(changed)}`, expected) : pass('none', expected);
};

const ROOT_GROUPS = new Set(['sudo', 'wheel', 'admin', 'root']);

const privileges = (host: HostKnowledge, now: UnixMs): Said => {
  const expected = 'none given within 7 days';
  const doubt = notKnown(host, ['user', 'group', 'sudo-rule', 'ssh-key']);
  if (doubt !== null) return unknown(doubt, expected);
  const isNew = ({ reported }: HostFact): boolean => reported !== undefined && now - reported <= RECENT;
  const given = [
    ...ofKind(host, 'ssh-key')
      .filter(isNew)
      .map(({ fields, item }) => `key of ${text(fields['user']) || item}`),
    ...ofKind(host, 'sudo-rule')
      .filter(isNew)
      .map(({ fields }) => `sudo rule of ${text(fields['who'])}`),
    ...ofKind(host, 'user')
      .filter((one) => isNew(one) && one.reported === one.since && one.fields['admin'] === true)
      .map(({ item }) => `account ${item}`),
    ...ofKind(host, 'group')
      .filter((one) => isNew(one) && ROOT_GROUPS.has(one.item))
      .map(({ item }) => `group ${item}`),
  ];
  return given.length > 0 ? fail(named(given), expected) : pass('none', expected);
};

const ASKED: Readonly<Record<Exclude<OwnCheckId, 'detection-self-test'>, (host: HostKnowledge, now: UnixMs, lists: ReleaseLists) => Said>> =
  {
    'os-not-end-of-life': endOfLife,
    'agent-reporting': reporting,
    'expected-log-sources-reporting': sources,
    'records-complete': complete,
    'packages-updated-recently': patched,
    'accounts-not-stale': stale,
    'certificates-valid-30-days': certificates,
    'file-changes-explained': filesExplained,
    'privileges-unchanged': privileges,
  };

export const answerWith = (id: OwnCheckId, host: AssetId, said: Said, now: UnixMs): Answer => {
  const check = OWN_CHECKS.find((one) => one.id === id) as (typeof OWN_CHECKS)[number];
  return { check: check.id, subject: makeEntity('host', host), severity: check.severity, freshMs: check.freshMs, at: now, ...said };
};

/** Everything the collector answers about a host; nothing about one that is not expected. */
export const ownAnswers = (host: HostKnowledge, now: UnixMs, lists: ReleaseLists): readonly Answer[] => {
  const { standing } = host.standing;
  if (standing === 'retired' || standing === 'unmanaged') return [];
  return Object.entries(ASKED).map(([id, ask]) => answerWith(id as OwnCheckId, host.host, ask(host, now, lists), now));
};
