// SPDX-License-Identifier: Apache-2.0
/**
 * PostgreSQL server log, whose line prefix every site chooses: logins, refusals, statements, errors.
 * Input: a line, or the message of a syslog line. Output: an auth event. An address is taken only from the prefix, before the
 * severity, in the forms in which no user or database name can stand.
 */
import type { EventDraft } from '../../model/event.ts';
import { ipOf, setSource, setUser } from '../address.ts';
import { clip, setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';
import { readIso, stamp } from '../time.ts';
import { isPostgresRow, type PostgresRow, postgresRow } from './postgres-log.ts';

const LOGIN: readonly string[] = ['authentication', 'database'];
const DATABASE: readonly string[] = ['database'];
const SESSION: readonly string[] = ['session', 'database'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];
const DENIED: readonly string[] = ['denied'];

const SEVERITY = /\b(FATAL|ERROR|LOG|WARNING|PANIC|NOTICE|INFO|DETAIL|HINT|STATEMENT|CONTEXT|DEBUG[1-5]?): {1,2}/;
const PID = /\[(\d{1,10})(?:-\d{1,10})?\]/;

/** The address of `%h` or `%r` in a prefix. */
const prefixAddress = (prefix: string): readonly [string, string | undefined] | null => {
  const named = /(?:^|[\s,])(?:client|host|remote)=([0-9A-Fa-f.:]{2,64})(?:\((\d{1,5})\))?(?:[\s,]|$)/.exec(prefix);
  if (named?.[1] !== undefined && ipOf(named[1]) !== undefined) return [named[1], named[2]];
  const remote = /(?:^|[\s:])([0-9A-Fa-f.:]{2,64})\((\d{1,5})\)(?:[\s:]|$)/.exec(prefix);
  if (remote?.[1] !== undefined) {
    // `UTC:1.2.3.4(5432):` cuts at the colon before it.
    const text = remote[1];
    if (ipOf(text) !== undefined) return [text, remote[2]];
  }
  const behindPid = /\[\d{1,10}\] ([0-9A-Fa-f.:]{2,64}) [^\s@]{0,128}@/.exec(prefix);
  if (behindPid?.[1] !== undefined && ipOf(behindPid[1]) !== undefined) return [behindPid[1], undefined];
  return null;
};

const setNames = (event: EventDraft, prefix: string): void => {
  const pair = /(?:^|[\s:])([^\s:@[\]]{1,128})@([^\s:@[\]]{1,128})(?:[\s:]|$)/.exec(prefix);
  const user = /\buser=([^,\s]{1,128})/.exec(prefix)?.[1] ?? pair?.[1];
  if (user !== undefined && user !== '[unknown]') setUser(event, user);
  const database = /\b(?:db|database)=([^,\s]{1,128})/.exec(prefix)?.[1] ?? pair?.[2];
  if (database !== undefined) setExtra(event, 'postgres.database', database);
};

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const decodeBody = (event: EventDraft, level: string, body: string): EventDraft => {
  let match = /^(\S{1,32}) authentication failed for user "(.*)"$/s.exec(body);
  if (match !== null) {
    setUser(event, match[2] ?? '');
    setExtra(event, 'postgres.method', match[1] ?? '');
    event['event.reason'] = 'authentication failed';
    return act(event, 'postgres-login', LOGIN, START, 'failure');
  }
  if ((match = /^role "(.*)" does not exist$/s.exec(body)) !== null && level === 'FATAL') {
    setUser(event, match[1] ?? '');
    event['event.reason'] = 'role does not exist';
    return act(event, 'postgres-login', LOGIN, START, 'failure');
  }
  if (
    (match = /^(?:no pg_hba\.conf entry for|pg_hba\.conf rejects connection for) host "([0-9A-Fa-f.:]{2,64})", user "(.*?)"/s.exec(
      body,
    )) !== null
  ) {
    setSource(event, match[1] ?? '');
    setUser(event, match[2] ?? '');
    event['event.reason'] = 'not allowed by pg_hba.conf';
    return act(event, 'postgres-login', LOGIN, DENIED, 'failure');
  }
  if ((match = /^connection received: host=(\S{2,255})(?: port=(\d{1,5}))?$/.exec(body)) !== null) {
    setSource(event, match[1] ?? '', match[2]);
    return act(event, 'postgres-connect', SESSION, START);
  }
  if ((match = /^connection authorized: user=(\S{1,128})/.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    return act(event, 'postgres-login', LOGIN, START, 'success');
  }
  if ((match = /^disconnection: session time: \S+ user=(.*) database=.* host=(\S{2,255})(?: port=(\d{1,5}))?$/s.exec(body)) !== null) {
    setUser(event, match[1] ?? '');
    setSource(event, match[2] ?? '', match[3]);
    return act(event, 'postgres-disconnect', SESSION, END);
  }
  if (level === 'FATAL' || level === 'ERROR' || level === 'PANIC') return act(event, 'postgres-error', DATABASE, ERROR);
  return act(event, 'postgres-log', DATABASE, INFO);
};

const decodeRow = (frame: Frame, row: PostgresRow): EventDraft => {
  if (readIso(row.stamp, 0, frame)) {
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
  }
  const event = authEvent(frame);
  event['message'] = clip(row.message);
  event['log.level'] = row.severity.toLowerCase();
  event['event.code'] = row.code;
  if (/^\d{1,10}$/.test(row.pid)) event['process.pid'] = Number(row.pid);
  if (row.database !== '') setExtra(event, 'postgres.database', row.database);
  const done = decodeBody(event, row.severity, row.message.slice(0, GRAMMAR_LIMIT));
  // The columns are the server's own; a message repeats what its client sent.
  if (row.user !== '') setUser(event, clip(row.user));
  if (event['source.ip'] === undefined && row.host !== '[local]') setSource(event, row.host, row.port === '' ? undefined : row.port);
  return done;
};

const decodePostgres = (frame: Frame): EventDraft | null => {
  let text = frame.text;
  const row = isPostgresRow(text) ? postgresRow(text) : null;
  if (row !== null) return decodeRow(frame, row);
  if (text.length > GRAMMAR_LIMIT) return null;
  let address: readonly [string, string | undefined] | null = null;
  // A prefix may begin with `%h`.
  const blank = text.indexOf(' ');
  const first = blank > 0 && blank <= 64 ? text.slice(0, blank) : '';
  if (ipOf(first) !== undefined) {
    address = [first, undefined];
    text = text.slice(blank + 1);
  }
  if (readIso(text, 0, frame)) {
    if (Number.isNaN(frame.time)) {
      frame.time = stamp.ms;
      frame.quality = stamp.quality;
    }
    text = text.slice(stamp.end);
  }
  const severity = SEVERITY.exec(text);
  if (severity === null || severity.index > 512) return null;
  const prefix = text.slice(0, severity.index).replace(/^:/, ' ');
  const event = authEvent(frame);
  const body = text.slice(severity.index + severity[0].length);
  event['message'] = body;
  event['log.level'] = severity[1]?.toLowerCase();
  const pid = PID.exec(prefix);
  if (pid !== null) event['process.pid'] = Number(pid[1]);
  address ??= prefixAddress(prefix);
  setNames(event, prefix);
  const done = decodeBody(event, severity[1] ?? '', body);
  if (address !== null && event['source.ip'] === undefined) setSource(event, address[0], address[1]);
  return done;
};

export const postgres: Decoder = {
  dataset: 'postgres',
  title: 'PostgreSQL server log, plain, csvlog and jsonlog',
  logsource: [{ product: 'postgresql' }, { category: 'database', product: 'postgresql' }],
  emits: [
    'message',
    'log.level',
    'process.pid',
    'event.code',
    'event.outcome',
    'event.reason',
    'user.name',
    'related.user',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'vigil.extra',
  ],
  programs: ['postgres', 'postgresql'],
  form: 'message',
  knows: (text) =>
    isPostgresRow(text) ||
    /^(?:\S+ )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w{3,5}[: ].{0,200}\b(?:FATAL|ERROR|LOG|WARNING|DETAIL|HINT|STATEMENT): {1,2}/.test(
      text.slice(0, 320),
    ),
  decode: decodePostgres,
};
