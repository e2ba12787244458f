// SPDX-License-Identifier: Apache-2.0
/**
 * A person assesses a risk: the decision that may lower what telemetry raised. Audited, with a reason, against the version that was seen.
 * Input: an actor, a risk, likelihood, impact, tolerance or status. Output: the risk as it is then; its indicated likelihood begins anew.
 */
import type { Clock } from '../../core/clock.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor } from '../model/permission.ts';
import type { Likelihood, Risk } from '../model/risk.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { findRisk } from './risk-view.ts';

export interface Assessment {
  readonly likelihood?: Likelihood;
  readonly impact?: Likelihood;
  readonly tolerance?: Likelihood;
  readonly status?: 'open' | 'closed';
  readonly reason: string;
}

export interface AssessDesk {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** @throws CodedError NOT_FOUND, REASON_NEEDED, STATE_CONFLICT. */
export const assessRisk = async (
  { state, audit, clock }: AssessDesk,
  actor: Actor,
  ref: string,
  wish: Assessment,
  ifVersion: number,
  from: string,
): Promise<Stored<Risk>> => {
  const { id, value: risk, version } = await findRisk(state, ref);
  if (wish.reason.trim() === '') throw fault('REASON_NEEDED', { reason: 'assessing a risk needs a reason' });
  if (version !== ifVersion) throw fault('STATE_CONFLICT', { what: 'risk', id });
  const { likelihood = risk.assessed.likelihood, impact = risk.assessed.impact, tolerance = risk.tolerance, status, reason } = wish;
  const value: Risk = {
    ...risk,
    assessed: { likelihood, impact, by: actor.id, at: clock.now(), reason },
    tolerance,
    // Whoever assesses it has reviewed it.
    status: status ?? (risk.status === 'proposed' ? 'open' : risk.status),
  };
  const details = { likelihood, impact, tolerance, status: value.status, reason };
  const put = () => state.put('risk', id, value, { ifVersion });
  return { id, value, version: await audit.act({ act: 'risk.assess', on: id, details, actor, from }, put) };
};
