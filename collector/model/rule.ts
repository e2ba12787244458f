// SPDX-License-Identifier: Apache-2.0
/**
 * Rules as everyone but the engine sees them: what a Sigma rule or a correlation says of itself.
 * Input: parsed by detect. Output: correlate, alert, the rules commands, the console.
 */
import type { Ms } from '../../core/units.ts';

export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

/** 0 informational to 4 critical. */
export const levelRank = (level: Level): number => LEVELS.indexOf(level);

export interface LogSource {
  readonly category?: string;
  readonly product?: string;
  readonly service?: string;
}

export interface RuleOrigin {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** `vigil` for ours, else the pack's folder name. */
  readonly pack: string;
}

interface RuleBase {
  readonly id: string;
  readonly name?: string;
  readonly title: string;
  readonly level: Level;
  readonly description?: string;
  readonly author?: string;
  readonly status?: string;
  readonly tags: readonly string[];
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
  readonly origin: RuleOrigin;
  /** False for building blocks: informational rules, and rules that only feed correlations. */
  readonly alerts: boolean;
  /** ECS field whose value names the entity of its alerts (`vigil.entity`), e.g. `source.ip`. */
  readonly entity?: string;
  /** Gap of event time that joins episodes (S5); 60 min by default. */
  readonly rearmMs?: Ms;
}

export interface EventRule extends RuleBase {
  readonly kind: 'event';
  readonly logsource: LogSource;
}

export const CORRELATION_TYPES = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
  'value_percentile',
  'absence',
] as const;
export type CorrelationType = (typeof CORRELATION_TYPES)[number];

export type ComparisonOperator = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq';

export interface CorrelationRule extends RuleBase {
  readonly kind: 'correlation';
  readonly type: CorrelationType;
  /** Ids of the rules it reads, in the order written; correlations may stand here too (chaining). */
  readonly rules: readonly string[];
  readonly groupBy: readonly string[];
  readonly timespanMs: Ms;
  /** All of them must hold; for temporal types empty means every rule at least once. */
  readonly condition: readonly { readonly op: ComparisonOperator; readonly value: number }[];
  /** Field that value_* types read. */
  readonly field?: string;
  readonly percentile?: number;
  /** alias → rule id → field. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The base rules raise alerts of their own too. */
  readonly generate: boolean;
  /** Opens an incident whatever its level (S7). */
  readonly incident: boolean;
}

export type Rule = EventRule | CorrelationRule;

/** The loaded rules, by id; swapped as a whole. */
export interface RuleSet {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly correlations: readonly CorrelationRule[];
  /** Hash over all loaded texts. */
  readonly version: string;
}

/** ATT&CK technique and tactic ids among the tags: `attack.t1110.001` gives `T1110.001`. */
export const techniquesOf = (tags: readonly string[]): readonly string[] =>
  tags.filter((tag) => /^attack\.t\d{4}(\.\d{3})?$/i.test(tag)).map((tag) => tag.slice(7).toUpperCase());
