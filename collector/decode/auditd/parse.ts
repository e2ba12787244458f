// SPDX-License-Identifier: Apache-2.0
/**
 * One audit record to its fields: quotes, hexadecimal, numbers and contexts read as the kernel and its daemons wrote them.
 * Input: `type=SYSCALL msg=audit(1684329817.579:2995): key=value …`, bare or behind a header. Output: head and normalized fields.
 */
import { ipOf } from '../address.ts';
import { wellFormed } from '../build.ts';
import { eachPair } from '../kv.ts';
import { readEpoch, stamp } from '../time.ts';
import { archName, exitName, numberOfType, signalName, typeOfNumber } from './names.ts';
import { readSocketAddress } from './sockaddr.ts';
import { syscallName } from './syscall.ts';

/** The beginning of a record: which event of the audit system it belongs to. */
export interface Head {
  readonly type: string;
  readonly node: string | undefined;
  /** Event time in ms. */
  readonly time: number;
  readonly sequence: number;
  /** Node, time and serial: the same for all records of one event. */
  readonly key: string;
  /** Where the fields begin. */
  readonly body: number;
}

export interface AuditRecord {
  readonly head: Head;
  /** Fields by the names of the audit system; `res` and `success` are `result`, contexts and addresses are taken apart. */
  readonly data: ReadonlyMap<string, string>;
  /** Keys of the rules that asked for the record. */
  readonly keys: readonly string[];
  /** Names that the daemon looked up, by upper-case field name. */
  readonly names: ReadonlyMap<string, string> | undefined;
}

const HEAD = /^ {0,16}(?:node=(\S{1,255}) )?type=([A-Z][A-Z_0-9]{0,31}|UNKNOWN\[\d{1,5}\]) msg=audit\(/;
const KERNEL_HEAD = /^(?:\[ *\d{1,12}\.\d{1,9}\] )?(?:audit: )?type=(\d{4}) (?:msg=)?audit\(/;

/** True when the text can be nothing else than an audit record. Cheap. */
export const isAudit = (text: string): boolean => HEAD.test(text) || KERNEL_HEAD.test(text);

/** Reads the head of a record; undefined when the text is none. Looks at its first 640 characters only. */
export const readHead = (text: string): Head | undefined => {
  const short = text.length > 640 ? text.slice(0, 640) : text;
  const head = HEAD.exec(short);
  const kernel = head === null ? KERNEL_HEAD.exec(short) : null;
  const open = head?.[0].length ?? kernel?.[0].length ?? 0;
  if (open === 0) return undefined;
  const close = short.indexOf(')', open);
  if (close < 0 || close - open > 48 || !readEpoch(short, open)) return undefined;
  const time = stamp.ms;
  const sequence = Number(short.slice(short.lastIndexOf(':', close) + 1, close));
  if (!Number.isSafeInteger(sequence) || sequence < 0) return undefined;
  const node = head?.[1];
  return {
    type: head?.[2] === undefined ? typeOfNumber(Number(kernel?.[1])) : named(head[2]),
    node,
    time,
    sequence,
    key: `${node ?? ''} ${short.slice(open, close)}`,
    // The daemon's own messages leave out the colon.
    body: close + (short.charCodeAt(close + 1) === 58 ? 2 : 1),
  };
};

/** `UNKNOWN[1420]` is a type that the daemon did not know and we may. */
const named = (type: string): string => (type.startsWith('UNKNOWN[') ? typeOfNumber(numberOfType(type)) : type);

const PAIRS = 4_096;
const SEPARATOR = '\u001d';
const EVEN_HEX = /^(?:[0-9A-F]{2})+$/;
/** Fields whose writers encode odd characters. Unquoted and even, they are hexadecimal. */
const HEXED = new Set('proctitle comm exe cwd name cmd acct path key dir file grp vm profile invalid_context watch'.split(' '));
const TYPED = new Set(['TTY', 'USER_TTY']);
const ARGUMENT = /^a\d{1,4}$/;
const ARGUMENT_PART = /^a\d{1,4}(?:_len|\[\d{1,4}\])$/;
const CONTEXT_PARTS = ['_user', '_role', '_domain', '_level', '_category'] as const;
const UNSET = '4294967295';

/** Hexadecimal to text; NULs at the end go, those between arguments become blanks. */
export const unhex = (hex: string): string =>
  wellFormed(Buffer.from(hex, 'hex').toString('utf8').replace(/\0+$/, '').replaceAll('\0', ' '));

export const isHex = (text: string): boolean => text.length >= 2 && EVEN_HEX.test(text);

/** Parses what stands behind the head. Never throws; linear in the text. */
export const parseRecord = (text: string, head: Head): AuditRecord => {
  const { type } = head;
  const separator = text.lastIndexOf(SEPARATOR);
  const end = separator > head.body ? separator : text.length;
  const data = new Map<string, string>();
  let keys: readonly string[] = [];
  const isArgs = type === 'EXECVE';
  const isTyped = TYPED.has(type);
  const set = (key: string, value: string): void => {
    // The first of a name counts: later ones stand in text that a user may have chosen.
    if (!data.has(key)) data.set(key, value);
  };
  const visit = (raw: string, value: string, quote: number): undefined => {
    const key = raw.charCodeAt(0) === 40 ? raw.slice(1) : raw;
    const trimmed = quote === 0 ? bare(value) : value.trim();
    if (trimmed === '' || trimmed === '?' || trimmed === '(null)') return undefined;
    if (key === 'key') {
      keys = keysOf(trimmed, quote);
      return undefined;
    }
    if (quote === 0 && (HEXED.has(key) || (isArgs && ARGUMENT.test(key)) || (isTyped && key === 'data')) && isHex(trimmed))
      set(key, unhex(trimmed));
    // A part of a long argument may end inside a character: parts are decoded when they are put together.
    else if (isArgs && quote !== 0 && ARGUMENT_PART.test(key)) set(key, Buffer.from(trimmed).toString('hex').toUpperCase());
    else set(key, trimmed);
    return undefined;
  };
  const body = normalize(text.slice(head.body, end), type, set);
  // The message of a trusted program is the last field. It may hold a quote of its own: the last one ends it.
  const inner = body.indexOf("msg='");
  if (inner >= 0 && (inner === 0 || body.charCodeAt(inner - 1) === 32)) {
    eachPair(body.slice(0, inner), 0, PAIRS, visit);
    const last = body.lastIndexOf("'");
    eachPair(body.slice(inner + 5, last > inner + 4 ? last : body.length), 0, PAIRS, visit);
  } else eachPair(body, 0, PAIRS, visit);
  interpret(data, type);
  return { head, data, keys, names: separator > head.body ? namesOf(text.slice(separator + 1)) : undefined };
};

/** A bare value without what a sentence puts behind it: `?,`, `success)`, a stray quote. */
const bare = (value: string): string => {
  let end = value.length;
  for (let i = 0; i < end; i++) {
    const code = value.charCodeAt(i);
    if (code === 34 || code === 39) end = i;
  }
  while (end > 0 && value.charCodeAt(end - 1) === 44) end--;
  if (end > 1 && value.charCodeAt(end - 1) === 41 && value.charCodeAt(0) !== 40) end--;
  return end === value.length ? value : value.slice(0, end);
};

const DECISION = /^ *avc: +(\w{1,16}) +\{ *([^{}]{0,1024}?) *\} +for +/;

/** Sentences that hold values outside of pairs. */
const normalize = (body: string, type: string, set: (key: string, value: string) => void): string => {
  if (type === 'AVC' || type === 'USER_AVC') {
    const decision = DECISION.exec(body.slice(0, 1_200));
    if (decision === null) return body;
    set('seresult', decision[1] ?? '');
    set('seperms', (decision[2] ?? '').split(/ +/).join(','));
    return body.slice(decision[0].length);
  }
  if (type === 'LOGIN') return body.replace(/\b(old|new) (auid|ses)=/g, '$1_$2=');
  return body;
};

/** `key="exec"`, `key="key=exec"`, or hexadecimal of several with \x01 between. */
const keysOf = (value: string, quote: number): readonly string[] => {
  if (quote === 0 && isHex(value)) return unhex(value).split('\u0001').slice(0, 64);
  return [value.startsWith('key=') ? value.slice(4) : value];
};

/** Upper-case pairs behind the separator, as `log_format = ENRICHED` writes them. */
const namesOf = (text: string): ReadonlyMap<string, string> => {
  const names = new Map<string, string>();
  eachPair(text, 0, 64, (key, value, quote) => {
    if (value !== '' && !names.has(key)) names.set(key, quote === 0 && isHex(value) && key !== 'SYSCALL' ? unhex(value) : value);
    return undefined;
  });
  return names;
};

type Data = Map<string, string>;

const interpret = (data: Data, type: string): void => {
  for (const id of ['auid', 'old-auid', 'ses'] as const) {
    const value = data.get(id);
    if (value === UNSET || value === '-1') data.set(id, 'unset');
  }
  splitContext(data, 'subj');
  if (type === 'PATH') splitContext(data, 'obj');
  const success = data.get('success') ?? data.get('res');
  if (success !== undefined) {
    data.delete(data.has('success') ? 'success' : 'res');
    const low = success.toLowerCase();
    data.set('result', low === 'yes' || low === '1' || low.startsWith('suc') ? 'success' : 'fail');
  }
  const exit = data.get('exit');
  if (exit !== undefined) data.set('exit', exitName(exit));
  if (type === 'SYSCALL' || type === 'SECCOMP') {
    const call = data.get('syscall');
    if (call !== undefined) data.set('syscall', syscallName(data.get('arch'), call));
    const arch = data.get('arch');
    if (arch !== undefined) data.set('arch', archName(arch));
  }
  if (type === 'SECCOMP' || type === 'ANOM_ABEND') {
    const signal = data.get('sig');
    if (signal !== undefined) data.set('sig', signalName(signal));
  }
  if (type === 'SOCKADDR') splitSocket(data);
};

/** `user:role:domain:level:category`; the last part keeps its colons. */
const splitContext = (data: Data, key: string): void => {
  const context = data.get(key);
  if (context === undefined) return;
  data.delete(key);
  const parts = context.split(':');
  for (let i = 0; i < CONTEXT_PARTS.length && i < parts.length; i++)
    data.set(`${key}${CONTEXT_PARTS[i]}`, (i === CONTEXT_PARTS.length - 1 ? parts.slice(i).join(':') : parts[i]) ?? '');
};

const splitSocket = (data: Data): void => {
  const saddr = data.get('saddr');
  const address = saddr === undefined ? undefined : readSocketAddress(saddr);
  if (address === undefined) return;
  if (address.family === 'inet') {
    data.delete('saddr');
    data.set('family', ipOf(address.ip)?.includes(':') === true || address.ip.includes(':') ? 'ipv6' : 'ipv4');
    data.set('addr', address.ip);
    data.set('port', String(address.port));
  } else if (address.family === 'unix') {
    data.delete('saddr');
    data.set('family', 'unix');
    data.set('path', wellFormed(address.path));
  } else data.set('family', address.number === 16 ? 'netlink' : String(address.number));
};
