// SPDX-License-Identifier: Apache-2.0
/**
 * The incident: alerts under one investigation (river.md S7).
 * Input: incident groups alerts and keeps the reason; people write `IncidentWork`. Output: store, score, report, console.
 */
import { type AlertId, hashId, type IncidentId, type UserId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Verdict } from './alert.ts';
import type { Entity } from './entity.ts';
import type { Level } from './rule.ts';

/** What the machine says. Recomputed from alerts and people's acts. */
export interface Incident {
  readonly id: IncidentId;
  /** The number people see: INC-8. Given once, in order of opening. */
  readonly number: number;
  readonly title: string;
  readonly severity: Level;
  /** Why these alerts stand together, in sentences. */
  readonly why: readonly string[];
  /** The alert that opened it. */
  readonly opener: AlertId;
  readonly alerts: readonly AlertId[];
  readonly entities: readonly Entity[];
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  readonly first: UnixMs;
  readonly last: UnixMs;
  readonly detected: UnixMs;
  readonly backlog: boolean;
  readonly replay: boolean;
  /** Alerts that belong here but are beyond the bound of members. */
  readonly overflow?: number;
  /** A late alert showed that it is one with an older incident, before any person had touched it. */
  readonly mergedInto?: IncidentId;
}

export const INCIDENT_STATES = ['new', 'triaged', 'contained', 'eradicated', 'recovered', 'closed', 'merged', 'dismissed'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** What people say. A document of its own (C2). */
export interface IncidentWork {
  readonly state: IncidentState;
  readonly owner?: UserId;
  readonly verdict?: Verdict;
  readonly reason?: string;
  readonly mergedInto?: IncidentId;
  /** Alerts a person put in or took out; never undone by the machine. */
  readonly added?: readonly AlertId[];
  readonly removed?: readonly AlertId[];
  /** Every step with its time, oldest first, at most 100: clocks and times to acknowledge are measured from these. */
  readonly moves?: readonly IncidentMove[];
  /** A person opened it, under this title, and said why. */
  readonly declared?: { readonly title: string; readonly reason: string; readonly at: UnixMs; readonly by: string };
}

export interface IncidentMove {
  readonly to: IncidentState;
  readonly at: UnixMs;
  /** Id of the person. */
  readonly by: string;
}

/** An incident is named by the alert that opened it. */
export const incidentId = (opener: AlertId): IncidentId => hashId('inc', opener);
