// SPDX-License-Identifier: Apache-2.0
/**
 * fail2ban's own log: addresses found, banned and let go, by jail.
 * Input: a line of its file, or the message behind a syslog header. Output: a network event.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setSource } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { networkEvent } from '../shape.ts';
import { readIso, stamp } from '../time.ts';

const DETECTION: readonly string[] = ['intrusion_detection'];
const HOST: readonly string[] = ['host'];
const DENIED: readonly string[] = ['denied'];
const ALLOWED: readonly string[] = ['allowed'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];

const FILE_HEAD = /^fail2ban\.(\w{1,32}) {0,32}\[(\d{1,10})\]: {1,8}(CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG|HEAVYDEBUG) {1,16}/;
const LEVEL_HEAD = /^(CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG|HEAVYDEBUG):? {1,16}/;
const ACTED =
  /^\[([^\]\s]{1,128})\] (Restore Ban|Increase Ban|Ban|Unban|Found|Ignore|already banned|Increase|Attempt) ?(\S{2,64})(?: (?:already banned|.*))?$/s;
const BANNED_ALREADY = /^\[([^\]\s]{1,128})\] (\S{2,64}) already banned$/;

const ACTIONS: Readonly<Record<string, readonly [action: string, type: readonly string[]]>> = {
  Ban: ['address-ban', DENIED],
  'Restore Ban': ['address-ban-restore', DENIED],
  'Increase Ban': ['address-ban', DENIED],
  Unban: ['address-unban', ALLOWED],
  Found: ['address-found', INFO],
  Ignore: ['address-ignore', INFO],
};

const decodeFail2ban = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  let body = text;
  let level: string | undefined;
  if (Number.isNaN(frame.time) && frame.program === undefined) {
    if (!readIso(text, 0, frame)) return null;
    body = text.slice(stamp.end + 1);
    const head = FILE_HEAD.exec(body);
    if (head === null) return null;
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
    frame.program = `fail2ban.${head[1]}`;
    frame.pid = Number(head[2]);
    level = head[3];
    body = body.slice(head[0].length);
  } else {
    const head = FILE_HEAD.exec(body) ?? LEVEL_HEAD.exec(body);
    level = head?.[3] ?? head?.[1];
    body = body.slice(head?.[0].length ?? 0);
  }
  const event = networkEvent(frame);
  event['message'] = body;
  event['log.level'] = level?.toLowerCase();
  const already = BANNED_ALREADY.exec(body);
  const acted = already === null ? ACTED.exec(body) : null;
  const address = already?.[2] ?? acted?.[3] ?? '';
  event['event.category'] = HOST;
  event['event.type'] = level === 'ERROR' || level === 'CRITICAL' ? ERROR : INFO;
  event['event.action'] = 'fail2ban-message';
  // What a log says is quoted in errors: only an address in its own place is one.
  if ((already === null && acted === null) || ipOf(address) === undefined) return event;
  setSource(event, address);
  setExtra(event, 'fail2ban.jail', already?.[1] ?? acted?.[1] ?? '');
  event['rule.name'] = already?.[1] ?? acted?.[1];
  event['event.category'] = DETECTION;
  const [action, type] = already === null ? (ACTIONS[acted?.[2] ?? ''] ?? ['address-found', INFO]) : ['address-ban-repeated', DENIED];
  event['event.action'] = action;
  event['event.type'] = type;
  return event;
};

export const fail2ban: Decoder = {
  dataset: 'fail2ban',
  title: 'fail2ban: addresses found, banned and let go',
  logsource: [
    { product: 'linux', service: 'fail2ban' },
    { product: 'linux', service: 'syslog' },
  ],
  emits: [
    'message',
    'log.level',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'rule.name',
    'process.name',
    'process.pid',
    'vigil.extra',
  ],
  programs: ['fail2ban', 'fail2ban-server', 'fail2ban.actions', 'fail2ban.filter', 'fail2ban.jail', 'fail2ban.server', 'fail2ban.observer'],
  form: 'line',
  knows: (text) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} fail2ban\.\w{1,32} {0,32}\[\d{1,10}\]: /.test(text.slice(0, 128)),
  decode: decodeFail2ban,
};
