// SPDX-License-Identifier: Apache-2.0
/**
 * A person opens an incident from alerts that no rule has put together. The machine says it from then on as any other, and never takes it apart.
 * Input: an actor, alerts, a title, the reason. Output: the new incident.
 */
import { type AlertId, hashId, isId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { IncidentWork } from '../model/incident.ts';
import type { Actor } from '../model/permission.ts';
import { type IncidentDesk, removeAlert } from './commands.ts';
import type { IncidentView } from './routes.ts';
import { viewIncident } from './view.ts';

export interface Declaration {
  readonly title: string;
  readonly reason: string;
  /** The first one names the incident. */
  readonly alerts: readonly string[];
}

/**
 * Alerts that stand in another incident leave it. Whoever declares owns it, and it is triaged: a person has looked.
 * @throws CodedError NOT_FOUND (an alert), USAGE for a title or reason of blanks.
 */
export const declareIncident = async (desk: IncidentDesk, actor: Actor, wish: Declaration, from: string): Promise<IncidentView> => {
  const [title, reason] = [wish.title.trim(), wish.reason.trim()];
  if (title === '') throw fault('USAGE', { reason: 'An incident has a title' });
  if (reason === '') throw fault('REASON_NEEDED', { reason: 'declaring an incident needs a reason' });
  const alerts = [...new Set(wish.alerts)] as AlertId[];
  const found = await Promise.all(alerts.map((id) => desk.state.get('alert', id)));
  const missing = found.indexOf(null);
  if (missing >= 0) throw fault('NOT_FOUND', { what: 'alert', id: alerts[missing] ?? '' });
  for (const one of found) {
    const before = one?.value.incident;
    if (one && before !== undefined) await removeAlert(desk, { actor, incident: before, from }, one.value.id);
  }
  const at = desk.clock.now();
  const id = hashId('inc', alerts[0] ?? '', 'declared', at, actor.id);
  const work: IncidentWork = {
    state: 'triaged',
    ...(isId('usr', actor.id) ? { owner: actor.id } : {}),
    added: alerts,
    moves: [{ to: 'triaged', at, by: actor.id }],
    declared: { title, reason, at, by: actor.id },
  };
  const details = { title, alerts: String(alerts.length) };
  const version = await desk.audit.act({ act: 'incident.declare', on: id, details, actor, from }, () =>
    desk.state.put('incidentWork', id, work, { ifVersion: 0 }),
  );
  const made = await desk.state.get('incident', id);
  if (!made) throw fault('NOT_FOUND', { what: 'incident', id });
  return viewIncident(made.value, work, version);
};
