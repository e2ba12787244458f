// SPDX-License-Identifier: Apache-2.0
/**
 * Who may close an incident, and when: the states in their order, which step needs a reason or a verdict. Pure.
 * Input: what was said before and the wish. Output: what is said now, or why not.
 */
import type { Verdict } from '../model/alert.ts';
import type { IncidentState, IncidentWork } from '../model/incident.ts';

/** An incident nobody has spoken of. */
export const UNTOUCHED: IncidentWork = { state: 'new' };

/** The steps in their order; `merged` and `dismissed` stand beside it. */
export const STEPS = ['new', 'triaged', 'contained', 'eradicated', 'recovered', 'closed'] as const satisfies readonly IncidentState[];

export interface IncidentWish {
  readonly to: IncidentState;
  readonly verdict?: Verdict;
  readonly reason?: string;
}

export type DecidedIncident =
  | { readonly kind: 'ok'; readonly work: IncidentWork }
  | { readonly kind: 'refused'; readonly code: 'MOVE_REFUSED' | 'VERDICT_NEEDED' | 'REASON_NEEDED'; readonly reason: string };

/**
 * One step forward is free. A step skipped, a step back and a reopening need a reason; closed and dismissed need a verdict.
 * Merging has a command of its own, and what is merged does not move.
 */
export const decideIncident = (work: IncidentWork, wish: IncidentWish): DecidedIncident => {
  const refuse = (code: 'MOVE_REFUSED' | 'VERDICT_NEEDED' | 'REASON_NEEDED', reason: string): DecidedIncident => ({
    kind: 'refused',
    code,
    reason,
  });
  const { state } = work;
  const { to, verdict } = wish;
  const reason = wish.reason?.trim() || undefined;
  if (state === 'merged') return refuse('MOVE_REFUSED', 'a merged incident does not move; move the one it went into');
  if (to === 'merged') return refuse('MOVE_REFUSED', 'an incident is merged into another by the command for it');
  if (to === state) return refuse('MOVE_REFUSED', `it is ${state} already`);
  const ended = state === 'closed' || state === 'dismissed';
  if (ended && (to === 'closed' || to === 'dismissed')) return refuse('MOVE_REFUSED', `it is ${state}; reopen it first`);
  const ends = to === 'closed' || to === 'dismissed';
  if (ends && verdict === undefined) return refuse('VERDICT_NEEDED', `an incident that is ${to} needs a verdict`);
  const at = STEPS.indexOf(state as (typeof STEPS)[number]);
  const next = STEPS.indexOf(to as (typeof STEPS)[number]);
  if (ended && reason === undefined) return refuse('REASON_NEEDED', 'reopening an incident needs a reason');
  if (to === 'dismissed' && reason === undefined) return refuse('REASON_NEEDED', 'dismissing an incident needs a reason');
  if (!ended && to !== 'dismissed' && next !== at + 1 && reason === undefined)
    return refuse(
      'REASON_NEEDED',
      next > at ? `from ${state} to ${to} steps are skipped, which needs a reason` : 'a step back needs a reason',
    );
  const { verdict: _verdict, reason: _reason, ...kept } = work;
  return {
    kind: 'ok',
    work: { ...kept, state: to, ...(ends && verdict !== undefined ? { verdict } : {}), ...(reason === undefined ? {} : { reason }) },
  };
};
