// SPDX-License-Identifier: Apache-2.0
/**
 * The alert: signals of one rule about one entity within an episode, worth a look (river.md S5).
 * Input: alert recomputes `Alert` from signals; people write `AlertWork`. Output: incident, store, console.
 */
import { type AlertId, type EventId, hashId, type IncidentId, type SignalId, type UserId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';
import type { Level } from './rule.ts';

/** What the machine says. Recomputed from signals, never incremented (C3). */
export interface Alert {
  readonly id: AlertId;
  readonly rule: string;
  readonly title: string;
  readonly level: Level;
  readonly entity: Entity;
  readonly entityName: string;
  /** All entities its signals speak of, at most 100. */
  readonly entities: readonly Entity[];
  /** Number of this pair's episode, counted from 1. */
  readonly n: number;
  readonly count: number;
  readonly first: UnixMs;
  readonly last: UnixMs;
  /** When the collector first knew of it: clocks run from here (S8). */
  readonly detected: UnixMs;
  /** At most 100 events, oldest and newest kept. */
  readonly sample: readonly EventId[];
  readonly members: readonly SignalId[];
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  readonly why: readonly string[];
  /** Event time over the window before the watermark. */
  readonly late: boolean;
  /** Only old or replayed lines: notifies nobody. */
  readonly backlog: boolean;
  readonly replay: boolean;
  /** Opens an incident by itself: level high or above, or a correlation marked so (S7). */
  readonly opens?: true;
  readonly status: 'live' | 'merged';
  readonly mergedInto?: AlertId;
  readonly incident?: IncidentId;
}

export const ALERT_STATES = ['new', 'acknowledged', 'closed'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export const VERDICTS = ['true-positive', 'true-positive-no-impact', 'benign', 'false-positive', 'duplicate', 'insufficient-data'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What people say. A document of its own (C2). */
export interface AlertWork {
  readonly state: AlertState;
  readonly assignee?: UserId;
  readonly verdict?: Verdict;
  readonly reason?: string;
  /** When a person first took note of it. */
  readonly acknowledgedAt?: UnixMs;
  readonly closedAt?: UnixMs;
  /** Every step with its time, oldest first, at most 100; steps of the first version are not among them. */
  readonly moves?: readonly AlertMove[];
}

export interface AlertMove {
  readonly to: AlertState;
  readonly at: UnixMs;
  /** Id of the person. */
  readonly by: string;
  readonly verdict?: Verdict;
  readonly reason?: string;
}

export const alertId = (rule: string, entity: Entity, n: number, replay: boolean): AlertId =>
  hashId('alr', rule, entity, n, replay ? 'replay' : '');
