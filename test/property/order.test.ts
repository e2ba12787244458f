// SPDX-License-Identifier: Apache-2.0
/**
 * Every order of arrival, every cut into pages and every redone page agrees on live alerts and incidents (S6).
 * Input: random sets of signals. Output: the same alerts by rule, entity, first, last and members, the same incidents.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openJudge } from '../../collector/cli/judge.ts';
import type { RuleSet } from '../../collector/model/rule.ts';
import type { Signal } from '../../collector/model/signal.ts';
import { ms } from '../../core/units.ts';
import { correlation, eventRule, pagesOf, ruleSet, signal } from '../support/signals.ts';

const SECOND = 1000;
const rules = ruleSet(
  eventRule('fail'),
  eventRule('success'),
  eventRule('sudo', { alerts: true, level: 'high', logsource: { category: 'process_creation' } }),
  eventRule('cron', { alerts: true, level: 'low', rearmMs: ms(600 * SECOND), logsource: { category: 'process_creation' } }),
  correlation('brute', { rearmMs: ms(90 * SECOND) }),
  correlation('fine', { groupBy: ['source.ip', 'user.name'], condition: [{ op: 'gt', value: 1 }], rearmMs: ms(60 * SECOND) }),
  correlation('spray', {
    type: 'value_count',
    field: 'user.name',
    condition: [{ op: 'gte', value: 3 }],
    level: 'high',
    rearmMs: ms(60 * SECOND),
  }),
  correlation('both', { type: 'temporal', rules: ['fail', 'success'], condition: [], level: 'critical', rearmMs: ms(60 * SECOND) }),
  correlation('then', { type: 'temporal_ordered', rules: ['fail', 'success'], condition: [], incident: true, rearmMs: ms(60 * SECOND) }),
  correlation('volume', {
    type: 'value_sum',
    field: 'bytes',
    rules: ['success'],
    condition: [{ op: 'gt', value: 20 }],
    groupBy: ['host.name'],
    rearmMs: ms(60 * SECOND),
  }),
  correlation('chain', {
    type: 'temporal_ordered',
    rules: ['brute', 'success'],
    condition: [],
    level: 'critical',
    timespanMs: ms(120 * SECOND),
  }),
  correlation('twice', { rules: ['spray'], condition: [{ op: 'gte', value: 2 }], timespanMs: ms(120 * SECOND) }),
);

const setOver = (seconds: fc.Arbitrary<number>) =>
  fc.uniqueArray(
    fc.record({
      rule: fc.constantFrom('fail', 'fail', 'fail', 'success', 'sudo', 'cron', 'cron'),
      at: seconds.map((s) => 1_700_000_000_000 + s * SECOND),
      key: fc.integer({ min: 0, max: 1 }),
      ip: fc.constantFrom('203.0.113.1', '203.0.113.1', '203.0.113.2', '10.0.0.1'),
      user: fc.constantFrom('root', 'admin', 'bob'),
      host: fc.constantFrom('ast_a', 'ast_b'),
      bytes: fc.integer({ min: 0, max: 15 }),
    }),
    { minLength: 1, maxLength: 50, selector: (s) => `${s.rule} ${s.at} ${s.key} ${s.ip} ${s.user} ${s.host}` },
  );
/** Bursts, an afternoon, and days, for windows, episodes and incidents. */
const arrivals = fc.oneof(
  setOver(fc.integer({ min: 0, max: 100 })),
  setOver(fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 12_000 }))),
  // Twelve hours in which lower alerts become usual.
  setOver(fc.integer({ min: 0, max: 24 }).map((half) => half * 1800)),
  setOver(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 100 })).map(([part, s]) => part * 15 * 3600 + s)),
);

const outcome = (set: RuleSet, signals: readonly Signal[], pageSize: number, redo: boolean) => {
  const judge = openJudge(set);
  for (const page of pagesOf(signals, pageSize)) {
    judge.judge(page);
    if (redo) judge.judge(page);
  }
  const name = new Map(judge.alerts().map((alert) => [alert.id, `${alert.rule} ${alert.entity} ${alert.first}`]));
  const alerts = judge
    .alerts()
    .map(({ rule, entity, first, last, members, count }) => ({ rule, entity, first, last, members, count }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const incidents = judge
    .incidents()
    .map(({ severity, title, first, last, entities, why, alerts: ids }) => ({
      severity,
      title,
      first,
      last,
      entities,
      why,
      alerts: ids.map((id) => name.get(id)).sort(),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  judge.close();
  return { alerts, incidents };
};

describe('order of arrival', () => {
  it('is tried on sets that satisfy every rule', () => {
    const fired = new Set<string>();
    for (const set of fc.sample(arrivals, { numRuns: 300, seed: 7 }))
      for (const { rule } of outcome(
        rules,
        set.map(({ bytes, ...sketch }) => signal({ ...sketch, fields: { bytes: String(bytes) } })),
        50,
        false,
      ).alerts)
        fired.add(rule);
    expect([...fired].sort()).toEqual(
      [...rules.rules.values()]
        .filter(({ alerts }) => alerts)
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('gives the same live alerts and incidents for every permutation, page size and redone page', () => {
    fc.assert(
      fc.property(
        arrivals.chain((set) =>
          fc.record({
            set: fc.constant(set),
            shuffled: fc.shuffledSubarray(set, { minLength: set.length, maxLength: set.length }),
            size: fc.integer({ min: 1, max: 12 }),
            redo: fc.boolean(),
          }),
        ),
        ({ set, shuffled, size, redo }) => {
          const make = (sketches: typeof set): Signal[] =>
            sketches.map(({ bytes, ...sketch }) => signal({ ...sketch, fields: { bytes: String(bytes) } }));
          const sorted = make([...set].sort((a, b) => a.at - b.at));
          const reference = outcome(rules, sorted, 500, false);
          expect(outcome(rules, make(shuffled), size, redo)).toEqual(reference);
          expect(outcome(rules, [...sorted].reverse(), 1, false)).toEqual(reference);
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});
