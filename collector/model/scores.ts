// SPDX-License-Identifier: Apache-2.0
/**
 * What scoring asks of the state, synchronously, inside the transaction that changed it.
 * Input: the state worker implements it over its documents. Output: score computes the inputs of one entity.
 */
import type { AlertId, IncidentId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Verdict } from './alert.ts';
import type { Entity } from './entity.ts';
import type { IncidentWork } from './incident.ts';
import type { Observation } from './observation.ts';
import type { Level } from './rule.ts';

/** An alert as far as its weight needs. */
export interface ThreatAlert {
  readonly id: AlertId;
  readonly rule: string;
  readonly title: string;
  readonly level: Level;
  readonly last: UnixMs;
  readonly replay: boolean;
  readonly verdict?: Verdict;
  /** The incident it belongs to, with what people said of that. */
  readonly incident?: { readonly id: IncidentId; readonly work: IncidentWork | null };
}

export const CRITICALITIES = ['low', 'normal', 'high', 'critical'] as const;
export type Criticality = (typeof CRITICALITIES)[number];

/** What is known of an entity whatever is done to it. */
export interface Standing {
  readonly criticality?: Criticality;
  readonly privileged: boolean;
  readonly internet: boolean;
  /** An account that its host does not have: a name somebody tried is nobody to whom anything is done. */
  readonly absent?: true;
}

/**
 * MUST answer with everything written before, the same transaction included.
 */
export interface ScoreReader {
  /** Live alerts that speak of the entity: the newest 200 that open incidents and the newest 200 others, of live and of replayed lines. */
  alerts(entity: Entity): readonly ThreatAlert[];
  /** Entities that an alert spoke of before the write under way. */
  entitiesOf(alert: AlertId): readonly Entity[];
  /** The newest span that says pass, fail or not applicable, of each check about a host and each of its parts; of others none. */
  answers(entity: Entity): readonly Observation[];
  standing(entity: Entity): Standing;
}
