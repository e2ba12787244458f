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

/**
 * True where a lower alert was under way long before the other began. An address of the internet is exempt: who scans for a day and then
 * breaks in is one story.
 */
export const isChronic = (lower: AlertLink, to: AlertLink, link: Link): boolean =>
  !isForeignAddress(link.entity) && to.first - lower.first > CHRONIC_MS;

/** How often the same rule had spoken of the same entity in the day before, from which on it is the usual noise. */
export const USUAL_EPISODES = 6;

/** True where the lower alert is one of many of its pair in the day before the other began. */
export const isUsual = (lower: AlertLink, to: AlertLink, link: Link, samePair: readonly AlertLink[]): boolean =>
  !isForeignAddress(link.entity) &&
  samePair.filter(({ id, first, last }) => id !== lower.id && first < to.first && last >= to.first - LINK_MS).length >= USUAL_EPISODES;

const LOCAL =
  /^ip:(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd][0-9a-f]{2}:|fe80:)/i;

const isForeignAddress = (entity: Entity): boolean => entity.startsWith('ip:') && !LOCAL.test(entity);

const STRENGTH: Readonly<Record<EntityKind, number>> = { ip: 3, user: 2, service: 1, host: 0 };

export const kindOf = (entity: Entity): EntityKind | null => parseEntity(entity)?.kind ?? null;
