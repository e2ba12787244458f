// SPDX-License-Identifier: Apache-2.0
/**
 * Stories: strong alerts that are linked, and the lower alerts that join them (S7). A pure function of the set of alerts.
 * Input: one alert to start from, the reader. Output: the story it belongs to.
 */
import type { AlertId, IncidentId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { AlertLink, IncidentReader, LinkQuestion } from '../model/alerts.ts';
import { inOrder, MEMBERS } from './document.ts';
import { HOST_LINK_MS, isChronic, isUsual, kindOf, LINK_MS, type Link, linkBetween } from './link.ts';

/** Where an alert stands: `free` follows its links, `kept` stays in its incident (closed, or put there by a person), `out` was taken out. */
export type Place =
  | { readonly kind: 'free'; readonly incident: IncidentId | null }
  | { readonly kind: 'kept'; readonly incident: IncidentId }
  | { readonly kind: 'out' };

export interface Stories {
  place(link: AlertLink): Place;
  /** All strong alerts linked with this one, directly or through others. */
  strong(seed: AlertLink): readonly AlertLink[];
  /** Strong alerts linked with this one directly. */
  beside(seed: AlertLink): readonly AlertLink[];
  /** The strong alert that a lower one joins: the nearest in time. */
  home(lower: AlertLink): AlertLink | null;
  /** Strong alerts whose lower ones this one may change: it can show others of its pair to be usual. */
  around(lower: AlertLink): readonly AlertLink[];
  /** Lower alerts whose home is among these. */
  lower(strong: readonly AlertLink[]): readonly AlertLink[];
}

/** Places in the lists of who is beside whom that are kept at most: 8 MB. What is beyond is asked for again. */
const NEAR_KEPT = 1_000_000;

/** Answers are kept for one page: make it anew for the next. */
export const storiesOf = (reader: IncidentReader): Stories => {
  const places = new Map<AlertId, Place>();
  const homes = new Map<AlertId, AlertLink | null>();
  const nearby = new Map<string, readonly AlertLink[]>();
  let held = 0;
  const placeOf = (link: AlertLink): Place => {
    const pins = reader.pins(link.id);
    if (pins.added !== null) return { kind: 'kept', incident: resolve(reader, pins.added) };
    if (pins.removed) return { kind: 'out' };
    if (link.incident === undefined) return { kind: 'free', incident: null };
    const incident = resolve(reader, link.incident);
    const state = reader.incidentWork(incident)?.state;
    return state === 'closed' || state === 'dismissed' ? { kind: 'kept', incident } : { kind: 'free', incident };
  };
  const place = (link: AlertLink): Place => {
    let known = places.get(link.id);
    if (!known) places.set(link.id, (known = placeOf(link)));
    return known;
  };
  const near = (link: AlertLink, opens: boolean): readonly AlertLink[] => {
    const key = `${opens} ${link.id}`;
    let known = nearby.get(key);
    if (!known) {
      const { entities, replay } = link;
      const within = (ms: number): LinkQuestion['onHost'] => ({ from: (link.first - ms) as UnixMs, to: (link.last + ms) as UnixMs });
      const aboutAddress = kindOf(link.entity) === 'ip';
      const found = reader.linked({
        entities,
        aboutAddress,
        replay,
        opens,
        ...within(LINK_MS),
        onHost: within(HOST_LINK_MS),
        limit: MEMBERS,
      });
      known = found.filter((other) => other.id !== link.id && place(other).kind === 'free');
      held += known.length;
      if (held <= NEAR_KEPT) nearby.set(key, known);
    }
    return known;
  };
  const pairs = new Map<AlertId, readonly AlertLink[]>();
  /** Alerts of its pair within the time over which any of them can tell what is usual. */
  const samePair = (lower: AlertLink): readonly AlertLink[] => {
    let known = pairs.get(lower.id);
    const span = { from: (lower.first - 2 * LINK_MS) as UnixMs, to: (lower.last + 2 * LINK_MS) as UnixMs };
    if (!known) pairs.set(lower.id, (known = reader.ofPair(lower, span.from, span.to, MEMBERS)));
    return known;
  };
  const around = (lower: AlertLink): readonly AlertLink[] => {
    const found = new Map<AlertId, AlertLink>();
    for (const other of [lower, ...samePair(lower)])
      for (const alert of near(other, true)) if (linkBetween(other, alert)) found.set(alert.id, alert);
    return [...found.values()];
  };
  const home = (lower: AlertLink): AlertLink | null => {
    const known = homes.get(lower.id);
    if (known !== undefined) return known;
    let best: { readonly link: Link; readonly alert: AlertLink } | null = null;
    for (const alert of near(lower, true)) {
      const link = linkBetween(lower, alert);
      if (!link || isChronic(lower, alert, link) || isUsual(lower, alert, link, samePair(lower))) continue;
      if (!best || nearer(link, alert, best.link, best.alert)) best = { link, alert };
    }
    homes.set(lower.id, best?.alert ?? null);
    return best?.alert ?? null;
  };
  const beside = (seed: AlertLink): readonly AlertLink[] => near(seed, true).filter((other) => linkBetween(seed, other) !== null);
  const strong = (seed: AlertLink): readonly AlertLink[] => {
    const found = new Map([[seed.id, seed]]);
    for (const link of found.values())
      for (const other of near(link, true))
        if (!found.has(other.id) && found.size < MEMBERS && linkBetween(link, other)) found.set(other.id, other);
    return [...found.values()].sort(inOrder);
  };
  const lower = (all: readonly AlertLink[]): readonly AlertLink[] => {
    const ids = new Set(all.map(({ id }) => id));
    const found = new Map<AlertId, AlertLink>();
    for (const link of all)
      for (const other of near(link, false)) {
        if (found.has(other.id)) continue;
        const own = home(other);
        if (own && ids.has(own.id)) found.set(other.id, other);
      }
    return [...found.values()];
  };
  return { place, strong, beside, home, around, lower };
};

const nearer = (a: Link, alertA: AlertLink, b: Link, alertB: AlertLink): boolean => {
  const sharesAddress = (link: Link): number => (kindOf(link.entity) === 'ip' ? 0 : 1);
  return (a.gapMs - b.gapMs || sharesAddress(a) - sharesAddress(b) || inOrder(alertA, alertB)) < 0;
};

/** Follows merges, of people and of the machine, to the incident that stands. */
export const resolve = (reader: IncidentReader, id: IncidentId): IncidentId => {
  let at = id;
  for (let step = 0; step < 100; step++) {
    const next = reader.incidentWork(at)?.mergedInto ?? reader.incident(at)?.mergedInto;
    if (next === undefined || next === at) return at;
    at = next;
  }
  return at;
};
