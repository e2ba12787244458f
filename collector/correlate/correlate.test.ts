// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ms, type UnixMs, unixMs } from '../../core/units.ts';
import { correlation, eventRule, ruleSet, type SignalSketch, signal } from '../../test/support/signals.ts';
import type { CorrelationRule } from '../model/rule.ts';
import type { Satisfied } from '../model/satisfied.ts';
import type { SignalTable } from '../model/signals.ts';
import { openSignals } from '../store/embedded/signals.ts';
import { makeCorrelator } from './correlate.ts';

const T = 1_700_000_000_000;
const fail = eventRule('fail');
const success = eventRule('success');

const openTable = (): SignalTable => openSignals(new DatabaseSync(':memory:'));

/** Judges each list as one page and gives the windows as offsets from T. */
const windows = (
  rule: CorrelationRule,
  pages: readonly (readonly SignalSketch[])[],
  watermarks: Readonly<Record<string, number>>[] = [],
) => {
  const correlator = makeCorrelator(ruleSet(fail, success, rule));
  const table = openTable();
  return pages.map((sketches, i) => {
    const marks: Record<string, UnixMs> = {};
    for (const [stream, at] of Object.entries(watermarks[i] ?? {})) marks[stream] = unixMs(T + at);
    const { satisfied } = correlator.judge({ signals: sketches.map((s) => signal({ ...s, at: T + s.at })), watermarks: marks }, table);
    return satisfied.map(({ from, to }) => [from - T, to - T]);
  });
};

describe('event_count', () => {
  it('is satisfied by the last millisecond of the window and not by the one after', () => {
    const rule = correlation('c', { timespanMs: ms(1000) });
    expect(windows(rule, [[{ at: 0 }, { at: 500 }, { at: 999 }]])).toEqual([[[0, 999]]]);
    expect(windows(rule, [[{ at: 0 }, { at: 500 }, { at: 1000 }]])).toEqual([[]]);
  });

  it('reads gt as one more than gte', () => {
    const rule = correlation('c', { condition: [{ op: 'gt', value: 2 }] });
    expect(windows(rule, [[{ at: 0 }, { at: 1 }], [{ at: 2 }]])).toEqual([[], [[0, 2]]]);
  });

  it('counts a group apart from others, by all its fields', () => {
    const rule = correlation('c', { groupBy: ['source.ip', 'user.name'] });
    expect(windows(rule, [[{ at: 0 }, { at: 1 }, { at: 2, user: 'bob' }, { at: 3, user: 'ann' }]])).toEqual([[]]);
    expect(windows(rule, [[{ at: 0 }, { at: 1 }, { at: 2 }]])).toEqual([[[0, 2]]]);
  });

  it('finds a window that a late signal completes, at the time of later ones', () => {
    expect(windows(correlation('c'), [[{ at: 10_000 }, { at: 20_000 }], [{ at: 5000 }]])).toEqual([[], [[5000, 20_000]]]);
  });

  it('leaves out signals that lack a field of the group', () => {
    const rule = correlation('c', { groupBy: ['process.name'] });
    expect(windows(rule, [[{ at: 0 }, { at: 1 }, { at: 2 }]])).toEqual([[]]);
  });

  it('never mixes a replay with what happens now', () => {
    const rule = correlation('c');
    expect(windows(rule, [[{ at: 0 }, { at: 1, replay: true }, { at: 2 }]])).toEqual([[]]);
    expect(
      windows(rule, [
        [
          { at: 0, replay: true },
          { at: 1, replay: true },
          { at: 2, replay: true },
        ],
      ]),
    ).toEqual([[[0, 2]]]);
  });

  it('asks the table for at most as many rows as the threshold for each signal, however many lie in the group', () => {
    const table = openTable();
    const threshold = 10;
    const correlator = makeCorrelator(
      ruleSet(fail, correlation('c', { timespanMs: ms(3_600_000), condition: [{ op: 'gte', value: threshold }] })),
    );
    let asked = 0;
    const counting: SignalTable = {
      ...table,
      range: (range, limit, order) => {
        const rows = table.range(range, limit, order);
        asked += rows.length;
        return rows;
      },
      count: (range, limit) => {
        expect(limit).toBe(threshold);
        return table.count(range, limit);
      },
    };
    for (let i = 0; i < 10_000; i++) correlator.judge({ signals: [signal({ at: T + i, key: i })], watermarks: {} }, counting);
    // The signal itself and those just before it.
    expect(asked).toBeLessThanOrEqual(10_000 * (2 * threshold));
  });
});

describe('values and order', () => {
  it('counts different values, not signals', () => {
    const rule = correlation('c', { type: 'value_count', field: 'user.name' });
    expect(windows(rule, [[{ at: 0 }, { at: 1 }, { at: 2, user: 'bob' }], [{ at: 3, user: 'ann' }]])).toEqual([[], [[0, 3]]]);
  });

  it('sums amounts and passes over what is no number or below zero', () => {
    const rule = correlation('c', { type: 'value_sum', field: 'bytes', condition: [{ op: 'gte', value: 100 }] });
    const of = (at: number, bytes: string): SignalSketch => ({ at, fields: { bytes } });
    expect(windows(rule, [[of(0, '60'), of(1, 'many'), of(2, '-60'), of(3, '39')], [of(4, '1')]])).toEqual([[], [[0, 4]]]);
  });

  it('takes rules in any order for temporal, and only in theirs for temporal_ordered', () => {
    const pages: SignalSketch[][] = [[{ at: 0, rule: 'success' }, { at: 5 }], [{ at: 9, rule: 'success' }]];
    const rules = { rules: ['fail', 'success'], condition: [] };
    expect(windows(correlation('c', { type: 'temporal', ...rules }), pages)).toEqual([[[0, 5]], [[0, 9]]]);
    expect(windows(correlation('c', { type: 'temporal_ordered', ...rules }), pages)).toEqual([[], [[0, 9]]]);
  });

  it('resolves aliases by the rule that matched', () => {
    const rule = correlation('c', {
      type: 'temporal',
      rules: ['fail', 'success'],
      condition: [],
      groupBy: ['account'],
      aliases: { account: { fail: 'user.name', success: 'user.target.name' } },
    });
    const pages = [
      [
        { at: 0, user: 'bob' },
        { at: 1, rule: 'success', fields: { 'user.target.name': 'bob' } },
      ],
    ];
    expect(windows(rule, pages)).toEqual([[[0, 1]]]);
  });
});

describe('conditions that more signals may undo', () => {
  const lone = correlation('c', { condition: [{ op: 'eq', value: 1 }], timespanMs: ms(1000) });

  it('wait until the watermark has passed the window', () => {
    expect(windows(lone, [[{ at: 0 }], [], []], [{ auth: 0 }, { auth: 0 }, { auth: 1 }])).toEqual([[], [], [[0, 0]]]);
  });

  it('wait for the slowest live stream', () => {
    expect(windows(lone, [[{ at: 0 }], []], [{ auth: 5000, other: 0 }, { other: 10 }])).toEqual([[], [[0, 0]]]);
  });

  it('are judged once', () => {
    expect(windows(lone, [[{ at: 0 }], [], []], [{ auth: 10 }, { auth: 20 }, { auth: 30 }])).toEqual([[[0, 0]], [], []]);
  });

  it('hold a range of numbers', () => {
    const rule = correlation('c', {
      condition: [
        { op: 'gte', value: 2 },
        { op: 'lt', value: 4 },
      ],
      timespanMs: ms(1000),
    });
    const page = [0, 1, 2, 3].map((at) => ({ at }));
    expect(windows(rule, [page], [{ auth: 10 }])).toEqual([[[0, 2]]]);
  });

  it('survive a restart: what is due stands in the table', () => {
    const table = openTable();
    const set = ruleSet(fail, lone);
    makeCorrelator(set).judge({ signals: [signal({ at: T })], watermarks: { auth: unixMs(T) } }, table);
    const { satisfied } = makeCorrelator(set).judge({ signals: [], watermarks: { auth: unixMs(T + 1) } }, table);
    expect(satisfied.map(({ from }) => from - T)).toEqual([0]);
  });

  it('let a replay wait for its own stream alone', () => {
    const sketch: SignalSketch = { at: -900_000_000, replay: true, stream: 'old' };
    expect(windows(lone, [[sketch], []], [{ auth: 0 }, { old: -800_000_000 }])).toEqual([[], [[-900_000_000, -900_000_000]]]);
  });
});

describe('chains', () => {
  const set = ruleSet(
    fail,
    success,
    correlation('brute', { alerts: false }),
    correlation('got-in', { type: 'temporal_ordered', rules: ['brute', 'success'], condition: [], timespanMs: ms(300_000) }),
  );

  it('make a satisfied window a signal of the correlations that read it', () => {
    const table = openTable();
    const signals = [0, 1, 2].map((at) => signal({ at: T + at }));
    const correlator = makeCorrelator(set);
    expect(correlator.judge({ signals, watermarks: {} }, table).satisfied).toEqual([]);
    const { satisfied } = correlator.judge({ signals: [signal({ at: T + 1000, rule: 'success' })], watermarks: {} }, table);
    expect(satisfied.map(({ rule, entity, from, to }) => [rule, entity, from - T, to - T])).toEqual([
      ['got-in', 'ip:203.0.113.77', 2, 1000],
    ]);
  });

  it('are refused where they close a circle or read what is not there', () => {
    const a = correlation('a', { rules: ['b'] });
    const b = correlation('b', { rules: ['a'] });
    const lost = correlation('lost', { rules: ['nowhere'] });
    const over = correlation('over', { rules: ['lost'] });
    const { refused } = makeCorrelator(ruleSet(fail, a, b, lost, over));
    expect(refused.filter(({ code }) => code === 'CORRELATION_CYCLE')).toHaveLength(1);
    expect(refused.map(({ rule }) => rule).sort()).toEqual(['a', 'b', 'lost', 'over']);
  });
});

describe('whom it is about', () => {
  const entityOf = (more: Partial<CorrelationRule>, sketch: Partial<SignalSketch> = {}): string | undefined => {
    const rule = correlation('c', { condition: [{ op: 'gte', value: 1 }], ...more });
    const found: readonly Satisfied[] = makeCorrelator(ruleSet(fail, rule)).judge(
      { signals: [signal({ at: T, ...sketch })], watermarks: {} },
      openTable(),
    ).satisfied;
    return found[0]?.entity;
  };

  it('is the entity of the group, the one that vigil.entity names before others', () => {
    expect(entityOf({ groupBy: ['source.ip'] })).toBe('ip:203.0.113.77');
    expect(entityOf({ groupBy: ['host.name', 'user.name'], entity: 'user.name' })).toBe('user:root@ast_bastion');
    expect(entityOf({ groupBy: ['host.name'] })).toBe('host:ast_bastion');
    expect(entityOf({ groupBy: ['TargetUserName'] }, { fields: { TargetUserName: 'ann' } })).toBe('user:ann');
  });

  it('is the group itself where that names no entity', () => {
    expect(entityOf({ groupBy: ['process.name'] }, { fields: { 'process.name': 'nc' } })).toBe('service:nc');
    expect(entityOf({ groupBy: [], name: 'storm' })).toBe('service:storm');
  });

  const plainEntity = (more: Parameters<typeof eventRule>[1]): string | undefined =>
    makeCorrelator(ruleSet(eventRule('fail', { alerts: true, ...more }))).judge(
      { signals: [signal({ at: T })], watermarks: {} },
      openTable(),
    ).satisfied[0]?.entity;

  it('is for a plain rule the address where it is about logins or the web, else the host', () => {
    expect(plainEntity({ logsource: { service: 'sshd' } })).toBe('ip:203.0.113.77');
    expect(plainEntity({ logsource: { category: 'webserver' } })).toBe('ip:203.0.113.77');
    expect(plainEntity({ logsource: { category: 'process_creation' } })).toBe('host:ast_bastion');
    expect(plainEntity({ logsource: { service: 'sshd' }, entity: 'user.name' })).toBe('user:root@ast_bastion');
  });
});
