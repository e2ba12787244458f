// SPDX-License-Identifier: Apache-2.0
/**
 * What grouping asks about alerts and incidents that are there, synchronously, inside the transaction of a page.
 * Input: the state worker implements it over its documents. Output: alert finds episodes, incident finds what belongs together.
 */
import type { AlertId, IncidentId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Alert } from './alert.ts';
import type { Entity } from './entity.ts';
import type { Incident, IncidentWork } from './incident.ts';
import type { Pair } from './satisfied.ts';

/**
 * MUST answer with everything written before, the same transaction included.
 */
export interface AlertReader {
  /** Live alerts of a pair that begin at or before `to` and end at or after `from`, lowest n first. */
  touching(pair: Pair, from: UnixMs, to: UnixMs): readonly Alert[];
  /** Highest n that was given to the pair, merged ones included; 0 when there is none. */
  lastNumber(pair: Pair): number;
  alert(id: AlertId): Alert | null;
}

/** An alert as far as linking it with others needs. */
export type AlertLink = Pick<
  Alert,
  | 'id'
  | 'rule'
  | 'title'
  | 'level'
  | 'entity'
  | 'entities'
  | 'first'
  | 'last'
  | 'detected'
  | 'tactics'
  | 'techniques'
  | 'backlog'
  | 'replay'
  | 'opens'
  | 'incident'
>;

export interface LinkQuestion {
  readonly entities: readonly Entity[];
  /** The one who asks is about an address: others about addresses are answered only where they share an address. */
  readonly aboutAddress: boolean;
  /** Replays see replays only. */
  readonly replay: boolean;
  readonly opens: boolean;
  readonly from: UnixMs;
  readonly to: UnixMs;
  /** Of those that share but a host. */
  readonly onHost: { readonly from: UnixMs; readonly to: UnixMs };
  /** Of each entity, those that ended first. */
  readonly limit: number;
}

/** What people decided about an alert's place. */
export interface Pins {
  /** The incident a person put it in. */
  readonly added: IncidentId | null;
  /** A person took it out of an incident. */
  readonly removed: boolean;
}

/**
 * MUST answer with everything written before, the same transaction included.
 */
export interface IncidentReader {
  /** Live alerts that speak of one of the entities and overlap the span: those that open incidents or the others, at most `limit`, by first, then id. */
  linked(question: LinkQuestion): readonly AlertLink[];
  /** Live alerts of a pair that overlap the span, at most `limit`. */
  ofPair(pair: Pair, from: UnixMs, to: UnixMs, limit: number): readonly AlertLink[];
  /** Live alerts among the ids. */
  links(ids: readonly AlertId[]): readonly AlertLink[];
  pins(id: AlertId): Pins;
  incident(id: IncidentId): Incident | null;
  incidentWork(id: IncidentId): IncidentWork | null;
}

export const linkOf = (alert: Alert): AlertLink => ({
  id: alert.id,
  rule: alert.rule,
  title: alert.title,
  level: alert.level,
  entity: alert.entity,
  entities: alert.entities,
  first: alert.first,
  last: alert.last,
  detected: alert.detected,
  tactics: alert.tactics,
  techniques: alert.techniques,
  backlog: alert.backlog,
  replay: alert.replay,
  ...(alert.opens ? { opens: true } : {}),
  ...(alert.incident === undefined ? {} : { incident: alert.incident }),
});
