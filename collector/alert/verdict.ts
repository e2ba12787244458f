// SPDX-License-Identifier: Apache-2.0
/**
 * What people may say of an alert: its states, the ways between them, and what a closing needs. Pure.
 * Input: what was said before and the wish. Output: what is said now, or why not.
 */
import type { UserId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { AlertState, AlertWork, Verdict } from '../model/alert.ts';

/** An alert nobody has spoken of. */
export const UNTOUCHED: AlertWork = { state: 'new' };

export type AlertWish =
  | { readonly to: 'acknowledged' }
  | { readonly to: 'closed'; readonly verdict?: Verdict; readonly reason?: string }
  /** Reopened: the verdict no longer holds. */
  | { readonly to: 'new'; readonly reason?: string };

export type Decided<T> =
  | { readonly kind: 'ok'; readonly work: T }
  | { readonly kind: 'refused'; readonly code: 'MOVE_REFUSED' | 'VERDICT_NEEDED' | 'REASON_NEEDED'; readonly reason: string };

const WAYS: Readonly<Record<AlertState, readonly AlertState[]>> = {
  new: ['acknowledged', 'closed'],
  acknowledged: ['closed', 'new'],
  closed: ['new'],
};

/** Whoever acknowledges an alert that has no assignee takes it. */
export const decideAlert = (work: AlertWork, wish: AlertWish, by: UserId | null, at: UnixMs): Decided<AlertWork> => {
  const refuse = (code: 'MOVE_REFUSED' | 'VERDICT_NEEDED' | 'REASON_NEEDED', reason: string): Decided<AlertWork> => ({
    kind: 'refused',
    code,
    reason,
  });
  if (!WAYS[work.state].includes(wish.to)) return refuse('MOVE_REFUSED', `an alert that is ${work.state} does not become ${wish.to}`);
  const { verdict: _verdict, closedAt: _closedAt, reason: _reason, ...kept } = work;
  if (wish.to === 'acknowledged') {
    const assignee = work.assignee ?? by;
    return {
      kind: 'ok',
      work: { ...kept, state: 'acknowledged', acknowledgedAt: kept.acknowledgedAt ?? at, ...(assignee === null ? {} : { assignee }) },
    };
  }
  if (wish.to === 'new') {
    if (!said(wish.reason)) return refuse('REASON_NEEDED', 'reopening an alert needs a reason');
    return { kind: 'ok', work: { ...kept, state: 'new', reason: wish.reason } };
  }
  if (wish.verdict === undefined) return refuse('VERDICT_NEEDED', 'closing an alert needs a verdict');
  const reason = said(wish.reason) ? { reason: wish.reason } : {};
  return {
    kind: 'ok',
    work: { ...kept, state: 'closed', verdict: wish.verdict, acknowledgedAt: kept.acknowledgedAt ?? at, closedAt: at, ...reason },
  };
};

const said = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';
