// SPDX-License-Identifier: Apache-2.0
/**
 * Incidents as people read them: what the machine says and what people say in one, by id or number, and the chain through its alerts.
 * Input: the state store, how an alert's chain is made. Output: the reading half of the incident routes.
 */

import type { AlertId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import { joined } from '../store/joined.ts';
import type { StateStore } from '../store/store.ts';
import { alertsOf, findIncident } from './commands.ts';
import type { IncidentPorts, IncidentView } from './routes.ts';

const PEOPLE: ReadonlySet<string> = new Set(['state', 'owner', 'verdict', 'reason', 'mergedInto', 'added', 'removed', 'moves', 'alerts']);

/** What stands is what the machine put together, with what people put in and took out. */
export const viewIncident = (incident: Incident, work: IncidentWork | null, version: number): IncidentView => {
  const title = work?.declared?.title ?? incident.title;
  return { ...incident, ...(work ?? { state: 'new' as const }), title, alerts: alertsOf(incident, work), version };
};

/** The reading half of IncidentPorts; `chainOfAlert` answers null for an alert that is gone. */
export const readIncidents = <C>(
  state: StateStore,
  chainOfAlert: (id: AlertId) => Promise<C | null>,
  chain: IncidentPorts<C>['chain'],
  now: () => UnixMs,
): Omit<IncidentPorts<C>, 'change' | 'declare'> => {
  const incidents = joined(state, { machine: 'incident', people: 'incidentWork', peopleFields: PEOPLE, join: viewIncident, now });
  const get = async (idOrNumber: string): Promise<IncidentView> => {
    const { id } = await findIncident(state, idOrNumber);
    const found = await incidents.get(id);
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
