// SPDX-License-Identifier: Apache-2.0
/**
 * systemd's units and logind's sessions: started, stopped, failed, killed.
 * Input: the message of a syslog line. Output: a process, session or host event.
 */
import type { EventDraft } from '../../model/event.ts';
import { setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { processEvent } from '../shape.ts';
import { act, CHANGE, CONFIGURATION, END, ERROR, HOST, INFO, PROCESS, SESSION, START } from './act.ts';

const UNIT =
  /^(Started|Starting|Stopped|Stopping|Reloaded|Reloading|Finished|Failed to start|Failed to mount|Dependency failed for|Deactivated|Reached target|Stopped target|Mounted|Mounting|Unmounted|Unmounting|Created slice|Removed slice|Listening on|Closed|Found device|Activated swap|Deactivated swap|Set up automount|Unset automount|Condition check resulted in|Started Session|Timed out waiting for device) (.{1,512}?)\.*$/s;
const RESULT =
  /^(\S{1,255}\.\w{1,16}): (Deactivated successfully|Succeeded|Main process exited, code=(\w{1,16}),? status=(\d{1,3})(?:\/\w+)?|Control process exited, code=(\w{1,16}),? status=(\d{1,3})(?:\/\w+)?|Failed with result '([\w-]{1,64})'|(Killing process (\d{1,10}) \((.{0,64}?)\) with signal (\w{1,12}))|.{1,2048})\.?$/s;
const DETAIL: readonly (readonly [RegExp, string, readonly string[], ('success' | 'failure')?])[] = [
  [/^Consumed /, 'service-usage', INFO],
  [/^Scheduled restart job/, 'service-restart', CHANGE],
  [/^Start request repeated too quickly/, 'service-result', ERROR, 'failure'],
  [/^(?:A process of this unit has been killed by the OOM killer|systemd-oomd killed)/, 'service-out-of-memory', ERROR, 'failure'],
  [/^Watchdog timeout/, 'service-watchdog', ERROR, 'failure'],
  [/^(?:start|stop|reload)[\w-]* operation timed out/i, 'service-timeout', ERROR, 'failure'],
  [/^State '[\w-]+' timed out/, 'service-timeout', ERROR, 'failure'],
  [/^(?:Failed to|Can't|Unable to|Unit (?:has|entered) )/, 'service-error', ERROR, 'failure'],
  [
    /^(?:Found left-over process|Unit process|Current command vanished|Supervising process|Can't open PID file|PID file|Got notification|Permission denied)/,
    'service-info',
    INFO,
  ],
];
const MANAGER =
  /^(?:Startup finished in |Reloading\.*$|Reloading finished|Reexecuting\.*$|systemd \d|Detected |Hostname set to|Initializing machine ID|Queued start job for default target|Set hostname to|Booted with|Running in|Time has been changed|Using default|Received SIG|RTC configured|Welcome to|Activating special unit)/;
const POWERING = /^(?:Shutting down|Rebooting|Powering off|System is |Reached target (?:System )?(?:Shutdown|Reboot|Power[ -]?Off))/i;

const decodeSystemd = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  const event = processEvent(frame);
  event['message'] = text;
  if (POWERING.test(text)) return act(event, 'host-shutdown', HOST, END, 'success');
  const unit = UNIT.exec(text);
  if (unit !== null) return ofUnit(event, unit[1] ?? '', unit[2] ?? '');
  const result = RESULT.exec(text);
  if (result !== null) return ofResult(frame, event, result);
  if (/^Startup finished in /.test(text)) return act(event, 'host-boot', HOST, START, 'success');
  if (/^(?:Reloading|Reexecuting)/.test(text)) return act(event, 'systemd-reload', CONFIGURATION, CHANGE, 'success');
  if (!MANAGER.test(text)) frame.outcome = 'partial';
  return act(event, 'systemd-message', HOST, INFO);
};

const ofUnit = (event: EventDraft, verb: string, what: string): EventDraft => {
  // `nginx.service - A high performance web server`: the name is what rules compare.
  event['service.name'] = what.replace(/^(\S{1,255}\.\w{1,16}) - .*$/s, '$1');
  event['service.state'] = verb.toLowerCase();
  const failed = /^(?:Failed|Dependency failed|Timed out)/.test(verb);
  const session = /^Session (\S{1,32}) of [Uu]ser (\S{1,256}?)$/.exec(what);
  if (session !== null) setUser(event, session[2] ?? '');
  if (verb === 'Started' || verb === 'Finished' || verb === 'Mounted' || failed)
    return act(event, 'service-start', PROCESS, START, failed ? 'failure' : 'success');
  if (verb === 'Stopped' || verb === 'Unmounted') return act(event, 'service-stop', PROCESS, END, 'success');
  return act(event, 'service-info', PROCESS, INFO);
};

const ofResult = (frame: Frame, event: EventDraft, result: RegExpExecArray): EventDraft => {
  event['service.name'] = result[1];
  const detail = result[2] ?? '';
  const code = result[4] ?? result[6];
  if (code !== undefined) event['process.exit_code'] = Number(code);
  if (result[7] !== undefined) event['event.reason'] = result[7];
  if (result[8] !== undefined) {
    setExtra(event, 'systemd.killed', `${result[9]} ${result[10]}`);
    event['event.reason'] = result[11];
    return act(event, 'service-kill', PROCESS, END);
  }
  if (code !== undefined || result[7] !== undefined || /^(?:Deactivated|Succeeded)/.test(detail)) {
    const failed = result[7] !== undefined || (code !== undefined && code !== '0');
    return act(event, 'service-result', PROCESS, failed ? ERROR : END, failed ? 'failure' : 'success');
  }
  for (const [pattern, action, type, outcome] of DETAIL) if (pattern.test(detail)) return act(event, action, PROCESS, type, outcome);
  frame.outcome = 'partial';
  return act(event, 'service-info', PROCESS, INFO);
};

const NEW_SESSION = /^New session '?(\S{1,32}?)'? of user '?(\S{1,256}?)'?(?: with class '[\w-]{1,32}' and type '[\w-]{1,32}')?\.$/;
const ENDED = /^(?:Removed session (\S{1,32}?)\.|Session (\S{1,32}) (?:logged out|of user .{1,256} logged out)\.)/;
const POWER =
  /^(?:System is (powering down|rebooting|halting|suspending|hibernating)|The system will ([\w ]{1,32}?)(?: now| at)|Power key pressed|Creating \/run\/nologin)/;
const QUIET =
  /^(?:New seat |Watching system buttons |Lid (?:opened|closed)|Failed to|Operation '|Session \S+ |Removed seat|User enumeration|Existing logind|Suspend|Delay lock|Linger|Got lost)/;

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
  if (!QUIET.test(text)) frame.outcome = 'partial';
  return act(event, 'logind-message', HOST, INFO);
};

const EMITS = [
  'message',
  'event.outcome',
  'event.reason',
  'event.code',
  'user.name',
  'related.user',
  'process.exit_code',
  'service.name',
  'service.state',
  'vigil.extra',
] as const;

export const systemd: Decoder = {
  dataset: 'systemd',
  title: 'systemd: units started, stopped and failed',
  logsource: [
    { product: 'linux', service: 'syslog' },
    { product: 'linux', service: 'systemd' },
  ],
  emits: EMITS,
  programs: ['systemd', 'init'],
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
  programs: ['systemd-logind', 'elogind', 'elogind-daemon'],
  form: 'message',
  decode: decodeLogind,
};
