// SPDX-License-Identifier: Apache-2.0
/**
 * One record of the Linux audit system, as auditd, audisp or the kernel's log write it; joining records of one event comes later.
 * Input: `type=SYSCALL msg=audit(1684329817.579:2995): key=value …`. Output: a process event; all raw fields under `auditd.*`.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setDestination, setSource, setUser } from '../address.ts';
import { clip, setExtra, wellFormed } from '../build.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { eachPair } from '../kv.ts';
import { processEvent } from '../shape.ts';
import { readEpoch, stamp } from '../time.ts';
import { readSocketAddress } from './sockaddr.ts';
import { syscallName } from './syscall.ts';

const PROCESS: readonly string[] = ['process'];
const LOGIN: readonly string[] = ['authentication'];
const SESSION: readonly string[] = ['session'];
const FILE: readonly string[] = ['file'];
const IAM: readonly string[] = ['iam'];
const HOST: readonly string[] = ['host'];
const NETWORK: readonly string[] = ['network'];
const CONFIGURATION: readonly string[] = ['configuration'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const INFO: readonly string[] = ['info'];
const CHANGE: readonly string[] = ['change'];
const DENIED: readonly string[] = ['denied'];
const ERROR: readonly string[] = ['error'];
const CREATION: readonly string[] = ['user', 'creation'];
const DELETION: readonly string[] = ['user', 'deletion'];
const USER_CHANGE: readonly string[] = ['user', 'change'];

type Class = readonly [action: string, category: readonly string[], type: readonly string[]];

const CLASSES: Readonly<Record<string, Class>> = {
  SYSCALL: ['syscall', PROCESS, INFO],
  EXECVE: ['process-start', PROCESS, START],
  PROCTITLE: ['process-title', PROCESS, INFO],
  CWD: ['process-directory', PROCESS, INFO],
  PATH: ['file-access', FILE, INFO],
  SOCKADDR: ['socket-address', NETWORK, INFO],
  USER_AUTH: ['authentication', LOGIN, START],
  USER_LOGIN: ['login', LOGIN, START],
  USER_ERR: ['authentication', LOGIN, START],
  USER_ACCT: ['account-check', LOGIN, INFO],
  USER_START: ['session-start', SESSION, START],
  USER_END: ['session-end', SESSION, END],
  USER_LOGOUT: ['logout', SESSION, END],
  USER_CMD: ['sudo-command', PROCESS, START],
  USER_CHAUTHTOK: ['password-change', IAM, USER_CHANGE],
  USER_MGMT: ['user-change', IAM, USER_CHANGE],
  ADD_USER: ['user-add', IAM, CREATION],
  DEL_USER: ['user-delete', IAM, DELETION],
  ADD_GROUP: ['group-add', IAM, CREATION],
  DEL_GROUP: ['group-delete', IAM, DELETION],
  GRP_MGMT: ['group-change', IAM, USER_CHANGE],
  CRED_ACQ: ['credentials-acquire', LOGIN, INFO],
  CRED_DISP: ['credentials-dispose', LOGIN, INFO],
  CRED_REFR: ['credentials-refresh', LOGIN, INFO],
  LOGIN: ['login-identity', SESSION, INFO],
  SERVICE_START: ['service-start', PROCESS, START],
  SERVICE_STOP: ['service-stop', PROCESS, END],
  SYSTEM_BOOT: ['host-boot', HOST, START],
  SYSTEM_SHUTDOWN: ['host-shutdown', HOST, END],
  CONFIG_CHANGE: ['audit-config-change', CONFIGURATION, CHANGE],
  DAEMON_START: ['auditd-start', HOST, START],
  DAEMON_END: ['auditd-end', HOST, END],
  DAEMON_ABORT: ['auditd-abort', HOST, ERROR],
  DAEMON_CONFIG: ['audit-config-change', CONFIGURATION, CHANGE],
  AVC: ['access-check', PROCESS, DENIED],
  USER_AVC: ['access-check', PROCESS, DENIED],
  SELINUX_ERR: ['access-check', PROCESS, ERROR],
  ANOM_ABEND: ['process-crash', PROCESS, ERROR],
  ANOM_PROMISCUOUS: ['promiscuous-mode', NETWORK, CHANGE],
  ANOM_LOGIN_FAILURES: ['login-failures', LOGIN, DENIED],
  MAC_STATUS: ['selinux-mode-change', CONFIGURATION, CHANGE],
  MAC_POLICY_LOAD: ['selinux-policy-load', CONFIGURATION, CHANGE],
  TTY: ['terminal-input', PROCESS, INFO],
  USER_TTY: ['terminal-input', PROCESS, INFO],
};

/** Fields that the kernel writes as hexadecimal when they hold odd characters. */
const HEXED = new Set([
  'proctitle',
  'comm',
  'exe',
  'cwd',
  'name',
  'cmd',
  'acct',
  'data',
  'path',
  'key',
  'dir',
  'file',
  'old',
  'new',
  'grp',
]);
const EVEN_HEX = /^(?:[0-9A-F]{2})+$/;

/** A bare value of such a field, decoded; NULs between arguments become blanks. */
const plainValue = (key: string, value: string, quote: number): string => {
  if (quote !== 0 || value.length < 2 || !(HEXED.has(key) || /^a\d{1,4}$/.test(key)) || !EVEN_HEX.test(value)) return value;
  // `a0=3` of a SYSCALL record is an argument, not text: only quoted or even, longer hexadecimal of text fields is.
  return wellFormed(Buffer.from(value, 'hex').toString('utf8').replace(/\0+$/, '').replaceAll('\0', ' '));
};

const HEAD = /^(?:node=(\S{1,255}) )?type=([A-Z_0-9]{1,32}|UNKNOWN\[\d{1,5}\]) msg=audit\(/;
const KERNEL_HEAD = /^(?:\[ *\d{1,12}\.\d{1,9}\] )?audit: type=(\d{4}) audit\(/;
const KERNEL_TYPES: Readonly<Record<string, string>> = {
  1300: 'SYSCALL',
  1302: 'PATH',
  1307: 'CWD',
  1309: 'EXECVE',
  1327: 'PROCTITLE',
  1400: 'AVC',
  1701: 'ANOM_ABEND',
  1700: 'ANOM_PROMISCUOUS',
  1305: 'CONFIG_CHANGE',
  1404: 'MAC_STATUS',
  1403: 'MAC_POLICY_LOAD',
};
const UNSET = '4294967295';
const PAIRS = 512;

const setPair = (event: EventDraft, type: string, key: string, value: string): void => {
  switch (key) {
    case 'pid':
      event['process.pid'] = toNumber(value);
      break;
    case 'ppid':
      event['process.parent.pid'] = toNumber(value);
      break;
    case 'uid':
      if (value !== UNSET) event['user.id'] = value;
      break;
    case 'euid':
      event['user.effective.id'] = value;
      break;
    case 'gid':
      event['user.group.id'] = value;
      break;
    case 'exe':
      event['process.executable'] = value;
      break;
    case 'comm':
      event['process.name'] = value;
      break;
    case 'cwd':
      event['process.working_directory'] = value;
      break;
    case 'proctitle':
      event['process.title'] = value;
      event['process.command_line'] = value;
      break;
    case 'cmd':
      event['process.command_line'] = value;
      break;
    case 'exit':
      if (type === 'SYSCALL') setExtra(event, 'auditd.exit', value);
      break;
    case 'name':
      if (type === 'PATH') event['file.path'] = value;
      break;
    case 'inode':
      if (type === 'PATH') event['file.inode'] = value;
      break;
    case 'mode':
      if (type === 'PATH') event['file.mode'] = value;
      break;
    case 'acct':
      if (value !== '(unknown)') setUser(event, value);
      break;
    case 'addr':
      if (value !== '?' && ipOf(value) !== undefined) setSource(event, value);
      break;
    case 'hostname':
      if (value !== '?' && event['source.ip'] === undefined && ipOf(value) !== undefined) setSource(event, value);
      else if (value !== '?' && value !== '') event['source.domain'] ??= value.slice(0, 253);
      break;
    case 'saddr':
      setSocket(event, value);
      break;
    case 'unit':
      event['service.name'] = value;
      break;
    case 'success':
    case 'res':
    case 'result':
      event['event.outcome'] =
        value === 'yes' || value === 'success' || value === '1'
          ? 'success'
          : value === 'no' || value === 'failed' || value === '0'
            ? 'failure'
            : undefined;
      break;
  }
};

/** Where a call went: an address and port, or a Unix socket's path. */
const setSocket = (event: EventDraft, hex: string): void => {
  const address = readSocketAddress(hex);
  if (address?.family === 'inet') setDestination(event, address.ip, String(address.port));
  else if (address?.family === 'unix' && address.path !== '@') event['file.path'] = wellFormed(address.path);
};

const toNumber = (text: string): number | undefined => {
  const value = Number(text);
  return text !== '' && Number.isInteger(value) && value >= 0 ? value : undefined;
};

const decodeAuditd = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const head = HEAD.exec(text.slice(0, 512));
  const kernel = head === null ? KERNEL_HEAD.exec(text.slice(0, 256)) : null;
  const open = head?.[0].length ?? kernel?.[0].length ?? 0;
  // The daemon's own messages leave out the colon.
  const close = text.indexOf(')', open);
  if (open === 0 || close < 0 || close - open > 48 || !readEpoch(text, open)) return null;
  const time = stamp.ms;
  const type = head?.[2] ?? KERNEL_TYPES[kernel?.[1] ?? ''] ?? `UNKNOWN[${kernel?.[1]}]`;
  frame.time = time;
  frame.quality = undefined;
  const event = processEvent(frame);
  const colon = text.lastIndexOf(':', close);
  event['event.sequence'] = toNumber(text.slice(colon + 1, close));
  event['event.code'] = type;
  if (head?.[1] !== undefined) setExtra(event, 'auditd.node', head[1]);
  const [action, category, kind] = CLASSES[type] ?? ['audit-record', HOST, INFO];
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = kind;
  const args: string[] = [];
  let syscall: string | undefined;
  let arch: string | undefined;
  const seen = new Set<string>();
  const visit = (key: string, raw: string, quote: number): undefined => {
    if (key === 'msg' && quote === 39) {
      // The messages of trusted programs hold pairs of their own.
      const op = /^op=(\S{1,64})/.exec(raw);
      if (op?.[1] !== undefined) event['event.reason'] = op[1];
      eachPair(raw, 0, PAIRS, visit);
      return undefined;
    }
    const value = clip(type === 'SYSCALL' && /^a\d$/.test(key) ? raw : plainValue(key, raw, quote));
    // The first of a name counts: later ones stand in text that a user may have chosen.
    if (seen.has(key)) return undefined;
    seen.add(key);
    if (key === 'syscall') syscall = raw;
    else if (key === 'arch') arch = raw;
    if (type === 'EXECVE' && /^a\d{1,4}$/.test(key)) args.push(value);
    else if (value !== '' && value !== '(null)') setExtra(event, `auditd.${key}`, value);
    setPair(event, type, key, value);
    return undefined;
  };
  eachPair(text, close + (text.charCodeAt(close + 1) === 58 ? 2 : 1), PAIRS, visit);
  if (args.length > 0) {
    event['process.args'] = args;
    event['process.args_count'] = args.length;
    event['process.command_line'] = clip(args.join(' '));
    const first = args[0];
    if (first?.startsWith('/')) event['process.executable'] ??= first;
  }
  if (syscall !== undefined) {
    const name = syscallName(arch, syscall);
    event['event.action'] = name;
    if (name === 'execve' || name === 'execveat') event['event.type'] = START;
    setExtra(event, 'auditd.syscall_name', name);
  }
  if (type === 'AVC' && / granted /.test(text.slice(close, close + 64))) event['event.outcome'] = 'success';
  else if (type === 'AVC') event['event.outcome'] = 'failure';
  return event;
};

export const auditd: Decoder = {
  dataset: 'auditd',
  title: 'Linux audit records, one by one',
  logsource: [{ product: 'linux', service: 'auditd' }],
  emits: [
    'event.outcome',
    'event.reason',
    'event.code',
    'event.sequence',
    'process.pid',
    'process.parent.pid',
    'process.name',
    'process.executable',
    'process.title',
    'process.command_line',
    'process.args',
    'process.args_count',
    'process.working_directory',
    'user.id',
    'user.effective.id',
    'user.group.id',
    'user.name',
    'related.user',
    'file.path',
    'file.inode',
    'file.mode',
    'service.name',
    'destination.ip',
    'destination.port',
    'source.ip',
    'source.address',
    'source.domain',
    'related.ip',
    'vigil.extra',
  ],
  programs: ['audispd', 'auditd', 'audisp-syslog', 'audit', 'kernel'],
  form: 'line',
  knows: (text) => HEAD.test(text.slice(0, 320)),
  decode: decodeAuditd,
};
