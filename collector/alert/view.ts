// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts as people read them: what the machine says and what people say in one, and the chain down to the raw lines.
 * Input: the two stores. Output: the reading half of the alert routes.
 */
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Alert, AlertWork } from '../model/alert.ts';
import { evidenceLine } from '../model/evidence.ts';
import { type Joined, joined } from '../store/joined.ts';
import type { EventStore, StateStore } from '../store/store.ts';
import type { AlertChain, AlertPorts, AlertView } from './routes.ts';

const PEOPLE: ReadonlySet<string> = new Set(['state', 'assignee', 'verdict', 'reason', 'acknowledgedAt', 'closedAt', 'moves']);

export const viewAlert = (alert: Alert, work: AlertWork | null, version: number): AlertView => ({
  ...alert,
  ...(work ?? { state: 'new' }),
  version,
});

export const joinAlerts = (state: StateStore, now: () => UnixMs): Joined<AlertView> =>
  joined(state, { machine: 'alert', people: 'alertWork', peopleFields: PEOPLE, join: viewAlert, now });

/** The reading half of AlertPorts. */
export const readAlerts = (state: StateStore, events: Pick<EventStore, 'get'>, now: () => UnixMs): Omit<AlertPorts, 'change'> => {
  const alerts = joinAlerts(state, now);
  const get = async (id: string): Promise<AlertView> => {
    const found = await alerts.get(id);
    if (!found) throw fault('NOT_FOUND', { what: 'alert', id });
    return found;
  };
  return {
    now,
    list: alerts.list,
    count: alerts.count,
    top: alerts.top,
    levels: (question, bars) => alerts.histogram(question, 'level', bars),
    get,
    explain: async (id) => chainOf(await get(id), events),
  };
};

/** The raw lines that an alert's sample rests on, oldest first. */
export const chainOf = async (alert: AlertView, events: Pick<EventStore, 'get'>): Promise<AlertChain> => {
  const lines = (await events.get(alert.sample)).flatMap((event) => evidenceLine(event, alert.first) ?? []);
  lines.sort((a, b) => a.time - b.time || a.seq - b.seq);
  return { alert, lines, more: Math.max(0, alert.count - lines.length) };
};
