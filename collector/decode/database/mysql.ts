// SPDX-License-Identifier: Apache-2.0
/**
 * MySQL and MariaDB error log: refused logins, starts and errors.
 * Input: a line of the error log, or the message of a syslog line. Output: an auth event; the host is read from the end the server wrote.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { readIso, readYymmdd, stamp } from '../time.ts';

const LOGIN: readonly string[] = ['authentication', 'database'];
const DATABASE: readonly string[] = ['database'];
const START: readonly string[] = ['start'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];

const LEVEL = /^(?:\d{1,20} )?\[(Note|Warning|ERROR|System|Error)\] (?:\[MY-(\d{1,8})\] )?(?:\[(\w{1,32})\] )?/;
const END = /(?: \(using password: (YES|NO)\)| to database '([^']{0,256})')$/;

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
  if (level === null && !text.startsWith('Access denied for user ')) return null;
  const event = authEvent(frame);
  event['message'] = text;
  event['log.level'] = level?.[1]?.toLowerCase();
  if (level?.[2] !== undefined) event['event.code'] = `MY-${level[2]}`;
  const body = level === null ? text : text.slice(level[0].length);
  event['event.category'] = DATABASE;
  event['event.type'] = level?.[1] === 'ERROR' ? ERROR : INFO;
  event['event.action'] = 'mysql-log';
  if (!body.startsWith("Access denied for user '")) {
    frame.outcome = 'partial';
    return event;
  }
  event['event.category'] = LOGIN;
  event['event.type'] = START;
  event['event.action'] = 'mysql-login';
  event['event.outcome'] = 'failure';
  const tail = END.exec(body);
  const head = (tail === null ? body : body.slice(0, tail.index)).trimEnd();
  const at = head.lastIndexOf("'@'");
  if (at < 24 || !head.endsWith("'")) {
    frame.outcome = 'partial';
    return event;
  }
  setUser(event, head.slice(24, at));
  setSource(event, head.slice(at + 3, -1));
  if (tail?.[1] !== undefined) setExtra(event, 'mysql.password_given', tail[1].toLowerCase());
  if (tail?.[2] !== undefined) setExtra(event, 'mysql.database', tail[2]);
  return event;
};

export const mysql: Decoder = {
  dataset: 'mysql',
  title: 'MySQL and MariaDB error log',
  logsource: [{ product: 'mysql' }, { category: 'database', product: 'mysql' }],
  emits: [
    'message',
    'log.level',
    'event.code',
    'event.outcome',
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
  knows: (text) => /^(?:\d{4}-\d\d-\d\d[T ].{8,24}|\d{6} .{8}) (?:\d+ )?\[(?:Note|Warning|ERROR|System)\] /.test(text.slice(0, 96)),
  decode: decodeMysql,
};
