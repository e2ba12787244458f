// SPDX-License-Identifier: Apache-2.0
/**
 * OpenSSH's server: logins, failures, disconnects before authentication, refusals, key exchange, sessions.
 * Input: the message of a syslog line. Output: an auth event. A client chooses its user name, so an address is taken from
 * the end that sshd wrote; where two readings are possible none is taken and the event is tagged `forged-source`.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setDestination, setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { AMBIGUOUS, fromBehind, peer } from './sshd-peer.ts';

const LOGIN: readonly string[] = ['authentication'];
const SESSION: readonly string[] = ['session'];
const NETWORK: readonly string[] = ['network'];
const HOST: readonly string[] = ['host'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const DENIED: readonly string[] = ['denied'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];
const CONNECTION: readonly string[] = ['connection'];
const CONNECTION_DENIED: readonly string[] = ['connection', 'denied'];
const FORGED: readonly string[] = ['forged-source'];

type Outcome = 'success' | 'failure' | 'unknown' | undefined;

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome: Outcome): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

/** Fills who it came from out of the last reading of `fromBehind`. */
const setPeer = (event: EventDraft): EventDraft => {
  if (peer.host === AMBIGUOUS) event.tags = FORGED;
  else if (peer.host !== '') setSource(event, peer.host, peer.port === '' ? undefined : peer.port);
  return event;
};

const INVALID = ['invalid user ', 'illegal user ', 'unknown user '] as const;

/** Sets the user of `[invalid user ]NAME`; an unknown account is said in the reason. */
const setClaimed = (event: EventDraft, claimed: string): void => {
  let name = claimed;
  for (const prefix of INVALID) {
    if (!claimed.startsWith(prefix)) continue;
    event['event.reason'] = 'invalid user';
    name = claimed.slice(prefix.length);
    break;
  }
  if (name === '<invalid username>') event['event.reason'] = 'invalid user';
  else setUser(event, name);
};

/** `Failed|Accepted|Postponed|Partial METHOD for [invalid user ]USER from HOST port N ssh2[: KEY]`. */
const login = (event: EventDraft, text: string): EventDraft | null => {
  const first = text.indexOf(' ');
  const second = text.indexOf(' for ', first + 1);
  if (second < 0 || second - first > 64) return null;
  const verb = text.slice(0, first);
  const method = text.slice(first + 1, second);
  fromBehind(text, second + 4, true);
  if (peer.at < 0) return null;
  setClaimed(event, text.slice(second + 5, Math.max(peer.at, second + 5)));
  setPeer(event);
  setExtra(event, 'ssh.method', method);
  if (peer.rest !== '') setExtra(event, 'ssh.key', peer.rest);
  if (verb === 'Accepted') return act(event, 'ssh-login', LOGIN, START, 'success');
  if (verb !== 'Failed') return act(event, 'ssh-login-step', LOGIN, INFO, 'unknown');
  // A client offers all its keys in turn: a refused key of a known user says nothing about the login.
  if ((method === 'publickey' || method === 'none') && event['event.reason'] !== 'invalid user')
    return act(event, 'ssh-key-refused', LOGIN, INFO, 'unknown');
  return act(event, 'ssh-login', LOGIN, START, 'failure');
};

/** `Invalid user NAME from HOST[ port N]`. */
const invalidUser = (event: EventDraft, text: string): EventDraft => {
  fromBehind(text, 12, false);
  if (peer.at >= 0) {
    setUser(event, text.slice(13, Math.max(13, peer.at)));
    setPeer(event);
  } else setUser(event, text.slice(13));
  event['event.reason'] = 'invalid user';
  return act(event, 'ssh-invalid-user', LOGIN, START, 'failure');
};

const TAIL = /^(?:(authenticating|invalid) user |user )?(?:(.*) )?(\S+) port (\d{1,5})$/s;

/** What stands behind `Connection closed by`, `Connection reset by`, `Disconnected from`: user, address and port, or an address alone. */
const disconnect = (event: EventDraft, tail: string, verb: string, preauth: boolean): EventDraft => {
  const match = TAIL.exec(tail);
  const host = match === null ? tail : (match[3] ?? '');
  const kind = match?.[1];
  if (match !== null && match[2] !== undefined) setUser(event, match[2]);
  if (match !== null || ipOf(host) !== undefined) setSource(event, host, match?.[4]);
  event['event.reason'] = verb;
  if (kind === 'invalid') {
    event['event.reason'] = 'invalid user';
    return act(event, 'ssh-preauth-disconnect', LOGIN, END, 'failure');
  }
  // A client that says good-bye before it is authenticated may have changed its mind; one that drops the line has failed.
  if (kind === 'authenticating') return act(event, 'ssh-preauth-disconnect', LOGIN, END, verb === 'disconnected' ? 'unknown' : 'failure');
  if (preauth) return act(event, 'ssh-preauth-disconnect', NETWORK, CONNECTION, 'failure');
  return act(event, 'ssh-disconnect', SESSION, END, undefined);
};

const RECEIVED = /^Received disconnect from (\S+?)(?: port (\d{1,5}))?: ?(\d{1,3}): ?(.*)$/s;
const DISCONNECTING = /^(?:(authenticating|invalid) user )?(?:(.*?) )?(\S+) port (\d{1,5}): (.*)$/s;

const receivedDisconnect = (event: EventDraft, text: string, preauth: boolean): EventDraft | null => {
  const match = RECEIVED.exec(text);
  if (match === null) return null;
  setSource(event, match[1] ?? '', match[2]);
  event['event.code'] = match[3];
  if (match[4] !== '') event['event.reason'] = match[4];
  const failed = preauth || (match[3] === '3' && (match[4] ?? '').endsWith('Auth fail'));
  return failed ? act(event, 'ssh-preauth-disconnect', LOGIN, END, 'failure') : act(event, 'ssh-disconnect', SESSION, END, undefined);
};

const disconnecting = (event: EventDraft, tail: string): EventDraft => {
  const match = DISCONNECTING.exec(tail);
  if (match === null) {
    event['event.reason'] = tail.startsWith(': ') ? tail.slice(2) : tail;
    const many = /^: Too many authentication failures(?: for (.*))?$/s.exec(tail);
    if (many?.[1] !== undefined) setClaimed(event, many[1]);
    return act(event, 'ssh-preauth-disconnect', LOGIN, END, 'failure');
  }
  const reason = match[5] ?? '';
  // The name stands before the address, and once more in the reason: a second ` port N: ` cannot be told from the first.
  if (/ port \d{1,5}: /.test(reason)) event.tags = FORGED;
  else setSource(event, match[3] ?? '', match[4]);
  if (match[2] !== undefined && event.tags === undefined) setUser(event, match[2]);
  event['event.reason'] = match[1] === 'invalid' ? 'invalid user' : reason;
  return act(event, 'ssh-preauth-disconnect', LOGIN, END, match[1] === undefined ? undefined : 'failure');
};

const NOT_ALLOWED = / not allowed because (.*)$/s;

/** `User NAME from HOST not allowed because REASON`. */
const notAllowed = (event: EventDraft, text: string): EventDraft | null => {
  const at = text.lastIndexOf(' not allowed because ');
  const reason = NOT_ALLOWED.exec(text.slice(at))?.[1];
  if (at < 0 || reason === undefined) return null;
  const head = text.slice(0, at);
  const from = head.lastIndexOf(' from ');
  if (from >= 5) setSource(event, head.slice(from + 6));
  setUser(event, head.slice(5, from >= 5 ? from : undefined));
  event['event.reason'] = reason;
  return act(event, 'ssh-denied', LOGIN, DENIED, 'failure');
};

const KEX = /^Unable to negotiate(?: with (\S+)(?: port (\d{1,5}))?)?:? ?(.*)$/s;
const MAXIMUM = 'maximum authentication attempts exceeded for ';
const CONNECTION_FROM = /^Connection from (\S+)(?: port (\d{1,5}))?(?: on (\S+) port (\d{1,5}))?(?: rdomain "[^"]*")?(?:: (.*))?$/s;
const TIMEOUT = /^Timeout before authentication for (?:connection from )?(\S+?)(?: port (\d{1,5}))?(?: to (\S+), pid = \d+)?\.?$/;
const ROOT_REFUSED = /^ROOT LOGIN REFUSED FROM (\S+?)(?: port (\d{1,5}))?$/;
const PAM = /^PAM: (.{1,120}?) for (.*) from (\S+?)(?: via (\S+))? ?$/s;
const REVERSE =
  /^(?:Address (\S+) maps to (\S+), but this does not map back|reverse mapping checking getaddrinfo for (\S+) \[?(\S+?)\]? failed|Nasty PTR record "[^"]*" is set up for (\S+?),)/;
const DROPPED = /^drop connection #\d+ from \[?([^\s\]]+)\]?:(\d{1,5}) on /;
const SESSION_LINE = /^(?:Starting session: .* for|Close session: user) (\S+) from (\S+) port (\d{1,5})(?: id \d+)?$/;
const REMOTE_HOST = /^(?:Read|Write) error (?:from|to) remote host (\S+?)(?: port (\d{1,5}))?: /;
const LISTENING = /^Server listening on (\S+) port (\d{1,5})\.?$/;
const WRONG_HOST =
  /^Authentication tried for (.*) with correct key but not from a permitted host \(host=\S+, ip=(\S+?)(?:, required=.*)?\)\.?$/s;
const SUBSYSTEM = /^subsystem request for (\S+)(?: by user (.*))?$/s;
const PENALTY = /^srclimit_penalise: \S+ (?:new|active) (\S+?)(?:\/\d+)? /;

/** Messages whose first words tell them; the rest follow in `more`. */
const decodeMessage = (event: EventDraft, text: string, preauth: boolean): EventDraft | null => {
  switch (text.charCodeAt(0)) {
    case 65: // A
      if (text.startsWith('Accepted ')) return login(event, text);
      break;
    case 67: // C
      if (text.startsWith('Connection closed by ')) return disconnect(event, text.slice(21), 'closed', preauth);
      if (text.startsWith('Connection reset by ')) return disconnect(event, text.slice(20), 'reset', preauth);
      if (text.startsWith('Connection from ')) return connection(event, text);
      break;
    case 68: // D
      if (text.startsWith('Disconnected from ')) return disconnect(event, text.slice(18), 'disconnected', preauth);
      if (text.startsWith('Disconnecting: ')) return disconnecting(event, text.slice(13));
      if (text.startsWith('Disconnecting ')) return disconnecting(event, text.slice(14));
      break;
    case 70: // F
      if (text.startsWith('Failed ')) return login(event, text);
      break;
    case 73: // I
      if (text.startsWith('Invalid user ') || text.startsWith('Illegal user ')) return invalidUser(event, text);
      break;
    case 80: // P
      if (text.startsWith('Postponed ') || text.startsWith('Partial ')) return login(event, text);
      break;
    case 82: // R
      if (text.startsWith('Received disconnect ')) return receivedDisconnect(event, text, preauth);
      break;
    case 85: // U
      if (text.startsWith('User ')) return notAllowed(event, text);
      break;
  }
  return more(event, text, preauth);
};

const connection = (event: EventDraft, text: string): EventDraft | null => {
  const match = CONNECTION_FROM.exec(text);
  if (match === null) return null;
  setSource(event, match[1] ?? '', match[2]);
  if (match[3] !== undefined) setDestination(event, match[3], match[4]);
  if (match[5] === undefined) return act(event, 'ssh-connect', NETWORK, CONNECTION, undefined);
  event['event.reason'] = match[5];
  return act(event, 'ssh-protocol-error', NETWORK, ERROR, 'failure');
};

const more = (event: EventDraft, text: string, preauth: boolean): EventDraft | null => {
  let match: RegExpExecArray | null;
  if (text.startsWith(MAXIMUM)) {
    fromBehind(text, MAXIMUM.length - 1, true);
    if (peer.at < 0) return null;
    setClaimed(event, text.slice(MAXIMUM.length, Math.max(MAXIMUM.length, peer.at)));
    setPeer(event);
    event['event.reason'] ??= 'maximum authentication attempts exceeded';
    return act(event, 'ssh-max-attempts', LOGIN, DENIED, 'failure');
  }
  if ((match = PAM.exec(text)) !== null) {
    setClaimed(event, match[2] ?? '');
    setSource(event, match[3] ?? '');
    event['event.reason'] ??= match[1];
    return act(event, 'ssh-login', LOGIN, START, 'failure');
  }
  if (
    text.startsWith('Did not receive identification string from ') ||
    text.startsWith('Bad protocol version identification ') ||
    text.startsWith('Magic value check failed')
  ) {
    fromBehind(text, 0, false);
    setPeer(event);
    event['event.reason'] = text.startsWith('Did')
      ? 'no identification string'
      : text.startsWith('Bad')
        ? 'bad protocol version'
        : 'bad obfuscated handshake';
    return act(event, 'ssh-protocol-error', NETWORK, ERROR, 'failure');
  }
  if ((match = KEX.exec(text)) !== null) {
    if (match[1] !== undefined) setSource(event, match[1], match[2]);
    event['event.reason'] = match[3] === '' ? 'no common key exchange' : match[3];
    return act(event, 'ssh-negotiation', NETWORK, CONNECTION_DENIED, 'failure');
  }
  if ((match = ROOT_REFUSED.exec(text)) !== null) {
    setSource(event, match[1] ?? '', match[2]);
    setUser(event, 'root');
    return act(event, 'ssh-denied', LOGIN, DENIED, 'failure');
  }
  if (text.startsWith('refused connect from ') && text.endsWith(')')) {
    setSource(event, text.slice(text.lastIndexOf('(') + 1, -1));
    return act(event, 'ssh-refused-connection', NETWORK, CONNECTION_DENIED, 'failure');
  }
  if ((match = TIMEOUT.exec(text)) !== null) {
    setSource(event, match[1] ?? '', match[2]);
    if (match[3] !== undefined) setDestination(event, match[3]);
    event['event.reason'] = 'timeout before authentication';
    return act(event, 'ssh-login-timeout', LOGIN, END, 'failure');
  }
  if ((match = REVERSE.exec(text)) !== null) {
    setSource(event, match[1] ?? match[4] ?? match[5] ?? '');
    event['event.reason'] = 'reverse mapping';
    return act(event, 'ssh-reverse-mapping', NETWORK, INFO, undefined);
  }
  if ((match = DROPPED.exec(text)) !== null) {
    setSource(event, match[1] ?? '', match[2]);
    event['event.reason'] = text.includes('MaxStartups') ? 'too many unauthenticated connections' : 'penalty';
    return act(event, 'ssh-refused-connection', NETWORK, CONNECTION_DENIED, 'failure');
  }
  if ((match = SESSION_LINE.exec(text)) !== null) {
    setUser(event, match[1] ?? '');
    setSource(event, match[2] ?? '', match[3]);
    return act(
      event,
      text.startsWith('Start') ? 'ssh-session-start' : 'ssh-session-end',
      SESSION,
      text.startsWith('Start') ? START : END,
      undefined,
    );
  }
  if ((match = REMOTE_HOST.exec(text)) !== null) {
    setSource(event, match[1] ?? '', match[2]);
    return act(event, 'ssh-disconnect', SESSION, END, undefined);
  }
  if ((match = LISTENING.exec(text)) !== null) {
    setDestination(event, match[1] ?? '', match[2]);
    return act(event, 'ssh-listening', HOST, START, undefined);
  }
  if ((match = WRONG_HOST.exec(text)) !== null) {
    setUser(event, match[1] ?? '');
    setSource(event, match[2] ?? '');
    return act(event, 'ssh-denied', LOGIN, DENIED, 'failure');
  }
  if ((match = SUBSYSTEM.exec(text)) !== null) {
    if (match[2] !== undefined) setUser(event, match[2]);
    event['event.reason'] = match[1];
    return act(event, 'ssh-subsystem', SESSION, INFO, undefined);
  }
  if ((match = PENALTY.exec(text)) !== null) {
    setSource(event, match[1] ?? '');
    return act(event, 'ssh-penalty', NETWORK, INFO, undefined);
  }
  if (text.startsWith('input_userauth_request: ')) {
    setClaimed(event, text.slice(24));
    return act(event, 'ssh-invalid-user', LOGIN, INFO, undefined);
  }
  if (text.startsWith('Read from socket failed') || text.startsWith('no matching ') || text.startsWith('kex_exchange_identification:')) {
    event['event.reason'] = text;
    return act(event, 'ssh-protocol-error', NETWORK, ERROR, preauth ? 'failure' : undefined);
  }
  if (text.startsWith('Corrupted MAC on input') || text.startsWith('Bad packet length ')) {
    event['event.reason'] = text.startsWith('Bad') ? 'bad packet length' : 'corrupted MAC';
    return act(event, 'ssh-protocol-error', NETWORK, ERROR, 'failure');
  }
  if (text.startsWith('channel ') || text.startsWith('server_input_channel_open: ')) {
    event['event.reason'] = text;
    return act(event, 'ssh-channel', NETWORK, INFO, undefined);
  }
  if (text.startsWith('Authentication refused: ')) {
    event['event.reason'] = text.slice(24);
    return act(event, 'ssh-key-refused', LOGIN, INFO, 'unknown');
  }
  if (text.startsWith('Received signal 15') || text.startsWith('Received SIGHUP') || text.startsWith('Exiting on signal'))
    return act(event, 'ssh-stopped', HOST, END, undefined);
  return null;
};

/** Words of level and function that stand before a message, and its mark behind. */
const PREFIX =
  /^(?:\[ID \d{1,12} [\w.]{1,32}\] )?(?:kernel:\[ *\d{1,12}\.\d{1,9}\]:? )?(?:(?:error|fatal|debug[1-3]|info|warning): )?(?:(?:ssh_dispatch_run_fatal|banner exchange): )?/;

const decodeSshd = (frame: Frame): EventDraft | null => {
  const whole = frame.text;
  if (whole.length > GRAMMAR_LIMIT) return null;
  let text = whole;
  const code = text.charCodeAt(0);
  if (code === 91 || (code >= 97 && code <= 122)) {
    const prefix = PREFIX.exec(text);
    if (prefix !== null && prefix[0] !== '') text = text.slice(prefix[0].length);
  }
  let preauth = false;
  if (text.charCodeAt(text.length - 1) === 32) text = text.trimEnd();
  if (text.endsWith(' [preauth]')) {
    preauth = true;
    text = text.slice(0, -10);
  } else if (text.endsWith(' [postauth]')) text = text.slice(0, -11);
  const event = authEvent(frame);
  event['message'] = whole;
  event['network.protocol'] = 'ssh';
  const done = decodeMessage(event, text, preauth);
  if (done !== null) return done;
  frame.outcome = 'partial';
  return event;
};

export const sshd: Decoder = {
  dataset: 'sshd',
  title: 'OpenSSH server',
  logsource: [
    { product: 'linux', service: 'sshd' },
    { product: 'linux', service: 'auth' },
  ],
  emits: [
    'message',
    'event.outcome',
    'event.reason',
    'event.code',
    'user.name',
    'related.user',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'destination.ip',
    'destination.port',
    'destination.address',
    'network.protocol',
    'tags',
    'vigil.extra',
  ],
  programs: ['sshd', 'sshd-session', 'sshd-auth', 'sshd.bin'],
  form: 'message',
  decode: decodeSshd,
};
