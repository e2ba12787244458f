// SPDX-License-Identifier: Apache-2.0
/**
 * Postfix: refusals, failed logins, protocol abuse, connections, queue and deliveries.
 * Input: the message of a syslog line. Output: a mail event. `from HOST[ADDRESS]` stands before anything the client sent, so the first one counts.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { mailEvent } from '../shape.ts';
import { setOther } from './postfix-other.ts';

const EMAIL: readonly string[] = ['email'];
const LOGIN: readonly string[] = ['authentication', 'email'];
const NETWORK: readonly string[] = ['network', 'email'];
const START: readonly string[] = ['start'];
const DENIED: readonly string[] = ['denied'];
const ERROR: readonly string[] = ['error'];
const INFO: readonly string[] = ['info'];
const CONNECTION: readonly string[] = ['connection'];

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const CLIENT = /^(?:([^\s[\]]{0,255}))?\[([0-9A-Fa-f.:]{2,64}|unknown)\](?::(\d{1,5}))?/;

/** Reads `HOST[ADDRESS][:port]` at a place; gives the place behind it, or -1. */
const setClient = (event: EventDraft, text: string, at: number): number => {
  const match = CLIENT.exec(text.slice(at, at + 384));
  if (match === null) return -1;
  setSource(event, match[2] ?? '', match[3]);
  const host = match[1] ?? '';
  if (host !== '' && host !== 'unknown') event['source.domain'] = host;
  return at + match[0].length;
};

const setEnvelope = (event: EventDraft, text: string): void => {
  const from = /\bfrom=<([^>]{1,320})>/.exec(text);
  if (from?.[1] !== undefined) event['email.from.address'] = [from[1]];
  const to = /\bto=<([^>]{1,320})>/.exec(text);
  if (to?.[1] !== undefined) event['email.to.address'] = [to[1]];
  const helo = /\bhelo=<([^>]{1,255})>/.exec(text);
  if (helo?.[1] !== undefined) setExtra(event, 'smtp.helo', helo[1]);
};

const REJECT = /^(?:NOQUEUE|[0-9A-Za-z]{6,20}): (?:milter-)?(reject|reject_warning|hold|discard|warn|redirect): (\S{1,24}) from /;
const SASL = /: SASL (\S{1,32}) authentication failed:? ?(.*)$/s;
const QUEUE = /^([0-9A-Za-z]{6,20}): (client|from|to|message-id|uid|removed)(?:=(.*))?$/s;

/** The text of a refusal: behind code and enhanced code, up to the `;` of the envelope. */
const reasonOf = (text: string): string => {
  const semi = text.indexOf('; ');
  return (semi < 0 ? text : text.slice(0, semi)).replace(/^: (?:\d{3} )?(?:\d\.\d{1,2}\.\d{1,3} )?(?:<[^>]{0,320}>)?:? ?/, '');
};

const decodeReject = (event: EventDraft, text: string, match: RegExpExecArray): EventDraft => {
  const end = setClient(event, text, match[0].length);
  const rest = end < 0 ? '' : text.slice(end);
  const code = /^: (\d{3}) /.exec(rest);
  if (code?.[1] !== undefined) event['event.code'] = code[1];
  event['event.reason'] = reasonOf(rest);
  setEnvelope(event, rest);
  return act(event, 'smtp-reject', EMAIL, DENIED, match[1] === 'reject' ? 'failure' : 'unknown');
};

const decodeQueue = (event: EventDraft, match: RegExpExecArray): EventDraft => {
  const rest = match[3] ?? '';
  event['event.code'] = match[1];
  switch (match[2]) {
    case 'client': {
      setClient(event, rest, 0);
      const sasl = /, sasl_username=(.{1,320})$/.exec(rest);
      if (sasl?.[1] === undefined) return act(event, 'mail-received', EMAIL, INFO, 'success');
      setUser(event, sasl[1]);
      return act(event, 'smtp-login', LOGIN, START, 'success');
    }
    case 'from':
      setEnvelope(event, `from=${rest}`);
      return act(event, 'mail-queued', EMAIL, INFO, 'success');
    case 'to': {
      setEnvelope(event, `to=${rest}`);
      const status = /\bstatus=(\w{1,16})/.exec(rest)?.[1];
      event['event.reason'] = status;
      return act(event, 'mail-delivery', EMAIL, INFO, status === 'sent' ? 'success' : status === undefined ? undefined : 'failure');
    }
    case 'message-id':
      event['email.message_id'] = rest;
      return act(event, 'mail-message', EMAIL, INFO);
    default:
      return act(event, match[2] === 'removed' ? 'mail-removed' : 'mail-pickup', EMAIL, INFO);
  }
};

/** Words before ` from HOST[ADDRESS]`, and what they mean. Which end of a connection lost it matters: after DATA it is a broken line, not abuse. */
const FROM: readonly (readonly [start: string, action: string, type: readonly string[], outcome: string | undefined])[] = [
  ['improper command pipelining after ', 'smtp-protocol-error', ERROR, 'failure'],
  ['too many errors after ', 'smtp-protocol-error', ERROR, 'failure'],
  ['warning: non-SMTP command from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['warning: Connection rate limit exceeded: ', 'smtp-rate-limit', DENIED, 'failure'],
  ['warning: Connection concurrency limit exceeded: ', 'smtp-rate-limit', DENIED, 'failure'],
  ['warning: Message delivery request rate limit exceeded: ', 'smtp-rate-limit', DENIED, 'failure'],
  ['lost connection after CONNECT ', 'smtp-disconnect', CONNECTION, 'failure'],
  ['lost connection after ', 'smtp-disconnect', CONNECTION, 'unknown'],
  ['timeout after ', 'smtp-disconnect', CONNECTION, 'unknown'],
  ['disconnect from ', 'smtp-disconnect', CONNECTION, undefined],
  ['connect from ', 'smtp-connect', CONNECTION, undefined],
  ['SSL_accept error from ', 'tls-handshake', ERROR, 'failure'],
  ['PREGREET ', 'smtp-pregreet', DENIED, 'failure'],
  ['HANGUP after ', 'smtp-hangup', CONNECTION, 'failure'],
  ['COMMAND TIME LIMIT from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['COMMAND COUNT LIMIT from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['COMMAND LENGTH LIMIT from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['COMMAND PIPELINING from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['NON-SMTP COMMAND from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['BARE NEWLINE from ', 'smtp-protocol-error', ERROR, 'failure'],
  ['DNSBL rank ', 'smtp-dnsbl', DENIED, 'failure'],
  ['CONNECT from ', 'smtp-connect', CONNECTION, undefined],
  ['DISCONNECT ', 'smtp-disconnect', CONNECTION, undefined],
  ['PASS NEW ', 'smtp-pass', INFO, undefined],
  ['PASS OLD ', 'smtp-pass', INFO, undefined],
];

const unknown = (frame: Frame, event: EventDraft): EventDraft => {
  frame.outcome = 'partial';
  event['event.category'] = EMAIL;
  return event;
};

const decodePostfix = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = mailEvent(frame);
  event['message'] = text;
  event['network.protocol'] = 'smtp';
  const reject = REJECT.exec(text);
  if (reject !== null) return decodeReject(event, text, reject);
  if (text.startsWith('warning: ')) {
    const sasl = SASL.exec(text);
    if (sasl !== null) {
      setClient(event, text, 9);
      setExtra(event, 'sasl.method', sasl[1] ?? '');
      const reason = sasl[2] ?? '';
      const named = /(?:^|, )sasl_username=(.{1,320})$/s.exec(reason);
      if (named?.[1] !== undefined) setUser(event, named[1]);
      event['event.reason'] = reason === '' ? 'authentication failure' : reason;
      // A mechanism the server does not offer is a client's mistake, no password was tried.
      return act(event, 'smtp-login', LOGIN, START, reason.startsWith('Invalid authentication mechanism') ? 'unknown' : 'failure');
    }
  }
  const body = text.startsWith('NOQUEUE: ') ? text.slice(9) : text;
  for (const [start, action, type, outcome] of FROM) {
    if (!body.startsWith(start)) continue;
    const at = start.endsWith(' from ') ? start.length : body.indexOf(' from ', start.length - 1) + 6;
    if (at < 6 || setClient(event, body, at) < 0) {
      const client = start.startsWith('PASS') || start.startsWith('DISCONNECT') || start.startsWith('DNSBL') ? body.indexOf('[') : -1;
      if (client < 0 || setClient(event, body, client) < 0) break;
    }
    const failedLogins = start === 'disconnect from ' ? /\bauth=0\/(\d{1,5})\b/.exec(body) : null;
    if (failedLogins !== null) event['event.reason'] = `${failedLogins[1]} failed logins`;
    return act(event, action, NETWORK, type, failedLogins === null ? outcome : 'failure');
  }
  const queue = QUEUE.exec(text);
  if (queue !== null) return decodeQueue(event, queue);
  return setOther(event, text) ?? unknown(frame, event);
};

export const postfix: Decoder = {
  dataset: 'postfix',
  title: 'Postfix mail server, postscreen included',
  logsource: [{ product: 'linux', service: 'postfix' }, { category: 'mail' }],
  emits: [
    'message',
    'network.protocol',
    'event.outcome',
    'event.reason',
    'event.code',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'user.name',
    'related.user',
    'email.from.address',
    'email.to.address',
    'email.message_id',
    'destination.ip',
    'destination.port',
    'destination.address',
    'vigil.extra',
  ],
  programs: ['postfix', 'postfix-incoming', 'postfix-submission'],
  form: 'message',
  decode: decodePostfix,
};
