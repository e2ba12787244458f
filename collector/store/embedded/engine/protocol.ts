// SPDX-License-Identifier: Apache-2.0
/**
 * What the collector and the engine's process say to each other. No SQL crosses: queries travel as trees and are compiled in the engine.
 * Input: asks of `embedded/events.ts`. Output: one answer for each ask, under its number.
 */
import type { EcsField } from '../../../../core/ecs.ts';
import type { ErrorDetails } from '../../../../core/errors.ts';
import type { UnixMs } from '../../../../core/units.ts';
import type { Event } from '../../../model/event.ts';
import type { JournalPosition, JournalRange } from '../../../model/page.ts';
import type { Bucket, EventQuery, EventStoreStatus, FieldUse, Replacement } from '../../store.ts';
import type { BatchFile } from '../batch-file.ts';

/** Given as JSON in the engine's first argument. Sizes in bytes. */
export interface EngineOptions {
  /** Folder of the event store; holds `hot`, `files`, `redecode`, `tmp` and `manifest.db`. */
  readonly dir: string;
  readonly memoryBytes: number;
  readonly tempBytes: number;
  /** A seal is due at any of these (P3). */
  readonly sealRows: number;
  readonly sealBytes: number;
  readonly sealAgeMs: number;
  /** Small tables allowed before they are folded. */
  readonly maxTables: number;
  readonly rowGroupRows: number;
}

/** A query with the time that `now` in it means. */
export interface Query extends EventQuery {
  readonly now: UnixMs;
}

/** Each ask with its answer. */
export interface Asks {
  load: { ask: { readonly batch: BatchFile }; answer: null };
  search: {
    ask: { readonly query: Query; readonly limit: number; readonly after: string | null; readonly order: 'newest' | 'oldest' };
    answer: { readonly events: readonly Event[]; readonly next: string | null };
  };
  get: { ask: { readonly ids: readonly string[] }; answer: readonly Event[] };
  count: { ask: { readonly query: Query }; answer: number };
  top: { ask: { readonly query: Query; readonly field: EcsField; readonly limit: number }; answer: readonly Bucket[] };
  histogram: { ask: { readonly query: Query; readonly buckets: number }; answer: readonly Bucket[] };
  fields: { ask: { readonly query: Query }; answer: readonly FieldUse[] };
  expire: {
    ask: { readonly olderThan: UnixMs; readonly maxBytes: number };
    answer: { readonly files: number; readonly events: number; readonly bytes: number };
  };
  hold: { ask: { readonly name: string; readonly ranges: readonly JournalRange[] }; answer: null };
  /** Batch files below `redecode/`, of one newer generation: put in the place of older rows of their ranges, together. */
  replace: { ask: { readonly what: Replacement; readonly batches: readonly BatchFile[] }; answer: number };
  /** Links of everything the store consists of below a folder; answers the paths there. */
  snapshot: { ask: { readonly into: string }; answer: readonly string[] };
  seal: { ask: null; answer: null };
  merge: { ask: { readonly minFiles: number }; answer: number };
  status: { ask: null; answer: Omit<EventStoreStatus, 'engine'> };
  ping: { ask: null; answer: { readonly rssBytes: number } };
}
export type AskKind = keyof Asks;

export type ToEngine =
  | { readonly [K in AskKind]: { readonly id: number; readonly kind: K; readonly ask: Asks[K]['ask'] } }[AskKind]
  /** The asker no longer waits: stop working on it. */
  | { readonly cancel: number };

/** A fault that crosses processes: coded ones keep code and details. */
export interface CrossedError {
  readonly code?: string;
  readonly details?: ErrorDetails;
  readonly message: string;
}

export interface Positions {
  /** Ends of what a restart will still know, newest journal last. */
  readonly held: readonly JournalPosition[];
  /** Ends of what is sealed: the journal may let go of what lies before. */
  readonly sealed: readonly JournalPosition[];
}

export type FromEngine =
  | { readonly id: number; readonly answer: Asks[AskKind]['answer'] }
  | { readonly id: number; readonly error: CrossedError }
  | { readonly notice: 'ready' | 'sealed'; readonly positions: Positions }
  /** Something a person should know; `event` is the stable name of the log line. */
  | {
      readonly notice: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
