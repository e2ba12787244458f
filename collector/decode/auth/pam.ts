// SPDX-License-Identifier: Apache-2.0
/**
 * PAM modules speaking inside other programs: failures, sessions, passwords, locks.
 * Input: a message that begins with `pam_x(service:type): ` or came under a tag such as `su(pam_unix)`. Output: an auth event.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';

const LOGIN: readonly string[] = ['authentication'];
const SESSION: readonly string[] = ['session'];
const IAM: readonly string[] = ['iam'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const INFO: readonly string[] = ['info'];
const DENIED: readonly string[] = ['denied'];
const CHANGE: readonly string[] = ['user', 'change'];
const FORGED: readonly string[] = ['forged-source'];

const HEAD = /^\(?(pam_\w{1,40})(?:\(([^:()]{0,64})(?::(\w{1,16}))?\)|\))?(?:\[\d{1,10}\])?:? /;
const LOGNAME =
  /^(?:PAM )?(?:(\d{1,6}) more )?(authentication (?:failure|failures|error|success)); (?:logname=.*? uid=(\d{1,10}) euid=\d{1,10} tty=.*? ruser=)/s;

/** True when a message is a module's, whatever program sent it. */
export const isPam = (program: string, text: string): boolean =>
  text.startsWith('pam_') || text.startsWith('(pam_') || program.includes('(pam_') || text.startsWith('PAM ');

interface Peer {
  readonly remote: string;
  readonly user: string;
  readonly forged: boolean;
}

/** `RUSER rhost=HOST[ user=NAME]`: the two names are a client's, so a second ` rhost=` that reads as well makes both doubtful. */
const readPeer = (text: string): Peer => {
  let chosen: Peer | null = null;
  let tries = 0;
  for (let at = text.indexOf(' rhost='); at >= 0 && tries < 16; at = text.indexOf(' rhost=', at + 7), tries++) {
    const blank = text.indexOf(' ', at + 7);
    const end = blank < 0 ? text.length : blank;
    const rest = text.slice(end).trim();
    if (rest !== '' && !rest.startsWith('user=') && !rest.startsWith(': ')) continue;
    const found: Peer = { remote: text.slice(at + 7, end), user: rest.startsWith('user=') ? rest.slice(5) : '', forged: false };
    if (chosen !== null && chosen.remote !== found.remote) return { ...found, forged: true };
    chosen = found;
  }
  return chosen ?? { remote: '', user: '', forged: false };
};

const OPENED = /^session opened for user (.*?)(?:\(uid=(\d{1,10})\))? by (?:(\S*?)\(uid=(\d{1,10})\)|(\S*))/s;
const CLOSED = /^session closed for user (.*)$/s;
const CHANGED = /^password changed for (.*)$/s;
const UNIDENTIFIED = /^auth could not identify password for \[(.*)\]$/s;
const BAD_NAME = /^bad username \[(.*)\]$/s;
const RECEIVED = /^received for user (.*): (\d{1,3}) \((.*)\)$/s;
const LOCKED =
  /^(?:Consecutive login failures for user (.*) account temporarily locked|user (.*) \(\d{1,10}\) tally \d{1,10}, deny \d{1,10})$/s;
const NOT_MET = /^requirement "(.*?)" (?:not met|was not met) by user "(.*)"$/s;
const ACCOUNT = /^account (.*) has (?:expired|password changed in future)/s;

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const decodeBody = (event: EventDraft, body: string, service: string): EventDraft | null => {
  const lines = LOGNAME.exec(body);
  if (lines !== null) {
    const found = readPeer(body.slice(lines[0].length));
    if (found.forged) event.tags = FORGED;
    else setSource(event, found.remote);
    setUser(event, found.user);
    if (lines[3] !== undefined) event['user.id'] = lines[3];
    event['event.reason'] = lines[2];
    if (lines[1] !== undefined) setExtra(event, 'pam.more', lines[1]);
    if (lines[2] === 'authentication success') return act(event, 'pam-authentication', LOGIN, START, 'success');
    // One module of sshd's stack may refuse and the next accept; sshd says itself how the login ended.
    return act(event, 'pam-authentication', LOGIN, START, service === 'sshd' || service === 'ssh' ? 'unknown' : 'failure');
  }
  let match = OPENED.exec(body);
  if (match !== null) {
    setUser(event, match[1] ?? '');
    if (match[2] !== undefined) event['user.id'] = match[2];
    const by = match[3] ?? match[5] ?? '';
    if (by !== '') event['user.effective.name'] = by;
    if (match[4] !== undefined) event['user.effective.id'] = match[4];
    return act(event, 'session-start', SESSION, START, 'success');
  }
  if ((match = CLOSED.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    return act(event, 'session-end', SESSION, END, 'success');
  }
  if ((match = CHANGED.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    return act(event, 'password-change', IAM, CHANGE, 'success');
  }
  if ((match = UNIDENTIFIED.exec(body)) !== null || (match = BAD_NAME.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    event['event.reason'] = body.startsWith('bad') ? 'bad username' : 'no password';
    return act(event, 'pam-authentication', LOGIN, START, 'failure');
  }
  if ((match = RECEIVED.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    event['event.reason'] = match[3];
    return act(event, 'pam-authentication', LOGIN, INFO, 'unknown');
  }
  if ((match = LOCKED.exec(body)) !== null) {
    setUser(event, match[1] ?? match[2] ?? '');
    return act(event, 'account-locked', LOGIN, DENIED, 'failure');
  }
  if ((match = NOT_MET.exec(body)) !== null) {
    setUser(event, match[2] ?? '');
    event['event.reason'] = match[1];
    return act(event, 'pam-denied', LOGIN, DENIED, 'unknown');
  }
  if ((match = ACCOUNT.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    event['event.reason'] = 'account expired';
    return act(event, 'pam-denied', LOGIN, DENIED, 'failure');
  }
  if (body.startsWith('check pass; user unknown')) {
    event['event.reason'] = 'user unknown';
    return act(event, 'pam-check', LOGIN, INFO, 'unknown');
  }
  if (body.startsWith('conversation failed')) return act(event, 'pam-check', LOGIN, INFO, 'unknown');
  return null;
};

const decodePam = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const head = HEAD.exec(text);
  const program = frame.program ?? '';
  const paren = program.indexOf('(');
  const body = (head === null ? text : text.slice(head[0].length)).replace(/ \[preauth\]$/, '');
  const service = head?.[2] ?? (paren > 0 ? program.slice(0, paren) : program);
  if (paren > 0) frame.program = program.slice(0, paren);
  const event = authEvent(frame);
  event['message'] = text;
  if (service !== '') event['service.name'] = service;
  const module = head?.[1] ?? (paren > 0 ? program.slice(paren + 1, -1) : undefined);
  if (module !== undefined) event['event.code'] = module;
  const done = decodeBody(event, body, service);
  if (done !== null) return done;
  frame.outcome = 'partial';
  return event;
};

export const pam: Decoder = {
  dataset: 'pam',
  title: 'PAM modules inside other programs',
  logsource: [
    { product: 'linux', service: 'auth' },
    { product: 'linux', service: 'pam' },
  ],
  emits: [
    'message',
    'service.name',
    'event.code',
    'event.outcome',
    'event.reason',
    'user.name',
    'user.id',
    'user.effective.name',
    'user.effective.id',
    'related.user',
    'source.ip',
    'source.address',
    'source.domain',
    'related.ip',
    'tags',
    'vigil.extra',
  ],
  form: 'message',
  decode: decodePam,
};
