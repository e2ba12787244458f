// SPDX-License-Identifier: Apache-2.0
/**
 * Whether two alerts belong to one story: they share an entity near in time (S7). Pure and symmetric, so every order of arrival agrees.
 * Input: two alerts. Output: what links them, or nothing.
 */
import type { AlertLink } from '../model/alerts.ts';
import { type Entity, type EntityKind, parseEntity } from '../model/entity.ts';

/** Event time within which an address, user or service links. */
export const LINK_MS = 24 * 3_600_000;
/** A host sees much that has nothing to do with one another: it links over a shorter time. */
export const HOST_LINK_MS = 8 * 3_600_000;
/** A lower alert that had been going on for this long before is the usual noise of that host, not part of what then happened. */
export const CHRONIC_MS = 8 * 3_600_000;

export interface Link {
  readonly entity: Entity;
  readonly kind: EntityKind;
  /** Event time between the two; 0 where they overlap. */
  readonly gapMs: number;
}

/** Event time between two alerts; 0 where they overlap. */
export const gapBetween = (a: Pick<AlertLink, 'first' | 'last'>, b: Pick<AlertLink, 'first' | 'last'>): number =>
  Math.max(0, a.first - b.last, b.first - a.last);

/**
 * The strongest link: an address before a user before a service before a host.
 * Two alerts about addresses are not linked by the host or account both came at: every host on the internet is tried by many.
 */
export const linkBetween = (a: AlertLink, b: AlertLink): Link | null => {
  if (a.replay !== b.replay) return null;
  const gapMs = gapBetween(a, b);
  if (gapMs > LINK_MS) return null;
  const theirs = new Set<string>(b.entities);
  const bothAddresses = kindOf(a.entity) === 'ip' && kindOf(b.entity) === 'ip';
  let best: Link | null = null;
  for (const entity of a.entities) {
    if (!theirs.has(entity)) continue;
    const kind = kindOf(entity);
    if (kind === null || (bothAddresses && kind !== 'ip') || (kind === 'host' && gapMs > HOST_LINK_MS)) continue;
    if (best && (STRENGTH[best.kind] > STRENGTH[kind] || (best.kind === kind && best.entity < entity))) continue;
    best = { entity, kind, gapMs };
  }
  return best;
};

/** True where a lower alert was under way long before the other began, and only a host or an account joins them. */
export const isChronic = (lower: AlertLink, to: AlertLink, link: Link): boolean =>
  link.kind !== 'ip' && to.first - lower.first > CHRONIC_MS;

const STRENGTH: Readonly<Record<EntityKind, number>> = { ip: 3, user: 2, service: 1, host: 0 };

export const kindOf = (entity: Entity): EntityKind | null => parseEntity(entity)?.kind ?? null;
