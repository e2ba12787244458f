// SPDX-License-Identifier: Apache-2.0
/**
 * su and login: changes of user on a terminal, and console logins.
 * Input: the message of a syslog line. Output: an auth event; `user.name` is who asked, `user.target.name` whom they wanted to be.
 */
import type { EventDraft } from '../../model/event.ts';
import { addUser, setSource, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { authEvent } from '../shape.ts';

const LOGIN: readonly string[] = ['authentication'];
const START: readonly string[] = ['start'];
const HOST: readonly string[] = ['host'];
const ERROR: readonly string[] = ['error'];

type Form = readonly [pattern: RegExp, by: number, to: number, outcome: 'success' | 'failure'];

const FORMS: readonly Form[] = [
  [/^(?:BAD SU) (\S+) to (\S+) on (\S+)$/, 1, 2, 'failure'],
  [/^FAILED SU \(to (\S+)\) (\S+) on (\S+)$/, 2, 1, 'failure'],
  [/^\(to (\S+)\) (\S+) on (\S+)$/, 2, 1, 'success'],
  [/^(?:Successful|SUCCESSFUL) su for (\S+) by (\S+)$/, 2, 1, 'success'],
  [/^FAILED su for (\S+) by (\S+)$/, 2, 1, 'failure'],
  [/^\+ (?:\S+ )(\S+?)[:-](\S+)$/, 1, 2, 'success'],
  [/^- (?:\S+ )(\S+?)[:-](\S+)$/, 1, 2, 'failure'],
  [/^'su (?:- )?(\S+)' succeeded for (\S+) on (\S+)$/, 2, 1, 'success'],
  [/^'su (?:- )?(\S+)' failed for (\S+) on (\S+)$/, 2, 1, 'failure'],
  [/^(\S+) to (\S+) on (\S+)$/, 1, 2, 'success'],
];

const decodeSu = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  for (const [pattern, by, to, outcome] of FORMS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const event = authEvent(frame);
    event['message'] = text;
    event['event.action'] = 'su';
    event['event.category'] = LOGIN;
    event['event.type'] = START;
    event['event.outcome'] = outcome;
    setUser(event, match[by] ?? '');
    const target = match[to] ?? '';
    event['user.target.name'] = target;
    event['user.effective.name'] = target;
    addUser(event, target);
    return event;
  }
  return null;
};

const FAILED = /^(?:FAILED LOGIN(?: SESSION)?|TOO MANY LOGIN TRIES)(?: \(?\d{1,6}\)?)? (?:FROM|on) (\S+)(?: FOR|,)? (.*), (.*)$/s;
const SUCCESS = /^(?:(ROOT) LOGIN|(?:DIALUP|LOGIN))(?: AT (?:\S+))? ON (\S+)(?: BY (\S+))?(?: FROM (\S+))?$/i;
const TERMINAL =
  /^(?:checkname failed|bad user name|(?:\/dev\/)?(\S{1,64}): (?:invalid character 0x\w+ in login name|failed to |cannot |can't |not a (?:tty|character device)|No such file))/;
const INVALID = /^invalid password for '(.*)' on '(\S+)'(?: from '(\S+)')?$/s;

const decodeLogin = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const failed = FAILED.exec(text);
  const success = failed === null ? SUCCESS.exec(text) : null;
  const invalid = failed === null && success === null ? INVALID.exec(text) : null;
  if (failed === null && success === null && invalid === null) return decodeTerminal(frame, text);
  const event = authEvent(frame);
  event['message'] = text;
  event['event.action'] = 'console-login';
  event['event.category'] = LOGIN;
  event['event.type'] = START;
  event['event.outcome'] = success === null ? 'failure' : 'success';
  if (failed !== null) {
    setUser(event, (failed[2] ?? '').replace(/^'(.*)'$/s, '$1'));
    event['event.reason'] = failed[3];
    if (!/^(?:tty|pts|\/dev\/|'\/dev)/.test(failed[1] ?? '')) setSource(event, failed[1] ?? '');
  } else if (success !== null) {
    setUser(event, success[3] ?? (success[1] === undefined ? '' : 'root'));
    if (success[4] !== undefined) setSource(event, success[4]);
  } else if (invalid !== null) {
    setUser(event, invalid[1] ?? '');
    if (invalid[3] !== undefined) setSource(event, invalid[3]);
  }
  return event;
};

/** What getty says of a terminal that nobody could log in at. */
const decodeTerminal = (frame: Frame, text: string): EventDraft | null => {
  const match = TERMINAL.exec(text);
  if (match === null) return null;
  const event = authEvent(frame);
  event['message'] = text;
  event['event.action'] = 'console-error';
  event['event.category'] = HOST;
  event['event.type'] = ERROR;
  if (match[1] !== undefined) setExtra(event, 'login.terminal', match[1]);
  return event;
};

const EMITS = [
  'message',
  'event.outcome',
  'event.reason',
  'user.name',
  'user.target.name',
  'user.effective.name',
  'related.user',
  'source.ip',
  'source.address',
  'source.domain',
  'related.ip',
  'vigil.extra',
] as const;

export const su: Decoder = {
  dataset: 'su',
  title: 'su: changes of user',
  logsource: [
    { product: 'linux', service: 'su' },
    { product: 'linux', service: 'auth' },
  ],
  emits: EMITS,
  programs: ['su', 'su-l', 'runuser'],
  form: 'message',
  decode: decodeSu,
};

export const login: Decoder = {
  dataset: 'login',
  title: 'login and getty: console logins',
  logsource: [{ product: 'linux', service: 'auth' }],
  emits: EMITS,
  programs: ['login', 'agetty', 'getty', 'mingetty', 'rlogin', 'remote'],
  form: 'message',
  decode: decodeLogin,
};
