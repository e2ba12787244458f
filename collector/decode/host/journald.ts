// SPDX-License-Identifier: Apache-2.0
/**
 * Entries of the systemd journal: the envelope that journald itself vouches for, around the message of a program.
 * Input: an entry as export format or JSON. Output: the frame with time, host, program and message; afterwards the sender's own fields.
 */
import type { EcsField } from '../../../core/ecs.ts';
import type { EventDraft } from '../../model/event.ts';
import { typeOfNumber } from '../auditd/names.ts';
import { clip, nulText, setExtra, wellFormed } from '../build.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { parseObject } from '../json.ts';
import { parseEntry } from './entry.ts';

const EXTRA_KEPT = 64;
/** Said by the envelope already, or the same in every entry of a boot. */
const NOT_KEPT =
  /^(?:__\w+|MESSAGE|PRIORITY|SYSLOG_(?:FACILITY|IDENTIFIER|PID|TIMESTAMP|RAW)|_(?:PID|COMM|EXE|CMDLINE|HOSTNAME|SYSTEMD_UNIT|BOOT_ID|MACHINE_ID|SOURCE_REALTIME_TIMESTAMP|SOURCE_MONOTONIC_TIMESTAMP|CAP_EFFECTIVE|STREAM_ID|SYSTEMD_INVOCATION_ID|SYSTEMD_SLICE|SYSTEMD_CGROUP|RUNTIME_SCOPE|SELINUX_CONTEXT)|_TRANSPORT)$/;
const SYSTEM = /^\/(?:usr|bin|sbin|lib|lib64|opt|nix\/store|snap)\//;

/** What the last entry said. One object for all: decoding is synchronous. */
let fields: ReadonlyMap<string, string> = new Map();

const fieldsOf = (frame: Frame): ReadonlyMap<string, string> => {
  if (frame.text.charCodeAt(0) !== 123) {
    const found = new Map<string, string>();
    for (const [name, bytes] of parseEntry(frame.record.bytes)) found.set(name, textOf(bytes));
    return found;
  }
  const root = parseObject(frame.text);
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(root ?? {})) {
    // Bytes that are no text stand as a list of numbers; several fields of one name as a list of texts.
    const one = Array.isArray(value) && typeof value[0] !== 'number' ? value[0] : value;
    if (typeof one === 'string') found.set(name, wellFormed(one));
    else if (Array.isArray(one)) found.set(name, textOf(Uint8Array.from(one.map(Number))));
  }
  return found;
};

/** Longer values are cut: no field takes more. */
const VALUE_LIMIT_BYTES = 32_768;

const textOf = (bytes: Uint8Array): string =>
  wellFormed(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, VALUE_LIMIT_BYTES)).toString('utf8').replace(/\0+/g, nulText),
  );

const numberOf = (text: string | undefined): number => (text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN);

/** Microseconds to the frame's time. */
const setTime = (frame: Frame): void => {
  const micros = numberOf(fields.get('_SOURCE_REALTIME_TIMESTAMP') ?? fields.get('__REALTIME_TIMESTAMP'));
  if (Number.isNaN(micros)) return;
  frame.time = Math.trunc(micros / 1000);
  frame.quality = undefined;
};

/** Whether the sender is the program it says it is. Anyone may write any identifier; only fields that begin with `_` are journald's own. */
const isTrusted = (identifier: string): boolean => {
  const transport = fields.get('_TRANSPORT');
  if (transport === 'kernel' || transport === 'audit') return true;
  if (identifier === 'kernel' || identifier === 'audit') return false;
  if (fields.get('_UID') === '0') return !/^(?:logger|systemd-cat)$/.test(fields.get('_COMM') ?? '');
  const exe = fields.get('_EXE');
  if (exe === undefined || !SYSTEM.test(exe)) return false;
  const program = exe.slice(exe.lastIndexOf('/') + 1);
  return identifier.split(/[/(]/).some((part) => part !== '' && (program === part || program.startsWith(`${part}-`)));
};

/** `SYSCALL arch=…` of the audit transport as the record it was. */
const auditText = (message: string): string => {
  const type = typeOfNumber(numberOf(fields.get('_AUDIT_TYPE')));
  const blank = message.indexOf(' ');
  const body = /^(?:[A-Z_0-9]+|<audit-\d+>)$/.test(message.slice(0, blank)) ? message.slice(blank + 1) : message;
  const micros = numberOf(fields.get('_SOURCE_REALTIME_TIMESTAMP') ?? fields.get('__REALTIME_TIMESTAMP')) || 0;
  return `type=${type} msg=audit(${Math.trunc(micros / 1e6)}.${String(Math.trunc(micros / 1e3) % 1000).padStart(3, '0')}:${numberOf(fields.get('_AUDIT_ID')) || 0}): ${body}`;
};

/** Reads the envelope of an entry; `trusted` tells whether the message may be read as its program's. False when the text is no entry. */
export const readEntry = (frame: Frame): 'trusted' | 'claimed' | false => {
  fields = fieldsOf(frame);
  const message = fields.get('MESSAGE');
  // Where the source was not said to be a journal, an application's JSON is not taken for one.
  if (frame.source !== 'journald' && !(fields.has('__CURSOR') && fields.has('_BOOT_ID'))) return false;
  if (!fields.has('__REALTIME_TIMESTAMP') && !fields.has('__CURSOR') && (message === undefined || !fields.has('_PID'))) return false;
  setTime(frame);
  const identifier = fields.get('SYSLOG_IDENTIFIER') ?? fields.get('_COMM') ?? '';
  frame.hostname = fields.get('_HOSTNAME');
  frame.program = identifier === '' ? undefined : identifier.slice(0, 96);
  const pid = numberOf(fields.get('_PID') ?? fields.get('SYSLOG_PID'));
  frame.pid = Number.isNaN(pid) ? undefined : pid;
  const priority = numberOf(fields.get('PRIORITY'));
  const facility = fields.get('_TRANSPORT') === 'kernel' ? 0 : numberOf(fields.get('SYSLOG_FACILITY'));
  if (priority <= 7) frame.priority = (facility <= 23 ? facility : 3) * 8 + priority;
  frame.text = message === undefined ? '' : fields.get('_TRANSPORT') === 'audit' ? auditText(message) : message;
  return isTrusted(identifier) ? 'trusted' : 'claimed';
};

const fill = (event: EventDraft, name: EcsField, value: string | undefined): void => {
  if (value !== undefined && value !== '' && event[name] === undefined) (event as Record<string, unknown>)[name] = clip(value);
};

/** Adds what journald says of the sender; nothing that the message's decoder found is changed. */
export const setSender = (event: EventDraft, trusted: boolean): void => {
  const comm = fields.get('_COMM');
  if (!trusted && comm !== undefined) event['process.name'] = clip(comm);
  // The sender's command is no command that the message speaks of.
  if (event['event.category'] === undefined || !trusted) {
    fill(event, 'process.executable', fields.get('_EXE'));
    fill(event, 'process.command_line', fields.get('_CMDLINE'));
  }
  fill(event, 'service.name', fields.get('_SYSTEMD_UNIT'));
  let kept = 0;
  for (const [name, value] of fields) {
    if (NOT_KEPT.test(name) || kept >= EXTRA_KEPT) continue;
    kept += 1;
    setExtra(event, `journald.${name}`, value);
  }
};

export const journald: Decoder = {
  dataset: 'journald',
  title: 'systemd journal, export format or JSON; the program inside picks the decoder where journald vouches for it',
  logsource: [{ product: 'linux', service: 'syslog' }],
  emits: ['message', 'process.executable', 'process.command_line', 'service.name', 'vigil.extra'],
  form: 'line',
  knows: (text) => text.startsWith('__CURSOR=') || (text.startsWith('{"') && text.includes('"__REALTIME_TIMESTAMP"')),
  // Its envelope is read before decoders are asked; a line that is no entry is none of its own.
  decode: () => null,
};
