// SPDX-License-Identifier: Apache-2.0
/**
 * One request that may change several things of an alert, as acts one after another, each against the version the one before left.
 * Input: who, what, the version they saw. Output: the alert as it is then.
 */
import type { AlertId, UserId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { Actor } from '../model/permission.ts';
import { type AlertAct, type AlertDesk, acknowledgeAlert, assignAlert, closeAlert, reopenAlert } from './commands.ts';
import type { AlertChange, AlertView } from './routes.ts';
import { viewAlert } from './view.ts';

export interface ChangeDesk extends AlertDesk {
  /** The user of a name or id; null when there is none. */
  readonly findUser: (nameOrId: string) => Promise<{ readonly id: UserId } | null>;
}

/** @throws CodedError NOT_FOUND, STATE_CONFLICT, MOVE_REFUSED, VERDICT_NEEDED, REASON_NEEDED. */
export const changeAlert = async (
  desk: ChangeDesk,
  by: Actor,
  id: string,
  change: AlertChange,
  ifVersion: number,
  from: string,
): Promise<AlertView> => {
  const alert = await desk.state.get('alert', id);
  if (!alert) throw fault('NOT_FOUND', { what: 'alert', id });
  const { state, verdict, reason, assignee } = change;
  let version = ifVersion;
  const act = (): AlertAct => ({ actor: by, id: id as AlertId, ifVersion: version, from });
  const why = { ...(verdict === undefined ? {} : { verdict }), ...(reason === undefined ? {} : { reason }) };
  if (assignee !== undefined) version = (await assignAlert(desk, act(), assignee === null ? null : await userOf(desk, assignee))).version;
  if (state === 'acknowledged') version = (await acknowledgeAlert(desk, act())).version;
  if (state === 'closed') version = (await closeAlert(desk, act(), why)).version;
  if (state === 'new') version = (await reopenAlert(desk, act(), reason)).version;
  return viewAlert(alert.value, (await desk.state.get('alertWork', id))?.value ?? null, version);
};

const userOf = async (desk: ChangeDesk, nameOrId: string): Promise<UserId> => {
  const found = await desk.findUser(nameOrId);
  if (!found) throw fault('NOT_FOUND', { what: 'user', id: nameOrId });
  return found.id;
};
