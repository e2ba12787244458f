// SPDX-License-Identifier: Apache-2.0
/**
 * The event: an understood record, a flat map of ECS names to values, immutable.
 * Input: decode. Output: enrich, detect, store; at edges as JSON with ISO times.
 */
import { ECS, type EcsField, type FieldType } from '../../core/ecs.ts';
import type { AgentId, AssetId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';

type ValueOf<T extends FieldType> = T extends 'date'
  ? UnixMs
  : T extends 'long' | 'double'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'keywords'
        ? readonly string[]
        : T extends 'flattened'
          ? Readonly<Record<string, string>>
          : string;

/** Dates are milliseconds since 1970 inside; absent fields are `undefined`, never null or empty. */
export type Event = { readonly [F in EcsField]?: ValueOf<(typeof ECS)[F]['type']> | undefined };

/** The event while a decoder fills it. */
export type EventDraft = { -readonly [F in EcsField]?: Event[F] };

export const DECODE_OUTCOMES = ['ok', 'partial', 'failed'] as const;
/** `partial`: the envelope was understood (time, program) but not the message; `failed`: only the raw line is kept. */
export type DecodeOutcome = (typeof DECODE_OUTCOMES)[number];

/** Who said it: taken from the enrolled agent or the token, never from the line. Made once for each block. */
export interface Provenance {
  readonly collector: string;
  readonly incarnation: string;
  /** Offset of the block's frame in the journal. */
  readonly offset: number;
  readonly generation: number;
  readonly agent: AgentId;
  readonly host: { readonly id: AssetId; readonly name: string };
  readonly stream: string;
  readonly epoch: string;
  /** Path of the tailed file, where there is one. */
  readonly path?: string;
  readonly ingested: UnixMs;
  /** Replayed streams keep their own time (S5, X2). */
  readonly replay: boolean;
}

/** One record on its way to be understood. */
export interface RecordIn {
  readonly bytes: Uint8Array;
  readonly seq: number;
  readonly flags: number;
  readonly readAt: UnixMs;
  /** Source dataset from the block's header. */
  readonly dataset: string;
  /** IANA zone that zone-less stamps are read in. */
  readonly zone: string;
  /** Year for year-less stamps; inferred from `readAt` when absent. */
  readonly year?: number;
  readonly from: Provenance;
}

export interface Decoded {
  readonly outcome: DecodeOutcome;
  readonly event: Event;
}

/** The event for people and other programs: dates as ISO 8601 UTC, absent fields left out. */
export const eventToJson = (event: Event): Record<string, unknown> => {
  const out: Record<string, unknown> = {};
  for (const name in event) {
    const value = event[name as EcsField];
    if (value === undefined) continue;
    out[name] = ECS[name as EcsField]?.type === 'date' ? new Date(value as number).toISOString() : value;
  }
  return out;
};
