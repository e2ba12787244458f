// SPDX-License-Identifier: Apache-2.0
/**
 * The kernel's messages: netfilter's packets, faults of processes, USB devices, WireGuard; what else it says is in `kernel-fault.ts`.
 * Input: the message of a syslog line. Output: a network event.
 */
import type { EventDraft } from '../../model/event.ts';
import { setDestination, setSource } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { networkEvent } from '../shape.ts';
import { setFault } from './kernel-fault.ts';

const NETWORK: readonly string[] = ['network'];
const PROCESS: readonly string[] = ['process'];
const HOST: readonly string[] = ['host'];
const DENIED: readonly string[] = ['connection', 'denied'];
const ALLOWED: readonly string[] = ['connection', 'allowed'];
const CONNECTION: readonly string[] = ['connection'];
const ERROR: readonly string[] = ['error'];
const INFO: readonly string[] = ['info'];
const CHANGE: readonly string[] = ['change'];

/** `KEY=value` of netfilter at the first place it stands with a blank before it. */
const field = (text: string, key: string): string | undefined => {
  const at = text.indexOf(` ${key}=`);
  if (at < 0) return undefined;
  const start = at + key.length + 2;
  const end = text.indexOf(' ', start);
  return text.slice(start, end < 0 ? text.length : end);
};

const NETFILTER = /(?:^|[\s\]):>])IN=([\w.@:+-]{0,32}) OUT=([\w.@:+-]{0,32}) /;

/** `[UFW BLOCK] `, `iptables-dropped: `, `FINAL_REJECT: ` as an action and as a rule's name. */
const decodeNetfilter = (frame: Frame, text: string, match: RegExpExecArray): EventDraft | null => {
  // An ICMP error repeats the packet it answers in brackets; the outer one is what was seen.
  const body = text.slice(match.index);
  const inner = body.indexOf(' [SRC=');
  const packet = inner < 0 ? body : body.slice(0, inner);
  const source = field(packet, 'SRC');
  const destination = field(packet, 'DST');
  if (source === undefined || destination === undefined) return null;
  const event = networkEvent(frame);
  setSource(event, source, field(packet, 'SPT'));
  setDestination(event, destination, field(packet, 'DPT'));
  const protocol = field(packet, 'PROTO');
  if (protocol !== undefined) event['network.transport'] = protocol.toLowerCase();
  event['network.type'] = source.includes(':') ? 'ipv6' : 'ipv4';
  if (match[1] !== '') event['observer.ingress.interface.name'] = match[1];
  if (match[2] !== '') event['observer.egress.interface.name'] = match[2];
  event['network.direction'] = match[1] === '' ? 'egress' : match[2] === '' ? 'ingress' : 'unknown';
  const length = Number(field(packet, 'LEN'));
  if (Number.isInteger(length) && length >= 0) event['source.bytes'] = length;
  const prefix = text
    .slice(0, match.index)
    .replace(/^\[ *[\d.]+\] ?/, '')
    .replace(/[\s:]+$/, '');
  if (prefix !== '') event['rule.name'] = prefix.slice(0, 128);
  event['event.category'] = NETWORK;
  const allowed = /accept|allow|\bpass/i.test(prefix);
  const denied = /drop|block|reject|den(?:y|ied)|refus|invalid|\bban/i.test(prefix);
  event['event.type'] = denied ? DENIED : allowed ? ALLOWED : CONNECTION;
  event['event.action'] = denied ? 'firewall-drop' : allowed ? 'firewall-accept' : 'firewall-log';
  return event;
};

const SEGFAULT =
  /^(?:traps: )?(.{1,64}?)\[(\d{1,10})\]:? (?:(?:segfault at|trap \w[\w ]{0,32}|general protection(?: fault)?|bad frame|unhandled signal)[^[]{0,256}?)(?: in (\S+?)(?:\[|$)|$)/;
const WIREGUARD_PEER = /^wireguard: (\S{1,32}): (.*?) \(?([0-9A-Fa-f.:[\]]{2,64}):(\d{1,5})\)?$/;
const USB =
  /^usb (\S{1,32}): (New USB device found, idVendor=(\w{4}), idProduct=(\w{4})|USB disconnect, .*|Product: .*|Manufacturer: .*|SerialNumber: .*)/;

const decodeKernel = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const netfilter = text.includes('IN=') ? NETFILTER.exec(text) : null;
  if (netfilter !== null) {
    const event = decodeNetfilter(frame, text, netfilter);
    if (event !== null) return event;
  }
  const body = text.replace(/^\[ *\d{1,12}\.\d{1,9}\] ?/, '');
  const event = networkEvent(frame);
  event['message'] = body;
  let match = /\]:? (?:segfault|trap |general|bad frame|unhandled)/.test(body) ? SEGFAULT.exec(body) : null;
  if (match !== null) {
    event['event.category'] = PROCESS;
    event['event.type'] = ERROR;
    event['event.action'] = 'segfault';
    event['process.name'] = match[1];
    event['process.pid'] = Number(match[2]);
    if (match[3] !== undefined) setExtra(event, 'segfault.library', match[3]);
    return event;
  }
  if ((match = WIREGUARD_PEER.exec(body)) !== null) {
    event['event.category'] = NETWORK;
    const refused = /unallowed src IP|Invalid handshake|Invalid MAC|Invalid cookie|not authenticated/.test(body);
    event['event.type'] = refused ? DENIED : CONNECTION;
    event['event.action'] = refused ? 'wireguard-denied' : 'wireguard';
    if (refused) event['event.outcome'] = 'failure';
    event['network.protocol'] = 'wireguard';
    event['event.reason'] = match[2];
    event['observer.ingress.interface.name'] = match[1];
    setSource(event, match[3] ?? '', match[4]);
    return event;
  }
  if ((match = USB.exec(body)) !== null) {
    event['event.category'] = HOST;
    event['event.type'] = CHANGE;
    event['event.action'] =
      match[3] !== undefined ? 'usb-connect' : (match[2] ?? '').startsWith('USB disconnect') ? 'usb-disconnect' : 'usb-info';
    if (match[3] !== undefined) setExtra(event, 'usb.id', `${match[3]}:${match[4]}`);
    return event;
  }
  if (setFault(event, body)) return event;
  event['event.category'] = HOST;
  event['event.type'] = INFO;
  event['event.action'] = 'kernel-message';
  frame.outcome = 'partial';
  return event;
};

export const kernel: Decoder = {
  dataset: 'kernel',
  title: 'Linux kernel: netfilter packets, faults, devices, WireGuard',
  logsource: [{ category: 'firewall' }, { product: 'linux', service: 'kernel' }, { product: 'linux', service: 'syslog' }],
  emits: [
    'message',
    'event.outcome',
    'event.reason',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'source.bytes',
    'destination.ip',
    'destination.port',
    'destination.address',
    'related.ip',
    'network.transport',
    'network.type',
    'network.direction',
    'network.protocol',
    'observer.ingress.interface.name',
    'observer.egress.interface.name',
    'rule.name',
    'process.name',
    'process.pid',
    'user.id',
    'event.code',
    'vigil.extra',
  ],
  programs: ['kernel', 'ulogd'],
  form: 'message',
  decode: decodeKernel,
};
