// SPDX-License-Identifier: Apache-2.0
/**
 * Signals: what a match becomes on its way to a page (river.md S1).
 * Input: a decoded event and the rules it matched. Output: signals with entities, fields for correlations, and reasons.
 */

import type { EventId } from '../../core/ids.ts';
import { minutes, type UnixMs } from '../../core/units.ts';
import { entitiesOf, makeEntity } from '../model/entity.ts';
import type { Event } from '../model/event.ts';
import type { EventRule } from '../model/rule.ts';
import { type Signal, signalId } from '../model/signal.ts';
import type { Detector } from './detect.ts';
import { accessorOf, type FlatEvent } from './fields.ts';
import type { CompiledRuleSet } from './ruleset.ts';
import { textOf } from './sigma/compile.ts';

/** A clock may run ahead by this much; later stamps cannot be true. */
const AHEAD_MS = minutes(5);
const MAX_FIELD = 1024;

export interface Signaller {
  /** The signals of one event, in the order of the rule set. */
  toSignals(event: Event): readonly Signal[];
}

/** Time that windows use: the event's own, or that of ingest where it lies over five minutes ahead. Replays keep their own. */
export const signalTime = (time: UnixMs | undefined, ingested: UnixMs, replay: boolean): UnixMs =>
  time === undefined || !Number.isFinite(time) || (!replay && time > ingested + AHEAD_MS) ? ingested : time;

/** Stream of an event, for watermarks (S3): one source on one host, whatever its epoch. */
export const streamOf = (event: Event): string => `${event['vigil.agent.id'] ?? ''} ${event['vigil.stream'] ?? ''}`;

/** Reads, for a rule, the fields that correlations want of its signals. */
export type FieldReader = (rule: string, event: FlatEvent) => Readonly<Record<string, string>>;

/** Made once for each rule set. */
export const makeForeignFields = (ruleset: CompiledRuleSet): FieldReader => {
  const accessors = new Map<string, readonly { readonly name: string; readonly get: (event: FlatEvent) => string | undefined }[]>();
  for (const [rule, names] of ruleset.signalFields)
    accessors.set(
      rule,
      names.map((name) => ({ name, get: readerOf(name) })),
    );
  return (rule, event) => {
    const out: Record<string, string> = {};
    for (const { name, get } of accessors.get(rule) ?? []) {
      const value = get(event);
      if (value !== undefined) out[name] = value.slice(0, MAX_FIELD);
    }
    return out;
  };
};

/** Joins a detector with the fields its correlations read. */
export const makeSignaller = (detector: Detector): Signaller => {
  const fieldsOf = makeForeignFields(detector.ruleset);
  return {
    toSignals: (event) => {
      let signals: Signal[] | undefined;
      detector.detectDecoded(event, (match) => {
        const { rule } = match;
        const flags = event['vigil.flags'] ?? [];
        const replay = flags.includes('replay');
        const ingested = event['event.ingested'] ?? event['event.created'] ?? event['@timestamp'] ?? (0 as UnixMs);
        const id = (event['event.id'] ?? '') as EventId;
        signals ??= [];
        signals.push({
          id: signalId(rule.id, id),
          rule: rule.id,
          event: id,
          time: signalTime(event['@timestamp'], ingested, replay),
          ingested,
          ...(flags.includes('backlog') ? { backlog: true as const } : {}),
          ...(replay ? { replay: true as const } : {}),
          level: rule.level,
          entities: entitiesOf(event),
          fields: fieldsOf(rule.id, event),
          why: match.why(),
          stream: streamOf(event),
        });
      });
      return signals ?? [];
    },
  };
};

/** A field by name; several names joined by a comma are one value (correlations that count over several fields). */
const readerOf = (name: string): ((event: FlatEvent) => string | undefined) => {
  const all = name.split(',').map(accessorOf);
  const single = (value: unknown): string | undefined => {
    if (value === undefined || value === null) return undefined;
    return Array.isArray(value) ? (value.length > 0 ? textOf(value[0]) : undefined) : textOf(value);
  };
  return (event) => {
    const values = all.map((get) => single(get(event)));
    return values.some((v) => v === undefined) ? undefined : values.join('\u001f');
  };
};

/** The signal of a match on an event from elsewhere, the `n`-th of its file. Its time is its own, whatever it says. */
export const foreignSignal = (
  event: FlatEvent,
  rule: EventRule,
  n: number,
  fields: Readonly<Record<string, string>>,
  why: readonly string[],
): Signal => {
  const text = (...names: string[]): string | undefined =>
    names.map((name) => event[name]).find((v): v is string => typeof v === 'string' && v !== '');
  const id = (text('event.id') ?? `evt_${n}`) as EventId;
  const host = text('host.id', 'host.name', 'Computer') ?? 'unknown';
  const address = text('source.ip', 'SourceIp', 'src_ip');
  const user = text('user.name', 'User');
  const time = foreignTime(event['@timestamp'] ?? event['UtcTime'] ?? event['TimeCreated_SystemTime']);
  return {
    id: signalId(rule.id, `${id} ${n}` as EventId),
    rule: rule.id,
    event: id,
    time,
    ingested: time,
    level: rule.level,
    entities: [
      makeEntity('host', host),
      ...(address === undefined ? [] : [makeEntity('ip', address)]),
      ...(user === undefined ? [] : [makeEntity('user', `${user}@${host}`)]),
    ],
    fields,
    why,
    stream: 'events',
  };
};

const foreignTime = (value: unknown): UnixMs => {
  const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return (Number.isFinite(at) ? Math.trunc(at) : 0) as UnixMs;
};
