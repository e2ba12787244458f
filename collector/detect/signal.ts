// SPDX-License-Identifier: Apache-2.0
/**
 * Signals: what a match becomes on its way to a page (river.md S1).
 * Input: a decoded event and the rules it matched. Output: signals with entities, fields for correlations, and reasons.
 */

import type { EventId } from '../../core/ids.ts';
import { minutes, type UnixMs } from '../../core/units.ts';
import { entitiesOf } from '../model/entity.ts';
import type { Event } from '../model/event.ts';
import { type Signal, signalId } from '../model/signal.ts';
import type { Detector } from './detect.ts';
import { accessorOf, type FlatEvent } from './fields.ts';
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

/** Joins a detector with the fields its correlations read. */
export const makeSignaller = (detector: Detector): Signaller => {
  const accessors = new Map<string, readonly { readonly name: string; readonly get: (event: FlatEvent) => unknown }[]>();
  for (const [rule, names] of detector.ruleset.signalFields)
    accessors.set(
      rule,
      names.map((name) => ({ name, get: readerOf(name) })),
    );
  const fieldsOf = (rule: string, event: Event): Readonly<Record<string, string>> => {
    const out: Record<string, string> = {};
    for (const { name, get } of accessors.get(rule) ?? []) {
      const value = get(event);
      if (value !== undefined) out[name] = String(value).slice(0, MAX_FIELD);
    }
    return out;
  };
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
const readerOf = (name: string): ((event: FlatEvent) => unknown) => {
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
