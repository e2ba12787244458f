// SPDX-License-Identifier: Apache-2.0
/**
 * MySQL and MariaDB error log: refused logins, starts and errors.
 * Input: a line of the error log, or the message of a syslog line. Output: an auth event; the host is read from the end the server wrote.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { readIso, readYymmdd, stamp } from '../time.ts';
import { decodeMysqlLog, setDenied } from './mysql-log.ts';

const LOGIN: readonly string[] = ['authentication', 'database'];
const DATABASE: readonly string[] = ['database'];
const SESSION: readonly string[] = ['session', 'database'];
const END: readonly string[] = ['end'];
const START: readonly string[] = ['start'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];

const LEVEL = /^(?:\d{1,20} )?\[(Note|Warning|ERROR|System|Error)\] (?:\[MY-(\d{1,8})\] )?(?:\[(\w{1,32})\] )?/;
const ABORTED = /^Aborted connection (\d{1,20}) to db: '.*' user: '(.*)' host: '([^'\s]{1,255})' \((.{1,512})\)$/s;
const KNOWN =
  /^(?:InnoDB: |mysqld: |\S{0,64}\/(?:mysqld|mariadbd)(?: \(.{0,128}?\))?: |Server socket created|Server hostname|Plugin '|Event Scheduler|Starting|Shutdown|Forcing close|Recovering|Buffer pool|IP address '|Hostname '|Server is |X Plugin|CA certificate|TLS |Found |Skipping |Reading of all|Added new Master_info|Using |Received SHUTDOWN|Giving \d|A temporary password|root@localhost is created)/;

const decodeMysql = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  const known = !Number.isNaN(frame.time);
  if (readIso(text, 0, frame) || readYymmdd(text, 0, frame)) {
    if (!known) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(stamp.end).trimStart();
  }
  if (text.length > GRAMMAR_LIMIT) return null;
  const level = LEVEL.exec(text);
  if (level === null && !text.startsWith('Access denied for user ')) return decodeMysqlLog(frame, text);
  const event = authEvent(frame);
  event['message'] = text;
  event['log.level'] = level?.[1]?.toLowerCase();
  if (level?.[2] !== undefined) event['event.code'] = `MY-${level[2]}`;
  const body = level === null ? text : text.slice(level[0].length);
  event['event.category'] = DATABASE;
  event['event.type'] = level?.[1] === 'ERROR' ? ERROR : INFO;
  event['event.action'] = 'mysql-log';
  if (!body.startsWith("Access denied for user '")) {
    const aborted = ABORTED.exec(body);
    if (aborted !== null) {
      event['event.category'] = SESSION;
      event['event.type'] = END;
      event['event.action'] = 'mysql-aborted';
      event['event.reason'] = aborted[4];
      if (aborted[2] !== 'unauthenticated') setUser(event, aborted[2] ?? '');
      setSource(event, aborted[3] ?? '');
      return event;
    }
    if (level?.[1] !== 'ERROR' && level?.[1] !== 'Error' && !KNOWN.test(body)) frame.outcome = 'partial';
    return event;
  }
  event['event.category'] = LOGIN;
  event['event.type'] = START;
  event['event.action'] = 'mysql-login';
  event['event.outcome'] = 'failure';
  if (!setDenied(event, body)) frame.outcome = 'partial';
  return event;
};

/** Heads of the general log and of the slow log. */
const GENERAL = /^\d{4}-\d\d-\d\dT[\d:.]{8,15}Z\t *\d{1,20} (?:Connect|Query|Quit|Init DB|Prepare|Execute)(?:\t|$)/;
const SLOW = /^# (?:User@Host: |Time: \d|Query_time: \d)/;

export const mysql: Decoder = {
  dataset: 'mysql',
  title: 'MySQL and MariaDB: error log, general log, slow queries',
  logsource: [{ product: 'mysql' }, { category: 'database', product: 'mysql' }],
  emits: [
    'message',
    'log.level',
    'event.code',
    'event.outcome',
    'event.reason',
    'user.name',
    'related.user',
    'source.ip',
    'source.address',
    'source.domain',
    'related.ip',
    'vigil.extra',
  ],
  programs: ['mysqld', 'mariadbd', 'mysqld_safe', 'mariadb', 'mysql'],
  form: 'message',
  knows: (text) =>
    /^(?:\d{4}-\d\d-\d\d[T ].{8,24}|\d{6} .{8}) (?:\d+ )?\[(?:Note|Warning|ERROR|System)\] /.test(text.slice(0, 96)) ||
    GENERAL.test(text.slice(0, 80)) ||
    SLOW.test(text.slice(0, 48)),
  decode: decodeMysql,
};
