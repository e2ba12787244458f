// SPDX-License-Identifier: Apache-2.0
/**
 * sudo, doas and pkexec: who ran what as whom, and who was refused.
 * Input: the message of a syslog line. Output: an auth event with the command line.
 */
import type { EventDraft } from '../../model/event.ts';
import { addUser, setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { authEvent } from '../shape.ts';

const PROCESS: readonly string[] = ['process'];
const LOGIN: readonly string[] = ['authentication'];
const START: readonly string[] = ['start'];
const DENIED: readonly string[] = ['denied'];
const DENIED_START: readonly string[] = ['start', 'denied'];

const setTarget = (event: EventDraft, name: string): void => {
  if (name === '') return;
  event['user.effective.name'] = name;
  event['user.target.name'] = name;
  addUser(event, name);
};

const setCommand = (event: EventDraft, command: string): void => {
  event['process.command_line'] = command;
  const blank = command.indexOf(' ');
  const program = blank < 0 ? command : command.slice(0, blank);
  if (program.startsWith('/')) event['process.executable'] = program;
};

const KEYED = /^(HOST|TTY|PWD|USER|GROUP|TSID|CHROOT|ENV)=(.*)$/s;

/** `NAME : [REASON ; ]TTY=… ; PWD=… ; USER=… ; COMMAND=…`; the command is all that follows. */
const decodeSudo = (frame: Frame): EventDraft | null => {
  const text = frame.text.trimStart();
  const colon = text.indexOf(' : ');
  if (colon <= 0 || colon > 256) return null;
  const event = authEvent(frame);
  event['message'] = frame.text;
  setUser(event, text.slice(0, colon));
  const commandAt = text.indexOf('COMMAND=', colon);
  const head = text.slice(colon + 3, commandAt < 0 ? text.length : commandAt);
  let reason: string | undefined;
  let parts = 0;
  for (const part of head.split(' ; ')) {
    if (part === '' || parts++ > 16) continue;
    const keyed = KEYED.exec(part);
    if (keyed === null) reason ??= part;
    else if (keyed[1] === 'USER') setTarget(event, keyed[2] ?? '');
    else if (keyed[1] === 'PWD') event['process.working_directory'] = keyed[2];
    else if (keyed[1] === 'GROUP') event['group.name'] = keyed[2];
    else if (keyed[1] === 'TTY') setExtra(event, 'sudo.tty', keyed[2] ?? '');
  }
  if (commandAt >= 0) setCommand(event, text.slice(commandAt + 8));
  event['event.action'] = 'sudo-command';
  if (reason === undefined || reason.startsWith('(command continued)')) {
    event['event.category'] = PROCESS;
    event['event.type'] = START;
    event['event.outcome'] = 'success';
    return event;
  }
  event['event.reason'] = reason;
  event['event.outcome'] = 'failure';
  if (/incorrect password attempt|a password is required|authentication failure/.test(reason)) {
    event['event.action'] = 'sudo-login';
    event['event.category'] = LOGIN;
    event['event.type'] = START;
  } else {
    event['event.category'] = PROCESS;
    event['event.type'] = DENIED_START;
  }
  return event;
};

const DOAS_RAN = /^(\S{1,256}) ran command (.*) as (\S{1,256}) from (.*)$/s;
const DOAS_SHORT = /^(\S{1,256}) ran command as (\S{1,256}): (.*)$/s;
const DOAS_FAILED = /^(?:failed auth for|command not permitted for) (\S{1,256})/;

const decodeDoas = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  const event = authEvent(frame);
  event['message'] = text;
  event['event.action'] = 'doas-command';
  const ran = DOAS_RAN.exec(text.slice(0, 8_192));
  const short = ran === null ? DOAS_SHORT.exec(text.slice(0, 8_192)) : null;
  if (ran !== null || short !== null) {
    setUser(event, ran?.[1] ?? short?.[1] ?? '');
    setTarget(event, ran?.[3] ?? short?.[2] ?? '');
    setCommand(event, ran?.[2] ?? short?.[3] ?? '');
    if (ran !== null) event['process.working_directory'] = ran[4];
    event['event.category'] = PROCESS;
    event['event.type'] = START;
    event['event.outcome'] = 'success';
    return event;
  }
  const failed = DOAS_FAILED.exec(text);
  if (failed === null) return null;
  setUser(event, failed[1] ?? '');
  const login = text.startsWith('failed auth');
  event['event.action'] = login ? 'doas-login' : 'doas-command';
  event['event.category'] = login ? LOGIN : PROCESS;
  event['event.type'] = login ? START : DENIED;
  event['event.outcome'] = 'failure';
  return event;
};

const PKEXEC = /^(\S{1,256}): (.*?) \[USER=(.*?)\] \[TTY=(.*?)\] \[CWD=(.*?)\] \[COMMAND=(.*)\]$/s;

const decodePkexec = (frame: Frame): EventDraft | null => {
  const match = PKEXEC.exec(frame.text.slice(0, 8_192));
  if (match === null) return null;
  const event = authEvent(frame);
  event['message'] = frame.text;
  setUser(event, match[1] ?? '');
  setTarget(event, match[3] ?? '');
  event['process.working_directory'] = match[5];
  setCommand(event, match[6] ?? '');
  const ran = match[2] === 'Executing command';
  event['event.action'] = 'pkexec-command';
  event['event.category'] = PROCESS;
  event['event.type'] = ran ? START : DENIED_START;
  event['event.outcome'] = ran ? 'success' : 'failure';
  if (!ran) event['event.reason'] = match[2];
  return event;
};

const EMITS = [
  'message',
  'event.outcome',
  'event.reason',
  'user.name',
  'user.effective.name',
  'user.target.name',
  'related.user',
  'group.name',
  'process.command_line',
  'process.executable',
  'process.working_directory',
  'vigil.extra',
] as const;

export const sudo: Decoder = {
  dataset: 'sudo',
  title: 'sudo: commands run as another user, and refusals',
  logsource: [
    { product: 'linux', service: 'sudo' },
    { product: 'linux', service: 'auth' },
  ],
  emits: EMITS,
  programs: ['sudo'],
  form: 'message',
  decode: decodeSudo,
};
export const doas: Decoder = {
  ...sudo,
  dataset: 'doas',
  title: 'doas of OpenBSD',
  logsource: [{ product: 'linux', service: 'auth' }],
  programs: ['doas'],
  decode: decodeDoas,
};
export const pkexec: Decoder = {
  ...sudo,
  dataset: 'pkexec',
  title: 'pkexec of polkit',
  logsource: [{ product: 'linux', service: 'auth' }],
  programs: ['pkexec'],
  decode: decodePkexec,
};
