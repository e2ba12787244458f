// SPDX-License-Identifier: Apache-2.0
/**
 * The weights of both scores in one place, as version WEIGHTS_VERSION: whoever changes a number here raises it.
 * Input: nothing. Output: bases, half-lives, confidence, factors of verdicts, odds of the context.
 */
import { days, type Ms } from '../../core/units.ts';
import type { Verdict } from '../model/alert.ts';
import type { Level } from '../model/rule.ts';

/** What one alert of a rule weighs. */
export const THREAT_BASE: Readonly<Record<Level, number>> = { informational: 0, low: 5, medium: 20, high: 50, critical: 80 };

/** What one failing check weighs: less than an alert, since it is a chance and not an act. */
export const EXPOSURE_BASE: Readonly<Record<Level, number>> = { informational: 0, low: 2, medium: 5, high: 12, critical: 30 };

export const HALF_LIFE: Readonly<Record<Level, Ms>> = {
  informational: days(1),
  low: days(1),
  medium: days(3),
  high: days(7),
  critical: days(14),
};

/** No single rule or check is certain. */
export const CLAMP = 99;
export const HIGHEST = 99.9;

/** Repeats of one rule: a little more each time they double, up to one and a half times. */
export const repeatFactor = (n: number): number => Math.min(1.5, 1 + 0.1 * Math.log2(Math.max(1, n)));

/** How far a rule is trusted, by its status; one without is taken as stable. */
export const confidenceOf = (status: string | undefined): number =>
  status === undefined || status === 'stable' ? 1 : status === 'test' ? 0.8 : 0.6;

/** What is left of an alert after a verdict. A duplicate is counted where its twin is. */
export const verdictFactor = (verdict: Verdict | undefined): number =>
  verdict === 'false-positive' || verdict === 'duplicate' ? 0 : verdict === 'benign' ? 0.1 : 1;

export const CRITICALITY_ODDS = { low: 0.5, normal: 1, high: 1.5, critical: 2 } as const;
export const PRIVILEGED_ODDS = 1.25;
export const INTERNET_ODDS = 1.25;
