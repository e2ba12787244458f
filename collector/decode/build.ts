// SPDX-License-Identifier: Apache-2.0
/**
 * The parts of an event that no format decides: where it came from, its id, its raw line, its types and its bounds.
 * Input: provenance (once a block), bytes, drafts. Output: well-formed, bounded, typed events.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { ECS, type EcsField, isEcsField } from '../../core/ecs.ts';
import { type AgentId, type AssetId, hashId } from '../../core/ids.ts';
import { RECORD_FLAGS } from '../../core/record.ts';
import type { UnixMs } from '../../core/units.ts';
import type { EventDraft, Provenance } from '../model/event.ts';
import { ipOf } from './address.ts';

/** Provenance as events carry it, made once for a block. */
export interface Origin {
  readonly idPrefix: string;
  readonly ingested: UnixMs;
  readonly hostId: AssetId;
  readonly hostName: string;
  readonly path: string | undefined;
  readonly agent: AgentId;
  readonly stream: string;
  readonly epoch: string;
  readonly collector: string;
  readonly incarnation: string;
  readonly offset: number;
  readonly generation: number;
  readonly replay: boolean;
}

const prefixes = new Map<string, string>();

/** `evt_`, 20 characters of the hash of (agent, stream, epoch), `_`; the sequence in base 36 follows. */
const idPrefixOf = (from: Provenance): string => {
  const key = `${from.agent}\0${from.stream}\0${from.epoch}`;
  const known = prefixes.get(key);
  if (known !== undefined) return known;
  if (prefixes.size > 65_536) prefixes.clear();
  const prefix = `${hashId('evt', from.agent, from.stream, from.epoch)}_`;
  prefixes.set(key, prefix);
  return prefix;
};

/** Makes what all events of a block share. One hash for each stream, none for an event. */
export const originOf = (from: Provenance): Origin => ({
  idPrefix: idPrefixOf(from),
  ingested: from.ingested,
  hostId: from.host.id,
  hostName: from.host.name,
  path: from.path,
  agent: from.agent,
  stream: from.stream,
  epoch: from.epoch,
  collector: from.collector,
  incarnation: from.incarnation,
  offset: from.offset,
  generation: from.generation,
  replay: from.replay,
});

/** The line as decoders read it, as it is kept, and whether the kept form is an escape. One object for all lines. */
export const line: {
  text: string;
  original: string;
  escaped: boolean;
  /** True when `text` is only the line's beginning. */
  cut: boolean;
} = { text: '', original: '', escaped: false, cut: false };

/** So much of a line is shown to decoders: no field that a real program writes stands beyond. */
export const TEXT_LIMIT_BYTES = 65_536;

/**
 * Reads bytes as a line. Where some are not UTF-8, or NUL, the kept form is an escape that can be reversed: `\xHH` for
 * such a byte and `\\` for each backslash. Decoders then read U+FFFD for the first and the text `\x00`, `\x00{4096}` for NULs.
 */
export const readLine = (bytes: Uint8Array): void => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  line.escaped = false;
  line.cut = buffer.length > TEXT_LIMIT_BYTES;
  if (line.cut) {
    readLong(buffer);
    return;
  }
  const text = buffer.toString('utf8');
  line.text = text;
  line.original = text;
  const nul = text.includes('\0');
  if (nul || (text.includes('\ufffd') && !isUtf8(buffer))) {
    if (nul) line.text = text.replace(/\0+/g, nulText);
    line.original = escapeBytes(buffer);
    line.escaped = true;
  }
};

/** The whole line is kept, its beginning is read. Sound bytes are only copied. */
const readLong = (buffer: Buffer): void => {
  let end = TEXT_LIMIT_BYTES;
  // Not inside a character: a sequence has at most three bytes behind its first.
  for (let i = 0; i < 3 && ((buffer[end] ?? 0) & 0xc0) === 0x80; i++) end--;
  const head = buffer.toString('utf8', 0, end);
  line.text = head.includes('\0') ? head.replace(/\0+/g, nulText) : head;
  const ascii = isAscii(buffer);
  line.escaped = buffer.includes(0) || !(ascii || isUtf8(buffer));
  line.original = line.escaped ? escapeBytes(buffer) : buffer.toString(ascii ? 'latin1' : 'utf8');
};

/** A crash of a file system leaves blocks of NUL: a long run is told by its length. */
export const nulText = (run: string): string => (run.length <= 8 ? '\\x00'.repeat(run.length) : `\\x00{${run.length}}`);

/** `\xHH` of each byte as one number, so that it is written at once. */
const ESCAPES = Uint32Array.from({ length: 256 }, (_, byte) => Buffer.from(`\\x${byte.toString(16).padStart(2, '0')}`).readUInt32LE(0));

/** Length of the well-formed UTF-8 sequence that starts here, 0 when there is none. */
const sequenceLength = (buffer: Buffer, at: number): number => {
  const lead = buffer[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const second = buffer[at + 1] ?? 0;
  if (at + length > buffer.length) return 0;
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = at + 2; i < at + length; i++) if (((buffer[i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
};

/** Bytes looked at as a whole: those without anything to escape are copied. */
const PIECE = 1_024;

/** The reversible escape of bytes, as text. */
export const escapeBytes = (buffer: Buffer): string => {
  const out = Buffer.allocUnsafe(buffer.length * 4);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let end = 0;
  let ascii = true;
  for (let at = 0; at < buffer.length; ) {
    const stop = Math.min(buffer.length, at + PIECE);
    const piece = buffer.subarray(at, stop);
    if (isAscii(piece) && !piece.includes(0) && !piece.includes(92)) {
      piece.copy(out, end);
      end += piece.length;
      at = stop;
      continue;
    }
    // A sequence may reach over the piece's end.
    while (at < stop) {
      const byte = buffer[at] ?? 0;
      const length = byte === 0 ? 0 : byte < 0x80 ? 1 : sequenceLength(buffer, at);
      if (length === 0) {
        view.setUint32(end, ESCAPES[byte] ?? 0, true);
        end += 4;
        at++;
      } else {
        if (byte === 92) out[end++] = 92;
        else if (length > 1) ascii = false;
        for (const past = at + length; at < past; at++) out[end++] = buffer[at] ?? 0;
      }
    }
  }
  return out.toString(ascii ? 'latin1' : 'utf8', 0, end);
};

/** The bytes behind an escaped `event.original`. */
export const unescapeOriginal = (text: string): Buffer => {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', start)) {
    parts.push(Buffer.from(text.slice(start, at)));
    if (text.charCodeAt(at + 1) === 92) {
      parts.push(Buffer.from('\\'));
      start = at + 2;
    } else {
      parts.push(Buffer.from([Number.parseInt(text.slice(at + 2, at + 4), 16)]));
      start = at + 4;
    }
  }
  parts.push(Buffer.from(text.slice(start)));
  return Buffer.concat(parts);
};

const flagSets = new Map<number, readonly string[]>();
const REPLAY = 256;

/** Names of a record's marks, the same array for the same marks; undefined for none. */
export const flagNames = (flags: number, replay: boolean): readonly string[] | undefined => {
  if (flags === 0 && !replay) return undefined;
  const key = replay ? flags | REPLAY : flags;
  const known = flagSets.get(key);
  if (known !== undefined) return known;
  const names: string[] = [];
  for (const [name, bit] of Object.entries(RECORD_FLAGS)) if ((flags & bit) !== 0) names.push(name);
  if (replay) names.push('replay');
  flagSets.set(key, names);
  return names;
};

/** Longest value of a typed field, in bytes of UTF-8: what both stores take as one term. */
export const FIELD_LIMIT_BYTES = 32_766;
/** No text of at most so many UTF-16 units is longer than the limit. */
export const SURELY_SHORT = 10_922;

/** The text cut to the field limit, never inside a character. */
export const clip = (text: string): string => {
  if (text.length <= SURELY_SHORT) return text;
  // So many UTF-16 units are at least so many bytes.
  const buffer = Buffer.from(text.length > FIELD_LIMIT_BYTES ? text.slice(0, FIELD_LIMIT_BYTES) : text);
  if (buffer.length <= FIELD_LIMIT_BYTES && text.length <= FIELD_LIMIT_BYTES) return text;
  let end = Math.min(FIELD_LIMIT_BYTES, buffer.length);
  while (((buffer[end] ?? 0) & 0xc0) === 0x80) end--;
  return buffer.toString('utf8', 0, end);
};

/** Text that did not stand in the line as such (JSON escapes, hex, percent): well-formed, and without NUL. */
export const wellFormed = (text: string): string => {
  const sound = text.isWellFormed() ? text : text.toWellFormed();
  return sound.includes('\0') ? sound.replaceAll('\0', '\\x00') : sound;
};

/** Cuts every value of an event whose line was long; `event.original` stays whole. */
export const clipEvent = (event: EventDraft): void => {
  const draft = event as Record<string, unknown>;
  for (const name in draft) {
    if (name === 'event.original') continue;
    const value = draft[name];
    if (typeof value === 'string') draft[name] = clip(value);
    else if (Array.isArray(value)) draft[name] = value.slice(0, 1_000).map((item) => (typeof item === 'string' ? clip(item) : item));
  }
};

/** Sets a field from a value of unknown type; false when the value is not one of the field's type. */
export const setField = (event: EventDraft, name: string, value: unknown): boolean => {
  if (!isEcsField(name)) return false;
  const typed = coerce(name, value);
  if (typed === undefined) return false;
  (event as Record<EcsField, unknown>)[name] = typed;
  return true;
};

/** A value as its field's type wants it, or undefined when it cannot be. Dates are milliseconds or RFC 3339 text. */
export const coerce = (name: EcsField, value: unknown): unknown => {
  switch (ECS[name].type) {
    case 'long': {
      const n =
        typeof value === 'number'
          ? value
          : typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value)
            ? Number(value)
            : Number.NaN;
      // Beyond it a column of whole numbers cannot hold the value, and the line would be in no answer.
      if (!(Math.abs(n) <= Number.MAX_SAFE_INTEGER)) return undefined;
      return Math.trunc(n);
    }
    case 'boolean':
      return value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined;
    case 'date': {
      const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
      return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? Math.trunc(at) : undefined;
    }
    case 'ip':
      return typeof value === 'string' ? ipOf(value) : undefined;
    case 'keywords': {
      const items = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string' || typeof item === 'number');
      return items.length === 0 ? undefined : items.slice(0, 1_000).map((item) => clip(wellFormed(String(item))));
    }
    case 'flattened':
      return undefined;
    default:
      return typeof value === 'string' && value !== ''
        ? clip(wellFormed(value))
        : typeof value === 'number' || typeof value === 'boolean'
          ? String(value)
          : undefined;
  }
};

/** Keeps what has no field under its own name, as text. The caller bounds how many. */
export const setExtra = (event: EventDraft, name: string, value: string): void => {
  let extra = event['vigil.extra'] as Record<string, string> | undefined;
  if (extra === undefined) {
    extra = Object.create(null) as Record<string, string>;
    event['vigil.extra'] = extra;
  }
  extra[name.length > 256 ? name.slice(0, 256) : name] = clip(value);
};
