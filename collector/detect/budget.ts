// SPDX-License-Identifier: Apache-2.0
/**
 * The time of rules: what each costs, and quarantine for one that runs away.
 * Input: measured spans by rule. Output: shares for people, and rules to leave out until the next rule set.
 */
import type { Ms } from '../../core/units.ts';

export interface BudgetLimits {
  /** One evaluation longer than this counts against the rule. */
  readonly slowMs: Ms;
  /** So many slow evaluations within `window` events quarantine it. */
  readonly strikes: number;
  /** In events. */
  readonly window: number;
}

export const DEFAULT_LIMITS: BudgetLimits = { slowMs: 5 as Ms, strikes: 20, window: 10_000 };

export interface RuleCost {
  readonly ordinal: number;
  /** Evaluations that were timed: one event in 128, and slow ones. */
  readonly timed: number;
  readonly spentMs: number;
  readonly slow: number;
}

export interface Budget {
  /** Takes the span of one evaluation, at event number `n`. True when the rule is to be left out from now on. */
  charge(ordinal: number, n: number, spentMs: number): boolean;
  /** Costs of rules that were timed, dearest first. */
  costs(): readonly RuleCost[];
}

export const makeBudget = (rules: number, limits: BudgetLimits = DEFAULT_LIMITS): Budget => {
  const timed = new Uint32Array(rules);
  const spent = new Float64Array(rules);
  const slow = new Uint32Array(rules);
  const strikes = new Uint32Array(rules);
  // Event at which the present window of strikes began.
  const since = new Float64Array(rules);
  return {
    charge: (ordinal, n, spentMs) => {
      timed[ordinal] = (timed[ordinal] as number) + 1;
      spent[ordinal] = (spent[ordinal] as number) + spentMs;
      if (spentMs <= limits.slowMs) return false;
      slow[ordinal] = (slow[ordinal] as number) + 1;
      if (n - (since[ordinal] as number) > limits.window) {
        since[ordinal] = n;
        strikes[ordinal] = 0;
      }
      strikes[ordinal] = (strikes[ordinal] as number) + 1;
      return (strikes[ordinal] as number) >= limits.strikes;
    },
    costs: () =>
      Array.from(timed, (count, ordinal) => ({ ordinal, timed: count, spentMs: spent[ordinal] as number, slow: slow[ordinal] as number }))
        .filter((cost) => cost.timed > 0)
        .sort((a, b) => b.spentMs - a.spentMs),
  };
};
