// SPDX-License-Identifier: Apache-2.0
/**
 * JSON lines, flat or nested: ECS names become fields, well-known foreign names are moved to theirs, the rest goes to `vigil.extra`.
 * Input: one line that holds one object. Output: an event. Depth, keys and lengths are bounded before anything is kept.
 */
import { type EcsField, isEcsField } from '../../core/ecs.ts';
import type { EventDraft } from '../model/event.ts';
import { ipOf, setSource, setUser } from './address.ts';
import { clip, coerce, line, setExtra, setField, wellFormed } from './build.ts';
import type { Decoder, Frame } from './decoder.ts';
import { plainEvent } from './shape.ts';
import { readAny, stamp } from './time.ts';

const DEPTH = 16;
const KEYS = 1_024;
/** Fields that say who spoke: a line never sets them. */
const RESERVED = /^(?:host|agent|vigil)(?:\.|$)/;
const NEVER: ReadonlySet<string> = new Set([
  '@timestamp',
  'event.id',
  'event.original',
  'event.created',
  'event.ingested',
  'event.dataset',
  'log.file.path',
]);

/** Where the last comma between members of the outermost object stands, 1 where none does; -1 when brackets outside strings nest deeper than the limit. */
const lastComma = (text: string): number => {
  let depth = 0;
  let comma = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      for (i++; i < text.length && text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++;
    } else if (code === 123 || code === 91) {
      if (++depth > DEPTH) return -1;
    } else if (code === 125 || code === 93) depth--;
    else if (code === 44 && depth === 1) comma = i;
  }
  return comma;
};

/** True when the nesting of brackets outside strings stays within the limit. */
export const isShallow = (text: string): boolean => lastComma(text) !== -1;

/** The line's object, or null when it holds none. Of a line that is longer than what is read, the members that are whole. */
export const parseObject = (whole: string): Record<string, unknown> | null => {
  if (whole.charCodeAt(0) !== 123) return null;
  const comma = lastComma(whole);
  if (comma === -1) return null;
  const text = line.cut ? `${whole.slice(0, comma)}}` : whole;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    // Not JSON after all: the caller keeps the raw line.
    return null;
  }
};

/** Visits every leaf with its dotted name; lists of objects are visited by index, lists of plain values as a whole. */
export const eachLeaf = (root: Record<string, unknown>, visit: (name: string, value: unknown) => void): void => {
  let left = KEYS;
  const walk = (value: unknown, name: string): void => {
    if (left <= 0) return;
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      if (value.every((item) => typeof item !== 'object' || item === null)) {
        left--;
        visit(name, value);
      } else for (let i = 0; i < value.length && left > 0; i++) walk(value[i], `${name}.${i}`);
      return;
    }
    if (typeof value === 'object') {
      for (const key in value) walk((value as Record<string, unknown>)[key], name === '' ? key : `${name}.${key}`);
      return;
    }
    left--;
    visit(name, value);
  };
  walk(root, '');
};

/** Times as JSON loggers name them, best first. */
const TIME_KEYS = [
  '@timestamp',
  'timestamp',
  'time',
  'ts',
  't',
  'date',
  'datetime',
  '_time',
  'eventTime',
  'asctime',
  '__REALTIME_TIMESTAMP',
] as const;

/** Reads a value as a time into the frame. */
export const setTimeFrom = (frame: Frame, value: unknown): boolean => {
  if (typeof value === 'string') {
    if (!readAny(value, 0, frame)) return false;
    frame.time = stamp.ms;
    frame.quality = stamp.quality;
    return true;
  }
  if (typeof value === 'number' && value > 1e8 && value < 1e19) {
    // Seconds, milli-, micro- or nanoseconds by magnitude.
    const ms = value < 1e11 ? value * 1e3 : value < 1e14 ? value : value < 1e17 ? value / 1e3 : value / 1e6;
    frame.time = Math.trunc(ms);
    frame.quality = undefined;
    return true;
  }
  if (typeof value === 'object' && value !== null && '$date' in value) return setTimeFrom(frame, value.$date);
  return false;
};

/** Finds the time of an object; gives the key it stood under. */
export const findTime = (frame: Frame, root: Record<string, unknown>): string | undefined => {
  for (const key of TIME_KEYS) {
    const value = root[key];
    if (value === undefined) continue;
    if (typeof value === 'string' && key.startsWith('__') ? setTimeFrom(frame, Number(value)) : setTimeFrom(frame, value)) return key;
  }
  return undefined;
};

const asText = (value: unknown): string =>
  typeof value === 'string' ? wellFormed(value) : Array.isArray(value) ? wellFormed(JSON.stringify(value)) : String(value);

/** Fills an event from an object's leaves: ECS names as fields where their type fits, else under their own name. */
export const setLeaves = (event: EventDraft, root: Record<string, unknown>, skip: ReadonlySet<string>): void => {
  eachLeaf(root, (name, value) => {
    if (skip.has(name) || NEVER.has(name)) return;
    if (isEcsField(name) && !RESERVED.test(name)) {
      if (name === 'source.ip' && typeof value === 'string') {
        if (ipOf(value) !== undefined) setSource(event, value);
        else setExtra(event, name, clip(asText(value)));
        return;
      }
      if (name === 'user.name' && typeof value === 'string') return setUser(event, clip(wellFormed(value)));
      if (setField(event, name, value)) return;
    }
    setExtra(event, name, clip(asText(value)));
  });
};

/** Foreign names that mean one ECS field everywhere. */
const MOVED: Readonly<Record<string, EcsField>> = {
  msg: 'message',
  level: 'log.level',
  severity: 'log.level',
  levelname: 'log.level',
  logger: 'log.logger',
};

const decodeJson = (frame: Frame): EventDraft | null => {
  const root = parseObject(frame.text);
  if (root === null) return null;
  const timed = findTime(frame, root);
  const event = plainEvent(frame);
  const skip = new Set<string>(timed === undefined ? [] : [timed]);
  for (const key in MOVED) {
    const value = root[key];
    const field = MOVED[key];
    if (field === undefined || typeof value !== 'string' || root[field] !== undefined) continue;
    const typed = coerce(field, value);
    if (typed !== undefined && setField(event, field, typed)) skip.add(key);
  }
  setLeaves(event, root, skip);
  return event;
};

export const json: Decoder = {
  dataset: 'json',
  title: 'JSON lines; ECS names become fields',
  logsource: [],
  // Whatever the line holds.
  emits: [],
  form: 'line',
  knows: (text) => text.charCodeAt(0) === 123 && text.charCodeAt(text.trimEnd().length - 1) === 125,
  decode: decodeJson,
};
