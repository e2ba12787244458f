// SPDX-License-Identifier: Apache-2.0
/**
 * HAProxy's HTTP and TCP logs.
 * Input: the message of a syslog line, or a line without header. Output: a web event; the client's address stands first.
 */
import type { EventDraft } from '../../model/event.ts';
import { setDestination, setSource } from '../address.ts';
import { setExtra } from '../build.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { readClf, stamp } from '../time.ts';
import { newRequest, setStatus } from './access.ts';
import { REQUEST_FIELDS, setRequest } from './request.ts';

const HEAD = /^(\S{2,64}):(\d{1,5}) \[/;
const HTTP =
  /^\] (\S{1,255}) (\S{1,255})\/(\S{1,255}) ([-+\d/]{5,64}) (-?\d{1,4}) \+?(\d{1,15}) (\S{1,256}) (\S{1,256}) (\S{4}) [\d/+]{5,64} [\d/]{3,32} /;
const TCP = /^\] (\S{1,255}) (\S{1,255})\/(\S{1,255}) ([-+\d/]{5,64}) \+?(\d{1,15}) (\S{2}) [\d/+]{5,64} [\d/]{3,32}/;
const DENIED: readonly string[] = ['access', 'denied'];

const NETWORK: readonly string[] = ['network'];
const PROCESS: readonly string[] = ['process'];
const CONNECTION: readonly string[] = ['connection'];
const ERROR: readonly string[] = ['error'];
const INFO: readonly string[] = ['info'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];

const ACCEPTED = /^Connect from (\S{2,64}):(\d{1,5}) to (\S{2,64}):(\d{1,5}) \((\S{1,255})\/(\S{1,16})\)$/;
const SERVER =
  /^(?:\[\w{1,16}\] \S{1,32} : )?(?:(?:Backup )?(?:Server|Health check for (?:backup )?server) (\S{1,255})\/(\S{1,255}) (is (UP|DOWN|going DOWN|stopping|MAINT)|succeeded|failed|was (?:DOWN|UP))?.*|backend (\S{1,255}) has no server available!|(?:Proxy|backend|frontend) (\S{1,255}) (started|stopped)\b.*|(?:Stopping|Pausing|Enabling|Disabling) .*)$/is;
const REFUSED =
  /^\] (\S{1,255})\/(\S{1,64}): (SSL handshake failure|Connection closed during SSL handshake|Timeout during SSL handshake|SSL client .{1,128}|Received something which does not look like .{1,64}|Connection error during .{1,64}|.{1,128})$/;

/** What HAProxy says of its own servers and proxies. */
const decodeServer = (frame: Frame, text: string): EventDraft | null => {
  const short = text.slice(0, 2_048);
  const accepted = ACCEPTED.exec(short);
  const server = accepted === null ? SERVER.exec(short) : null;
  if (accepted === null && server === null) return null;
  const event = newRequest(frame);
  event['message'] = text;
  event['event.category'] = accepted === null ? PROCESS : NETWORK;
  event['event.type'] = CONNECTION;
  event['event.action'] = 'proxy-accept';
  if (accepted !== null) {
    setSource(event, accepted[1] ?? '', accepted[2]);
    setDestination(event, accepted[3] ?? '', accepted[4]);
    setExtra(event, 'haproxy.frontend', accepted[5] ?? '');
    return event;
  }
  const backend = server?.[1] ?? server?.[5] ?? server?.[6];
  if (backend !== undefined) setExtra(event, 'haproxy.backend', backend);
  if (server?.[2] !== undefined) setExtra(event, 'haproxy.server', server[2]);
  const down = server?.[5] !== undefined || /DOWN/i.test(server?.[3] ?? '') || server?.[3] === 'failed';
  const said = server?.[7]?.toLowerCase();
  event['event.type'] = down ? ERROR : said === 'started' ? START : said === 'stopped' ? END : INFO;
  event['event.action'] = down ? 'proxy-server-down' : server?.[2] === undefined ? 'proxy-state' : 'proxy-server-up';
  if (down) event['event.outcome'] = 'failure';
  return event;
};

/** `ADDRESS:PORT [STAMP] FRONTEND/BIND: SSL handshake failure`. */
const decodeRefused = (frame: Frame, head: RegExpExecArray, rest: string): EventDraft | null => {
  const refused = REFUSED.exec(rest);
  if (refused === null) return null;
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
  const event = newRequest(frame);
  event['message'] = frame.text;
  setSource(event, head[1] ?? '', head[2]);
  setExtra(event, 'haproxy.frontend', refused[1] ?? '');
  event['event.category'] = NETWORK;
  event['event.type'] = ERROR;
  event['event.action'] = refused[3]?.includes('SSL') === true ? 'tls-handshake' : 'proxy-refused';
  event['event.outcome'] = 'failure';
  event['event.reason'] = refused[3];
  return event;
};

const decodeHaproxy = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const head = HEAD.exec(text.slice(0, 96));
  if (head === null) return decodeServer(frame, text);
  if (!readClf(text, head[0].length, frame) || text.charCodeAt(stamp.end) !== 93) return null;
  const rest = text.slice(stamp.end, stamp.end + 2_048);
  const http = HTTP.exec(rest);
  const tcp = http === null ? TCP.exec(rest) : null;
  const match = http ?? tcp;
  if (match === null) return decodeRefused(frame, head, rest);
  // The accept date is the request's own; it has the fraction that syslog's lacks.
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
  const at = stamp.end + match[0].length;
  const event = newRequest(frame);
  setSource(event, head[1] ?? '', head[2]);
  setExtra(event, 'haproxy.frontend', match[1] ?? '');
  setExtra(event, 'haproxy.backend', match[2] ?? '');
  setExtra(event, 'haproxy.server', match[3] ?? '');
  const total = Number((match[4] ?? '').split('/').at(-1));
  if (total >= 0) event['event.duration'] = total * 1e6;
  event['event.code'] = http === null ? match[6] : match[9];
  event['http.response.body.bytes'] = Number(http === null ? match[5] : match[6]);
  if (http === null) {
    event['event.action'] = 'proxy-connection';
    return event;
  }
  const status = Number(match[5]);
  if (status > 0) setStatus(event, status);
  if ((match[9] ?? '').startsWith('PR')) event['event.type'] = DENIED;
  // Captured headers stand in braces before the request's quote.
  const quote = text.indexOf('"', at);
  if (quote >= 0) {
    const end = text.lastIndexOf('"');
    setRequest(event, text.slice(quote + 1, end > quote ? end : text.length));
  }
  return event;
};

export const haproxy: Decoder = {
  dataset: 'haproxy',
  title: 'HAProxy HTTP and TCP log',
  logsource: [{ category: 'webserver' }, { category: 'proxy' }, { product: 'haproxy' }],
  emits: [
    ...REQUEST_FIELDS,
    'http.response.status_code',
    'http.response.body.bytes',
    'event.duration',
    'event.code',
    'event.outcome',
    'event.reason',
    'message',
    'destination.ip',
    'destination.port',
    'destination.address',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
  ],
  programs: ['haproxy'],
  form: 'message',
  decode: decodeHaproxy,
};
