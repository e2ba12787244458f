// SPDX-License-Identifier: Apache-2.0
/**
 * BIND: queries, refusals, transfers, updates.
 * Input: a line of named's own log, or the message of a syslog line. Output: a network event; the client stands before the name it asked for.
 */
import type { EventDraft } from '../../model/event.ts';
import { setDestination, setSource } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { networkEvent } from '../shape.ts';
import { readBind, readIso, stamp } from '../time.ts';

const NETWORK: readonly string[] = ['network'];
const DENIED: readonly string[] = ['protocol', 'denied'];
const PROTOCOL: readonly string[] = ['protocol'];
const INFO: readonly string[] = ['info'];

const CLIENT =
  /^(?:[\w-]{1,32}: )?(?:(?:info|notice|warning|error|debug \d): )?client (?:@0x[0-9a-f]{1,16} )?([0-9A-Fa-f.:%\w]{2,64})#(\d{1,5})(?: \(([^)]{0,512})\))?: (?:view \S{1,64}: )?(.*)$/s;
const QUERY = /^(query|query \(cache\)|zone transfer|update|query-on \(cache\)) '([^']{0,512})\/([\w-]{1,16})\/([\w-]{1,8})'/;
const ASKED = /^query: (\S{1,512}) (\w{1,8}) (\w{1,16}) /;

/** `network unreachable resolving 'example/A/IN': 203.0.113.5#53`, `error (connection refused) resolving …`. */
const LAME =
  /^(?:[\w-]{1,32}: )?(?:(?:info|notice|warning|error|debug \d): )?(?:(?:error|unexpected RCODE) \()?([\w .]{1,64}?)\)? resolving '([^']{0,512})\/([\w-]{1,16})\/[\w-]{1,8}': ([0-9A-Fa-f.:%]{2,64})#(\d{1,5})$/;
const SERVER =
  /^(?:[\w-]{1,32}: )?(?:(?:info|notice|warning|error|debug \d): )?(?:zone \S{1,512}: |(?:managed-keys-zone|resolver priming query|automatic empty zone|command channel|listening on|using |loading |reloading |running$|shutting down|exiting|starting |stopping |received |all zones loaded|any newly configured|sizing |set up |running as|compiled |linked |built |-{10}|BIND |found \d|generating session|adjusted limit|statistics channel|additionally listening|no longer listening|transfer of '|sending notifies|none:\d|configuring |could not |received control channel|the working directory|obtaining |GeoIP|validating |missing expected cookie|DNS format error|clients-per-query|success resolving|broken trust chain))/;

const decodeNamed = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  if ((readBind(text, 0, frame) || readIso(text, 0, frame)) && text.charCodeAt(stamp.end) === 32) {
    if (Number.isNaN(frame.time)) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(stamp.end + 1);
  }
  const client = CLIENT.exec(text);
  if (client === null && Number.isNaN(frame.time)) return null;
  const event = networkEvent(frame);
  event['message'] = text;
  event['network.protocol'] = 'dns';
  event['event.category'] = NETWORK;
  if (client === null) {
    event['event.type'] = INFO;
    event['event.action'] = 'dns-server';
    const lame = LAME.exec(text);
    if (lame !== null) {
      event['event.action'] = 'dns-resolve';
      event['event.outcome'] = 'failure';
      event['event.reason'] = lame[1];
      event['dns.question.name'] = lame[2];
      event['dns.question.type'] = lame[3];
      setDestination(event, lame[4] ?? '', lame[5]);
    } else if (!SERVER.test(text)) frame.outcome = 'partial';
    return event;
  }
  setSource(event, client[1] ?? '', client[2]);
  const body = client[4] ?? '';
  const query = QUERY.exec(body);
  const asked = query === null ? ASKED.exec(body) : null;
  const name = query?.[2] ?? asked?.[1] ?? client[3];
  if (name !== undefined && name !== '') event['dns.question.name'] = name;
  event['dns.question.type'] = query?.[3] ?? asked?.[3];
  const denied = /\bdenied\b|\brefused\b|rate limit|^bad zone transfer request/.test(body.slice(query?.[0].length ?? 0));
  event['event.type'] = denied ? DENIED : PROTOCOL;
  event['event.action'] =
    query?.[1] === 'zone transfer' || /^(?:bad zone )?transfer /.test(body)
      ? 'dns-transfer'
      : query?.[1] === 'update'
        ? 'dns-update'
        : 'dns-query';
  if (denied) {
    event['event.outcome'] = 'failure';
    event['event.reason'] = 'denied';
  }
  return event;
};

export const named: Decoder = {
  dataset: 'named',
  title: 'BIND name server: queries and refusals',
  logsource: [{ category: 'dns' }, { product: 'linux', service: 'named' }],
  emits: [
    'message',
    'network.protocol',
    'event.outcome',
    'event.reason',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'destination.ip',
    'destination.port',
    'destination.address',
    'dns.question.name',
    'dns.question.type',
  ],
  programs: ['named'],
  form: 'message',
  knows: (text) => /^\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\.\d{3} /.test(text.slice(0, 32)),
  decode: decodeNamed,
};
