// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, hours, unixMs } from '../../core/units.ts';
import { makeEntity } from '../model/entity.ts';
import { LEVELS, type Level } from '../model/rule.ts';
import { type Contribution, type ScoreInputs, WEIGHTS_VERSION } from '../model/score.ts';
import { belowAt, scoreAt, valuesAt } from './formula.ts';

const NOW = unixMs(Date.UTC(2026, 10, 23, 8, 40));

const rule = (key: string, level: Level, count = 1, more: Partial<Contribution> = {}): Contribution => ({
  key,
  title: key,
  level,
  confidence: 1,
  count,
  last: NOW,
  frozen: false,
  factor: 1,
  sources: [],
  ...more,
});

const inputs = (
  threat: readonly Contribution[],
  context: ScoreInputs['context'] = [],
  exposure: readonly Contribution[] = [],
): ScoreInputs => ({
  entity: makeEntity('host', 'ast_x'),
  name: 'x',
  weights: WEIGHTS_VERSION,
  at: NOW,
  before: null,
  threat,
  exposure,
  context,
});

const distinct = (n: number, level: Level): readonly Contribution[] => Array.from({ length: n }, (_, i) => rule(`r${i}`, level));
const threat = (...contributions: readonly Contribution[]): number => scoreAt(inputs(contributions), NOW).threat;

describe('the threat of one host', () => {
  it('is what the comparison with other products prints, row by row', () => {
    expect(threat(rule('a', 'critical'))).toBe(80);
    expect(threat(rule('a', 'high'))).toBe(50);
    expect(threat(rule('a', 'medium', 50))).toBe(30);
    expect(threat(rule('a', 'low', 1000))).toBe(7.5);
    expect(threat(...distinct(3, 'medium'))).toBe(48.8);
    expect(threat(...distinct(10, 'high'))).toBe(99.9);
  });

  it('weighs by confidence and clamps each rule at 99', () => {
    expect(threat(rule('a', 'high', 1, { confidence: 0.6 }))).toBe(30);
    expect(scoreAt(inputs([rule('a', 'critical', 1000)]), NOW).threatShares[0]?.weight).toBe(99);
  });

  it('halves after 1, 3, 7 and 14 days by level, and not while an incident is open', () => {
    for (const [level, half, base] of [
      ['low', 1, 5],
      ['medium', 3, 20],
      ['high', 7, 50],
      ['critical', 14, 80],
    ] as const) {
      expect(valuesAt(inputs([rule('a', level)]), unixMs(NOW + days(half))).threat).toBe(base / 2);
      expect(valuesAt(inputs([rule('a', level, 1, { frozen: true })]), unixMs(NOW + days(half))).threat).toBe(base);
    }
  });

  it('is nothing for a false positive and a tenth for a benign one', () => {
    expect(threat(rule('a', 'high', 1, { factor: 0 }))).toBe(0);
    expect(threat(rule('a', 'high', 1, { factor: 0.1 }))).toBe(5);
  });

  it('takes the context on the odds: 94.4 is 96.9 with criticality high and a way from the internet', () => {
    const context = [
      { name: 'criticality high', odds: 1.5 },
      { name: 'internet-exposed', odds: 1.25 },
    ];
    const weights = [
      rule('login', 'critical'),
      rule('key', 'high'),
      rule('shell', 'medium', 4),
      rule('burst', 'medium', 2),
      rule('unknown', 'low', 8, { last: unixMs(NOW - days(0.14)) }),
    ];
    const score = scoreAt(inputs(weights, context), NOW);
    expect(score.combined.threat).toBe(94.4);
    expect(score.threat).toBe(96.9);
    expect(score.threatShares.map(({ weight }) => weight)).toEqual([80, 50, 24, 22, 5.9]);
    expect(score.threatShares.map(({ share }) => share)).toEqual([54, 23.3, 9.2, 8.4, 2]);
    expect(score.threatShares.map(({ without }) => without)).toEqual([82.9, 93.7, 95.9, 96.1, 96.7]);
  });
});

const contribution = fc.record({
  key: fc.stringMatching(/^[a-z]{1,8}$/),
  level: fc.constantFrom(...LEVELS),
  count: fc.integer({ min: 1, max: 5000 }),
  confidence: fc.constantFrom(1, 0.8, 0.6),
  age: fc.integer({ min: 0, max: days(60) }),
  frozen: fc.boolean(),
  factor: fc.constantFrom(0, 0.1, 1),
});
const many = fc
  .uniqueArray(contribution, { maxLength: 40, selector: ({ key }) => key })
  .map((all) => all.map(({ key, level, count, age, ...more }) => rule(key, level, count, { ...more, last: unixMs(NOW - age) })));
const odds = fc.constantFrom(0.5, 1, 1.25, 1.875, 2.5);

describe('every score', () => {
  it('lies between 0 and 99.9, its shares add up to it, and no digit hangs on the order', () => {
    fc.assert(
      fc.property(many, odds, (all, odd) => {
        const context = [{ name: 'c', odds: odd }];
        const score = scoreAt(inputs(all, context, all), NOW);
        for (const [value, shares] of [
          [score.threat, score.threatShares],
          [score.exposure, score.exposureShares],
        ] as const) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(99.9);
          expect(shares.reduce((sum, { share }) => sum + Math.round(share * 10), 0)).toBe(Math.round(value * 10));
          for (const { without } of shares) expect(without).toBeLessThanOrEqual(value);
        }
        expect(scoreAt(inputs([...all].reverse(), context, [...all].reverse()), NOW)).toEqual(score);
        expect(valuesAt(inputs(all, context, all), NOW)).toEqual({ threat: score.threat, exposure: score.exposure });
      }),
    );
  });

  it('is never lowered by one more alert, nor raised by time', () => {
    fc.assert(
      fc.property(many, odds, contribution, fc.integer({ min: 0, max: days(30) }), (all, odd, one, later) => {
        const context = [{ name: 'c', odds: odd }];
        const more = [...all, rule('ZZ', one.level, one.count)];
        expect(valuesAt(inputs(more, context), NOW).threat).toBeGreaterThanOrEqual(valuesAt(inputs(all, context), NOW).threat);
        expect(valuesAt(inputs(all, context), unixMs(NOW + later)).threat).toBeLessThanOrEqual(valuesAt(inputs(all, context), NOW).threat);
      }),
    );
  });

  it('says to the minute when decay next lowers it', () => {
    const score = scoreAt(inputs([rule('a', 'high')]), NOW);
    const next = score.nextDecay as number;
    // 50 shows as 50.0 until it is under 49.95: 7 d × log2(50 / 49.95) is a quarter of an hour.
    expect(next - NOW).toBeGreaterThan(days(7) * Math.log2(50 / 49.95) - 1);
    expect(next - NOW).toBeLessThan(days(7) * Math.log2(50 / 49.95) + 60_001);
    expect(scoreAt(inputs([rule('a', 'high', 1, { frozen: true })]), NOW).nextDecay).toBeNull();
  });

  it('says when it would be below a value, were the incident closed now', () => {
    const held = inputs([rule('a', 'critical', 1, { frozen: true })]);
    expect(belowAt(held, 50, NOW)).toBeNull();
    const at = belowAt(held, 40, NOW, true) as number;
    expect(Math.abs(at - NOW - days(14))).toBeLessThan(hours(1));
  });

  it('counts a waived check again from the moment its waiver lapses', () => {
    const waived = [rule('c', 'high', 1, { last: null, factor: 0, factorUntil: unixMs(NOW + hours(1)) })];
    expect(valuesAt(inputs([], [], waived), NOW).exposure).toBe(0);
    expect(valuesAt(inputs([], [], waived), unixMs(NOW + hours(1))).exposure).toBe(12);
  });
});
