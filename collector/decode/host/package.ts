// SPDX-License-Identifier: Apache-2.0
/**
 * Package managers: dpkg, apt's history, dnf and yum: what was installed, upgraded and removed, and by which command.
 * Input: one line of their logs. Output: a package event, or the start of the process that was asked to do it.
 */
import type { EventDraft } from '../../model/event.ts';
import { setUser } from '../address.ts';
import { setExtra } from '../build.ts';
import { type Decoder, type Frame, GRAMMAR_LIMIT } from '../decoder.ts';
import { packageEvent } from '../shape.ts';
import { readIso, readRfc3164, stamp } from '../time.ts';
import { act, CHANGE, END, ERROR, INFO, PACKAGE, PROCESS, START } from './act.ts';

const INSTALL: readonly string[] = ['installation'];
const REMOVE: readonly string[] = ['deletion'];

const setTime = (frame: Frame): void => {
  frame.time = stamp.ms;
  frame.quality = stamp.quality;
};

/** `libc6:amd64`. */
const setPackage = (event: EventDraft, name: string, version: string | undefined): void => {
  const colon = name.lastIndexOf(':');
  event['package.name'] = colon > 0 ? name.slice(0, colon) : name;
  if (colon > 0) event['package.architecture'] = name.slice(colon + 1);
  if (version !== undefined && version !== '<none>') event['package.version'] = version;
};

const DPKG = /^(install|upgrade|remove|purge|configure|trigproc|disappear) (\S{1,256}) (\S{1,256})(?: (\S{1,256}))?$/;
const STATUS = /^status (\S{1,64}) (\S{1,256}) (\S{1,256})$/;
const STARTUP = /^(?:startup (\S+ \S+)|conffile (\S{1,1024}) (?:keep|install))$/;
const ACTIONS: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  install: ['package-install', INSTALL],
  upgrade: ['package-upgrade', CHANGE],
  remove: ['package-remove', REMOVE],
  purge: ['package-purge', REMOVE],
  disappear: ['package-remove', REMOVE],
  configure: ['package-configure', INFO],
  trigproc: ['package-configure', INFO],
};

const decodeDpkg = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT || !readIso(text, 0, frame)) return null;
  const body = text.slice(stamp.end + 1);
  const acted = DPKG.exec(body);
  const status = acted === null ? STATUS.exec(body) : null;
  const startup = acted === null && status === null ? STARTUP.exec(body) : null;
  if (acted === null && status === null && startup === null) return null;
  setTime(frame);
  const event = packageEvent(frame);
  event['message'] = body;
  if (acted !== null) {
    const [action, type] = ACTIONS[acted[1] ?? ''] ?? ['package-info', INFO];
    const gone = type === REMOVE;
    setPackage(event, acted[2] ?? '', gone || acted[4] === '<none>' ? acted[3] : (acted[4] ?? acted[3]));
    if (action === 'package-upgrade' && acted[3] !== undefined) setExtra(event, 'package.version_before', acted[3]);
    return act(event, action, PACKAGE, type, 'success');
  }
  if (status !== null) {
    setPackage(event, status[2] ?? '', status[3]);
    event['event.reason'] = status[1];
    return act(event, 'package-status', PACKAGE, INFO);
  }
  if (startup?.[2] !== undefined) event['file.path'] = startup[2];
  return act(event, 'package-info', PACKAGE, INFO);
};

const HISTORY = /^(Start-Date|End-Date|Commandline|Requested-By|Install|Upgrade|Remove|Purge|Reinstall|Downgrade|Error): (.*)$/s;
const NAMES_KEPT = 200;

/** `nmap:amd64 (7.93, automatic), liblua5.3-0:amd64 (5.3.6-2, 5.3.6-3)`. */
const setList = (event: EventDraft, list: string): void => {
  const names: string[] = [];
  for (const item of list.split('), ', NAMES_KEPT)) {
    const open = item.indexOf(' (');
    const name = item.slice(0, open);
    if (open < 1 || name.length > 256 || name.includes(' ')) break;
    if (names.length === 0) {
      const versions = item
        .slice(open + 2)
        .replace(/\)$/, '')
        .split(', ');
      setPackage(event, name, versions.filter((part) => part !== 'automatic').at(-1));
    }
    names.push(name);
  }
  if (names.length > 1) setExtra(event, 'package.names', names.join(' '));
};

const decodeApt = (frame: Frame): EventDraft | null => {
  const match = HISTORY.exec(frame.text);
  if (match === null) return null;
  const [, key = '', value = ''] = match;
  if ((key === 'Start-Date' || key === 'End-Date') && readIso(value.replace('  ', ' '), 0, frame)) setTime(frame);
  const event = packageEvent(frame);
  event['message'] = frame.text;
  switch (key) {
    case 'Commandline': {
      event['process.command_line'] = value;
      const program = /^(\/\S{1,1024})/.exec(value)?.[1];
      if (program !== undefined) event['process.executable'] = program;
      return act(event, 'package-command', PROCESS, START, 'success');
    }
    case 'Requested-By': {
      const by = /^(\S{1,256}) \((\d{1,10})\)$/.exec(value);
      setUser(event, by?.[1] ?? value);
      if (by?.[2] !== undefined) event['user.id'] = by[2];
      return act(event, 'package-requested', PACKAGE, INFO);
    }
    case 'Install':
    case 'Reinstall':
      setList(event, value);
      return act(event, 'package-install', PACKAGE, INSTALL, 'success');
    case 'Upgrade':
    case 'Downgrade':
      setList(event, value);
      return act(event, 'package-upgrade', PACKAGE, CHANGE, 'success');
    case 'Remove':
    case 'Purge':
      setList(event, value);
      return act(event, key === 'Purge' ? 'package-purge' : 'package-remove', PACKAGE, REMOVE, 'success');
    case 'Error':
      event['event.reason'] = value;
      return act(event, 'package-error', PACKAGE, ERROR, 'failure');
    default:
      return act(event, key === 'Start-Date' ? 'package-run-start' : 'package-run-end', PACKAGE, key === 'Start-Date' ? START : END);
  }
};

const RPM =
  /^(?:(?:SUBDEBUG|INFO|DEBUG|---) )?(?:Running: )?(Installed|Installing|Updated|Upgraded|Upgrade|Reinstalled|Downgraded|Erased|Erase|Removed|Obsoleted|Cleanup)(?: package)?: (?:(\d{1,4}):)?(\S{1,256}?)(?:-(\d\S{0,128}?))?\.(noarch|x86_64|i\d86|aarch64|ppc64le|s390x|src|armv7hl)$/;
const RPM_ACTIONS: readonly (readonly [RegExp, string, readonly string[]])[] = [
  [/^(?:Installed|Installing|Reinstalled)/, 'package-install', INSTALL],
  [/^(?:Updated|Upgraded|Upgrade|Downgraded|Obsoleted)/, 'package-upgrade', CHANGE],
  [/^(?:Erased|Erase|Removed)/, 'package-remove', REMOVE],
  [/^Cleanup/, 'package-configure', INFO],
];

/** `yum.log`, `dnf.rpm.log`, and what yum says to syslog. */
const decodeRpm = (frame: Frame): EventDraft | null => {
  const text = frame.text;
  if (text.length > GRAMMAR_LIMIT) return null;
  let body = text;
  if (Number.isNaN(frame.time)) {
    if (!readIso(text, 0, frame) && !readRfc3164(text, 0, frame)) return null;
    body = text.slice(stamp.end + 1);
  }
  const match = RPM.exec(body);
  if (match === null) return null;
  if (body !== text) setTime(frame);
  const event = packageEvent(frame);
  event['message'] = body;
  event['package.name'] = match[3];
  event['package.version'] = match[4];
  event['package.architecture'] = match[5];
  const [, action, type] = RPM_ACTIONS.find(([pattern]) => pattern.test(match[1] ?? '')) ?? [undefined, 'package-info', INFO];
  return act(event, action, PACKAGE, type, 'success');
};

const EMITS = [
  'message',
  'event.outcome',
  'event.reason',
  'package.name',
  'package.version',
  'package.architecture',
  'vigil.extra',
] as const;
const STAMPED = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;

export const dpkg: Decoder = {
  dataset: 'dpkg',
  title: 'dpkg.log: packages installed, upgraded, removed',
  logsource: [{ product: 'linux', service: 'dpkg' }],
  emits: [...EMITS, 'file.path'],
  form: 'line',
  knows: (text) =>
    STAMPED.test(text) &&
    /^.{19} (?:status \S+ \S+:|startup (?:archives|packages) |conffile \/|(?:install|upgrade|remove|purge|configure|trigproc) \S+:\S+ \S+)/.test(
      text.slice(0, 256),
    ),
  decode: decodeDpkg,
};

export const apt: Decoder = {
  dataset: 'apt',
  title: 'history.log of apt: commands, who asked, lists of packages',
  logsource: [{ product: 'linux', service: 'apt' }],
  emits: [...EMITS, 'process.command_line', 'process.executable', 'user.name', 'user.id', 'related.user'],
  form: 'line',
  knows: (text) =>
    /^(?:(?:Start|End)-Date: \d{4}-|Commandline: (?:\/usr\/bin\/)?(?:apt|apt-get|aptitude|packagekit|unattended)|Requested-By: \S+ \(\d+\)$|(?:Install|Upgrade|Remove|Purge|Reinstall|Downgrade): [a-z0-9][a-z0-9+.-]+:\w+ \()/.test(
      text.slice(0, 300),
    ),
  decode: decodeApt,
};

export const rpm: Decoder = {
  dataset: 'rpm',
  title: 'dnf and yum: packages installed, upgraded, removed',
  logsource: [{ product: 'linux', service: 'yum' }],
  emits: EMITS,
  programs: ['yum', 'dnf', 'dnf-automatic', 'rpm'],
  form: 'line',
  knows: (text) =>
    /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,8}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?:(?:SUBDEBUG|INFO) )?(?:Installed|Updated|Upgraded|Erased|Removed|Upgrade|Erase|Cleanup|Reinstalled): \S+\.\w+$/.test(
      text.slice(0, 512),
    ),
  decode: decodeRpm,
};
