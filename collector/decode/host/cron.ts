// SPDX-License-Identifier: Apache-2.0
/**
 * cron, crond, crontab, anacron, atd: jobs run, tables changed, users refused.
 * Input: the message of a syslog line. Output: a process event; a job run is the start of a process.
 */
import type { EventDraft } from '../../model/event.ts';
import { setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { processEvent } from '../shape.ts';
import { act, CHANGE, CONFIGURATION, END, ERROR, INFO, PROCESS, START } from './act.ts';

const CRON =
  /^\(([^()]{1,256})\) (CMD|CMDOUT|CMDEND|BEGIN EDIT|END EDIT|REPLACE|RELOAD|LIST|DELETE|INFO|STARTUP|ERROR|MAIL|AUTH|WRONG FILE OWNER|WRONG INODE INFO|BAD FILE MODE|NO PASSWD ENTRY|ORPHAN|RENAME|STAT FAILED|CRON|INSECURE MODE|NOT PRIVILEGED|LOADED|DEATH|SHUTDOWN|EVENT) \((.*)\)$/s;
/** cronie writes these without brackets. */
const REFUSED = /^\(([^()]{1,256})\) (?:FAILED to (?:authorize user with PAM|open PAM security session)|PAM ERROR|ERROR) ?\(?(.*?)\)?$/s;
const ANACRON =
  /^(?:Job [`'](?<job>.{1,256}?)' (?<verb>started|terminated)(?<rest>.*)|(?:Anacron .* started|Will run job|Jobs will be executed|Normal exit|Updated timestamp for job).*)$/s;
const ATD = /^Starting job (\d{1,10}) \((\S{1,32})\) for user '([^']{1,256})' \((\d{1,10})\)/;

const ERRORS = /^(?:ERROR|WRONG|BAD|NO PASSWD|ORPHAN|STAT FAILED|INSECURE|NOT PRIVILEGED)/;

const decodeCron = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const match = CRON.exec(text);
  if (match === null) return decodeOther(frame, text);
  const event = processEvent(frame);
  event['message'] = text;
  // `(*system*)` and `(CRON)` are nobody.
  if (!/^(?:\*system\*|CRON)$/.test(match[1] ?? '')) setUser(event, match[1] ?? '');
  const verb = match[2] ?? '';
  const detail = match[3] ?? '';
  if (verb === 'CMD') {
    // cronie numbers its commands: `(anna) CMD ([42] /usr/bin/x)`.
    const command = detail.trim().replace(/^\[\d{1,10}\] /, '');
    event['process.command_line'] = command;
    const program = /^(\/\S{1,1024})/.exec(command)?.[1];
    if (program !== undefined) event['process.executable'] = program;
    return act(event, 'cron-command', PROCESS, START, 'success');
  }
  if (verb === 'REPLACE' || verb === 'BEGIN EDIT' || verb === 'END EDIT' || verb === 'DELETE' || verb === 'RELOAD') {
    event['user.target.name'] = detail;
    return act(event, `crontab-${verb.toLowerCase().replace(' ', '-')}`, CONFIGURATION, CHANGE, 'success');
  }
  if (verb === 'LIST') {
    event['user.target.name'] = detail;
    return act(event, 'crontab-list', CONFIGURATION, INFO, 'success');
  }
  if (verb === 'AUTH') return act(event, 'crontab-refused', CONFIGURATION, ERROR, 'failure');
  return act(event, 'cron-info', PROCESS, ERRORS.test(verb) ? ERROR : verb === 'CMDEND' ? END : INFO);
};

const decodeOther = (frame: Frame, text: string): EventDraft | null => {
  const refused = REFUSED.exec(text);
  const anacron = refused === null ? ANACRON.exec(text) : null;
  const atd = refused === null && anacron === null ? ATD.exec(text) : null;
  if (refused === null && anacron === null && atd === null) return null;
  const event = processEvent(frame);
  event['message'] = text;
  if (refused !== null) {
    setUser(event, refused[1] ?? '');
    event['event.reason'] = refused[2];
    return act(event, 'cron-refused', PROCESS, ERROR, 'failure');
  }
  if (atd !== null) {
    setUser(event, atd[3] ?? '');
    event['event.code'] = atd[1];
    return act(event, 'at-command', PROCESS, START, 'success');
  }
  const job = anacron?.groups?.['job'];
  if (job === undefined) return act(event, 'cron-info', PROCESS, INFO);
  event['service.name'] = job;
  const isStart = anacron?.groups?.['verb'] === 'started';
  return act(event, isStart ? 'anacron-start' : 'anacron-end', PROCESS, isStart ? INFO : END, 'success');
};

export const cron: Decoder = {
  dataset: 'cron',
  title: 'cron, anacron, at and crontab: jobs run, tables changed',
  logsource: [{ product: 'linux', service: 'cron' }],
  emits: [
    'message',
    'event.outcome',
    'event.reason',
    'event.code',
    'user.name',
    'user.target.name',
    'related.user',
    'process.command_line',
    'process.executable',
    'service.name',
  ],
  programs: ['CRON', 'cron', 'crond', 'crontab', 'anacron', 'fcron', 'atd', '/USR/SBIN/CRON'],
  form: 'message',
  decode: decodeCron,
};
