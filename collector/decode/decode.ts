// SPDX-License-Identifier: Apache-2.0
/**
 * From record to event: picks the decoder, never throws, never loses the raw line.
 * Input: one record with its provenance. Output: `ok`, `partial` (envelope only) or `failed` (raw line only), and an event in each case.
 */

import type { Decoded, EventDraft, Provenance, RecordIn } from '../model/event.ts';
import type { LogSource } from '../model/rule.ts';
import { type Head, readHead } from './auditd/parse.ts';
import { auditd, decodeRecords } from './auditd/record.ts';
import { isPam, pam } from './auth/pam.ts';
import { clipEvent, escapeBytes, flagNames, line, originOf, readLine, SURELY_SHORT, setExtra } from './build.ts';
import type { Decoder, Frame } from './decoder.ts';
import { journald, readEntry, setSender } from './host/journald.ts';
import { DECODERS, decodersOf, decodersOfProgram, KNOWING } from './registry.ts';
import { plainEvent } from './shape.ts';
import { noteFailed } from './shapes.ts';
import { FACILITIES, readSyslog, SEVERITIES } from './syslog.ts';
import { syslogMessage } from './syslog-message.ts';
import { text as textDecoder } from './text.ts';

const FUTURE_MS = 300_000;

/** What a decoder says of itself, for `rules coverage`, `decode --list` and the router of detect. */
export interface DecoderDeclaration {
  readonly dataset: string;
  readonly title: string;
  readonly logsource: readonly LogSource[];
  readonly emits: readonly string[];
}

export const declarations = (): readonly DecoderDeclaration[] =>
  DECODERS.map(({ dataset, title, logsource, emits }) => ({ dataset, title, logsource, emits }));

/** Sigma log sources of a dataset that some decoder writes. */
export const logSourcesOf = (dataset: string): readonly LogSource[] =>
  DECODERS.find((decoder) => decoder.dataset === dataset)?.logsource ?? [];

/** True for a dataset with decoders, and for `auto`. */
export const isDataset = (dataset: string): boolean => dataset === 'auto' || decodersOf(dataset) !== undefined;

let lastFrom: Provenance | undefined;

/** The one frame: decoding is synchronous, and a fresh frame for each line would be garbage. */
const frame = { repeated: 1, outcome: 'ok' } as Frame;

/** Puts the frame back to the line's beginning, for the first decoder and after one that declined. */
const rewind = (): void => {
  frame.text = line.text;
  frame.time = Number.NaN;
  frame.quality = undefined;
  frame.hostname = undefined;
  frame.program = undefined;
  frame.pid = undefined;
  frame.priority = undefined;
  frame.msgid = undefined;
  frame.structured = undefined;
  frame.repeated = 1;
  frame.outcome = 'ok';
};

let decodedBy: Decoder = textDecoder;

const run = (decoder: Decoder): EventDraft | null => {
  decodedBy = decoder;
  return decoder.decode(frame);
};

/** Runs decoders on a message whose header is read, remembering what the header said between them. */
const runMessage = (decoders: readonly Decoder[]): EventDraft | null => {
  const { text, time, quality, program } = frame;
  for (const decoder of decoders) {
    const event = run(decoder);
    if (event !== null) return event;
    frame.text = text;
    frame.time = time;
    frame.quality = quality;
    frame.program = program;
    frame.outcome = 'ok';
  }
  return null;
};

/** A line with a syslog header: the program picks, then the dataset's own decoders, then none. */
const decodeBehindHeader = (own: readonly Decoder[]): EventDraft => {
  const program = frame.program ?? '';
  if (isPam(program, frame.text)) {
    const event = runMessage([pam]);
    if (event !== null) return event;
  }
  const event = program === '' ? null : runMessage(decodersOfProgram(program));
  return event ?? runMessage(own) ?? (run(syslogMessage) as EventDraft);
};

const NONE: readonly Decoder[] = [];

const decodeSyslog = (own: readonly Decoder[]): EventDraft | null => {
  rewind();
  if (readSyslog(frame)) return decodeBehindHeader(own);
  rewind();
  return null;
};

/** A dataset with decoders: whole-line forms first, then a header, then the message forms on a bare line. */
const decodeAs = (decoders: readonly Decoder[]): EventDraft | null => {
  for (const decoder of decoders) {
    if (decoder.form === 'message' && decoder.knows?.(line.text) !== true) continue;
    rewind();
    const event = run(decoder);
    if (event !== null) return event;
    if (decoder.sole) return null;
  }
  const event = decodeSyslog(decoders);
  if (event !== null) return event;
  for (const decoder of decoders) {
    if (decoder.form !== 'message') continue;
    rewind();
    const bare = isPam('', line.text) ? (run(pam) ?? run(decoder)) : run(decoder);
    if (bare !== null) return bare;
  }
  return null;
};

const decodeAuto = (): EventDraft | null => {
  if (journald.knows?.(line.text) === true) {
    const event = decodeJournald();
    if (event !== null) return event;
  }
  for (const decoder of KNOWING) {
    if (decoder.knows?.(line.text) !== true) continue;
    rewind();
    const event = run(decoder);
    if (event !== null) return event;
  }
  return decodeSyslog(NONE);
};

/** An entry of the journal: its message goes to the program's decoder only where the sender is that program. */
const decodeJournald = (): EventDraft | null => {
  rewind();
  const read = readEntry(frame);
  if (read === false) return null;
  const event = read === 'trusted' ? decodeBehindHeader(NONE) : (run(syslogMessage) as EventDraft);
  if (decodedBy === syslogMessage) decodedBy = journald;
  setSender(event, read === 'trusted');
  return event;
};

const decodeLine = (dataset: string): EventDraft => {
  let event: EventDraft | null;
  let sole = false;
  if (dataset === 'syslog') event = decodeSyslog(NONE);
  else if (dataset === 'journald') event = decodeJournald() ?? decodeSyslog(NONE);
  else {
    const decoders = decodersOf(dataset);
    event = decoders === undefined ? decodeAuto() : decodeAs(decoders);
    sole = decoders?.[0]?.sole === true;
  }
  if (event !== null) return event;
  rewind();
  const plain = run(textDecoder) as EventDraft;
  // A blank line, as some programs write between two entries, has nothing in it that could be missed.
  if (dataset !== textDecoder.dataset) frame.outcome = (sole || Number.isNaN(frame.time)) && line.text.trim() !== '' ? 'failed' : 'partial';
  return plain;
};

/**
 * An empty field is an absent one, whatever decoder filled it from whatever broken line; so is a number that no column holds,
 * for a row that cannot be loaded hides its line from every search. The keys stay, so does the shape.
 */
const dropEmpty = (event: EventDraft): void => {
  const draft = event as Record<string, unknown>;
  for (const name in draft) {
    const value = draft[name];
    if (value === '' ? name !== 'event.original' : typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
      draft[name] = undefined;
  }
};

const finish = (event: EventDraft, dataset: string): Decoded => {
  const { record, origin } = frame;
  event['event.dataset'] = dataset;
  event['vigil.dataset'] = record.dataset;
  event['vigil.decode'] = frame.outcome;
  dropEmpty(event);
  let quality: string | undefined = frame.quality;
  if (Number.isNaN(frame.time)) {
    event['@timestamp'] = record.readAt;
    quality = 'unparsed';
  } else {
    event['@timestamp'] = frame.time as typeof record.readAt;
    if (frame.time > origin.ingested + FUTURE_MS) quality = quality === undefined ? 'future' : `${quality},future`;
  }
  event['vigil.time.quality'] = quality;
  if (frame.priority !== undefined) {
    event['log.syslog.facility.name'] = FACILITIES[frame.priority >> 3];
    event['log.syslog.severity.name'] = SEVERITIES[frame.priority & 7];
  }
  if (frame.msgid !== undefined) event['log.syslog.msgid'] = frame.msgid;
  if (frame.structured !== undefined) event['log.syslog.structured_data'] = frame.structured;
  if (frame.repeated !== 1) setExtra(event, 'syslog.repeated', String(frame.repeated));
  event['vigil.flags'] = flagNames(record.flags, origin.replay);
  if (line.text.length > SURELY_SHORT) clipEvent(event);
  if (frame.outcome === 'failed') noteFailed(record.dataset, line.text);
  return { outcome: frame.outcome, event };
};

/** Puts the frame onto a record whose bytes `line` holds. */
const onto = (record: RecordIn): void => {
  if (record.from !== lastFrom) {
    lastFrom = record.from;
    frame.origin = originOf(record.from);
  }
  frame.record = record;
  frame.original = line.original;
  frame.escaped = line.escaped;
  frame.source = record.dataset;
  frame.zone = record.zone;
  frame.readAt = record.readAt;
  frame.year = record.year;
};

/** What is left when a decoder itself is at fault: the raw line, and what was thrown. */
const faulty = (thrown: unknown, dataset: string): Decoded => {
  rewind();
  const event = plainEvent(frame);
  event['message'] = line.text;
  setExtra(event, 'decode.fault', thrown instanceof Error ? thrown.message : String(thrown));
  frame.outcome = 'failed';
  return finish(event, dataset);
};

/** Makes an event of one record. Never throws: a decoder's own fault costs the understanding, not the line. */
export const decode = (record: RecordIn): Decoded => {
  readLine(record.bytes);
  onto(record);
  try {
    const event = decodeLine(record.dataset);
    const understood = decodedBy !== textDecoder && decodedBy.dataset !== 'json';
    return finish(event, understood || record.dataset === 'auto' ? decodedBy.dataset : record.dataset);
  } catch (thrown) {
    return faulty(thrown, record.dataset);
  }
};

const AUDIT_PROGRAMS: ReadonlySet<string> = new Set(auditd.programs);

/** Leaves the audit record as the frame's text: the line, or what stands behind a syslog header of the audit system. */
const toAudit = (dataset: string): Head | undefined => {
  rewind();
  const bare = dataset === 'syslog' || dataset === 'kernel' ? undefined : readHead(line.text);
  if (bare !== undefined) return bare;
  return readSyslog(frame) && AUDIT_PROGRAMS.has(frame.program ?? '') ? readHead(frame.text) : undefined;
};

/** The head of the audit record that a line is; undefined for every other line. */
export const auditHead = (record: RecordIn): Head | undefined => {
  readLine(record.bytes);
  onto(record);
  return toAudit(record.dataset);
};

/**
 * Makes one event of the records of one audit event, or of the lines of one journal entry, in their order. It has the first
 * one's id and place; the lines stand in `event.original` with `\n` between, the last one's sequence in `vigil.seq_last`.
 * Never throws; there is at least one record.
 */
export const decodeJoined = (records: readonly RecordIn[]): Decoded => {
  const first = records[0] as RecordIn;
  if (records.length === 1) return decode(first);
  const found: { readonly text: string; readonly head: Head }[] = new Array(records.length);
  const lines: string[] = new Array(records.length);
  let escaped = false;
  let flags = 0;
  let length = 0;
  // From the last to the first, whose envelope is the event's.
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i] as RecordIn;
    readLine(record.bytes);
    onto(record);
    escaped ||= line.escaped;
    flags |= record.flags;
    length = Math.max(length, line.text.length);
    lines[i] = line.original;
    const head = toAudit(record.dataset);
    if (head === undefined) return decodeEntry(records);
    found[i] = { text: frame.text, head };
  }
  line.escaped = escaped;
  line.original = (
    escaped ? records.map(({ bytes }) => escapeBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) : lines
  ).join('\n');
  onto(flags === first.flags ? first : { ...first, flags });
  try {
    decodedBy = auditd;
    const event = decodeRecords(frame, found);
    if (event === null) return faulty('no record holds anything', auditd.dataset);
    const decoded = finish(event, auditd.dataset);
    if (length > SURELY_SHORT) clipEvent(event);
    setSpan(event, records);
    return decoded;
  } catch (thrown) {
    return faulty(thrown, auditd.dataset);
  }
};

/** An entry of the journal that came line by line. */
const decodeEntry = (records: readonly RecordIn[]): Decoded => {
  const first = records[0] as RecordIn;
  const bytes = Buffer.concat(records.flatMap((record, n) => (n === 0 ? [record.bytes] : [NEWLINE, record.bytes])));
  const decoded = decode({ ...first, bytes, flags: records.reduce((flags, record) => flags | record.flags, 0) });
  setSpan(decoded.event as EventDraft, records);
  return decoded;
};

const NEWLINE = Buffer.from('\n');

/** Which records an event was made of. */
const setSpan = (event: EventDraft, records: readonly RecordIn[]): void => {
  event['vigil.seq_last'] = (records.at(-1) as RecordIn).seq;
  const offsets = [...new Set(records.map(({ from }) => from.offset))];
  // A join may reach into the next block: each is named, so that every line of it can be proved.
  if (offsets.length > 1) setExtra(event, 'journal.offsets', offsets.join(' '));
};
