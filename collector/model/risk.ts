// SPDX-License-Identifier: Apache-2.0
/**
 * The risk: a scenario with what a person assessed beside what telemetry indicates, each with its origin; neither overwrites the other.
 * Input: the proposed register (rules/risks), people's decisions, observations, incidents. Output: console, report.
 */
import { hashId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';

export type RiskId = ReturnType<typeof hashId<'rsk'>>;

/** NIST SP 800-30 words, lowest first. */
export const LIKELIHOODS = ['very-low', 'low', 'moderate', 'high', 'very-high'] as const;
export type Likelihood = (typeof LIKELIHOODS)[number];

/** What an indicated figure rests on: an observation, a control, an incident, an alert. */
export interface Basis {
  readonly kind: 'observation' | 'control' | 'incident' | 'alert';
  readonly id: string;
  readonly text: string;
}

export interface Risk {
  readonly id: RiskId;
  /** The number people. */
  readonly number: number;
  readonly title: string;
  readonly scenario: string;
  /** ATT&CK techniques that realise it. */
  readonly techniques: readonly string[];
  /** Checks and controls whose failing raises it. */
  readonly checks: readonly string[];
  readonly controls: readonly string[];
  /** Impact is a person's word alone. */
  readonly assessed: {
    readonly likelihood: Likelihood;
    readonly impact: Likelihood;
    readonly by: 'proposed' | string;
    readonly at: UnixMs;
    readonly reason?: string;
  };
  readonly tolerance: Likelihood;
  /** Incidents a year before anything was seen here, a 90 % interval. */
  readonly frequency?: { readonly p5: number; readonly p95: number };
  readonly status: 'proposed' | 'open' | 'closed';
}

export interface Indicated {
  /** The highest that telemetry showed since a person last assessed it: it rises by itself and is lowered by a decision only. */
  readonly likelihood: Likelihood;
  /** Since when it is that high. */
  readonly since: UnixMs;
  /** What telemetry shows at the time itself, never under what was assessed. */
  readonly now: Likelihood;
  readonly because: readonly Basis[];
  /** Measured share of what it would rest on. */
  readonly coverage: { readonly measured: number; readonly expected: number };
  /** Confirmed incidents a year: what was expected before, and after what was seen here. */
  readonly rate: Rate | null;
}

/** Gamma-Poisson: an interval that was expected, and what the incidents seen make of it. */
export interface Rate {
  readonly expected: number;
  readonly indicated: number;
  readonly incidents: number;
  readonly years: number;
}

export const riskId = (key: string): RiskId => hashId('rsk', key);
