// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { days, hours, minutes, ms, unixMs } from '../../core/units.ts';
import { correlation, eventRule, pagesOf, ruleSet, type SignalSketch, signal } from '../../test/support/signals.ts';
import { openJudge } from '../cli/judge.ts';
import type { Alert } from '../model/alert.ts';
import type { RuleSet } from '../model/rule.ts';

const T = 1_700_000_000_000;
const rules = ruleSet(
  eventRule('fail'),
  correlation('brute', { level: 'high', tags: ['attack.credential-access', 'attack.t1110.001'], timespanMs: ms(60_000) }),
);

const burst = (from: number, count = 3, more: Partial<SignalSketch> = {}) =>
  Array.from({ length: count }, (_, i) => signal({ at: T + from + i * 1000, ...more }));

const spans = (alerts: readonly Alert[]) => alerts.map(({ first, last }) => [first - T, last - T]);

const judged = (set: RuleSet, ...pages: readonly (readonly ReturnType<typeof signal>[])[]) => {
  const judge = openJudge(set, (entity) => (entity === 'ip:203.0.113.77' ? 'the scanner' : null));
  const steps = pages.map((signals) => judge.judge({ signals, watermarks: pagesOf(signals, 500)[0]?.watermarks ?? {} }).alerts);
  return { judge, steps };
};

describe('episodes', () => {
  it('say what was found, of whom, and why', () => {
    const { judge } = judged(rules, burst(0, 6));
    const [alert, ...others] = judge.alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      rule: 'brute',
      level: 'high',
      entity: 'ip:203.0.113.77',
      entityName: 'the scanner',
      n: 1,
      count: 6,
      first: T,
      last: T + 5000,
      tactics: ['TA0006'],
      techniques: ['T1110.001'],
      late: false,
      backlog: false,
      replay: false,
      status: 'live',
      entities: ['ip:203.0.113.77', 'host:ast_bastion', 'user:root@ast_bastion'],
      why: ['6 signals in 5 s; asked for at least 3 within 1 min: fail', 'event.outcome = failure'],
    });
    expect(alert?.members).toHaveLength(6);
    expect(alert?.sample).toHaveLength(6);
  });

  it('join up to the rearm gap and part beyond it', () => {
    const gap = minutes(60);
    expect(spans(judged(rules, burst(0), burst(2000 + gap)).judge.alerts())).toEqual([[0, 2000 + gap + 2000]]);
    expect(spans(judged(rules, burst(0), burst(2001 + gap)).judge.alerts())).toEqual([
      [0, 2000],
      [2001 + gap, 4001 + gap],
    ]);
  });

  it('give a brute force that a restart cut in two one alert', () => {
    // The correlator keeps nothing: every page may be judged by a new one.
    const { judge, steps } = judged(rules, burst(0, 2), burst(2000, 1), burst(3000, 4));
    expect(judge.alerts()).toHaveLength(1);
    expect(judge.alerts()[0]?.count).toBe(7);
    expect(steps.map(({ opened }) => opened.length)).toEqual([0, 1, 0]);
  });

  it('change nothing when a page is judged again', () => {
    const { steps, judge } = judged(rules, burst(0, 5), burst(0, 5));
    expect(steps[1]).toEqual({ writes: [], opened: [], changed: [], merged: [] });
    expect(judge.alerts()[0]?.count).toBe(5);
  });

  it('merge into the alert with the lowest number when a late burst lies between, and keep their history', () => {
    const gap = minutes(50);
    const { judge, steps } = judged(rules, burst(2 * gap), burst(0), burst(gap));
    expect(spans(judge.alerts())).toEqual([[0, 2 * gap + 2000]]);
    expect(judge.alerts()[0]?.n).toBe(1);
    const [merged] = steps[2]?.merged ?? [];
    expect(merged).toMatchObject({ n: 2, status: 'merged', mergedInto: judge.alerts()[0]?.id, first: T, last: T + 2000, count: 3 });
    expect(judge.alert(merged!.id)).toEqual(merged);
  });

  it('count a lone late signal that lies inside them', () => {
    const { judge } = judged(rules, [...burst(0), ...burst(minutes(55))], burst(minutes(30), 1));
    expect(judge.alerts()[0]?.count).toBe(7);
  });

  it('take numbers that were never given before', () => {
    const { judge } = judged(rules, burst(0), burst(hours(10)), burst(hours(5)));
    expect(judge.alerts().map(({ n }) => n)).toEqual([1, 3, 2]);
    expect(new Set(judge.alerts().map(({ id }) => id)).size).toBe(3);
  });

  it('keep a hundred signals of many: the oldest and the newest', () => {
    const { judge } = judged(rules, burst(0, 300));
    const [alert] = judge.alerts();
    expect(alert?.count).toBe(300);
    expect(alert?.members).toHaveLength(100);
    const all = burst(0, 300).map(({ id }) => id);
    expect(alert?.members).toEqual([...all.slice(0, 50), ...all.slice(250)]);
  });
});

describe('late, backlog and replay', () => {
  it('say that a host which returns after three days was late, and not that one heard at once was', () => {
    const late = burst(0).map((one) => ({ ...one, ingested: unixMs(one.time + days(3)) }));
    expect(judged(rules, late).judge.alerts()[0]).toMatchObject({ late: true, detected: T + 2000 + days(3) });
    expect(judged(rules, burst(0)).judge.alerts()[0]?.late).toBe(false);
  });

  it('measure lateness by the streams that went on meanwhile', () => {
    const judge = openJudge(rules);
    judge.judge({ signals: [], watermarks: { other: unixMs(T + hours(2)) } });
    judge.judge({ signals: burst(0), watermarks: {} });
    expect(judge.alerts()[0]?.late).toBe(true);
  });

  it('keep a replay apart from the pair it repeats', () => {
    const { judge } = judged(rules, burst(0), burst(0, 3, { replay: true }));
    expect(
      judge
        .alerts()
        .map(({ replay, n, count }) => [replay, n, count])
        .sort(),
    ).toEqual([
      [false, 1, 3],
      [true, 1, 3],
    ]);
    expect(new Set(judge.alerts().map(({ id }) => id)).size).toBe(2);
  });

  it('mark an alert of old lines only, until a new one joins', () => {
    const old = burst(0, 3, { backlog: true });
    expect(judged(rules, old).judge.alerts()[0]?.backlog).toBe(true);
    expect(judged(rules, old, burst(3000, 1)).judge.alerts()[0]?.backlog).toBe(false);
  });
});

describe('plain rules', () => {
  it('raise one alert an entity and episode, each signal a window of its own', () => {
    const set = ruleSet(eventRule('fail', { alerts: true }));
    const { judge } = judged(set, [signal({ at: T }), signal({ at: T + 1000 }), signal({ at: T, ip: '198.51.100.1' })]);
    expect(
      judge
        .alerts()
        .map(({ entity, count }) => [entity, count])
        .sort(),
    ).toEqual([
      ['ip:198.51.100.1', 1],
      ['ip:203.0.113.77', 2],
    ]);
  });

  it('raise nothing where they are building blocks', () => {
    expect(judged(ruleSet(eventRule('fail')), burst(0)).judge.alerts()).toEqual([]);
  });
});

it('a pair whose groups are finer than its entity has one alert over all of them', () => {
  const set = ruleSet(eventRule('fail'), correlation('c', { groupBy: ['source.ip', 'user.name'] }));
  const { judge } = judged(set, [...burst(0), ...burst(10_000, 3, { user: 'bob' }), ...burst(5000, 1, { user: 'ann' })]);
  expect(judge.alerts().map(({ entity, count, first, last }) => [entity, count, first - T, last - T])).toEqual([
    ['ip:203.0.113.77', 7, 0, 12_000],
  ]);
});
