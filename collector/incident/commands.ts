// SPDX-License-Identifier: Apache-2.0
/**
 * Acts of people on incidents: own, move, merge, put alerts in and take them out. Each checked, audited, written against the version they saw.
 * Input: an actor, an incident's id or number, the wish. Output: the new `IncidentWork` with its version.
 */

import type { Clock } from '../../core/clock.ts';
import type { AlertId, IncidentId, UserId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Incident, IncidentMove, IncidentState, IncidentWork } from '../model/incident.ts';
import type { Actor } from '../model/permission.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { decideIncident, type IncidentWish, UNTOUCHED } from './lifecycle.ts';

export interface IncidentDesk {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** Steps that are kept; the first says when it was acknowledged. */
const MOVES = 100;

/** Who acts, on what (`inc_…` or `INC-8`), and which version of `IncidentWork` they saw; 0 where nobody had spoken of it. */
export interface IncidentAct {
  readonly actor: Actor;
  readonly incident: string;
  readonly ifVersion?: number;
  readonly from?: string;
}

/** @throws CodedError NOT_FOUND. */
export const findIncident = async (state: StateStore, ref: string): Promise<Stored<Incident>> => {
  const number = /^INC-(\d{1,9})$/i.exec(ref)?.[1];
  if (number === undefined) {
    const found = await state.get('incident', ref);
    if (found) return found;
  } else {
    const literal = (text: string) => ({ text, quoted: false, at: 0 });
    const listed = await state.list('incident', { where: { kind: 'is', field: literal('number'), value: literal(number) }, limit: 1 });
    if (listed.items[0]) return listed.items[0];
  }
  throw fault('NOT_FOUND', { what: 'incident', id: ref });
};

/** What an incident holds for people: the machine's alerts, with those put in and without those taken out. */
export const alertsOf = (incident: Incident, work: IncidentWork | null): readonly AlertId[] => {
  const removed = new Set(work?.removed ?? []);
  return [...new Set([...incident.alerts, ...(work?.added ?? [])])].filter((id) => !removed.has(id));
};

/** @throws CodedError NOT_FOUND, MOVE_REFUSED, VERDICT_NEEDED, REASON_NEEDED, STATE_CONFLICT. */
export const moveIncident = (desk: IncidentDesk, act: IncidentAct, wish: IncidentWish): Promise<Stored<IncidentWork>> => {
  const details = { to: wish.to, ...(wish.verdict === undefined ? {} : { verdict: wish.verdict }) };
  return write(desk, act, 'incident.move', details, (work) => {
    const decided = decideIncident(work, wish);
    if (decided.kind === 'refused') throw fault(decided.code, { reason: decided.reason });
    return { ...decided.work, moves: moved(work, wish.to, desk, act) };
  });
};

/** The steps so far and this one; of too many the first stays, and the newest. */
const moved = (work: IncidentWork, to: IncidentState, desk: IncidentDesk, { actor }: IncidentAct): readonly IncidentMove[] => {
  const moves = work.moves ?? [];
  return [...moves.slice(0, 1), ...moves.slice(1).slice(2 - MOVES), { to, at: desk.clock.now(), by: actor.id }];
};

/**
 * Makes a person responsible, or nobody.
 * @throws CodedError NOT_FOUND (incident or user), STATE_CONFLICT.
 */
export const ownIncident = async (desk: IncidentDesk, act: IncidentAct, owner: UserId | null): Promise<Stored<IncidentWork>> => {
  if (owner !== null && !(await desk.state.get('user', owner))) throw fault('NOT_FOUND', { what: 'user', id: owner });
  return write(desk, act, 'incident.own', { owner: owner ?? 'nobody' }, (work) => {
    const { owner: _before, ...kept } = work;
    return owner === null ? kept : { ...kept, owner };
  });
};

/**
 * Puts an alert into an incident. It stays there whatever comes; out of the incident it was in before, it is taken.
 * @throws CodedError NOT_FOUND (incident or alert), STATE_CONFLICT.
 */
export const addAlert = async (desk: IncidentDesk, act: IncidentAct, alert: AlertId): Promise<Stored<IncidentWork>> => {
  const found = await desk.state.get('alert', alert);
  if (!found) throw fault('NOT_FOUND', { what: 'alert', id: alert });
  const target = await findIncident(desk.state, act.incident);
  const before = found.value.incident;
  const { ifVersion: _seen, ...other } = act;
  if (before !== undefined && before !== target.id) await removeAlert(desk, { ...other, incident: before }, alert);
  return write(desk, act, 'incident.add', { alert }, (work) => ({
    ...work,
    added: union(work.added, [alert]),
    removed: (work.removed ?? []).filter((id) => id !== alert),
  }));
};

/**
 * Takes an alert out of an incident. The machine never puts it back, nor into another.
 * @throws CodedError NOT_FOUND, STATE_CONFLICT.
 */
export const removeAlert = (desk: IncidentDesk, act: IncidentAct, alert: AlertId): Promise<Stored<IncidentWork>> =>
  write(desk, act, 'incident.remove', { alert }, (work) => ({
    ...work,
    added: (work.added ?? []).filter((id) => id !== alert),
    removed: union(work.removed, [alert]),
  }));

/**
 * Makes two incidents one: the alerts of the first go to the second for good. The second is written first, so that no alert is lost between.
 * @throws CodedError NOT_FOUND, MOVE_REFUSED, STATE_CONFLICT.
 */
export const mergeIncident = async (desk: IncidentDesk, act: IncidentAct, into: string): Promise<Stored<IncidentWork>> => {
  const source = await findIncident(desk.state, act.incident);
  const target = await findIncident(desk.state, into);
  const work = (await desk.state.get('incidentWork', source.id))?.value ?? null;
  const targetWork = (await desk.state.get('incidentWork', target.id))?.value ?? UNTOUCHED;
  if (source.id === target.id) throw fault('MOVE_REFUSED', { reason: 'an incident is not merged into itself' });
  if (work?.state === 'merged') throw fault('MOVE_REFUSED', { reason: 'it is merged already' });
  if (targetWork.state === 'merged') throw fault('MOVE_REFUSED', { reason: 'the other is merged itself; take the one it went into' });
  const alerts = alertsOf(source.value, work);
  const { ifVersion: _seen, ...other } = act;
  await write(desk, { ...other, incident: target.id }, 'incident.take', { from: source.id }, (before) => ({
    ...before,
    added: union(before.added, alerts),
    removed: (before.removed ?? []).filter((id) => !alerts.includes(id)),
  }));
  return write(desk, act, 'incident.merge', { into: target.id }, (before) => {
    const { added: _added, ...kept } = before;
    return { ...kept, state: 'merged', mergedInto: target.value.id, moves: moved(before, 'merged', desk, act) };
  });
};

// The wish is judged before the intent is written: a refused wish is no act.
const write = async (
  desk: IncidentDesk,
  { actor, incident, ifVersion, from }: IncidentAct,
  name: string,
  details: Readonly<Record<string, string>>,
  change: (work: IncidentWork) => IncidentWork,
): Promise<Stored<IncidentWork>> => {
  const id: IncidentId = (await findIncident(desk.state, incident)).value.id;
  const before = await desk.state.get('incidentWork', id);
  const seen = before?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== seen) throw fault('STATE_CONFLICT', { what: 'incident', id });
  const work = change(before?.value ?? UNTOUCHED);
  const version = await desk.audit.act({ act: name, on: id, details, actor, ...(from === undefined ? {} : { from }) }, () =>
    desk.state.put('incidentWork', id, work, { ifVersion: seen }),
  );
  return { id, value: work, version };
};

const union = (before: readonly AlertId[] | undefined, more: readonly AlertId[]): readonly AlertId[] => [
  ...new Set([...(before ?? []), ...more]),
];
