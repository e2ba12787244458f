// SPDX-License-Identifier: Apache-2.0
/**
 * The decoder of audit records, as auditd, audisp or the kernel's log write them; `join` brings those of one event together first.
 * Input: one line, or the lines of one event. Output: an event.
 */
import type { EventDraft } from '../../model/event.ts';
import type { Decoder, Frame } from '../decoder.ts';
import { eventOfRecords } from './event.ts';
import { type AuditRecord, type Head, isAudit, parseRecord, readHead } from './parse.ts';

const decodeAuditd = (frame: Frame): EventDraft | null => {
  const head = readHead(frame.text);
  return head === undefined ? null : eventOfRecords(frame, [parseRecord(frame.text, head)]);
};

/** The event of several records of one serial; null where none holds anything. */
export const decodeRecords = (frame: Frame, found: readonly { readonly text: string; readonly head: Head }[]): EventDraft | null => {
  const records: AuditRecord[] = [];
  // The end-of-event record holds nothing.
  for (const { text, head } of found) if (head.type !== 'EOE') records.push(parseRecord(text, head));
  return records.length === 0 ? null : eventOfRecords(frame, records);
};

export const auditd: Decoder = {
  dataset: 'auditd',
  title: 'Linux audit records, joined to events: processes, files, connections, logins',
  logsource: [{ product: 'linux', service: 'auditd' }],
  emits: [
    'event.outcome',
    'event.reason',
    'event.code',
    'event.sequence',
    'process.pid',
    'process.parent.pid',
    'process.parent.executable',
    'process.parent.command_line',
    'process.parent.name',
    'process.name',
    'process.executable',
    'process.title',
    'process.command_line',
    'process.args',
    'process.args_count',
    'process.working_directory',
    'user.id',
    'user.effective.id',
    'user.effective.name',
    'user.group.id',
    'user.name',
    'related.user',
    'user.target.id',
    'user.target.name',
    'group.id',
    'group.name',
    'file.path',
    'file.inode',
    'file.mode',
    'file.uid',
    'file.gid',
    'service.name',
    'network.type',
    'network.direction',
    'destination.ip',
    'destination.port',
    'source.ip',
    'source.port',
    'source.address',
    'source.domain',
    'related.ip',
    'tags',
    'vigil.extra',
  ],
  programs: ['audispd', 'auditd', 'audisp-syslog', 'audit', 'kernel'],
  form: 'line',
  knows: isAudit,
  decode: decodeAuditd,
};
