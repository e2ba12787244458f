// SPDX-License-Identifier: Apache-2.0
/**
 * The loaded correlations made ready: who reads which rule, thresholds, the order of chains; what cannot be run is refused, never run differently.
 * Input: the rule set. Output: a plan for rows and judging.
 */
import type { CorrelationRule, EventRule, RuleSet } from '../model/rule.ts';

export interface Reader {
  readonly correlation: Correlation;
  /** Field of the signal for each field of group-by, aliases resolved for this rule. */
  readonly groupFields: readonly string[];
  readonly valueField: string | null;
}

/** A correlation ready to be judged. */
export interface Correlation {
  readonly rule: CorrelationRule;
  /**
   * Lowest number that satisfies, where a satisfied window stays satisfied when signals are added (gt, gte over counts and sums).
   * Null when that does not hold: such windows are judged when the watermark has passed them (S3).
   */
  readonly threshold: number | null;
  /** One group is one entity, so that the group's own rows are the members of its alert. */
  readonly groupIsPair: boolean;
  /** Other correlations read its satisfied windows. */
  readonly chained: boolean;
}

export interface Refusal {
  readonly rule: string;
  readonly code: 'CORRELATION_UNSUPPORTED' | 'CORRELATION_UNKNOWN_RULE' | 'CORRELATION_CYCLE' | 'CORRELATION_BAD';
  /** One sentence. */
  readonly message: string;
}

export interface Plan {
  readonly plain: ReadonlyMap<string, EventRule>;
  readonly readers: ReadonlyMap<string, readonly Reader[]>;
  /** Each after those it reads. */
  readonly order: readonly Correlation[];
  readonly refused: readonly Refusal[];
}

/** Makes the plan. A correlation that reads a refused one is refused too. */
export const makePlan = (set: RuleSet): Plan => {
  const refused = new Map<string, Refusal>();
  for (const rule of set.correlations) {
    const refusal = flawOf(rule, set);
    if (refusal) refused.set(rule.id, refusal);
  }
  const order = sorted(set.correlations, refused);
  const read = new Set(order.flatMap((rule) => rule.rules));
  const readers = new Map<string, Reader[]>();
  const ready = order.map((rule): Correlation => {
    const correlation = { rule, threshold: thresholdOf(rule), groupIsPair: rule.groupBy.length < 2, chained: read.has(rule.id) };
    for (const id of new Set(rule.rules)) {
      const field = (name: string): string => rule.aliases[name]?.[id] ?? name;
      const reader: Reader = {
        correlation,
        groupFields: rule.groupBy.map(field),
        valueField: rule.field === undefined ? null : field(rule.field),
      };
      const list = readers.get(id);
      if (list) list.push(reader);
      else readers.set(id, [reader]);
    }
    return correlation;
  });
  const plain = new Map<string, EventRule>();
  for (const rule of set.rules.values()) if (rule.kind === 'event' && rule.alerts) plain.set(rule.id, rule);
  return { plain, readers, order: ready, refused: [...refused.values()] };
};

/** True when every comparison holds of the number. */
export const satisfies = (rule: CorrelationRule, n: number): boolean =>
  rule.condition.every(({ op, value }) => {
    if (op === 'gt') return n > value;
    if (op === 'gte') return n >= value;
    if (op === 'lt') return n < value;
    if (op === 'lte') return n <= value;
    return op === 'eq' ? n === value : n !== value;
  });

/** One more than the largest number that a comparison can tell from its neighbours. */
export const countLimit = (rule: CorrelationRule): number => Math.max(1, ...rule.condition.map(({ value }) => Math.floor(value) + 2));

const thresholdOf = (rule: CorrelationRule): number | null => {
  if (rule.type === 'absence' || rule.type === 'value_avg' || rule.type === 'value_percentile') return null;
  if (rule.condition.some(({ op }) => op !== 'gt' && op !== 'gte')) return null;
  if (rule.type === 'value_sum') return 0;
  if (rule.condition.length === 0) return new Set(rule.rules).size;
  return Math.max(1, ...rule.condition.map(({ op, value }) => (op === 'gt' ? Math.floor(value) + 1 : Math.ceil(value))));
};

const flawOf = (rule: CorrelationRule, set: RuleSet): Refusal | null => {
  const refuse = (code: Refusal['code'], message: string): Refusal => ({ rule: rule.id, code, message });
  const temporal = rule.type === 'temporal' || rule.type === 'temporal_ordered' || rule.type === 'absence';
  const unknown = rule.rules.find((id) => !set.rules.has(id));
  if (unknown !== undefined) return refuse('CORRELATION_UNKNOWN_RULE', `It reads the rule ${unknown}, which is not loaded.`);
  if (rule.rules.length === 0) return refuse('CORRELATION_BAD', 'It reads no rule.');
  if (!(rule.timespanMs > 0)) return refuse('CORRELATION_BAD', 'Its timespan is not above zero.');
  if (!temporal && rule.condition.length === 0) return refuse('CORRELATION_BAD', 'It has no condition.');
  if (rule.type === 'absence' && rule.rules.length !== 2)
    return refuse('CORRELATION_BAD', 'absence reads two rules: the one that comes, and the one that does not follow.');
  if (rule.type === 'absence' && rule.condition.length > 0) return refuse('CORRELATION_BAD', 'absence has no condition.');
  if (rule.type.startsWith('value_') && rule.field === undefined)
    return refuse('CORRELATION_BAD', 'It names no field whose values it reads.');
  if (rule.type === 'temporal_ordered' && rule.condition.length > 0)
    return refuse('CORRELATION_UNSUPPORTED', 'A condition on temporal_ordered is not supported; it means every rule in order.');
  if (rule.type === 'temporal_ordered' && new Set(rule.rules).size < rule.rules.length)
    return refuse('CORRELATION_UNSUPPORTED', 'The same rule twice in temporal_ordered is not supported.');
  return null;
};

// Depth first; a rule met again while its own readers are under way closes a circle.
const sorted = (rules: readonly CorrelationRule[], refused: Map<string, Refusal>): CorrelationRule[] => {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const state = new Map<string, 'open' | 'done'>();
  const order: CorrelationRule[] = [];
  const visit = (rule: CorrelationRule): boolean => {
    if (refused.has(rule.id)) return false;
    if (state.get(rule.id) === 'done') return true;
    if (state.get(rule.id) === 'open') {
      refused.set(rule.id, { rule: rule.id, code: 'CORRELATION_CYCLE', message: 'It reads itself through other correlations.' });
      return false;
    }
    state.set(rule.id, 'open');
    for (const id of rule.rules) {
      const inner = byId.get(id);
      if (inner && !visit(inner)) {
        if (!refused.has(rule.id))
          refused.set(rule.id, { rule: rule.id, code: 'CORRELATION_UNKNOWN_RULE', message: `It reads ${id}, which is refused.` });
        return false;
      }
    }
    state.set(rule.id, 'done');
    order.push(rule);
    return true;
  };
  for (const rule of rules) visit(rule);
  return order;
};
