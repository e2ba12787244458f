// SPDX-License-Identifier: Apache-2.0
/**
 * What stands at the edge: pf's filterlog, the web consoles of pfSense and OPNsense, endlessh, Asterisk, dropbear, strongSwan.
 * Input: the message of a syslog line, or a line of the program's own log. Output: network and auth events.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setDestination, setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent, networkEvent } from '../shape.ts';
import { readIso, readRfc3164, stamp } from '../time.ts';

const NETWORK: readonly string[] = ['network'];
const LOGIN: readonly string[] = ['authentication'];
const DENIED: readonly string[] = ['connection', 'denied'];
const ALLOWED: readonly string[] = ['connection', 'allowed'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['connection', 'end'];
const CONNECTION: readonly string[] = ['connection', 'start'];
const INFO: readonly string[] = ['info'];

/** `RULE,SUB,ANCHOR,ID,IFACE,REASON,ACTION,DIRECTION,4|6,…` */
const decodeFilterlog = (frame: Frame): EventDraft | null => {
  const f = frame.text.slice(0, 2_048).split(',');
  const version = f[8];
  if (f.length < 16 || (version !== '4' && version !== '6')) return null;
  const at = version === '4' ? 16 : 12;
  const event = networkEvent(frame);
  const transport = f[at]?.toLowerCase() ?? '';
  // Version 6 writes the protocol's name before its number.
  const addresses = version === '4' ? 18 : 15;
  event['network.transport'] = transport === '' ? undefined : transport;
  event['network.type'] = `ipv${version}`;
  const ports = transport === 'tcp' || transport === 'udp';
  setSource(event, f[addresses] ?? '', ports ? f[addresses + 2] : undefined);
  setDestination(event, f[addresses + 1] ?? '', ports ? f[addresses + 3] : undefined);
  event['network.direction'] = f[7] === 'in' ? 'ingress' : 'egress';
  event[f[7] === 'in' ? 'observer.ingress.interface.name' : 'observer.egress.interface.name'] = f[4];
  event['rule.id'] = f[3] === '' || f[3] === '0' ? f[0] : f[3];
  const block = f[6] === 'block' || f[6] === 'reject';
  event['event.category'] = NETWORK;
  event['event.type'] = block ? DENIED : ALLOWED;
  event['event.action'] = block ? 'firewall-drop' : 'firewall-accept';
  return event;
};

const CONSOLE =
  /^(?:\/\S{1,128}: )?(?:webConfigurator|Web GUI|WebGUI) (?:authentication error for|authentication error for user|Successful login for user|successful login for user|successful login for) (?:user )?'(.*)' from:? (.*)$/is;

/** pfSense and OPNsense: logins on their web console. */
const decodeConsole = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const match = CONSOLE.exec(text);
  if (match === null) return null;
  const event = authEvent(frame);
  event['message'] = text;
  setUser(event, match[1] ?? '');
  setSource(event, (match[2] ?? '').replace(/ \(.*$/s, ''));
  event['network.protocol'] = 'http';
  event['event.category'] = LOGIN;
  event['event.type'] = START;
  event['event.action'] = 'firewall-console-login';
  event['event.outcome'] = /successful login/i.test(text) ? 'success' : 'failure';
  return event;
};

const ENDLESSH = /^(ACCEPT|CLOSE) host=(\S{2,64}) port=(\d{1,5})(?: fd=\d+)?(?: n=\d+\/\d+)?(?: time=([\d.]{1,20}))?(?: bytes=(\d{1,15}))?/;

const GLOG = /^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d{1,10} \S{1,48}\] /;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** The tarpit: whoever comes here knocked at a door nobody uses. */
const decodeEndlessh = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (readIso(text, 0, frame) && text.charCodeAt(stamp.end) === 32) {
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
    text = text.slice(stamp.end + 1);
  } else if (GLOG.test(text.slice(0, 96))) {
    // The Go port logs by glog: level, month and day, clock, thread, place.
    if (readRfc3164(`${MONTHS[Number(text.slice(1, 3)) - 1]} ${text.slice(3, 21)}`, 0, frame)) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(text.indexOf('] ') + 2);
  }
  const match = ENDLESSH.exec(text.slice(0, 512));
  const event = networkEvent(frame);
  event['message'] = text;
  event['event.category'] = NETWORK;
  event['network.protocol'] = 'ssh';
  if (match === null) {
    if (Number.isNaN(frame.time)) return null;
    event['event.type'] = INFO;
    event['event.action'] = 'tarpit-info';
    frame.outcome = 'partial';
    return event;
  }
  setSource(event, match[2] ?? '', match[3]);
  event['event.type'] = match[1] === 'ACCEPT' ? CONNECTION : END;
  event['event.action'] = match[1] === 'ACCEPT' ? 'tarpit-accept' : 'tarpit-close';
  if (match[5] !== undefined) setExtra(event, 'tarpit.bytes', match[5]);
  return event;
};

const SECURITY = /\bSecurityEvent="(\w{1,64})"/;
const REGISTRATION =
  /^(?:Registration from|Request '\w{1,16}' from|Call from) '(.*)' (?:failed for|\() ?'?\[?([0-9A-Fa-f.]{7,15}|[0-9A-Fa-f:]{2,45})\]?(?::(\d{1,5}))?'?\)?(?: \([^)]*\))?(?: -| to extension) ?(.*)$/s;
const PEER_FAILED =
  /^(?:No registration for peer '(.*)' \(from ([0-9A-Fa-f.:]{2,64})\)|Host ([0-9A-Fa-f.:]{2,64}) failed (?:MD5 authentication|to authenticate) (?:for|as) '(.*)'|Failed to authenticate (?:user|device) (.*))/s;
const FAILURES = new Set([
  'FailedACL',
  'InvalidAccountID',
  'InvalidPassword',
  'ChallengeResponseFailed',
  'UnexpectedAddress',
  'AuthMethodNotAllowed',
  'InvalidTransport',
  'RequestBadFormat',
  'LoadAverageLimit',
]);

/** `KEY="value"` of a security event; the server's own keys are written after the account's name, so the last one counts. */
const quotedValue = (text: string, key: string, last: boolean): string | undefined => {
  const needle = `,${key}="`;
  const at = last ? text.lastIndexOf(needle) : text.indexOf(needle);
  if (at < 0) return undefined;
  const end = text.indexOf('"', at + needle.length);
  return end < 0 ? undefined : text.slice(at + needle.length, end);
};

const decodeAsterisk = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  if (text.charCodeAt(0) === 91 && (readRfc3164(text, 1, frame) || readIso(text, 1, frame)) && text.charCodeAt(stamp.end) === 93) {
    if (Number.isNaN(frame.time)) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(stamp.end + 1).trimStart();
  }
  const head =
    /^(SECURITY|NOTICE|WARNING|ERROR|VERBOSE|DEBUG)\[(\d{1,10})\](?:\[[\w-]{1,24}\])?:? (?:([\w.-]{1,64}\.c)(?::\d{1,6})?:? ?)?(?:in )?(?:(\w{1,64}): )?/.exec(
      text,
    );
  if (head === null) return null;
  const body = text.slice(head[0].length);
  const event = authEvent(frame);
  event['message'] = text;
  event['network.protocol'] = 'sip';
  event['log.level'] = head[1]?.toLowerCase();
  event['event.category'] = LOGIN;
  event['event.type'] = INFO;
  event['event.action'] = 'sip-info';
  const security = SECURITY.exec(body);
  if (security !== null) {
    event['event.code'] = security[1];
    const failed = FAILURES.has(security[1] ?? '');
    const remote = quotedValue(body, 'RemoteAddress', false)?.split('/');
    const accounts = (body.match(/,RemoteAddress="/g) ?? []).length;
    // The account's name comes from the network and stands before the address.
    if (accounts > 1) event.tags = ['forged-source'];
    else if (remote !== undefined && remote.length >= 4) setSource(event, remote[2] ?? '', remote[3]);
    const user = quotedValue(body, 'AccountID', false);
    if (user !== undefined && user !== '<unknown>') setUser(event, user);
    const service = quotedValue(body, 'Service', false);
    if (service !== undefined) event['service.name'] = service;
    if (failed || security[1] === 'SuccessfulAuth') {
      event['event.type'] = START;
      event['event.action'] = 'sip-login';
      event['event.outcome'] = failed ? 'failure' : 'success';
    }
    return event;
  }
  const registration = REGISTRATION.exec(body);
  const peer = registration === null ? PEER_FAILED.exec(body) : null;
  if (registration !== null) {
    setSource(event, registration[2] ?? '', registration[3]);
    const name = /sip:([^@>]{1,128})@/.exec(registration[1] ?? '');
    if (name?.[1] !== undefined) setUser(event, name[1]);
    event['event.reason'] = registration[4];
  } else if (peer !== null) {
    const host = peer[2] ?? peer[3];
    if (host !== undefined && ipOf(host) !== undefined) setSource(event, host);
    const name = peer[1] ?? peer[4];
    if (name !== undefined) setUser(event, name);
  } else {
    frame.outcome = 'partial';
    return event;
  }
  event['event.type'] = START;
  event['event.action'] = 'sip-login';
  event['event.outcome'] = 'failure';
  return event;
};

const DROPBEAR =
  /^(?:Login attempt for nonexistent user(?: '(.*)')? from|Bad (?:password|PAM password) attempt for '(.*)' from|(?:Password|Pubkey|PAM password) auth succeeded for '(.*)'(?: with .*)? from|Child connection from|Exit before auth(?: \(.*\))?: .* from) ([^\s]{2,64}):(\d{1,5})$/s;

const decodeDropbear = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = authEvent(frame);
  event['message'] = text;
  event['network.protocol'] = 'ssh';
  event['event.category'] = LOGIN;
  event['event.type'] = INFO;
  const match = DROPBEAR.exec(text);
  if (match === null) {
    frame.outcome = 'partial';
    return event;
  }
  setSource(event, (match[4] ?? '').replace(/^\[(.*)\]$/, '$1'), match[5]);
  const failed = text.startsWith('Login attempt') || text.startsWith('Bad ');
  const succeeded = text.includes(' auth succeeded for ');
  setUser(event, match[1] ?? match[2] ?? match[3] ?? '');
  if (match[1] !== undefined || text.startsWith('Login attempt')) event['event.reason'] = 'invalid user';
  event['event.type'] = START;
  event['event.action'] = failed || succeeded ? 'ssh-login' : 'ssh-connect';
  event['event.outcome'] = failed ? 'failure' : succeeded ? 'success' : undefined;
  return event;
};

const EMITS_NETWORK = [
  'message',
  'network.transport',
  'network.type',
  'network.direction',
  'network.protocol',
  'observer.ingress.interface.name',
  'observer.egress.interface.name',
  'rule.id',
  'source.ip',
  'source.port',
  'source.address',
  'source.domain',
  'destination.ip',
  'destination.port',
  'destination.address',
  'related.ip',
  'vigil.extra',
] as const;
const EMITS_LOGIN = [
  'message',
  'log.level',
  'network.protocol',
  'event.outcome',
  'event.reason',
  'event.code',
  'service.name',
  'user.name',
  'related.user',
  'source.ip',
  'source.port',
  'source.address',
  'source.domain',
  'related.ip',
  'tags',
] as const;

export const filterlog: Decoder = {
  dataset: 'filterlog',
  title: 'pf packet filter of pfSense and OPNsense',
  logsource: [{ category: 'firewall' }],
  emits: EMITS_NETWORK,
  programs: ['filterlog'],
  form: 'message',
  decode: decodeFilterlog,
};
export const firewallConsole: Decoder = {
  dataset: 'firewall.console',
  title: 'Web console logins of pfSense and OPNsense',
  logsource: [{ product: 'pfsense' }],
  emits: EMITS_LOGIN,
  programs: ['php-fpm', 'audit', 'configd.py', 'php', 'opnsense'],
  form: 'message',
  decode: decodeConsole,
};
export const endlessh: Decoder = {
  dataset: 'endlessh',
  title: 'endlessh SSH tarpit',
  logsource: [{ product: 'linux', service: 'endlessh' }],
  emits: EMITS_NETWORK,
  programs: ['endlessh'],
  form: 'message',
  knows: (text) =>
    /^(?:\d{4}-\d\d-\d\dT\S{8,16}|[IWEF]\d{4} \S{8,16} +\d{1,10} \S{1,48}\]) (?:ACCEPT|CLOSE) host=/.test(text.slice(0, 128)),
  decode: decodeEndlessh,
};
export const asterisk: Decoder = {
  dataset: 'asterisk',
  title: 'Asterisk: security events and failed registrations',
  logsource: [{ product: 'asterisk' }],
  emits: EMITS_LOGIN,
  programs: ['asterisk'],
  form: 'message',
  knows: (text) => /^\[[^\]]{14,32}\] (?:SECURITY|NOTICE|WARNING|ERROR|VERBOSE)\[\d+\]/.test(text.slice(0, 64)),
  decode: decodeAsterisk,
};
export const dropbear: Decoder = {
  dataset: 'dropbear',
  title: 'Dropbear SSH server',
  logsource: [
    { product: 'linux', service: 'sshd' },
    { product: 'linux', service: 'auth' },
  ],
  emits: EMITS_LOGIN,
  programs: ['dropbear'],
  form: 'message',
  decode: decodeDropbear,
};
