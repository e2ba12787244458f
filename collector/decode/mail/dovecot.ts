// SPDX-License-Identifier: Apache-2.0
/**
 * Dovecot: logins and failures of IMAP, POP3, submission and sieve, and what its authentication process says.
 * Input: the message of a syslog line, or of Dovecot's own file. Output: a mail event. The user's name stands before the address
 * and is a client's choice, so the last `rip=` counts, and of two addresses in an authentication line none.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setDestination, setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { mailEvent } from '../shape.ts';

const LOGIN: readonly string[] = ['authentication', 'email'];
const SESSION: readonly string[] = ['session', 'email'];
const NETWORK: readonly string[] = ['network', 'email'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const INFO: readonly string[] = ['info'];
const CONNECTION: readonly string[] = ['connection'];
const FORGED: readonly string[] = ['forged-source'];

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

/** `imap-login: `, `dovecot: `, `Info: ` and the like in front. */
const LABEL =
  /^(?:(?:Info|Error|Warning|Debug|Fatal|Panic): |dovecot(?:\[\d{1,10}\])?: |(imap|pop3|managesieve|submission|lmtp|auth|auth-worker|imap-login|pop3-login|managesieve-login|submission-login)(?:\([^)]{0,256}\)|<[^>]{0,64}>){0,3}: |conn unix:\S{1,64}(?: \([^)]{0,64}\))?: )/;

/** What stands behind the last ` NAME=` up to the next comma, blank or end. */
const lastValue = (text: string, name: string): string => {
  const at = text.lastIndexOf(name);
  if (at < 0) return '';
  const start = at + name.length;
  const match = /^[^,\s]{0,128}/.exec(text.slice(start, start + 128));
  return match?.[0] ?? '';
};

/** `imap(USER)<PID><SESSION>: `: who is logged in. */
const SESSION_LABEL = /^(?:imap|pop3|lmtp|managesieve|submission)\(([^)]{1,256})\)(?:<[^>]{0,64}>){0,2}: /;
const EMAIL: readonly string[] = ['email'];
const HOST: readonly string[] = ['host'];
const PROTOCOLS: Readonly<Record<string, string>> = { imap: 'imap', pop3: 'pop3', managesieve: 'sieve', submission: 'smtp', lmtp: 'lmtp' };

/** `Disconnected (auth failed, 1 attempts): user=<…>, method=PLAIN, rip=…, lip=…`, `Login: user=<…>…`. */
const decodeLogin = (event: EventDraft, text: string): EventDraft | null => {
  const rip = lastValue(text, ' rip=');
  if (rip === '') return null;
  const user = /: user=<(.*)>, |Login: user=<(.*)>, |user=<(.*)>(?:, rip=)/s.exec(text);
  setSource(event, rip);
  const port = /^\d{1,5}$/.exec(lastValue(text, ' rport='));
  if (port !== null) event['source.port'] = Number(port[0]);
  const lip = lastValue(text, ' lip=');
  if (lip !== '') setDestination(event, lip);
  // The greedy name reaches to the last `>, `: sessions end in one, so it is cut at the method that the server wrote.
  const name = user?.[1] ?? user?.[2] ?? user?.[3];
  if (name !== undefined) setUser(event, name.replace(/>, (?:method|rip)=.*$/s, ''));
  const method = lastValue(text, ' method=');
  if (method !== '') setExtra(event, 'sasl.method', method);
  const at = text.search(/(?:user|method|rip)=/);
  const head = at < 0 ? text : text.slice(0, at);
  if (head.startsWith('Login: ')) return act(event, 'mail-login', LOGIN, START, 'success');
  event['event.reason'] = head.replace(/:? *$/, '').slice(0, 512);
  if (
    /\(auth failed|\(\d{1,4} authentication attempts|\(tried to use dis(?:abled|allowed)|proxy dest auth failed|\(auth_failed\)|client sent an invalid cert|Authentication failed/.test(
      head,
    )
  ) {
    return act(event, 'mail-login', LOGIN, START, 'failure');
  }
  if (head.includes('(no auth attempts') || head.includes('TLS handshake') || head.includes('before auth was ready')) {
    return act(event, 'mail-disconnect', NETWORK, CONNECTION, 'unknown');
  }
  return act(event, 'mail-disconnect', SESSION, END);
};

const DATABASES = /(?:pam|passwd-file|passwd|shadow|ldap|sql|static|oauth2|bsdauth|vpopmail|checkpassword|lua|policy|cache|login|plain)\(/;
const PEERS = /,([^,()<>\s]{2,64})(?:,(?:<[^>]{0,64}>)?)?\): /g;

/** `pam(USER,ADDRESS[,<SESSION>]): MESSAGE`. */
const decodeAuth = (event: EventDraft, text: string): EventDraft | null => {
  const head = DATABASES.exec(text);
  if (head === null || head.index > 128) return null;
  const start = head.index + head[0].length;
  let host: string | undefined;
  let userEnd = -1;
  let messageAt = -1;
  let forged = false;
  PEERS.lastIndex = start;
  let tries = 0;
  for (let match = PEERS.exec(text); match !== null && tries++ < 16; match = PEERS.exec(text)) {
    const found = ipOf(match[1] ?? '');
    if (found === undefined) continue;
    if (host !== undefined && found !== host) forged = true;
    if (host === undefined) {
      host = found;
      userEnd = match.index;
      messageAt = PEERS.lastIndex;
    }
  }
  if (host === undefined) return null;
  if (forged) event.tags = FORGED;
  else setSource(event, host);
  setUser(event, text.slice(start, userEnd));
  // Some settings print the password that was given: it is not copied beside the raw line.
  const reason = text.slice(messageAt).replace(/ ?\((?:SHA1 of )?given password: .*$/s, '');
  event['event.reason'] = reason;
  if (/unknown user|mismatch|failed|invalid credentials|no password|Authentication failure|Permission denied|not known/i.test(reason))
    return act(event, 'mail-login', LOGIN, START, 'failure');
  return act(event, 'mail-auth', LOGIN, INFO, 'unknown');
};

const decodeDovecot = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  let service = frame.program ?? '';
  let session: string | undefined;
  for (let labels = 0; labels < 6; labels++) {
    const label = LABEL.exec(text);
    if (label === null) break;
    session ??= SESSION_LABEL.exec(text)?.[1];
    if (label[1] !== undefined && !(service.endsWith('-login') && label[1] === 'auth')) service = label[1];
    text = text.slice(label[0].length);
  }
  const event = mailEvent(frame);
  event['message'] = frame.text;
  const name = service.replace(/[(<-].*$/, '');
  const protocol = PROTOCOLS[name];
  if (protocol !== undefined) event['network.protocol'] = protocol;
  event['service.name'] = 'dovecot';
  const done =
    name === 'auth' ? (decodeAuth(event, text) ?? decodeLogin(event, text)) : (decodeLogin(event, text) ?? decodeAuth(event, text));
  if (done !== null) return done;
  if (session !== undefined && !/^\d{1,10}$/.test(session)) setUser(event, session);
  if (protocol !== undefined && /^(?:Logged out|Disconnected|Connection closed|Connect from local|Disconnect from )/.test(text))
    return act(event, 'mail-disconnect', SESSION, END);
  if (/^(?:msgid=.* saved mail to |sieve: |msgid=)/s.test(text)) return act(event, 'mail-delivery', EMAIL, INFO, 'success');
  const known =
    /^(?:master: |Dovecot v|Warning: Killed with signal|Killed with signal|SIGHUP received|log: |config: |ssl-params: |anvil: |stats: |indexer|Debug: |Effective uid=)/.test(
      frame.text.replace(LABEL, ''),
    );
  if (!known && session === undefined) frame.outcome = 'partial';
  return act(event, 'mail-server', session === undefined ? HOST : EMAIL, INFO);
};

export const dovecot: Decoder = {
  dataset: 'dovecot',
  title: 'Dovecot: IMAP, POP3, submission and sieve',
  logsource: [{ product: 'linux', service: 'dovecot' }, { category: 'mail' }],
  emits: [
    'message',
    'network.protocol',
    'service.name',
    'event.outcome',
    'event.reason',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'destination.ip',
    'destination.address',
    'related.ip',
    'user.name',
    'related.user',
    'tags',
    'vigil.extra',
  ],
  programs: [
    'dovecot',
    'dovecot-auth',
    'auth-worker',
    'imap-login',
    'pop3-login',
    'managesieve-login',
    'submission-login',
    'imap',
    'pop3',
    'auth',
  ],
  form: 'message',
  decode: decodeDovecot,
};
