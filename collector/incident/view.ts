// SPDX-License-Identifier: Apache-2.0
/**
 * Incidents as people read them: what the machine says and what people say in one, by id or number, and the chain through its alerts.
 * Input: the state store, how an alert's chain is made. Output: the reading half of the incident routes.
 */

import type { AlertId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import type { Literal } from '../query/ast.ts';
import { joined } from '../store/joined.ts';
import type { StateStore } from '../store/store.ts';
import type { IncidentPorts, IncidentView } from './routes.ts';

const PEOPLE: ReadonlySet<string> = new Set(['state', 'owner', 'verdict', 'reason', 'mergedInto', 'added', 'removed', 'alerts']);

/** What stands is what the machine put together, with what people put in and took out. */
export const viewIncident = (incident: Incident, work: IncidentWork | null, version: number): IncidentView => {
  const removed = new Set<AlertId>(work?.removed ?? []);
  const alerts = [...new Set([...incident.alerts, ...(work?.added ?? [])])].filter((id) => !removed.has(id));
  return { ...incident, ...(work ?? { state: 'new' }), alerts, version };
};

const literal = (text: string): Literal => ({ text, quoted: false, at: 0 });

/** The reading half of IncidentPorts; `chainOfAlert` answers null for an alert that is gone. */
export const readIncidents = <C>(
  state: StateStore,
  chainOfAlert: (id: AlertId) => Promise<C | null>,
  chain: IncidentPorts<C>['chain'],
  now: () => UnixMs,
): Omit<IncidentPorts<C>, 'change'> => {
  const incidents = joined(state, { machine: 'incident', people: 'incidentWork', peopleFields: PEOPLE, join: viewIncident, now });
  const get = async (idOrNumber: string): Promise<IncidentView> => {
    const id = await incidentIdOf(state, idOrNumber);
    const found = id === null ? null : await incidents.get(id);
    if (!found) throw fault('NOT_FOUND', { what: 'incident', id: idOrNumber });
    return found;
  };
  return {
    now,
    chain,
    list: incidents.list,
    count: incidents.count,
    top: incidents.top,
    get,
    explain: async (idOrNumber) => {
      const incident = await get(idOrNumber);
      const alerts = await Promise.all(incident.alerts.map(chainOfAlert));
      return { incident, alerts: alerts.filter((one): one is Awaited<C> & {} => one !== null) as C[] };
    },
  };
};

/** The id behind INC-8, 8 or an id; null when there is none. */
export const incidentIdOf = async (state: StateStore, idOrNumber: string): Promise<string | null> => {
  const number = /^(?:INC-)?(\d{1,9})$/i.exec(idOrNumber)?.[1];
  if (number === undefined) return (await state.get('incident', idOrNumber)) === null ? null : idOrNumber;
  const found = await state.list('incident', { where: { kind: 'is', field: literal('number'), value: literal(number) }, limit: 1 });
  return found.items[0]?.id ?? null;
};
