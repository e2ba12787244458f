// SPDX-License-Identifier: Apache-2.0
/**
 * Why an alert is there, in sentences.
 * Input: the rule and the alert's signals. Output: first what the rule found, then what stood in the events, at most ten.
 */
import type { CorrelationRule, Rule } from '../model/rule.ts';
import type { Signal } from '../model/signal.ts';

const MOST = 10;

export interface Grounds {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly signals: readonly Signal[];
  readonly titleOf: (rule: string) => string;
}

export const reasonsOf = (rule: Rule | undefined, grounds: Grounds): readonly string[] => {
  const literals = [...new Set(grounds.signals.flatMap((signal) => signal.why))];
  const found = rule?.kind === 'correlation' ? [sentenceOf(rule, grounds)] : [];
  return [...found, ...literals].slice(0, MOST);
};

/** `1 h 5 min`, `40 s`; the two largest parts. */
export const spanText = (ms: number): string => {
  const parts: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  let rest = Math.max(0, Math.round(ms / 1000) * 1000);
  const words: string[] = [];
  for (const [size, unit] of parts) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) words.push(`${n} ${unit}`);
    if (words.length === 2) break;
  }
  return words.join(' ') || '0 s';
};

const WORDS = { gt: 'more than', gte: 'at least', lt: 'fewer than', lte: 'at most', eq: 'exactly', neq: 'not' } as const;

const sentenceOf = (rule: CorrelationRule, { count, first, last, titleOf }: Grounds): string => {
  const read = rule.rules.map(titleOf).join(', ');
  const within = `within ${spanText(rule.timespanMs)}`;
  const asked = rule.condition.map(({ op, value }) => `${WORDS[op]} ${value}`).join(' and ');
  const seen = `${count} signal${count === 1 ? '' : 's'} in ${spanText(last - first)}`;
  if (rule.type === 'absence') return `${titleOf(rule.rules[0] ?? '')}, and not ${within}: ${titleOf(rule.rules[1] ?? '')}`;
  if (rule.type === 'temporal_ordered') return `${seen}, in this order ${within}: ${read}`;
  if (rule.type === 'temporal') return `${seen}, ${asked === '' ? 'all' : `${asked} of these`} ${within}: ${read}`;
  const what = {
    value_count: 'different values',
    value_sum: 'sum',
    value_avg: 'mean',
    value_percentile: `percentile ${rule.percentile ?? 50}`,
  } as const;
  const of = rule.type === 'event_count' ? '' : ` (${what[rule.type]} of ${rule.field ?? ''})`;
  return `${seen}; asked for ${asked}${of} ${within}: ${read}`;
};
