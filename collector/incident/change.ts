// SPDX-License-Identifier: Apache-2.0
/**
 * One request that may change several things of an incident, as acts one after another, each against the version the one before left.
 * Input: who, what, the version they saw. Output: the incident as it is then.
 */
import type { AlertId, UserId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { Actor } from '../model/permission.ts';
import {
  addAlert,
  findIncident,
  type IncidentAct,
  type IncidentDesk,
  mergeIncident,
  moveIncident,
  ownIncident,
  removeAlert,
} from './commands.ts';
import type { IncidentChange, IncidentView } from './routes.ts';
import { viewIncident } from './view.ts';

export interface ChangeDesk extends IncidentDesk {
  /** The user of a name or id; null when there is none. */
  readonly findUser: (nameOrId: string) => Promise<{ readonly id: UserId } | null>;
}

/** @throws CodedError NOT_FOUND, STATE_CONFLICT, MOVE_REFUSED, VERDICT_NEEDED, REASON_NEEDED. */
export const changeIncident = async (
  desk: ChangeDesk,
  by: Actor,
  ref: string,
  change: IncidentChange,
  ifVersion: number,
  from: string,
): Promise<IncidentView> => {
  const incident = await findIncident(desk.state, ref);
  let version = ifVersion;
  const act = (): IncidentAct => ({ actor: by, incident: incident.id, ifVersion: version, from });
  const { state, verdict, reason, owner, mergedInto } = change;
  if (owner !== undefined) version = (await ownIncident(desk, act(), owner === null ? null : await userOf(desk, owner))).version;
  for (const alert of change.add ?? []) version = (await addAlert(desk, act(), alert as AlertId)).version;
  for (const alert of change.remove ?? []) version = (await removeAlert(desk, act(), alert as AlertId)).version;
  if (state === 'merged') {
    if (mergedInto === undefined) throw fault('USAGE', { reason: 'Name the incident it is merged into in "mergedInto"' });
    version = (await mergeIncident(desk, act(), mergedInto)).version;
  } else if (state !== undefined) {
    const wish = { to: state, ...(verdict === undefined ? {} : { verdict }), ...(reason === undefined ? {} : { reason }) };
    version = (await moveIncident(desk, act(), wish)).version;
  }
  return viewIncident(incident.value, (await desk.state.get('incidentWork', incident.id))?.value ?? null, version);
};

const userOf = async (desk: ChangeDesk, nameOrId: string): Promise<UserId> => {
  const found = await desk.findUser(nameOrId);
  if (!found) throw fault('NOT_FOUND', { what: 'user', id: nameOrId });
  return found.id;
};
