// SPDX-License-Identifier: Apache-2.0
/**
 * Audit entries and checkpoints as frames of a segment, in one canonical spelling, so that a hash of bytes is a hash of meaning.
 * Input: entries, signed checkpoints. Output: payloads, and their strict reading.
 */
import { asObject, parseJson, strictText } from '../../../core/bytes.ts';
import { unixMs } from '../../../core/units.ts';
import type { AuditEntry } from '../../model/audit.ts';

/** First byte of a payload: what follows. */
const ENTRY = 0x45;
const CHECKPOINT = 0x43;
/** Longest text of a detail; what is longer is cut, for an audit row must always fit. */
const MAX_TEXT = 2_000;

type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

/** JSON with sorted keys and no spaces: one value, one spelling. */
export const canonicalJson = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const map = value as { readonly [key: string]: Json };
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(map[key])}`)
    .join(',')}}`;
};

const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text).toWellFormed();

/** The canonical bytes of an entry: what the tree hashes. */
export const entryBytes = (entry: AuditEntry): Uint8Array => {
  const details =
    entry.details && Object.fromEntries(Object.entries(entry.details).map(([key, v]) => [key, typeof v === 'string' ? clip(v) : v]));
  const { kind, id, name } = entry.actor;
  return Buffer.from(
    canonicalJson({
      ...entry,
      actor: { kind, id: clip(id), name: clip(name) },
      act: clip(entry.act),
      on: clip(entry.on),
      details,
      from: entry.from === undefined ? undefined : clip(entry.from),
    }),
  );
};

export const entryPayload = (record: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(ENTRY), record]);
export const checkpointPayload = (text: string): Uint8Array => Buffer.concat([Uint8Array.of(CHECKPOINT), Buffer.from(text)]);

export type AuditFrame =
  | { readonly kind: 'entry'; readonly record: Uint8Array; readonly entry: AuditEntry }
  | { readonly kind: 'checkpoint'; readonly text: string }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads a payload back. Only the canonical spelling is taken. */
export const readPayload = (payload: Uint8Array): AuditFrame => {
  const rest = payload.subarray(1);
  if (payload[0] === CHECKPOINT) {
    const text = strictText(rest);
    return text === null ? { kind: 'bad', reason: 'a checkpoint is not UTF-8' } : { kind: 'checkpoint', text };
  }
  if (payload[0] !== ENTRY) return { kind: 'bad', reason: 'it is neither an entry nor a checkpoint' };
  const entry = readEntry(rest);
  return entry ? { kind: 'entry', record: rest, entry } : { kind: 'bad', reason: 'an entry is malformed' };
};

const PHASES: readonly string[] = ['intent', 'done', 'failed', 'refused'] satisfies readonly AuditEntry['phase'][];
const KINDS: readonly string[] = ['user', 'token', 'local-owner'] satisfies readonly AuditEntry['actor']['kind'][];

const readEntry = (record: Uint8Array): AuditEntry | null => {
  let parsed: unknown;
  try {
    parsed = parseJson(record, 4);
  } catch {
    // Malformed JSON is an answer here, not a fault: the caller reports its place.
    return null;
  }
  const map = asObject(parsed);
  const actor = asObject(map?.['actor']);
  if (!map || !actor || canonicalJson(map as { readonly [key: string]: Json }) !== strictText(record)) return null;
  const { seq, at, act, on, phase, intent, details, from } = map;
  const whole = Number.isSafeInteger(seq) && (seq as number) > 0 && Number.isSafeInteger(at);
  const texts = [act, on, phase, actor['kind'], actor['id'], actor['name']].every((text) => typeof text === 'string');
  if (!whole || !texts || !PHASES.includes(phase as string) || !KINDS.includes(actor['kind'] as string)) return null;
  return {
    seq: seq as number,
    at: unixMs(at as number),
    actor: { kind: actor['kind'] as AuditEntry['actor']['kind'], id: actor['id'] as string, name: actor['name'] as string },
    act: act as string,
    on: on as string,
    phase: phase as AuditEntry['phase'],
    ...(Number.isSafeInteger(intent) ? { intent: intent as number } : {}),
    ...(asObject(details) ? { details: details as NonNullable<AuditEntry['details']> } : {}),
    ...(typeof from === 'string' ? { from } : {}),
  };
};
