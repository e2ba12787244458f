// SPDX-License-Identifier: Apache-2.0
/**
 * Apache's error log, 2.2 and 2.4: `[stamp] [module:level] [pid 1:tid 2] [client 1.2.3.4:5] AH01618: MESSAGE`.
 * Input: one line, or a syslog message without the stamp. Output: a web event. Only brackets in front of the message are believed.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setSourceWithPort, setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { webEvent } from '../shape.ts';
import { readCtime, stamp } from '../time.ts';
import { setSite } from './access.ts';
import { MODSECURITY_FIELDS, setModsecurity } from './modsecurity.ts';
import { REQUEST_FIELDS, setRequest, setTarget } from './request.ts';

const WEB: readonly string[] = ['web'];
const WEB_LOGIN: readonly string[] = ['authentication', 'web'];
const ERROR: readonly string[] = ['error'];
const DENIED: readonly string[] = ['access', 'denied'];
const START: readonly string[] = ['start'];

const LEVEL = /^\[(?:([\w.-]{0,40}):)?(emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] ?/;
const PROCESS = /^\[pid (\d{1,10})(?::tid (\d{1,20}))?\] ?/;
/** An error code of the runtime, and the file and line that builds for debugging print. */
const NATIVE = /^(?:[\w.-]{1,64}\(\d{1,6}\): )?(?:\(\d{1,6}\)[^[:]{1,160}: )?(?:\[client ([^\]\s]{1,80})\] )?/;
const CODE = /^(AH\d{5}): /;
const REMOTE = /^\[(?:remote|client) ([^\]\s]{1,80})\] /;

const LOGIN_FAILURES: readonly RegExp[] = [
  /^user (.*?):? authentication failure for "(.*?)": /,
  /^user (.*) not found(?:: ([^ ]*))?$/,
  /^Digest: user (.*): password mismatch: (.*)$/,
  /^(?:Digest: )?user `(.*)' in realm `[^`]*' not found: ([^`]*)$/,
  /^user (.*): password mismatch: (.*)$/,
  /^user (.*): authorization failure for "(.*?)":/,
  /^Authorization of user (.*) to access (.*) failed, reason: /,
  /^(?:Digest: )?(?:client|user) (?:.{0,256} )?used wrong authentication scheme(?: [`'].*')?: (.*)$/,
  /^(?:Digest: )?realm mismatch - got /,
  /^(?:Digest: )?invalid nonce .* received - (?:length is not|user attempted time travel)/,
  /^(?:Digest: )?unknown algorithm `|^(?:Digest: )?invalid qop `|^(?:Digest: )?nonce expired/,
];

/** What the message says happened, by its text: codes differ between versions. */
const judge = (event: EventDraft, message: string, module: string): void => {
  for (const pattern of LOGIN_FAILURES) {
    const match = pattern.exec(message);
    if (match === null) continue;
    event['event.category'] = WEB_LOGIN;
    event['event.type'] = START;
    event['event.action'] = message.includes('uthorization') ? 'http-authorization' : 'http-login';
    event['event.outcome'] = 'failure';
    const named = pattern.source.includes('wrong authentication scheme') ? undefined : match[1];
    if (named !== undefined && named !== '') setUser(event, named);
    const target = named === undefined ? match[1] : match[2];
    if (target !== undefined && target !== '') setTarget(event, target);
    return;
  }
  if (message.startsWith('client denied by server configuration')) {
    event['event.type'] = DENIED;
    event['event.action'] = 'http-denied';
    event['event.outcome'] = module === 'evasive20' ? 'unknown' : 'failure';
  } else if (
    message.startsWith('No hostname was provided via SNI') ||
    message.startsWith('SSL handshake ') ||
    message.startsWith('SSL Library Error')
  ) {
    event['event.action'] = 'tls-handshake';
    event['event.outcome'] = message.startsWith('No hostname') ? 'failure' : 'unknown';
  } else if (message.startsWith('Invalid URI in request ')) {
    event['event.action'] = 'http-invalid-request';
    event['event.outcome'] = 'failure';
    setRequest(event, message.slice(23));
  } else if (message.startsWith('File does not exist: ') || message.includes(' not found or unable to stat')) {
    event['event.action'] = 'http-not-found';
  }
};

const decodeApacheError = (frame: Frame): EventDraft | null => {
  let rest = frame.text;
  let time = frame.time;
  let quality = frame.quality;
  if (rest.charCodeAt(0) === 91 && readCtime(rest, 1, frame) && rest.charCodeAt(stamp.end) === 93) {
    time = stamp.ms;
    quality = stamp.quality;
    rest = rest.slice(stamp.end + 1).trimStart();
  }
  const head = rest.slice(0, GRAMMAR_LIMIT);
  const level = LEVEL.exec(head);
  if (level === null) return null;
  frame.time = time;
  frame.quality = quality;
  let p = level[0].length;
  const process = PROCESS.exec(head.slice(p));
  if (process !== null) p += process[0].length;
  const native = NATIVE.exec(head.slice(p));
  let client = native?.[1];
  if (client !== undefined || head.startsWith('(', p)) p += native?.[0].length ?? 0;
  const code = CODE.exec(head.slice(p));
  if (code !== null) p += code[0].length;
  const remote = REMOTE.exec(head.slice(p));
  if (remote !== null) {
    client ??= remote[1];
    p += remote[0].length;
  }
  const event = webEvent(frame);
  event['event.category'] = WEB;
  event['event.type'] = ERROR;
  event['event.action'] = 'http-error';
  event['log.level'] = level[2];
  if (process !== null) event['process.pid'] = Number(process[1]);
  if (code !== null) event['event.code'] = code[1];
  if (client !== undefined) {
    if (client.includes(':')) setSourceWithPort(event, client);
    else setSource(event, client);
  }
  const whole = rest.slice(p);
  const referer = whole.lastIndexOf(', referer: ');
  const message = referer >= 0 ? whole.slice(0, referer) : whole;
  if (referer >= 0) event['http.request.referrer'] = whole.slice(referer + 11);
  event['error.message'] = message;
  event['message'] = rest.slice(p);
  if (message.length > GRAMMAR_LIMIT) {
    frame.outcome = 'partial';
    return event;
  }
  if (setModsecurity(event, message)) {
    const host = /\[hostname "([^"]{1,255})"\]/.exec(message)?.[1];
    if (host !== undefined) setSite(event, host);
    return event;
  }
  judge(event, message, level[1] ?? '');
  return event;
};

export const apacheError: Decoder = {
  dataset: 'apache.error',
  title: 'Apache error log, 2.2 and 2.4',
  logsource: [{ product: 'apache', service: 'error' }, { product: 'apache' }],
  emits: [
    ...REQUEST_FIELDS,
    ...MODSECURITY_FIELDS,
    'http.request.referrer',
    'log.level',
    'process.pid',
    'error.message',
    'message',
    'event.outcome',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'user.name',
    'related.user',
  ],
  programs: ['apache2', 'httpd', 'apache'],
  form: 'line',
  knows: (text) => /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[/.test(text.slice(0, 64)),
  decode: decodeApacheError,
};
