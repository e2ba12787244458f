// SPDX-License-Identifier: Apache-2.0
/**
 * MySQL's and MariaDB's other logs: the general query log, the heads of the slow query log.
 * Input: one line. Output: an auth or database event, or nothing. A user's name stands before the address, so what follows is read from the end.
 */
import type { EventDraft } from '../../model/event.ts';
import { setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import type { Frame } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { readIso, readYymmdd, stamp } from '../time.ts';

const LOGIN: readonly string[] = ['authentication', 'database'];
const DATABASE: readonly string[] = ['database'];
const SESSION: readonly string[] = ['session', 'database'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const ACCESS: readonly string[] = ['access'];
const INFO: readonly string[] = ['info'];

const GENERAL =
  /^[\t ]{0,16}(\d{1,20}) (Connect|Quit|Query|Init DB|Prepare|Execute|Close stmt|Reset stmt|Field List|Statistics|Ping|Change user|Shutdown|Binlog Dump|Refresh|Kill|Debug|Daemon|Long Data|Fetch|Reset Connection|Set option)(?:\t(.*))?$/s;
const CONNECT = /^(.*)@(\S{0,255}) (?:as \S{0,128} )?on (?:(\S{0,256}) )?using (TCP\/IP|SSL\/TLS|Socket|Named Pipe|Shared Memory)$/s;
const SLOW =
  /^# (?:User@Host: (.*?)\[(.*)\] @ {1,2}(\S{0,255})? {0,2}\[([0-9A-Fa-f.:]{0,64})\](?: {1,3}Id: {1,8}(\d{1,20}))?|Time: (.{6,40})|Query_time: ([\d.]{1,20}) .*|(?:Thread_id|Schema|Rows_affected|Bytes_sent|Full_scan|administrator command).*)$/s;

/** Fills a login from the text of `Access denied for user 'NAME'@'HOST'…`; false where it cannot be told apart. */
export const setDenied = (event: EventDraft, body: string): boolean => {
  const tail = /(?: \(using password: (YES|NO)\)| to database '([^']{0,256})')$/.exec(body);
  const head = (tail === null ? body : body.slice(0, tail.index)).trimEnd();
  const at = head.lastIndexOf("'@'");
  if (at < 24 || !head.endsWith("'")) return false;
  setUser(event, head.slice(24, at));
  setSource(event, head.slice(at + 3, -1));
  if (tail?.[1] !== undefined) setExtra(event, 'mysql.password_given', tail[1].toLowerCase());
  if (tail?.[2] !== undefined) setExtra(event, 'mysql.database', tail[2]);
  return true;
};

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const decodeSlow = (frame: Frame, match: RegExpExecArray): EventDraft => {
  if (match[6] !== undefined && (readIso(match[6], 0, frame) || readYymmdd(match[6], 0, frame))) {
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
  }
  const event = authEvent(frame);
  event['message'] = frame.text;
  if (match[2] !== undefined) {
    setUser(event, match[2]);
    setSource(event, match[4] !== undefined && match[4] !== '' ? match[4] : (match[3] ?? ''));
  }
  if (match[7] !== undefined) setExtra(event, 'mysql.query_seconds', match[7]);
  return act(event, 'mysql-slow-query', DATABASE, INFO);
};

/** A line of the general log behind its stamp, or of the slow log. */
export const decodeMysqlLog = (frame: Frame, text: string): EventDraft | null => {
  const slow = text.startsWith('# ') ? SLOW.exec(text) : null;
  if (slow !== null) return decodeSlow(frame, slow);
  const match = GENERAL.exec(text);
  if (match === null) return null;
  const event = authEvent(frame);
  const said = match[3] ?? '';
  event['message'] = text.trimStart();
  event['event.code'] = match[2];
  setExtra(event, 'mysql.connection', match[1] ?? '');
  if (match[2] === 'Quit') return act(event, 'mysql-disconnect', SESSION, END);
  if (match[2] !== 'Connect') return act(event, 'mysql-query', DATABASE, ACCESS);
  if (said.startsWith("Access denied for user '")) {
    setDenied(event, said);
    return act(event, 'mysql-login', LOGIN, START, 'failure');
  }
  // User and database are the client's: with an `@` in either, nobody can tell which address is the server's word.
  const connect = said.indexOf('@') === said.lastIndexOf('@') ? CONNECT.exec(said) : null;
  if (connect !== null) {
    setUser(event, connect[1] ?? '');
    setSource(event, connect[2] ?? '');
    if (connect[3] !== undefined) setExtra(event, 'mysql.database', connect[3]);
  }
  // Written when the client connects, before its password is known to be right.
  return act(event, 'mysql-connect', SESSION, START, 'unknown');
};
