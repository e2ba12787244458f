// SPDX-License-Identifier: Apache-2.0
/**
 * nginx's error log: `2026/11/24 09:14:02 [error] 29#29: *3 MESSAGE, client: …, server: …, request: "…", host: "…"`.
 * Input: one line. Output: a web event. nginx escapes nothing here, so a user, a path or a referrer may hold a forged tail.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { webEvent } from '../shape.ts';
import { readIso, stamp } from '../time.ts';
import { setSite } from './access.ts';
import { MODSECURITY_FIELDS, setModsecurity } from './modsecurity.ts';
import { REQUEST_FIELDS, setRequest } from './request.ts';

const WEB: readonly string[] = ['web'];
const WEB_LOGIN: readonly string[] = ['authentication', 'web'];
const ERROR: readonly string[] = ['error'];
const DENIED: readonly string[] = ['access', 'denied'];
const START: readonly string[] = ['start'];

const KEYS = 'client|server|request|subrequest|upstream|host|referrer|login|client|bytes from/to client|bytes from/to upstream|TLS|while';
const PAIR = new RegExp(`, (${KEYS}): (?:"([^"]*)"|([^",]*))`, 'y');

interface Tail {
  readonly at: number;
  readonly client: string;
  readonly pairs: ReadonlyMap<string, string>;
  /** The pairs reach the end of the line. */
  readonly whole: boolean;
  /** A text of the client's choice had begun before the pairs broke off. */
  readonly free: boolean;
}

/** Reads the pairs behind one `, client: `. */
const tailAt = (text: string, at: number): Tail => {
  const pairs = new Map<string, string>();
  let p = at;
  let free = false;
  PAIR.lastIndex = p;
  for (let match = PAIR.exec(text); match !== null; match = PAIR.exec(text)) {
    const key = match[1] ?? '';
    if (!pairs.has(key)) pairs.set(key, match[2] ?? match[3] ?? '');
    if (key === 'referrer') free = true;
    p = PAIR.lastIndex;
  }
  if (!pairs.has('host') && text.startsWith(', request: "', p)) free = true;
  return { at, client: pairs.get('client') ?? '', pairs, whole: p >= text.length, free };
};

/**
 * The tail that the server wrote, or 'forged' when two readings are possible. A forgery in the user or path comes before
 * the true tail and breaks off where the message goes on; one in the referrer comes after it.
 */
const trueTail = (text: string): Tail | 'forged' | null => {
  const first = text.indexOf(', client: ');
  if (first < 0) return null;
  const tails: Tail[] = [];
  for (let at = first; at >= 0 && tails.length < 16; at = text.indexOf(', client: ', at + 10)) tails.push(tailAt(text, at));
  const [only] = tails;
  if (only !== undefined && (tails.length === 1 || tails.every((tail) => tail.client === only.client))) return only;
  for (const tail of tails) {
    if (tail.whole) return tail;
    if (tail.free) return 'forged';
  }
  return 'forged';
};

const HEAD = /^\[(\w{1,12})\] (\d{1,10})#(\d{1,10}): (?:\*(\d{1,20}) )?/;
const USER = /^user "(.*)"(?::? was not found in ".*"|: password mismatch)$/s;
const PAM = /^PAM: user '(.*)' - not authenticated/s;

/** What the message says happened. */
const judge = (event: EventDraft, message: string): void => {
  const user = USER.exec(message) ?? PAM.exec(message);
  if (user !== null) {
    event['event.category'] = WEB_LOGIN;
    event['event.type'] = START;
    event['event.action'] = 'http-login';
    event['event.outcome'] = 'failure';
    event['event.reason'] = message.includes('was not found') ? 'unknown user' : 'password mismatch';
    setUser(event, user[1] ?? '');
  } else if (message.startsWith('no user/password was provided')) {
    event['event.action'] = 'http-login-challenge';
  } else if (message.startsWith('limiting ') || message.startsWith('delaying request')) {
    event['event.type'] = DENIED;
    event['event.action'] = 'http-rate-limit';
    event['event.outcome'] = 'failure';
  } else if (message.startsWith('access forbidden by rule') || message.startsWith('directory index of ')) {
    event['event.type'] = DENIED;
    event['event.action'] = 'http-denied';
    event['event.outcome'] = 'failure';
  } else if (message.includes('SSL_do_handshake() failed')) {
    event['event.action'] = 'tls-handshake';
    event['event.outcome'] = 'failure';
  } else if (message.startsWith('open() "') || message.includes(' is not found (2: No such file')) {
    event['event.action'] = 'http-not-found';
  }
};

const decodeNginxError = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (!readIso(text, 0, frame) || text.charCodeAt(stamp.end) !== 32) return null;
  const time = stamp.ms;
  const quality = stamp.quality;
  const start = stamp.end + 1;
  const head = HEAD.exec(text.slice(start, start + 64));
  if (head === null) return null;
  frame.time = time;
  frame.quality = quality;
  const event = webEvent(frame);
  event['event.category'] = WEB;
  event['event.type'] = ERROR;
  event['event.action'] = 'http-error';
  event['log.level'] = head[1];
  event['process.pid'] = Number(head[2]);
  const body = text.slice(start + head[0].length);
  if (body.length > GRAMMAR_LIMIT) {
    event['error.message'] = body;
    frame.outcome = 'partial';
    return event;
  }
  const tail = trueTail(body);
  const message = tail === null || tail === 'forged' ? body : body.slice(0, tail.at);
  event['error.message'] = message;
  event['message'] = body;
  judge(event, message);
  setModsecurity(event, message);
  if (tail === 'forged') {
    event.tags = ['forged-source'];
    frame.outcome = 'partial';
  } else if (tail !== null) {
    setSource(event, tail.client);
    const request = tail.pairs.get('request');
    if (request !== undefined) setRequest(event, request);
    setSite(event, tail.pairs.get('host') ?? tail.pairs.get('server') ?? '');
    const referrer = tail.pairs.get('referrer');
    if (referrer !== undefined && referrer !== '') event['http.request.referrer'] = referrer;
  }
  return event;
};

export const nginxError: Decoder = {
  dataset: 'nginx.error',
  title: 'nginx error log',
  logsource: [{ product: 'nginx', service: 'error' }, { product: 'nginx' }],
  emits: [
    ...REQUEST_FIELDS,
    ...MODSECURITY_FIELDS,
    'http.request.referrer',
    'log.level',
    'process.pid',
    'error.message',
    'message',
    'event.outcome',
    'event.reason',
    'source.ip',
    'source.address',
    'source.domain',
    'related.ip',
    'user.name',
    'related.user',
    'tags',
  ],
  programs: ['nginx'],
  form: 'line',
  knows: (text) => /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: /.test(text.slice(0, 80)),
  decode: decodeNginxError,
};
