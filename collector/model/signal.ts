// SPDX-License-Identifier: Apache-2.0
/**
 * The signal: one event matched one rule. Cheap, many, never shown by itself (river.md S1).
 * Input: detect. Output: pages, then correlate.
 */
import { type EventId, hashId, type SignalId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';
import type { Level } from './rule.ts';

export interface Signal {
  readonly id: SignalId;
  /** Id of the rule. */
  readonly rule: string;
  readonly event: EventId;
  /** Event time, or time of ingest where the event's own cannot be true. */
  readonly time: UnixMs;
  readonly ingested: UnixMs;
  readonly backlog?: true;
  readonly replay?: true;
  readonly level: Level;
  readonly entities: readonly Entity[];
  /** What any loaded correlation groups by, counts or aliases, by ECS or Sigma name as the correlation writes it. */
  readonly fields: Readonly<Record<string, string>>;
  /** Which literal stood in which field: `process.name = sshd`. */
  readonly why: readonly string[];
  /** Stream of the event, for watermarks (S3). */
  readonly stream: string;
}

export const signalId = (rule: string, event: EventId): SignalId => hashId('sig', rule, event);
