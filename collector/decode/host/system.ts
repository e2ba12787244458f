// SPDX-License-Identifier: Apache-2.0
/**
 * The system's own talk: cron's jobs, systemd's units, logind's sessions.
 * Input: the message of a syslog line. Output: a process event.
 */
import type { EventDraft } from '../../model/event.ts';
import { setUser } from '../address.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { processEvent } from '../shape.ts';

const PROCESS: readonly string[] = ['process'];
const SESSION: readonly string[] = ['session'];
const HOST: readonly string[] = ['host'];
const CONFIGURATION: readonly string[] = ['configuration'];
const START: readonly string[] = ['start'];
const END: readonly string[] = ['end'];
const CHANGE: readonly string[] = ['change'];
const INFO: readonly string[] = ['info'];
const ERROR: readonly string[] = ['error'];

const act = (event: EventDraft, action: string, category: readonly string[], type: readonly string[], outcome?: string): EventDraft => {
  event['event.action'] = action;
  event['event.category'] = category;
  event['event.type'] = type;
  event['event.outcome'] = outcome;
  return event;
};

const CRON =
  /^\((.{1,256}?)\) (CMD|CMDOUT|CMDEND|BEGIN EDIT|END EDIT|REPLACE|RELOAD|LIST|DELETE|INFO|STARTUP|ERROR|MAIL|AUTH|WRONG FILE OWNER|CRON) \((.*)\)$/s;

const decodeCron = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const match = CRON.exec(text);
  if (match === null) return null;
  const event = processEvent(frame);
  event['message'] = text;
  setUser(event, match[1] ?? '');
  const verb = match[2] ?? '';
  const detail = match[3] ?? '';
  if (verb === 'CMD') {
    const command = detail.trim();
    event['process.command_line'] = command;
    const program = /^(\/\S{1,1024})/.exec(command)?.[1];
    if (program !== undefined) event['process.executable'] = program;
    return act(event, 'cron-command', PROCESS, START, 'success');
  }
  if (verb === 'REPLACE' || verb === 'BEGIN EDIT' || verb === 'END EDIT' || verb === 'DELETE' || verb === 'RELOAD') {
    event['user.target.name'] = detail;
    return act(event, `crontab-${verb.toLowerCase().replace(' ', '-')}`, CONFIGURATION, CHANGE, 'success');
  }
  return act(event, 'cron-info', PROCESS, verb === 'ERROR' || verb === 'WRONG FILE OWNER' ? ERROR : INFO);
};

const UNIT =
  /^(Started|Starting|Stopped|Stopping|Reloaded|Reloading|Finished|Failed to start|Deactivated|Reached target|Stopped target|Mounted|Unmounted|Created slice|Removed slice|Listening on|Closed|Condition check resulted in) (.{1,512}?)\.*$/s;
const RESULT =
  /^(\S{1,255}\.\w{1,16}): (Deactivated successfully|Succeeded|Main process exited, code=(\w{1,16}), status=(\d{1,3})(?:\/\w+)?|Failed with result '([\w-]{1,64})'|Consumed .*|Scheduled restart job.*|Control process exited, code=\w+,? status=\d+.*)\.?$/s;

const decodeSystemd = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = processEvent(frame);
  event['message'] = text;
  const result = RESULT.exec(text);
  if (result !== null) {
    event['service.name'] = result[1];
    const failed = result[5] !== undefined || (result[4] !== undefined && result[4] !== '0');
    if (result[4] !== undefined) event['process.exit_code'] = Number(result[4]);
    if (result[5] !== undefined) event['event.reason'] = result[5];
    return act(event, 'service-result', PROCESS, failed ? ERROR : END, failed ? 'failure' : 'success');
  }
  const unit = UNIT.exec(text);
  if (unit !== null) {
    const verb = unit[1] ?? '';
    // `nginx.service - A high performance web server`: the name is what rules compare.
    event['service.name'] = (unit[2] ?? '').replace(/^(\S{1,255}\.\w{1,16}) - .*$/s, '$1');
    const failed = verb === 'Failed to start';
    const starts = verb === 'Started' || verb === 'Finished' || failed;
    event['service.state'] = verb.toLowerCase();
    if (starts) return act(event, 'service-start', PROCESS, START, failed ? 'failure' : 'success');
    if (verb === 'Stopped') return act(event, 'service-stop', PROCESS, END, 'success');
    return act(event, 'service-info', PROCESS, INFO);
  }
  frame.outcome = 'partial';
  return act(event, 'systemd-message', HOST, INFO);
};

const NEW_SESSION = /^New session (\S{1,32}) of user (\S{1,256}?)\.$/;
const ENDED = /^(?:Removed session (\S{1,32}?)\.|Session (\S{1,32}) logged out\.)/;
const POWER = /^(?:System is (powering down|rebooting|suspending)|The system will (\w+) now)/;

const decodeLogind = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = processEvent(frame);
  event['message'] = text;
  const started = NEW_SESSION.exec(text);
  if (started !== null) {
    event['event.code'] = started[1];
    setUser(event, started[2] ?? '');
    return act(event, 'session-start', SESSION, START, 'success');
  }
  const ended = ENDED.exec(text);
  if (ended !== null) {
    event['event.code'] = ended[1] ?? ended[2];
    return act(event, 'session-end', SESSION, END, 'success');
  }
  const power = POWER.exec(text);
  if (power !== null) {
    event['event.reason'] = power[1] ?? power[2];
    return act(event, 'host-shutdown', HOST, END, 'success');
  }
  frame.outcome = 'partial';
  return act(event, 'logind-message', HOST, INFO);
};

const EMITS = [
  'message',
  'event.outcome',
  'event.reason',
  'event.code',
  'user.name',
  'user.target.name',
  'related.user',
  'process.command_line',
  'process.executable',
  'process.exit_code',
  'service.name',
  'service.state',
] as const;

export const cron: Decoder = {
  dataset: 'cron',
  title: 'cron and crontab: jobs run, tables changed',
  logsource: [{ product: 'linux', service: 'cron' }],
  emits: EMITS,
  programs: ['CRON', 'cron', 'crond', 'crontab', 'anacron', 'fcron'],
  form: 'message',
  decode: decodeCron,
};
export const systemd: Decoder = {
  dataset: 'systemd',
  title: 'systemd: units started, stopped and failed',
  logsource: [
    { product: 'linux', service: 'syslog' },
    { product: 'linux', service: 'systemd' },
  ],
  emits: EMITS,
  programs: ['systemd'],
  form: 'message',
  decode: decodeSystemd,
};
export const logind: Decoder = {
  dataset: 'logind',
  title: 'systemd-logind: sessions and shutdowns',
  logsource: [
    { product: 'linux', service: 'auth' },
    { product: 'linux', service: 'syslog' },
  ],
  emits: EMITS,
  programs: ['systemd-logind'],
  form: 'message',
  decode: decodeLogind,
};
