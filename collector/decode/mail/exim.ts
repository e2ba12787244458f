// SPDX-License-Identifier: Apache-2.0
/**
 * Exim: failed logins, refusals, protocol abuse, and its arrows of arrival and delivery.
 * Input: the message of a syslog line, or a line of Exim's main log. Output: a mail event.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { mailEvent } from '../shape.ts';
import { readIso, stamp } from '../time.ts';

const EMAIL: readonly string[] = ['email'];
const LOGIN: readonly string[] = ['authentication', 'email'];
const START: readonly string[] = ['start'];
const DENIED: readonly string[] = ['denied'];
const ERROR: readonly string[] = ['error'];
const INFO: readonly string[] = ['info'];
const FORGED: readonly string[] = ['forged-source'];

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const PEER = /^(?:([\w.-]{1,255}) )?(?:\((\[[^\]\s]{1,128}\]|[^)\s]{1,255})\) )?\[([0-9A-Fa-f.:]{2,64})\](?::(\d{1,5}))?/;

/** `host (helo) [address]:port` at a place; gives the place behind it, or -1. */
const setPeer = (event: EventDraft, text: string, at: number): number => {
  const match = PEER.exec(text.slice(at, at + 768));
  if (match === null || ipOf(match[3] ?? '') === undefined) return -1;
  setSource(event, match[3] ?? '', match[4]);
  if (match[1] !== undefined) event['source.domain'] = match[1];
  if (match[2] !== undefined) setExtra(event, 'smtp.helo', match[2]);
  return at + match[0].length;
};

const FAILED = ' authenticator failed for ';

/** `NAME authenticator failed for HOST (HELO) [ADDRESS]:PORT I=[…]:25: 535 Incorrect authentication data (set_id=USER)`. */
const decodeLogin = (event: EventDraft, text: string, at: number): EventDraft => {
  setExtra(event, 'sasl.method', text.slice(0, at));
  const end = setPeer(event, text, at + FAILED.length);
  if (end < 0) event.tags = FORGED;
  const set = /: (\d{3}) (.*?)(?: \(set_id=(.*)\))?(?:: \d+ Time\(s\))?$/s.exec(text.slice(Math.max(end, at)));
  if (set?.[1] !== undefined) event['event.code'] = set[1];
  if (set?.[2] !== undefined) event['event.reason'] = set[2];
  if (set?.[3] !== undefined) setUser(event, set[3]);
  return act(event, 'smtp-login', LOGIN, START, 'failure');
};

const setAddresses = (event: EventDraft, text: string): void => {
  const from = /\bF=<?([^\s<>]{1,320})>?/.exec(text);
  if (from?.[1] !== undefined) event['email.from.address'] = [from[1]];
  const to = /\brejected RCPT <?([^\s<>:]{1,320})>?/.exec(text);
  if (to?.[1] !== undefined) event['email.to.address'] = [to[1]];
};

/** `H=host (helo) [address]:port …` and what was done to it. */
const decodeHost = (event: EventDraft, text: string, at: number): EventDraft | null => {
  const end = setPeer(event, text, at + 2);
  if (end < 0) return null;
  const rest = text.slice(end);
  setAddresses(event, rest);
  const reason = /(?:rejected .*?|sender verify (?:fail|defer) for [^:]*|rejected connection in ".*?" ACL): "?(.*?)"?$/s.exec(rest);
  if (reason?.[1] !== undefined) event['event.reason'] = reason[1];
  if (rest.includes('sender verify fail')) {
    const sender = /sender verify fail for <([^>]{1,320})>/.exec(rest);
    if (sender?.[1] !== undefined) event['email.from.address'] = [sender[1]];
    return act(event, 'smtp-reject', EMAIL, DENIED, 'failure');
  }
  if (/ (?:temporarily )?rejected (?:RCPT|MAIL|connection|EHLO|HELO|AUTH|VRFY|EXPN|after DATA|DATA)/.test(rest))
    return act(event, 'smtp-reject', EMAIL, DENIED, 'failure');
  return act(event, 'smtp-info', EMAIL, INFO);
};

const ARROW = /^([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}) (<=|=>|->|\*\*|==|Completed) ?(.*)$/s;

const decodeMessage = (event: EventDraft, text: string): EventDraft | null => {
  const failed = text.indexOf(FAILED);
  if (failed > 0 && failed < 64 && !text.slice(0, failed).includes(' ')) return decodeLogin(event, text, failed);
  if (text.startsWith('H=')) return decodeHost(event, text, 0);
  if (text.startsWith('SMTP protocol ')) {
    // The quoted command is the client's; Exim's own ` H=` follows the last quote that one follows.
    const at = text.startsWith('SMTP protocol error in "')
      ? text.lastIndexOf('" H=') + 1
      : text.search(/(?:rejected (?:connection from|"[^"]*")) H=/);
    const host = text.indexOf('H=', Math.max(0, at));
    if (host < 0 || setPeer(event, text, host + 2) < 0) return null;
    event['event.reason'] = text.startsWith('SMTP protocol sync') ? 'synchronization error' : text.slice(text.lastIndexOf('] ') + 2);
    return act(event, 'smtp-protocol-error', EMAIL, ERROR, 'failure');
  }
  const from =
    /^(?:[0-9A-Za-z-]{10,24} )?(?:SMTP call from|no MAIL in SMTP connection from|SMTP connection from|unexpected disconnection while reading SMTP command from|SMTP command timeout on connection from|TLS error on connection from) /.exec(
      text,
    );
  if (from !== null) {
    const end = setPeer(event, text, from[0].length);
    if (end < 0) return null;
    const rest = text.slice(end);
    const abuse = rest.includes('dropped: ') || from[0].startsWith('no MAIL') || rest.includes('closed by DROP');
    return act(event, abuse ? 'smtp-protocol-error' : 'smtp-connect', EMAIL, abuse ? ERROR : INFO, abuse ? 'failure' : undefined);
  }
  const unnamed = /^no host name found for IP address (\S{2,64})$/.exec(text);
  if (unnamed !== null) {
    setSource(event, unnamed[1] ?? '');
    return act(event, 'smtp-reverse-mapping', EMAIL, INFO);
  }
  const arrow = ARROW.exec(text);
  if (arrow !== null) {
    event['event.code'] = arrow[1];
    const at = (arrow[3] ?? '').indexOf('H=');
    if (at >= 0 && arrow[2] === '<=') setPeer(event, arrow[3] ?? '', at + 2);
    const address = /^(\S{1,320})/.exec(arrow[3] ?? '')?.[1];
    if (arrow[2] === '<=') {
      if (address !== undefined) event['email.from.address'] = [address];
      return act(event, 'mail-received', EMAIL, INFO, 'success');
    }
    if (arrow[2] === 'Completed') return act(event, 'mail-removed', EMAIL, INFO);
    if (address !== undefined) event['email.to.address'] = [address];
    return act(event, 'mail-delivery', EMAIL, INFO, arrow[2] === '=>' || arrow[2] === '->' ? 'success' : 'failure');
  }
  return null;
};

const decodeExim = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  if (readIso(text, 0, frame) && text.charCodeAt(stamp.end) === 32) {
    // Without a syslog stamp Exim's own is the event's time.
    if (Number.isNaN(frame.time)) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(stamp.end + 1);
  }
  const inner = /^(?:[\w.-]{1,255} )?exim4?\[\d{1,10}\]: (?=\[?\w)/.exec(text);
  if (inner !== null) text = text.slice(inner[0].length);
  const pid = /^\[(\d{1,10})\] /.exec(text);
  if (pid !== null) text = text.slice(pid[0].length);
  const event = mailEvent(frame);
  if (pid !== null) event['process.pid'] ??= Number(pid[1]);
  event['message'] = text;
  event['network.protocol'] = 'smtp';
  const done = decodeMessage(event, text);
  if (done !== null) return done;
  frame.outcome = 'partial';
  return event;
};

/** Exim's own log: a stamp, then at once what happened. */
const OWN_LINE =
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})? (?:\[\d{1,10}\] )?(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4} |H=|SMTP |no (?:host|IP|MAIL)|unexpected |TLS error|\S{1,64} authenticator failed for |Start queue run|End queue run)/;

export const exim: Decoder = {
  dataset: 'exim',
  title: 'Exim mail server',
  logsource: [{ product: 'linux', service: 'exim' }, { category: 'mail' }],
  emits: [
    'message',
    'process.pid',
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
    'tags',
    'vigil.extra',
  ],
  programs: ['exim', 'exim4'],
  form: 'message',
  knows: (text) => OWN_LINE.test(text.slice(0, 256)),
  decode: decodeExim,
};
