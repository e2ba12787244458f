// SPDX-License-Identifier: Apache-2.0
/**
 * Access logs that are JSON: Caddy (with Coraza's findings) and Traefik.
 * Input: one line that holds one object. Output: a web event with the names of the text forms.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { clip, wellFormed } from '../build.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { findTime, parseObject, setTimeFrom } from '../json.ts';
import { webEvent } from '../shape.ts';
import { newRequest, setSite, setStatus } from './access.ts';
import { MODSECURITY_FIELDS, setModsecurity } from './modsecurity.ts';
import { REQUEST_FIELDS, setTarget } from './request.ts';

const WEB: readonly string[] = ['web'];
const INFO: readonly string[] = ['info'];

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const asText = (value: unknown): string => (typeof value === 'string' ? clip(wellFormed(value)) : '');
const firstOf = (value: unknown): string => asText(Array.isArray(value) ? value[0] : value);

/** A header by its name, whatever its case. */
const header = (headers: Record<string, unknown>, name: string): string => {
  if (headers[name] !== undefined) return firstOf(headers[name]);
  for (const key in headers) if (key.toLowerCase() === name.toLowerCase()) return firstOf(headers[key]);
  return '';
};

const fill = (event: EventDraft, proto: string, method: string, target: string, host: string): void => {
  if (method !== '') event['http.request.method'] = method;
  if (proto.startsWith('HTTP/')) event['http.version'] = proto.slice(5);
  if (target !== '') setTarget(event, target);
  setSite(event, host);
};

const decodeCaddy = (frame: Frame): EventDraft | null => {
  const root = parseObject(frame.text);
  if (root === null) return null;
  setTimeFrom(frame, root['ts']);
  const logger = asText(root['logger']);
  const message = asText(root['msg']);
  const request = asObject(root['request']);
  if (root['request'] !== undefined && logger.startsWith('http.log')) {
    const event = newRequest(frame);
    event['log.level'] = asText(root['level']) || undefined;
    // `client_ip` honours the proxies that Caddy was told to trust.
    setSource(event, asText(request['client_ip']) || asText(request['remote_ip']) || asText(request['remote_addr']).replace(/:\d+$/, ''));
    fill(event, asText(request['proto']), asText(request['method']), asText(request['uri']), asText(request['host']));
    const headers = asObject(request['headers']);
    const agent = header(headers, 'User-Agent');
    if (agent !== '') event['user_agent.original'] = agent;
    const referrer = header(headers, 'Referer');
    if (referrer !== '') event['http.request.referrer'] = referrer;
    setUser(event, asText(root['user_id']));
    if (typeof root['status'] === 'number') setStatus(event, Math.trunc(root['status']));
    if (typeof root['size'] === 'number') event['http.response.body.bytes'] = Math.trunc(root['size']);
    if (typeof root['duration'] === 'number') event['event.duration'] = Math.round(root['duration'] * 1e9);
    return event;
  }
  if (root['logger'] === undefined || root['msg'] === undefined) return null;
  const event = webEvent(frame);
  event['event.category'] = WEB;
  event['event.type'] = INFO;
  event['event.action'] = 'http-server';
  event['log.level'] = asText(root['level']) || undefined;
  event['message'] = message;
  if (setModsecurity(event, message)) {
    const client = /^\[client "([^"]{2,64})"\] Coraza: /.exec(message);
    if (client?.[1] !== undefined) setSource(event, client[1]);
    const uri = /\[uri "([^"]{1,2048})"\]/.exec(message);
    if (uri?.[1] !== undefined) setTarget(event, uri[1]);
  } else frame.outcome = 'partial';
  return event;
};

const decodeTraefik = (frame: Frame): EventDraft | null => {
  const root = parseObject(frame.text);
  if (root === null || root['ClientAddr'] === undefined || root['RequestMethod'] === undefined) return null;
  if (!setTimeFrom(frame, root['StartUTC'])) findTime(frame, root);
  const event = newRequest(frame);
  setSource(event, asText(root['ClientHost']) || asText(root['ClientAddr']).replace(/:\d+$/, ''));
  fill(
    event,
    asText(root['RequestProtocol']),
    asText(root['RequestMethod']),
    asText(root['RequestPath']),
    asText(root['RequestAddr']) || asText(root['RequestHost']),
  );
  const agent = asText(root['request_User-Agent']);
  if (agent !== '') event['user_agent.original'] = agent;
  setUser(event, asText(root['ClientUsername']));
  if (typeof root['DownstreamStatus'] === 'number') setStatus(event, Math.trunc(root['DownstreamStatus']));
  if (typeof root['DownstreamContentSize'] === 'number') event['http.response.body.bytes'] = Math.trunc(root['DownstreamContentSize']);
  if (typeof root['Duration'] === 'number') event['event.duration'] = Math.trunc(root['Duration']);
  return event;
};

const EMITS = [
  ...REQUEST_FIELDS,
  ...MODSECURITY_FIELDS,
  'message',
  'log.level',
  'http.request.referrer',
  'http.response.status_code',
  'http.response.body.bytes',
  'user_agent.original',
  'event.duration',
  'event.outcome',
  'source.ip',
  'source.address',
  'source.domain',
  'related.ip',
  'user.name',
  'related.user',
] as const;

export const caddy: Decoder = {
  dataset: 'caddy',
  title: 'Caddy: JSON access log and Coraza findings',
  logsource: [{ category: 'webserver' }, { product: 'caddy' }],
  emits: EMITS,
  form: 'line',
  knows: (text) => text.startsWith('{"level":"') && text.includes('"logger":"http.'),
  decode: decodeCaddy,
};
export const traefikJson: Decoder = {
  dataset: 'traefik.access.json',
  title: 'Traefik: JSON access log',
  logsource: [{ category: 'webserver' }, { product: 'traefik' }],
  emits: EMITS,
  form: 'line',
  knows: (text) => text.charCodeAt(0) === 123 && text.includes('"ClientAddr":"') && text.includes('"RequestMethod":"'),
  decode: decodeTraefik,
};
