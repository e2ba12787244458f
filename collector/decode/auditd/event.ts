// SPDX-License-Identifier: Apache-2.0
/**
 * From the parsed records of one audit event, one or many, to one event: process creation, file, network, login or what else it is.
 * Input: records in the order they came, the frame of the first. Output: an event; raw fields that have no ECS name under `auditd.*`.
 */
import type { EcsField } from '../../../core/ecs.ts';
import type { EventDraft } from '../../model/event.ts';
import { addUser, ipOf, setDestination, setSource, setUser } from '../address.ts';
import { clip, setExtra } from '../build.ts';
import type { Frame } from '../decoder.ts';
import { auditEvent } from '../shape.ts';
import { argumentsOf } from './arguments.ts';
import {
  type Class,
  classOfCall,
  classOfRecord,
  DENIED,
  FILE_CHANGED,
  FILE_CREATED,
  FILE_DELETED,
  INFO,
  joined,
  opensForChange,
} from './classes.ts';
import type { AuditRecord } from './parse.ts';
import { absolute, kindsOf, mainPath, permissions } from './paths.ts';

type Data = ReadonlyMap<string, string>;

/** Where a raw field stands in ECS; the others are kept as `auditd.<name>`. */
const HOMES: Readonly<Record<string, EcsField>> = {
  pid: 'process.pid',
  ppid: 'process.parent.pid',
  uid: 'user.id',
  euid: 'user.effective.id',
  gid: 'user.group.id',
  exe: 'process.executable',
  comm: 'process.name',
  cwd: 'process.working_directory',
  proctitle: 'process.title',
  unit: 'service.name',
};
const UNSET = '4294967295';
const PATHS_KEPT = 64;

const numberOf = (text: string): number | undefined => {
  const value = Number(text);
  return text !== '' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};

/** Puts a raw field where it belongs; the first of a name counts. */
const put = (event: EventDraft, key: string, value: string): void => {
  const home = Object.hasOwn(HOMES, key) ? HOMES[key] : undefined;
  if (home === 'process.pid' || home === 'process.parent.pid') {
    if (event[home] === undefined && numberOf(value) !== undefined) {
      event[home] = numberOf(value);
      return;
    }
    if (String(event[home]) === value) return;
  } else if (home !== undefined && event[home] === undefined && value !== UNSET) {
    (event as Record<string, unknown>)[home] = clip(value);
    return;
  } else if (home !== undefined && String(event[home]) === value) return;
  const extra = event['vigil.extra'];
  if (extra === undefined || extra[`auditd.${key}`] === undefined) setExtra(event, `auditd.${key}`, value);
};

/** Fields that hold for the whole event. Arguments, files and sockets have places of their own. */
const putAll = (event: EventDraft, { head, data }: AuditRecord, isJoin: boolean): void => {
  if (head.type === 'SOCKADDR' || (isJoin && head.type === 'PATH')) return;
  for (const [key, value] of data) {
    if (key === 'result' || (isJoin && key === 'items')) continue;
    if (head.type === 'EXECVE' && key !== 'argc') continue;
    put(event, key, value);
  }
};

const setOutcome = (event: EventDraft, result: string | undefined): void => {
  if (result !== undefined) event['event.outcome'] = result === 'success' ? 'success' : 'failure';
};

/** Records about an account that another process speaks of: `uid` is that process's, not the account's. */
const ABOUT_LOGIN = /^(?:USER_(?:LOGIN|LOGOUT|START|END|AUTH|ACCT|ERR|CHAUTHTOK)|CRED_\w+|CRYPTO_\w+|ANOM_LOGIN_\w+)$/;
const ABOUT_USER = /^(?:ADD|DEL)_USER$|^USER_(?:MGMT|CHAUTHTOK)$|^ACCT_/;
const ABOUT_GROUP = /^(?:(?:ADD|DEL)_GROUP|GRP_\w+)$/;

const known = (name: string | undefined): name is string => name !== undefined && name !== 'unset' && !name.startsWith('unknown(');

/** Who it was: the account that a trusted program named, else names that the daemon looked up, else root by its number. */
const setUsers = (event: EventDraft, type: string, data: Data, names: AuditRecord['names']): void => {
  const account = data.get('acct');
  const acct = account === '(unknown)' || account === '(unknown user)' ? undefined : account;
  const id = data.get('id');
  const named = known(names?.get('ID')) ? names?.get('ID') : undefined;
  const login = names?.get('AUID');
  if (ABOUT_GROUP.test(type)) {
    if (id !== undefined) event['group.id'] = id;
    event['group.name'] = data.get('grp') ?? acct ?? named;
  } else if (ABOUT_USER.test(type)) {
    if (id !== undefined) event['user.target.id'] = id;
    const target = acct ?? named;
    if (target !== undefined) {
      event['user.target.name'] = target;
      addUser(event, target);
    }
  }
  if (ABOUT_LOGIN.test(type) && !ABOUT_USER.test(type)) {
    if (id !== undefined && event['user.id'] !== id) {
      if (event['user.id'] !== undefined) setExtra(event, 'auditd.uid', event['user.id']);
      event['user.id'] = id;
    }
    setUser(event, acct ?? named ?? '');
  } else if (known(names?.get('UID'))) setUser(event, names?.get('UID') ?? '');
  else if (event['user.id'] === '0') setUser(event, 'root');
  const effective = names?.get('EUID');
  if (known(effective)) event['user.effective.name'] = effective;
  else if (event['user.effective.id'] === '0') event['user.effective.name'] = 'root';
  if (event['user.effective.name'] !== undefined) addUser(event, event['user.effective.name']);
  if (known(login)) {
    setExtra(event, 'auditd.auid_name', login);
    addUser(event, login);
  }
};

/** The peer that a trusted program names. */
const setPeer = (event: EventDraft, type: string, data: Data): void => {
  const addr = data.get('addr');
  const hostname = data.get('hostname');
  if (addr !== undefined && ipOf(addr) !== undefined) setSource(event, addr, data.get('rport'));
  else if (hostname !== undefined && ipOf(hostname) !== undefined) setSource(event, hostname);
  // Tools that are run on the host name the host itself.
  if (hostname !== undefined && ipOf(hostname) === undefined && ABOUT_LOGIN.test(type)) event['source.domain'] = hostname.slice(0, 253);
};

const setPaths = (event: EventDraft, paths: readonly Data[], isJoin: boolean): void => {
  const main = mainPath(paths);
  if (main === undefined) return;
  const cwd = event['process.working_directory'];
  event['file.path'] = clip(absolute(main.get('name') ?? '', cwd));
  event['file.inode'] = main.get('inode');
  event['file.mode'] = permissions(main.get('mode'));
  event['file.uid'] = main.get('ouid');
  event['file.gid'] = main.get('ogid');
  // The fields of a single record stand by their own names.
  if (!isJoin) return;
  const names = new Set<string>();
  for (const path of paths) {
    const name = path.get('name');
    if (name !== undefined) names.add(name).add(absolute(name, cwd));
  }
  setExtra(event, 'auditd.names', [...names].map((name) => name.replaceAll('\n', '\\n')).join('\n'));
  setExtra(event, 'auditd.nametypes', [...new Set(kindsOf(paths))].filter((kind) => kind !== '').join('\n'));
  setExtra(event, 'auditd.paths', JSON.stringify(paths.slice(0, PATHS_KEPT).map((path) => Object.fromEntries(path))));
};

const INCOMING = new Set(['accept', 'accept4', 'recvfrom', 'recvmsg']);
const OUTGOING = new Set(['connect', 'sendto', 'sendmsg']);

/** Gives false for a socket that is no peer on a network. */
const setSocket = (event: EventDraft, data: Data, call: string | undefined): boolean => {
  for (const [key, value] of data) setExtra(event, `auditd.socket_${key}`, value);
  const addr = data.get('addr');
  const path = data.get('path');
  if (path !== undefined && path !== '@') event['file.path'] ??= path;
  if (addr === undefined) return false;
  if (call === undefined || OUTGOING.has(call)) setDestination(event, addr, data.get('port'));
  else if (INCOMING.has(call)) setSource(event, addr, data.get('port'));
  else return true;
  event['network.type'] = data.get('family');
  event['network.direction'] = INCOMING.has(call ?? '') ? 'ingress' : 'egress';
  setExtra(event, 'auditd.initiated', String(!INCOMING.has(call ?? '')));
  return true;
};

const setCommand = (event: EventDraft, args: readonly string[]): void => {
  if (args.length === 0) return;
  event['process.args'] = args.map(clip);
  event['process.args_count'] = args.length;
  event['process.command_line'] = clip(args.join(' '));
  if (args[0]?.startsWith('/') === true) event['process.executable'] ??= args[0];
};

/** Category and type of a call by what it did, not by its name alone. */
const setCallClass = (event: EventDraft, call: string, data: Data, paths: readonly Data[], peer: boolean): void => {
  const { category, type } = classOfCall(call);
  const failed = data.get('result') === 'fail';
  const refused = /^(?:EACCES|EPERM)$/.test(data.get('exit') ?? '');
  let kind = type;
  if (category[0] === 'file') {
    const kinds = kindsOf(paths);
    if (failed) kind = refused ? DENIED : INFO;
    else if (type.includes('change')) kind = type;
    else if (kinds.includes('CREATE')) kind = FILE_CREATED;
    else if (kinds.includes('DELETE')) kind = FILE_DELETED;
    else if (opensForChange(call, data)) kind = FILE_CHANGED;
  } else if (category[0] === 'network') {
    if (!peer && call !== 'listen' && call !== 'bind') kind = INFO;
  } else if (failed && type.includes('start')) kind = refused ? DENIED : INFO;
  event['event.category'] = event['event.category'] === undefined ? category : joined(event['event.category'], category);
  event['event.type'] = event['event.type'] === undefined ? kind : joined(event['event.type'], kind);
};

/** Makes the event of records that belong together. There is at least one. */
export const eventOfRecords = (frame: Frame, records: readonly AuditRecord[]): EventDraft => {
  const first = records[0] as AuditRecord;
  const isJoin = records.length > 1;
  frame.time = first.head.time;
  frame.quality = undefined;
  const event = auditEvent(frame);
  event['event.sequence'] = first.head.sequence;
  if (first.head.node !== undefined) setExtra(event, 'auditd.node', first.head.node);
  const main = records.find(({ head }) => head.type === 'SYSCALL') ?? first;
  const { type } = first.head.type === 'EXECVE' || first.head.type === 'CWD' || first.head.type === 'PATH' ? main.head : first.head;
  event['event.code'] = type;
  event['process.name'] = undefined;
  event['process.pid'] = undefined;
  putAll(event, main, isJoin);

  const paths: Data[] = [];
  const executed: Data[] = [];
  let socket: Data | undefined;
  const types = new Set<string>();
  const keys = new Set<string>();
  for (const record of records) {
    types.add(record.head.type);
    for (const key of record.keys) keys.add(clip(key));
    if (record.head.type === 'PATH') paths.push(record.data);
    else if (record.head.type === 'EXECVE') executed.push(record.data);
    else if (record.head.type === 'SOCKADDR') socket = record.data;
    if (record !== main) putAll(event, record, isJoin);
  }
  if (types.size > 1) setExtra(event, 'auditd.types', [...types].join('\n'));
  if (keys.size > 0) event['tags'] = [...keys];

  const result = main.data.get('result') ?? first.data.get('result');
  // Of an anomaly it says that it was recorded.
  if (!type.startsWith('ANOM_') || main !== first) setOutcome(event, result);
  const peer = setClass(event, type, main, first.data, socket);
  if (result !== undefined && /^(?:USER_)?AVC$/.test(type)) setExtra(event, 'auditd.result', result);
  const call = main.data.get('syscall');
  if (call !== undefined && type !== 'SECCOMP') setCallClass(event, call, main.data, paths, peer);
  setCommand(event, argumentsOf(executed));
  const title = event['process.title'];
  const said = records.find(({ data }) => data.has('cmd'))?.data.get('cmd');
  event['process.command_line'] ??= said === undefined ? title : clip(said);
  setPaths(event, paths, isJoin);
  const users = first === main || !first.data.has('acct') ? main : first;
  setUsers(event, type, users.data, main.names ?? first.names);
  if (type !== 'SOCKADDR' && type !== 'SYSCALL') setPeer(event, type, first.data);
  return event;
};

const setClass = (event: EventDraft, type: string, main: AuditRecord, special: Data, socket: Data | undefined): boolean => {
  const call = main.data.get('syscall');
  if (type === 'SYSCALL') event['event.action'] = call === undefined || /^\d/.test(call) ? 'syscall' : call;
  else {
    const known = type === 'AVC' || type === 'USER_AVC' ? classOfDecision(event, special) : classOfRecord(type);
    event['event.action'] = known.action;
    event['event.category'] = known.category;
    event['event.type'] = known.type;
  }
  const op = special.get('op');
  if (op !== undefined) event['event.reason'] = clip(op);
  return socket === undefined ? false : setSocket(event, socket, call);
};

/** What SELinux or AppArmor decided; the outcome is theirs, what the call came to is kept as `auditd.result`. */
const classOfDecision = (event: EventDraft, data: Data): Class => {
  const decision = (data.get('seresult') ?? data.get('apparmor') ?? '').toLowerCase();
  if (decision === 'status') return classOfRecord('APPARMOR_STATUS');
  if (decision === 'denied') event['event.outcome'] = 'failure';
  else if (decision === 'granted' || decision === 'allowed') event['event.outcome'] = 'success';
  return classOfRecord(decision === 'denied' || decision === '' ? 'AVC' : 'APPARMOR_AUDIT');
};
