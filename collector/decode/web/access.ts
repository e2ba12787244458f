// SPDX-License-Identifier: Apache-2.0
/**
 * Access logs of nginx, Apache and what writes like them: common and combined, virtual host in front, Traefik's tail,
 * nginx proxy managers. Input: one line. Output: a web event. The client's address stands first, before anything a client wrote.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, isHostName, portOf, setSource, setUser } from '../address.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { webEvent } from '../shape.ts';
import { readClf, readIso, stamp } from '../time.ts';
import { quoteEnd, REQUEST_FIELDS, setRequest, setTarget } from './request.ts';

const WEB: readonly string[] = ['web'];
const ACCESS: readonly string[] = ['access'];

/** Place of `[` before the stamp, after at least two tokens: `ADDRESS IDENT USER [`. The user may hold anything, so the first bracket with a stamp counts. */
const stampAt = (frame: Frame, text: string): number => {
  let at = text.indexOf(' [');
  for (let tries = 0; at >= 0 && tries < 64; tries++) {
    if (readClf(text, at + 2, frame) && (text.charCodeAt(stamp.end) === 93 || text.charCodeAt(stamp.end) === 32)) return at;
    at = text.indexOf(' [', at + 2);
  }
  return -1;
};

const numberAt = (text: string, at: number): number => {
  let value = 0;
  let p = at;
  for (; p < at + 15; p++) {
    const code = text.charCodeAt(p) - 48;
    if (!(code >= 0 && code <= 9)) break;
    value = value * 10 + code;
  }
  return p === at ? Number.NaN : value;
};

/** Status, action and outcome of an answered request. */
export const setStatus = (event: EventDraft, status: number): void => {
  if (status > 0) event['http.response.status_code'] = status;
  event['event.outcome'] = status >= 400 ? 'failure' : status > 0 ? 'success' : 'unknown';
};

/** What is common to all requests. */
export const newRequest = (frame: Frame): EventDraft => {
  const event = webEvent(frame);
  event['event.category'] = WEB;
  event['event.type'] = ACCESS;
  event['event.action'] = 'http-request';
  return event;
};

/** Sets the site that was asked: a host's name with an optional port. */
export const setSite = (event: EventDraft, host: string): void => {
  const colon = host.lastIndexOf(':');
  const name =
    colon > 0 && portOf(host.slice(colon + 1)) !== undefined && host.charCodeAt(host.length - 1) !== 93 ? host.slice(0, colon) : host;
  if (name !== '' && name !== '-' && name !== '_' && name.length <= 255) event['url.domain'] ??= name;
};

/** `[VHOST[:PORT] ]ADDRESS IDENT USER [STAMP] "REQUEST" STATUS BYTES ["REFERRER" "AGENT"] …` */
const combined = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const bracket = stampAt(frame, text);
  if (bracket < 3) return null;
  const time = stamp.ms;
  const quality = stamp.quality;
  const quote = text.indexOf('"', stamp.end);
  if (quote < 0 || quote - stamp.end > 96) return null;
  const end = quoteEnd(text, quote + 1);
  // Traefik writes `-` for an answer that never was.
  const status = text.charCodeAt(end + 2) === 45 ? 0 : numberAt(text, end + 2);
  if (end < 0 || !(status < 1000)) return null;
  const first = text.indexOf(' ');
  let address = text.slice(0, first);
  let rest = first + 1;
  let site: string | undefined;
  if (ipOf(address) === undefined) {
    const second = text.indexOf(' ', rest);
    const candidate = text.slice(rest, second);
    if (second > 0 && second < bracket && ipOf(candidate) !== undefined) {
      site = address;
      address = candidate;
      rest = second + 1;
    } else if (address.charCodeAt(address.length - 1) === 44) {
      // A list of forwarded addresses: all but the last were said by the client.
      const close = lastForwarded(text, bracket);
      if (close < 0) return null;
      const begin = text.lastIndexOf(' ', close - 1) + 1;
      address = text.slice(begin, close);
      rest = close + 1;
    } else if (!isHostName(address) && address !== '-') return null;
  }
  frame.time = time;
  frame.quality = quality;
  const event = newRequest(frame);
  setSource(event, address);
  if (site !== undefined) setSite(event, site);
  const userAt = text.indexOf(' ', rest);
  if (userAt >= 0 && userAt < bracket) setUser(event, text.slice(userAt + 1, bracket));
  const understood = setRequest(event, text.slice(quote + 1, end));
  setStatus(event, status);
  const bytesAt = text.indexOf(' ', end + 2);
  const bytes = bytesAt < 0 ? Number.NaN : numberAt(text, bytesAt + 1);
  if (bytes >= 0) event['http.response.body.bytes'] = bytes;
  const referrerAt = bytesAt < 0 ? -1 : text.indexOf(' "', bytesAt);
  if (referrerAt > 0 && referrerAt - bytesAt < 32) setQuoted(event, text, referrerAt + 2);
  if (!understood && status < 400) frame.outcome = 'partial';
  return event;
};

/** End of the last address in `a, b, c - - [`. */
const lastForwarded = (text: string, bracket: number): number => {
  const comma = text.lastIndexOf(', ', bracket);
  return comma < 0 ? -1 : text.indexOf(' ', comma + 2);
};

/** `REFERRER" "AGENT"` behind the first quote. */
const setQuoted = (event: EventDraft, text: string, at: number): void => {
  const end = quoteEnd(text, at);
  if (end < 0) return;
  if (end > at && !(end === at + 1 && text.charCodeAt(at) === 45)) event['http.request.referrer'] = text.slice(at, end);
  if (text.charCodeAt(end + 2) !== 34) return;
  const close = quoteEnd(text, end + 3);
  const agent = text.slice(end + 3, close < 0 ? text.length : close);
  if (agent !== '' && agent !== '-') event['user_agent.original'] = agent;
};

const MANAGER = /^\[([^\]]{20,32})\] (?:(\S+) )?(?:(\d{3}) |- )?(\d{3}|-) - (\S+) (\S+) (\S+) "/;

/** nginx proxy manager: `[STAMP] CACHE UPSTREAM STATUS - METHOD SCHEME HOST "TARGET" [Client ADDRESS] [Length N] … "AGENT" "REFERRER"`. */
const manager = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (!readClf(text, 1, frame) || text.charCodeAt(stamp.end) !== 93) return null;
  const head = MANAGER.exec(text.slice(0, 512));
  if (head === null) return null;
  const start = head[0].length;
  const end = quoteEnd(text, start);
  if (end < 0) return null;
  // nginx escapes quotes in the target, so what follows its end is the server's own.
  const client = /^" \[Client ([^\]\s]{1,64})\] \[Length (\d+|-)\]/.exec(text.slice(end, end + 128));
  if (client === null) return null;
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
  const event = newRequest(frame);
  event['http.request.method'] = head[5];
  setSite(event, head[7] ?? '');
  setTarget(event, text.slice(start, end));
  setSource(event, client[1] ?? '');
  setStatus(event, Number(head[4] === '-' ? head[3] : head[4]) || 0);
  if (client[2] !== '-') event['http.response.body.bytes'] = Number(client[2]);
  const agentAt = text.indexOf(' "', end + 1);
  if (agentAt > 0) {
    const agentEnd = quoteEnd(text, agentAt + 2);
    const agent = text.slice(agentAt + 2, agentEnd < 0 ? text.length : agentEnd);
    if (agent !== '' && agent !== '-') event['user_agent.original'] = agent;
  }
  return event;
};

/** NPMplus: `[STAMP] HOST ADDRESS SECONDS "REQUEST" STATUS BYTES BYTES REFERRER AGENT…`. */
const plus = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (!readClf(text, 1, frame) || text.charCodeAt(stamp.end) !== 93) return null;
  const quote = text.indexOf('"', stamp.end);
  const parts = quote < 0 ? [] : text.slice(stamp.end + 2, quote - 1).split(' ');
  const [site, address, seconds] = parts;
  if (parts.length !== 3 || site === undefined || address === undefined || ipOf(address) === undefined) return null;
  const end = quoteEnd(text, quote + 1);
  const tail = end < 0 ? null : /^" (\d{3}) (\d+) (?:\d+|-) (\S+) /.exec(text.slice(end, end + 4_096));
  if (tail === null) return null;
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
  const event = newRequest(frame);
  setSource(event, address);
  setSite(event, site);
  setRequest(event, text.slice(quote + 1, end));
  setStatus(event, Number(tail[1]));
  event['http.response.body.bytes'] = Number(tail[2]);
  if (tail[3] !== '-') event['http.request.referrer'] = tail[3];
  const agent = text.slice(end + tail[0].length);
  if (agent !== '' && agent !== '-') event['user_agent.original'] = agent;
  const span = Number(seconds);
  if (span >= 0) event['event.duration'] = Math.round(span * 1e9);
  return event;
};

/** Any access line. */
export const decodeAccess = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  return text.charCodeAt(0) === 91 ? (manager(frame) ?? plus(frame)) : combined(frame);
};

const ALB = /^(?:https?|h2|wss?|grpcs) (\S{20,40}) \S{1,256} (\S{3,64}):(\d{1,5}) (\S{1,64}) \S+ \S+ \S+ (\d{3}|-) (?:\d{3}|-) \d+ (\d+) "/;

/** AWS application load balancer. */
const decodeAlb = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const head = ALB.exec(text.slice(0, 1_024));
  if (head === null || !readIso(head[1] ?? '', 0, frame)) return null;
  const end = quoteEnd(text, head[0].length);
  if (end < 0) return null;
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
  const event = newRequest(frame);
  setSource(event, head[2] ?? '', head[3]);
  setRequest(event, text.slice(head[0].length, end));
  setStatus(event, Number(head[5]) || 0);
  event['http.response.body.bytes'] = Number(head[6]);
  if (text.startsWith('" "', end)) {
    const close = quoteEnd(text, end + 3);
    const agent = text.slice(end + 3, close < 0 ? text.length : close);
    if (agent !== '' && agent !== '-') event['user_agent.original'] = agent;
  }
  return event;
};

const EMITS = [
  ...REQUEST_FIELDS,
  'http.request.referrer',
  'http.response.status_code',
  'http.response.body.bytes',
  'user_agent.original',
  'event.duration',
  'source.ip',
  'source.address',
  'source.domain',
  'source.port',
  'related.ip',
  'user.name',
  'related.user',
  'event.outcome',
] as const;

const knowsAccess = (text: string): boolean => {
  if (!/^(?:\[\d|\S+ \S)/.test(text)) return false;
  const head = text.length > 2_048 ? text.slice(0, 2_048) : text;
  // One look for each closing quote: a pattern that may begin anywhere would read the line anew at every place.
  for (let at = head.indexOf('" '); at >= 0; at = head.indexOf('" ', at + 1)) if (isStatus(head, at + 2)) return true;
  return head.includes('[Client ');
};

/** Three digits and a space. */
const isStatus = (text: string, at: number): boolean => {
  for (let i = at; i < at + 3; i++) {
    const c = text.charCodeAt(i);
    if (!(c >= 48 && c <= 57)) return false;
  }
  return text.charCodeAt(at + 3) === 32;
};

const access = (product: string, title: string, programs: readonly string[]): Decoder => ({
  dataset: `${product}.access`,
  title,
  logsource: [{ category: 'webserver' }, { category: 'webserver', product }, { product, service: 'access' }],
  emits: EMITS,
  programs,
  form: 'line',
  knows: knowsAccess,
  decode: decodeAccess,
});

export const nginxAccess = access('nginx', 'nginx access log: combined, common, virtual host in front, proxy managers', ['nginx']);
export const apacheAccess = access('apache', 'Apache access log: common, combined, virtual host in front', ['apache2', 'httpd', 'apache']);
export const traefikAccess = access('traefik', 'Traefik access log in the common log format', ['traefik']);
export const albAccess: Decoder = {
  ...access('aws.alb', 'AWS application load balancer access log', []),
  dataset: 'aws.alb',
  decode: decodeAlb,
  knows: (text) => ALB.test(text.slice(0, 1_024)),
};
