// SPDX-License-Identifier: Apache-2.0
/**
 * Acts of people on alerts: each checked, audited, and written against the version they saw.
 * Input: an actor, an alert's id, the wish. Output: the new `AlertWork` with its version.
 */
import type { Clock } from '../../core/clock.ts';
import { type AlertId, isId, type UserId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { AlertMove, AlertWork, Verdict } from '../model/alert.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor } from '../model/permission.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { type AlertWish, decideAlert, UNTOUCHED } from './verdict.ts';

/** Steps that are kept; the first says when it was acknowledged. */
const MOVES = 100;

export interface AlertDesk {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** Who acts, on what, and which version of `AlertWork` they saw; 0 where nobody had spoken of it. Without one the newest counts. */
export interface AlertAct {
  readonly actor: Actor;
  readonly id: AlertId;
  readonly ifVersion?: number;
  readonly from?: string;
}

/** @throws CodedError NOT_FOUND, MOVE_REFUSED, STATE_CONFLICT. */
export const acknowledgeAlert = (desk: AlertDesk, act: AlertAct): Promise<Stored<AlertWork>> => move(desk, act, { to: 'acknowledged' });

/** @throws CodedError NOT_FOUND, MOVE_REFUSED, VERDICT_NEEDED, STATE_CONFLICT. */
export const closeAlert = (
  desk: AlertDesk,
  act: AlertAct,
  how: { readonly verdict?: Verdict; readonly reason?: string },
): Promise<Stored<AlertWork>> => move(desk, act, { to: 'closed', ...how });

/** @throws CodedError NOT_FOUND, MOVE_REFUSED, REASON_NEEDED, STATE_CONFLICT. */
export const reopenAlert = (desk: AlertDesk, act: AlertAct, reason?: string): Promise<Stored<AlertWork>> =>
  move(desk, act, { to: 'new', ...(reason === undefined ? {} : { reason }) });

/**
 * Gives an alert to a person, or to nobody.
 * @throws CodedError NOT_FOUND (alert or user), STATE_CONFLICT.
 */
export const assignAlert = async (desk: AlertDesk, act: AlertAct, assignee: UserId | null): Promise<Stored<AlertWork>> => {
  if (assignee !== null && !(await desk.state.get('user', assignee))) throw fault('NOT_FOUND', { what: 'user', id: assignee });
  return write(desk, act, 'alert.assign', { assignee: assignee ?? 'nobody' }, (work) => {
    const { assignee: _before, ...kept } = work;
    return assignee === null ? kept : { ...kept, assignee };
  });
};

const move = (desk: AlertDesk, act: AlertAct, wish: AlertWish): Promise<Stored<AlertWork>> => {
  const by = isId('usr', act.actor.id) ? act.actor.id : null;
  const details = { to: wish.to, ...('verdict' in wish && wish.verdict !== undefined ? { verdict: wish.verdict } : {}) };
  return write(desk, act, 'alert.move', details, (work) => {
    const decided = decideAlert(work, wish, by, desk.clock.now());
    if (decided.kind === 'refused') throw fault(decided.code, { reason: decided.reason });
    return { ...decided.work, moves: moved(work, decided.work, desk, act) };
  });
};

/** The steps so far and this one; of too many the first stays, and the newest. */
const moved = (before: AlertWork, { state, verdict, reason }: AlertWork, desk: AlertDesk, { actor }: AlertAct): readonly AlertMove[] => {
  const moves = before.moves ?? [];
  const why = { ...(verdict === undefined ? {} : { verdict }), ...(reason === undefined ? {} : { reason }) };
  return [...moves.slice(0, 1), ...moves.slice(1).slice(2 - MOVES), { to: state, at: desk.clock.now(), by: actor.id, ...why }];
};

// The wish is judged before the intent is written: a refused wish is no act.
const write = async (
  desk: AlertDesk,
  { actor, id, ifVersion, from }: AlertAct,
  name: string,
  details: Readonly<Record<string, string>>,
  change: (work: AlertWork) => AlertWork,
): Promise<Stored<AlertWork>> => {
  if (!(await desk.state.get('alert', id))) throw fault('NOT_FOUND', { what: 'alert', id });
  const before = await desk.state.get('alertWork', id);
  const seen = before?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== seen) throw fault('STATE_CONFLICT', { what: 'alert', id });
  const work = change(before?.value ?? UNTOUCHED);
  const version = await desk.audit.act({ act: name, on: id, details, actor, ...(from === undefined ? {} : { from }) }, () =>
    desk.state.put('alertWork', id, work, { ifVersion: seen }),
  );
  return { id, value: work, version };
};
