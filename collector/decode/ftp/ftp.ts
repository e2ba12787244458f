// SPDX-License-Identifier: Apache-2.0
/**
 * vsftpd, ProFTPD and Pure-FTPd: logins and failures.
 * Input: a syslog message, or a line of the server's own log. Output: an auth event; the address is the one the server wrote, not one in a name.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setSource, setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { readCtime, stamp } from '../time.ts';

const LOGIN: readonly string[] = ['authentication'];
const NETWORK: readonly string[] = ['network'];
const FILE: readonly string[] = ['file'];
const SESSION: readonly string[] = ['session'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const CONNECTION: readonly string[] = ['connection'];
const DENIED: readonly string[] = ['denied'];
const ACCESS: readonly string[] = ['access'];

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const newFtp = (frame: Frame): EventDraft => {
  const event = authEvent(frame);
  event['message'] = frame.text;
  event['network.protocol'] = 'ftp';
  return event;
};

const VSFTPD =
  /^(?:\[pid (\d{1,10})\] )?(?:\[(.*)\] )?(OK|FAIL)? ?(CONNECT|LOGIN|DOWNLOAD|UPLOAD|DELETE|MKDIR|RMDIR|RENAME|CHMOD|FTP command|FTP response|DEBUG)(?:: |, )Client "([^"]{2,64})"(.*)$/s;

const decodeVsftpd = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  if (Number.isNaN(frame.time) && readCtime(text, 0, frame)) {
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
    text = text.slice(stamp.end + 1);
  }
  if (text.length > GRAMMAR_LIMIT) return null;
  const match = VSFTPD.exec(text);
  if (match === null) return null;
  const event = newFtp(frame);
  if (match[1] !== undefined) event['process.pid'] = Number(match[1]);
  if (match[2] !== undefined) setUser(event, match[2]);
  setSource(event, match[5] ?? '');
  const verb = match[4] ?? '';
  const outcome = match[3] === 'FAIL' ? 'failure' : match[3] === 'OK' ? 'success' : undefined;
  if (verb === 'FTP response' && (match[6] ?? '').startsWith(', "530 ')) return act(event, 'ftp-login', LOGIN, START, 'failure');
  if (verb === 'LOGIN') return act(event, 'ftp-login', LOGIN, START, outcome);
  if (verb === 'CONNECT') return act(event, 'ftp-connect', NETWORK, CONNECTION, outcome);
  return act(event, `ftp-${verb.toLowerCase().replaceAll(' ', '-')}`, FILE, ACCESS, outcome);
};

const PROFTPD = /^(?:([\w.:-]{1,255}) )?\(([^()[\]]{0,255})\[([^\]]{2,64})\]\)(?: -|:)? (.*)$/s;

const decodeProftpd = (frame: Frame): EventDraft | null => {
  const text = frame.text.trimEnd();
  if (text.length > GRAMMAR_LIMIT) return null;
  if (text.startsWith('refused connect from ') && text.endsWith(')')) {
    const event = newFtp(frame);
    setSource(event, text.slice(text.lastIndexOf('(') + 1, -1));
    return act(event, 'ftp-refused-connection', NETWORK, DENIED, 'failure');
  }
  const match = PROFTPD.exec(text);
  if (match === null) return null;
  const event = newFtp(frame);
  const address = match[3] ?? '';
  setSource(event, address);
  const name = match[2] ?? '';
  if (name !== '' && ipOf(name) === undefined) event['source.domain'] = name;
  const body = match[4] ?? '';
  let found = /^USER (.*?)(?:: no such user found from .*| \(Login failed\)(?:: (.*))?)$/s.exec(body);
  if (found !== null) {
    setUser(event, found[1] ?? '');
    event['event.reason'] = found[2] ?? 'no such user';
    return act(event, 'ftp-login', LOGIN, START, 'failure');
  }
  if ((found = /^(?:USER|ANON) (.*): Login successful\.?$/s.exec(body)) !== null) {
    setUser(event, found[1] ?? '');
    return act(event, 'ftp-login', LOGIN, START, 'success');
  }
  if ((found = /^SECURITY VIOLATION: (.*?) login attempted/is.exec(body)) !== null) {
    const name = found[1] ?? '';
    setUser(event, name === 'Root' ? 'root' : name);
    event['event.reason'] = 'security violation';
    return act(event, 'ftp-login', LOGIN, DENIED, 'failure');
  }
  if (body.startsWith('Maximum login attempts ')) return act(event, 'ftp-max-attempts', LOGIN, DENIED, 'failure');
  if (body.startsWith('FTP session opened')) return act(event, 'ftp-connect', NETWORK, CONNECTION);
  if (body.startsWith('FTP session closed') || body.startsWith('FTP login timed out') || body.startsWith('FTP no transfer'))
    return act(event, 'ftp-disconnect', SESSION, END);
  frame.outcome = 'partial';
  return event;
};

const PUREFTPD = /^\((.*)@([^@\s)]{1,255})\) \[(INFO|WARNING|ERROR|NOTICE|DEBUG)\] (.*)$/s;

const decodePureftpd = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const match = PUREFTPD.exec(text);
  if (match === null) return null;
  const event = newFtp(frame);
  // The name before `@` is the session's user, once it has one; the first `) [` ends what the server wrote.
  const close = text.indexOf(') [');
  const head = text.slice(1, close);
  const at = head.lastIndexOf('@');
  setSource(event, head.slice(at + 1));
  if (at > 0 && head.slice(0, at) !== '?') setUser(event, head.slice(0, at));
  const body = text.slice(text.indexOf('] ', close) + 2);
  let found = /^Authentication failed for user \[(.*)\]$/s.exec(body);
  if (found !== null) {
    setUser(event, found[1] ?? '');
    return act(event, 'ftp-login', LOGIN, START, 'failure');
  }
  if ((found = /^(.*) is now logged in$/s.exec(body)) !== null) {
    setUser(event, found[1] ?? '');
    return act(event, 'ftp-login', LOGIN, START, 'success');
  }
  if (body.startsWith('New connection from ')) return act(event, 'ftp-connect', NETWORK, CONNECTION);
  if (body.startsWith('Logout')) return act(event, 'ftp-disconnect', SESSION, END);
  frame.outcome = 'partial';
  return event;
};

const EMITS = [
  'message',
  'process.pid',
  'network.protocol',
  'event.outcome',
  'event.reason',
  'user.name',
  'related.user',
  'source.ip',
  'source.address',
  'source.domain',
  'related.ip',
] as const;

export const vsftpd: Decoder = {
  dataset: 'vsftpd',
  title: 'vsftpd FTP server',
  logsource: [{ product: 'linux', service: 'vsftpd' }],
  emits: EMITS,
  programs: ['vsftpd'],
  form: 'message',
  knows: (text) => /^\w{3} \w{3} [ \d]{1,2} [\d:]{8} \d{4} \[pid \d{1,10}\] /.test(text.slice(0, 48)),
  decode: decodeVsftpd,
};
export const proftpd: Decoder = {
  dataset: 'proftpd',
  title: 'ProFTPD FTP server',
  logsource: [{ product: 'linux', service: 'proftpd' }],
  emits: EMITS,
  programs: ['proftpd'],
  form: 'message',
  decode: decodeProftpd,
};
export const pureftpd: Decoder = {
  dataset: 'pureftpd',
  title: 'Pure-FTPd FTP server',
  logsource: [{ product: 'linux', service: 'pureftpd' }],
  emits: EMITS,
  programs: ['pure-ftpd', 'pureftpd'],
  form: 'message',
  decode: decodePureftpd,
};
