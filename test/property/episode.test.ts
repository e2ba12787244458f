// SPDX-License-Identifier: Apache-2.0
/**
 * Episodes are a pure function of the set of signals (S5), whatever the type of correlation, the order, the pages or a restart.
 * Input: random dense sets. Output: the alerts' spans equal to a naive reading of the rule.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openJudge } from '../../collector/cli/judge.ts';
import type { CorrelationRule } from '../../collector/model/rule.ts';
import type { Signal } from '../../collector/model/signal.ts';
import { ms } from '../../core/units.ts';
import { correlation, eventRule, pagesOf, ruleSet, signal } from '../support/signals.ts';

const START = 1_700_000_000_000;
const WINDOW = 1000;

interface Row {
  readonly rule: string;
  readonly at: number;
  readonly user: string;
  readonly bytes: number;
}

/** S3 to the letter: every stored signal's time is judged, the window is what lies in (s - window, s]. */
const naive = (rows: readonly Row[], holds: (window: readonly Row[]) => boolean, gap: number): (readonly [number, number])[] => {
  const sorted = [...rows].sort((a, b) => a.at - b.at);
  const out: [number, number][] = [];
  for (const { at } of sorted) {
    const window = sorted.filter((row) => row.at > at - WINDOW && row.at <= at);
    if (!holds(window)) continue;
    const from = window[0]!.at;
    const last = out.at(-1);
    if (last && from - last[1] <= gap) {
      last[0] = Math.min(last[0], from);
      last[1] = Math.max(last[1], at);
    } else out.push([from, at]);
  }
  // A later window may reach back over a gap between two before it.
  const merged: [number, number][] = [];
  for (const [from, to] of out.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && from - last[1] <= gap) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged.map(([from, to]) => [from - START, to - START]);
};

const inOrder = (window: readonly Row[], rules: readonly string[]): boolean => {
  let from = Number.NEGATIVE_INFINITY;
  for (const rule of rules) {
    const next = window.filter((row) => row.rule === rule && row.at >= from).map(({ at }) => at);
    if (next.length === 0) return false;
    from = Math.min(...next);
  }
  return true;
};

const distinct = (values: readonly unknown[]): number => new Set(values).size;

const CASES: readonly {
  readonly name: string;
  readonly rule: Partial<CorrelationRule>;
  readonly holds: (window: readonly Row[]) => boolean;
}[] = [
  {
    name: 'event_count',
    rule: { condition: [{ op: 'gte', value: 5 }] },
    holds: (w) => w.filter(({ rule }) => rule === 'fail').length >= 5,
  },
  {
    name: 'value_count',
    rule: { type: 'value_count', field: 'user.name', condition: [{ op: 'gt', value: 3 }] },
    holds: (w) => distinct(w.filter(({ rule }) => rule === 'fail').map(({ user }) => user)) > 3,
  },
  {
    name: 'value_sum',
    rule: { type: 'value_sum', field: 'bytes', condition: [{ op: 'gte', value: 60 }] },
    holds: (w) => w.filter(({ rule }) => rule === 'fail').reduce((sum, { bytes }) => sum + bytes, 0) >= 60,
  },
  {
    name: 'temporal',
    rule: { type: 'temporal', rules: ['fail', 'success', 'sudo'], condition: [] },
    holds: (w) => distinct(w.map(({ rule }) => rule)) === 3,
  },
  {
    name: 'temporal, two of three',
    rule: { type: 'temporal', rules: ['fail', 'success', 'sudo'], condition: [{ op: 'gte', value: 2 }] },
    holds: (w) => distinct(w.map(({ rule }) => rule)) >= 2,
  },
  {
    name: 'temporal_ordered',
    rule: { type: 'temporal_ordered', rules: ['fail', 'success', 'sudo'], condition: [] },
    holds: (w) => inOrder(w, ['fail', 'success', 'sudo']),
  },
];

const rowsOf = (rule: CorrelationRule, rows: readonly Row[]): readonly Row[] => rows.filter((row) => rule.rules.includes(row.rule));

const row = (reach: number, rules: readonly string[]): fc.Arbitrary<Row> =>
  fc.record({
    rule: fc.constantFrom(...rules),
    at: fc.integer({ min: 0, max: reach }).map((at) => START + at),
    user: fc.constantFrom('a', 'a', 'a', 'b', 'c', 'd', 'e'),
    bytes: fc.integer({ min: 0, max: 20 }),
  });

const RULES = ['fail', 'fail', 'fail', 'fail', 'success', 'sudo'];
const rows = fc.oneof(
  fc.array(row(20_000, RULES), { minLength: 1, maxLength: 60 }),
  // Dense, so that a window holds more than the nearest rows that are read first.
  fc.array(row(2500, RULES), { minLength: 150, maxLength: 300 }),
);

const toSignals = (set: readonly Row[]): readonly Signal[] =>
  set.map(({ rule, at, user, bytes }, key) => signal({ rule, at, user, key, fields: { bytes: String(bytes) } }));

describe('episodes', () => {
  for (const { name, rule: more, holds } of CASES)
    it(`of ${name} equal the naive reading of the rule, in any order and any pages`, () => {
      const rule = correlation('found', { timespanMs: ms(WINDOW), rearmMs: ms(WINDOW + 500), ...more });
      const rules = ruleSet(eventRule('fail'), eventRule('success'), eventRule('sudo'), rule);
      fc.assert(
        fc.property(
          rows.chain((set) => fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length, maxLength: set.length }))),
          fc.constantFrom(1, 7, 40, 500),
          fc.boolean(),
          ([set, shuffled], size, sorted) => {
            const judge = openJudge(rules);
            const order = sorted ? [...set].sort((a, b) => a.at - b.at) : shuffled;
            for (const page of pagesOf(toSignals(order), size)) judge.judge(page);
            const found = judge.alerts().map(({ first, last }) => [first - START, last - START]);
            judge.close();
            expect(found).toEqual(naive(rowsOf(rule, set), holds, WINDOW + 500));
          },
        ),
        { numRuns: 30 },
      );
    }, 60_000);

  it('count every signal of the pair between first and last, and sample at most a hundred', () => {
    fc.assert(
      fc.property(fc.array(row(3000, ['fail']), { minLength: 101, maxLength: 300 }), (set) => {
        const judge = openJudge(
          ruleSet(eventRule('fail'), correlation('found', { timespanMs: ms(WINDOW), condition: [{ op: 'gte', value: 2 }] })),
        );
        for (const page of pagesOf(toSignals(set), 50)) judge.judge(page);
        const [alert, ...others] = judge.alerts();
        judge.close();
        expect(others).toEqual([]);
        expect(alert?.count).toBe(set.filter(({ at }) => at >= alert!.first && at <= alert!.last).length);
        expect(alert?.members).toHaveLength(Math.min(100, alert!.count));
      }),
      { numRuns: 30 },
    );
  });
});
