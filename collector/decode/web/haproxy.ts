// SPDX-License-Identifier: Apache-2.0
/**
 * HAProxy's HTTP and TCP logs.
 * Input: the message of a syslog line, or a line without header. Output: a web event; the client's address stands first.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource } from '../address.ts';
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

const decodeHaproxy = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const head = HEAD.exec(text.slice(0, 96));
  if (head === null || !readClf(text, head[0].length, frame) || text.charCodeAt(stamp.end) !== 93) return null;
  const rest = text.slice(stamp.end, stamp.end + 2_048);
  const http = HTTP.exec(rest);
  const tcp = http === null ? TCP.exec(rest) : null;
  const match = http ?? tcp;
  if (match === null) return null;
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
