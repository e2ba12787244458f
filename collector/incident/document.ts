// SPDX-License-Identifier: Apache-2.0
/**
 * What an incident says, recomputed from its alerts (C3); the same alerts say the same in any order (S6).
 * Input: the alerts and what is fixed at opening. Output: the incident's document.
 */
import type { UnixMs } from '../../core/units.ts';
import type { AlertLink } from '../model/alerts.ts';
import { type Entity, parseEntity } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import { levelRank } from '../model/rule.ts';
import { severityOf } from './severity.ts';
import { reasonsTogether } from './why.ts';

/** Alerts of an incident at most; the others are counted (never lost silently). */
export const MEMBERS = 1000;
const ENTITIES = 100;

/** By time, then by what the alert is; ids come last, because they may differ between orders of arrival (S6). */
export const inOrder = (a: AlertLink, b: AlertLink): number =>
  a.first - b.first || compare(a.rule, b.rule) || compare(a.entity, b.entity) || compare(a.id, b.id);

export const incidentOf = (
  fixed: Pick<Incident, 'id' | 'number' | 'opener'>,
  alerts: readonly AlertLink[],
  nameOf: (entity: Entity) => string | null,
): Incident => {
  const sorted = [...alerts].sort(inOrder);
  const weighty = [...sorted].sort((a, b) => levelRank(b.level) - levelRank(a.level) || inOrder(a, b));
  const kept = new Set(weighty.slice(0, MEMBERS));
  const members = sorted.filter((alert) => kept.has(alert));
  const top = weighty[0]!;
  const rules = new Set(sorted.map(({ rule }) => rule)).size;
  const name = nameOf(top.entity) ?? parseEntity(top.entity)?.id ?? top.entity;
  const more = rules === 1 ? '' : `, and ${rules - 1} more ${rules === 2 ? 'rule' : 'rules'}`;
  return {
    ...fixed,
    title: `${top.title}: ${name}${more}`,
    severity: severityOf(sorted),
    why: reasonsTogether(members),
    alerts: members.map(({ id }) => id),
    entities: entitiesOf(sorted),
    tactics: union(sorted.map(({ tactics }) => tactics)),
    techniques: union(sorted.map(({ techniques }) => techniques)),
    first: Math.min(...sorted.map(({ first }) => first)) as UnixMs,
    last: Math.max(...sorted.map(({ last }) => last)) as UnixMs,
    detected: Math.min(...sorted.map(({ detected }) => detected)) as UnixMs,
    backlog: sorted.every(({ backlog }) => backlog),
    replay: sorted.every(({ replay }) => replay),
    ...(sorted.length > members.length ? { overflow: sorted.length - members.length } : {}),
  };
};

/** A full incident and more of its story: they are counted and prolong it; what it says is of the alerts it names. */
export const withMore = (full: Incident, more: readonly AlertLink[]): Incident => {
  const added = more.filter(({ incident }) => incident !== full.id).length;
  const overflow = (full.overflow ?? 0) + added;
  return {
    ...full,
    first: Math.min(full.first, ...more.map(({ first }) => first)) as UnixMs,
    last: Math.max(full.last, ...more.map(({ last }) => last)) as UnixMs,
    backlog: full.backlog && more.every(({ backlog }) => backlog),
    ...(overflow > 0 ? { overflow } : {}),
  };
};

// Entities that more alerts speak of come first.
const entitiesOf = (alerts: readonly AlertLink[]): readonly Entity[] => {
  const counts = new Map<Entity, number>();
  for (const { entities } of alerts) for (const entity of entities) counts.set(entity, (counts.get(entity) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))
    .slice(0, ENTITIES)
    .map(([entity]) => entity);
};

const union = (lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())].sort();

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
