// SPDX-License-Identifier: Apache-2.0
/**
 * From alerts to incidents (S7): each story is one incident; what people merged, split, closed or judged stands.
 * Input: alerts that a page opened, changed or merged, written before. Output: writes of incidents, and of alerts that change place.
 */
import { type AlertId, hashId, type IncidentId } from '../../core/ids.ts';
import type { Alert } from '../model/alert.ts';
import type { AlertLink, AlertReader, IncidentReader } from '../model/alerts.ts';
import type { Entity } from '../model/entity.ts';
import { type Incident, type IncidentWork, incidentId } from '../model/incident.ts';
import type { Write } from '../store/store.ts';
import { incidentOf, inOrder, MEMBERS, withMore } from './document.ts';
import { resolve, storiesOf } from './story.ts';

export interface IncidentParts {
  readonly reader: IncidentReader & AlertReader;
  readonly nameOf: (entity: Entity) => string | null;
  /** The next number of a new incident (INC-8), in the page's transaction. */
  readonly nextNumber: () => number;
}

export interface IncidentStep {
  readonly writes: readonly Write[];
  /** New incidents. Backlog and replay notify nobody (S8). */
  readonly opened: readonly Incident[];
  readonly changed: readonly Incident[];
  /** Incidents that turned out to be one with an older one, untouched by people. */
  readonly merged: readonly Incident[];
}

/** Groups anew whatever the changed alerts can have moved. Doing it again changes nothing. */
export const groupIncidents = (changed: readonly Alert[], parts: IncidentParts): IncidentStep => {
  const { reader } = parts;
  const stories = storiesOf(reader);
  const final = new Map<IncidentId, AlertLink[]>();
  const fixed = new Map<IncidentId, Pick<Incident, 'id' | 'number' | 'opener'>>();
  const swallowed = new Map<IncidentId, IncidentId>();
  const homeless = new Map<AlertId, AlertLink>();
  const done = new Set<AlertId>();
  const taken = new Set<IncidentId>();
  const absorbed = new Map<AlertId, IncidentId[]>();
  const queue: AlertLink[] = [];
  /** Alerts of stories that reached their bound on this page, and where they went. */
  const bounded = new Map<AlertId, IncidentId>();
  /** What joins an incident that was full before this page. */
  const grown = new Map<IncidentId, AlertLink[]>();
  const enqueue = (incident: IncidentId): void => {
    queue.push(...reader.links([...(reader.incident(incident)?.alerts ?? []), ...(reader.incidentWork(incident)?.added ?? [])]));
  };

  for (const alert of changed) {
    if (alert.status === 'live') queue.push(...reader.links([alert.id]));
    if (alert.status !== 'merged' || alert.incident === undefined || alert.mergedInto === undefined) continue;
    const incident = resolve(reader, alert.incident);
    absorbed.set(alert.mergedInto, [...(absorbed.get(alert.mergedInto) ?? []), incident]);
    enqueue(incident);
  }

  /** Puts a strong alert and its story where they belong. */
  const lead = (link: AlertLink): void => {
    const place = stories.place(link);
    const full = fullFor(link, place.kind === 'free' ? place.incident : null);
    if (full !== null) {
      grow(full, link);
      return;
    }
    const strong = stories.strong(link);
    // Its story runs into one that is at its bound: it is more of that.
    const into = strong.map(({ id }) => bounded.get(id)).find((id) => id !== undefined);
    if (into === undefined) settle(strong);
    else for (const member of strong) if (!done.has(member.id)) grow(into, member);
  };

  const settle = (strong: readonly AlertLink[]): void => {
    const members = [...strong, ...stories.lower(strong)].sort(inOrder);
    for (const { id } of members) done.add(id);
    const standing = new Map<IncidentId, Incident>();
    // Lower alerts only join: they bring no incident with them.
    for (const member of strong) {
      const place = stories.place(member);
      for (const id of [place.kind === 'free' ? place.incident : null, ...(absorbed.get(member.id) ?? [])]) {
        const incident = id === null || taken.has(id) || swallowed.has(id) ? null : reader.incident(id);
        if (incident && isOpen(reader.incidentWork(incident.id))) standing.set(incident.id, incident);
      }
    }
    const touched = (incident: Incident): number => (isTouched(reader.incidentWork(incident.id)) ? 0 : 1);
    const [target, ...others] = [...standing.values()].sort((a, b) => touched(a) - touched(b) || a.number - b.number);
    const foreign = new Set<IncidentId>();
    const id = target?.id ?? openNew(strong);
    taken.add(id);
    if (target) fixed.set(id, target);
    for (const other of others) {
      if (touched(other) === 0) foreign.add(other.id);
      else swallowed.set(other.id, id);
    }
    const own: AlertLink[] = [];
    for (const member of members) {
      const place = stories.place(member);
      // Two incidents that people have worked on are not joined by the machine: each keeps its alerts.
      if (place.kind === 'free' && place.incident !== null && foreign.has(place.incident)) keep(place.incident, member);
      else own.push(member);
      if (place.kind === 'free' && place.incident !== null && place.incident !== id) enqueue(place.incident);
    }
    final.set(id, [...(final.get(id) ?? []), ...own]);
    if (strong.length >= MEMBERS) for (const member of own) bounded.set(member.id, id);
    for (const other of [...(target ? [target] : []), ...others]) enqueue(other.id);
  };

  /** The full incident that an alert belongs to: one that it is in, or that an alert beside it is in. */
  const fullFor = (link: AlertLink, own: IncidentId | null): IncidentId | null => {
    if (own !== null && isFull(own)) return own;
    for (const other of stories.beside(link)) {
      const here = bounded.get(other.id);
      if (here !== undefined) return here;
      const place = stories.place(other);
      if (place.kind === 'free' && place.incident !== null && isFull(place.incident)) return place.incident;
    }
    return null;
  };
  const isFull = (id: IncidentId): boolean =>
    !final.has(id) && (reader.incident(id)?.alerts.length ?? 0) >= MEMBERS && isOpen(reader.incidentWork(id));
  /** More of a story that is at its bound: counted and led there, and the story is not looked through again. */
  const grow = (id: IncidentId, link: AlertLink): void => {
    done.add(link.id);
    const into = final.get(id) ?? grown.get(id);
    if (into) into.push(link);
    else grown.set(id, [link]);
    bounded.set(link.id, id);
  };

  const openNew = (strong: readonly AlertLink[]): IncidentId => {
    const byDetection = [...strong].sort((a, b) => a.detected - b.detected || inOrder(a, b));
    const opener = byDetection.find((link) => reader.incident(incidentId(link.id)) === null && !final.has(incidentId(link.id)));
    const named = opener ?? byDetection[0]!;
    const number = parts.nextNumber();
    // Every one of them opened an incident that another story has now: the number tells this one from that.
    const id = opener ? incidentId(named.id) : hashId('inc', named.id, number);
    fixed.set(id, { id, number, opener: named.id });
    return id;
  };

  /** Leaves an alert where it is; the incident is said anew. */
  const keep = (incident: IncidentId, link: AlertLink): void => {
    done.add(link.id);
    const standing = fixed.get(incident) ?? reader.incident(incident) ?? declared(incident);
    if (!standing) return;
    if (!final.has(incident)) {
      fixed.set(incident, standing);
      final.set(incident, []);
      enqueue(incident);
    }
    final.get(incident)!.push(link);
  };

  /** An incident that a person opened and the machine says for the first time: about the first alert put into it. */
  const declared = (id: IncidentId): Pick<Incident, 'id' | 'number' | 'opener'> | null => {
    const work = reader.incidentWork(id);
    const opener = work?.added?.[0];
    return work?.declared && opener ? { id, number: parts.nextNumber(), opener } : null;
  };

  for (let next = 0; next < queue.length; next++) {
    const link = queue[next]!;
    if (done.has(link.id)) continue;
    const place = stories.place(link);
    if (place.kind === 'out') {
      done.add(link.id);
      homeless.set(link.id, link);
    } else if (place.kind === 'kept') keep(place.incident, link);
    else if (link.opens) lead(link);
    else {
      for (const alert of stories.around(link)) if (!done.has(alert.id)) lead(alert);
      if (done.has(link.id)) continue;
      if (place.incident !== null && isTouched(reader.incidentWork(place.incident))) keep(place.incident, link);
      else {
        done.add(link.id);
        homeless.set(link.id, link);
        if (place.incident !== null) enqueue(place.incident);
      }
    }
  }
  return writesOf({ final, fixed, swallowed, homeless, grown }, parts);
};

const isOpen = (work: IncidentWork | null): boolean => work === null || !['closed', 'dismissed', 'merged'].includes(work.state);

/** A person has said something of it: the machine no longer merges it away or takes alerts out of it. */
const isTouched = (work: IncidentWork | null): boolean =>
  work !== null &&
  (work.state !== 'new' ||
    work.owner !== undefined ||
    work.verdict !== undefined ||
    (work.added ?? []).length + (work.removed ?? []).length > 0);

interface Placed {
  readonly final: ReadonlyMap<IncidentId, readonly AlertLink[]>;
  readonly fixed: ReadonlyMap<IncidentId, Pick<Incident, 'id' | 'number' | 'opener'>>;
  readonly swallowed: ReadonlyMap<IncidentId, IncidentId>;
  readonly homeless: ReadonlyMap<AlertId, AlertLink>;
  readonly grown: ReadonlyMap<IncidentId, readonly AlertLink[]>;
}

const writesOf = ({ final, fixed, swallowed, homeless, grown }: Placed, parts: IncidentParts): IncidentStep => {
  const { reader } = parts;
  const step = { writes: [] as Write[], opened: [] as Incident[], changed: [] as Incident[], merged: [] as Incident[] };
  const rehouse = (id: AlertId, incident: IncidentId | undefined): void => {
    const alert = reader.alert(id);
    if (!alert || alert.incident === incident) return;
    const { incident: _left, ...rest } = alert;
    step.writes.push({ collection: 'alert', id, value: incident === undefined ? rest : { ...rest, incident } });
  };
  for (const [id, links] of final) {
    const members = [...new Map(links.map((link) => [link.id, link])).values()];
    const base = fixed.get(id);
    if (!base || members.length === 0) continue;
    const before = reader.incident(id);
    const incident = incidentOf({ id, number: base.number, opener: base.opener }, members, parts.nameOf);
    for (const member of members) rehouse(member.id, id);
    if (before && JSON.stringify(before) === JSON.stringify(incident)) continue;
    (before ? step.changed : step.opened).push(incident);
    step.writes.push({ collection: 'incident', id, value: incident });
  }
  for (const [id, links] of grown) {
    const before = reader.incident(id);
    if (!before) continue;
    const incident = withMore(before, links);
    for (const { id: alert } of links) rehouse(alert, id);
    if (JSON.stringify(before) === JSON.stringify(incident)) continue;
    step.changed.push(incident);
    step.writes.push({ collection: 'incident', id, value: incident });
  }
  for (const [id, into] of swallowed) {
    const before = reader.incident(id);
    if (!before) continue;
    const value: Incident = { ...before, mergedInto: into };
    step.merged.push(value);
    step.writes.push({ collection: 'incident', id, value });
  }
  for (const id of homeless.keys()) rehouse(id, undefined);
  return step;
};
