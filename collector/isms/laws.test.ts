// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AssetId } from '../../core/ids.ts';
import { hours, type UnixMs, unixMs } from '../../core/units.ts';
import { type Entity, makeEntity } from '../model/entity.ts';
import { type CheckMapping, type Observation, observationId, RESULTS, type Result } from '../model/observation.ts';
import { pairsOf } from './answers.ts';
import { askAt, assuranceOf, countAnswers, coverageOf, type Ground, stateOf, statusAt, turnsOf } from './laws.ts';
import { hostsAt, staysOf } from './population.ts';

const NOW = unixMs(Date.UTC(2026, 10, 23, 8, 40));
const HOSTS = ['a', 'b', 'c', 'd'].map((name) => `ast_${name.repeat(20)}` as AssetId);
const CHECKS = ['root-login', 'sudo', 'clock'];
const mappings = (checks: readonly string[]): readonly CheckMapping[] =>
  checks.map((check) => ({ check, control: 'csf:2.0/PR.AA-05', relationship: 'subset-of', reason: 'r' }));

const span = (check: string, host: AssetId, result: Result, first: number, more: Partial<Observation> = {}): Observation => {
  const subject = more.subject ?? makeEntity('host', host);
  return {
    id: observationId(check, subject, unixMs(first)),
    check,
    subject,
    result,
    actual: '',
    expected: '',
    severity: 'high',
    first: unixMs(first),
    last: unixMs(first + hours(1)),
    expires: unixMs(first + hours(3)),
    open: true,
    ...more,
  };
};

const ground = (spans: readonly Observation[], hosts: readonly AssetId[] = HOSTS): Ground => ({
  stays: hosts.map((host) => ({ host, from: unixMs(NOW - hours(1000)), to: unixMs(NOW + hours(1000)) })),
  pairs: pairsOf(spans),
  once: new Set(),
  self: HOSTS[0] as AssetId,
});

const status = (g: Ground, checks: readonly string[] = CHECKS, at: UnixMs = NOW) => statusAt(g, 'csf:2.0/PR.AA-05', mappings(checks), at);
const everywhere = (result: Result, more: Partial<Observation> = {}): Observation[] =>
  CHECKS.flatMap((check) => HOSTS.map((host) => span(check, host, result, NOW - hours(1), more)));

describe('the state of a control', () => {
  it('is satisfied only when every expected answer is there, fresh, and none fails', () => {
    expect(status(ground(everywhere('pass')))).toMatchObject({
      state: 'satisfied',
      counts: { pass: 12, fail: 0, excepted: 0, unknown: 0, expected: 12 },
      measured: true,
      partial: true,
      oldest: NOW,
      since: NOW - hours(1),
    });
    expect(status(ground(everywhere('pass').slice(1)))).toMatchObject({ state: 'unknown', counts: { pass: 11, unknown: 1, expected: 12 } });
  });

  it('is unknown when one answer is stale, an error, or was never given', () => {
    const stale = everywhere('pass', { first: unixMs(NOW - hours(9)), last: unixMs(NOW - hours(8)), expires: unixMs(NOW - hours(6)) });
    expect(status(ground(stale)).state).toBe('unknown');
    expect(status(ground(everywhere('error'))).counts).toMatchObject({ unknown: 12, pass: 0 });
    expect(status(ground([])).counts).toMatchObject({ unknown: 12, expected: 12 });
    expect(status(ground([], []))).toMatchObject({ state: 'unknown', counts: { expected: 0 }, since: null });
  });

  it('is not satisfied by one fail, unless a waiver holds, and again the moment the waiver lapses', () => {
    const waiver = { reason: 'r', owner: 'o', until: unixMs(NOW + hours(1)) };
    const spans = [...everywhere('pass').slice(1), span('root-login', HOSTS[0] as AssetId, 'fail', NOW - hours(1), { waiver })];
    expect(status(ground(spans))).toMatchObject({ state: 'satisfied', counts: { excepted: 1, pass: 11 } });
    expect(status(ground(spans), CHECKS, waiver.until)).toMatchObject({ state: 'not-satisfied', counts: { fail: 1 } });
  });

  it('does not count what is not applicable, and is not measured without a check', () => {
    expect(status(ground(everywhere('not-applicable'))).counts.expected).toBe(0);
    expect(status(ground(everywhere('pass')), [])).toMatchObject({ measured: false, state: 'unknown' });
  });

  it('takes the worst of a host’s parts, and forgets a part only when its agent says that it is gone', () => {
    const host = HOSTS[0] as AssetId;
    const part = `service:tls@${host}` as Entity;
    const spans = [
      ...everywhere('pass'),
      span('clock', host, 'fail', NOW - hours(1), { subject: part, expires: unixMs(NOW - 1), last: unixMs(NOW - 2) }),
    ];
    expect(status(ground(spans)).state).toBe('unknown');
    const gone = span('clock', host, 'unknown', NOW - 1, { subject: part, expires: unixMs(NOW - 1), last: unixMs(NOW - 1) });
    expect(status(ground([...spans, gone])).state).toBe('satisfied');
  });

  it('says when it turned, and what stood at any past time', () => {
    const host = HOSTS[0] as AssetId;
    const g = ground(
      [
        span('clock', host, 'pass', NOW - hours(10), { last: unixMs(NOW - hours(6)), expires: unixMs(NOW - hours(5)) }),
        span('clock', host, 'fail', NOW - hours(5), { last: unixMs(NOW - hours(3)), expires: unixMs(NOW - hours(2)) }),
        span('clock', host, 'pass', NOW - hours(1)),
      ],
      [host],
    );
    expect(turnsOf(g, ['clock'], unixMs(NOW - hours(12)), NOW).map(({ at, state }) => [(at - NOW) / hours(1), state])).toEqual([
      [-12, 'unknown'],
      [-10, 'satisfied'],
      [-5, 'not-satisfied'],
      [-2, 'unknown'],
      [-1, 'satisfied'],
    ]);
    expect(status(g, ['clock'], unixMs(NOW - hours(4)))).toMatchObject({ state: 'not-satisfied', since: NOW - hours(5) });
  });
});

describe('the population', () => {
  const asset = (id: AssetId, origin: 'agent' | 'replay') => ({ id, kind: 'host', name: id, group: '', createdAt: NOW, origin }) as const;
  it('is left only by a decision, and from its time on', () => {
    const [a, b] = HOSTS as [AssetId, AssetId];
    const assets = [asset(a, 'agent'), asset(b, 'replay')];
    expect(hostsAt(staysOf(assets, []), NOW)).toEqual([a]);
    const retired = { host: a, kind: 'retired', reason: 'sold', by: 'u', at: unixMs(NOW + 10) } as const;
    expect(hostsAt(staysOf(assets, [retired]), unixMs(NOW + 9))).toEqual([a]);
    expect(hostsAt(staysOf(assets, [retired]), unixMs(NOW + 10))).toEqual([]);
    const back = { ...retired, kind: 'expected', at: unixMs(NOW + 20) } as const;
    expect(hostsAt(staysOf(assets, [back, retired]), unixMs(NOW + 30))).toEqual([a]);
    const enrolled = [{ asset: a, enrolledAt: unixMs(NOW + 40) }];
    expect(hostsAt(staysOf(assets, [retired], enrolled), unixMs(NOW + 39))).toEqual([]);
    expect(hostsAt(staysOf(assets, [retired], enrolled), unixMs(NOW + 40))).toEqual([a]);
    const off = { ...retired, kind: 'planned-off', until: unixMs(NOW + 99) } as const;
    expect(hostsAt(staysOf(assets, [off]), unixMs(NOW + 30))).toEqual([a]);
  });
});

const spans = fc
  .array(
    fc.record({
      check: fc.constantFrom(...CHECKS),
      host: fc.constantFrom(...HOSTS),
      part: fc.constantFrom(null, 'x', 'y'),
      result: fc.constantFrom(...RESULTS),
      ago: fc.integer({ min: 0, max: hours(12) }),
      holds: fc.integer({ min: 0, max: hours(6) }),
      waived: fc.option(fc.integer({ min: -hours(3), max: hours(3) }), { nil: undefined }),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map(({ check, host, part, result, ago, holds, waived }) =>
      span(check, host, result, NOW - ago, {
        ...(part === null ? {} : { subject: `service:${part}@${host}` as Entity }),
        last: unixMs(NOW - ago + holds / 2),
        expires: unixMs(NOW - ago + holds),
        ...(waived === undefined ? {} : { waiver: { reason: 'r', owner: 'o', until: unixMs(NOW + waived) } }),
      }),
    ),
  );
const fail = fc.record({ check: fc.constantFrom(...CHECKS), host: fc.constantFrom(...HOSTS), part: fc.constantFrom('x', 'z') });
const RANK = { 'not-satisfied': 0, unknown: 1, satisfied: 2 } as const;

describe('in any world', () => {
  it('every figure has its counts, and they add up', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const { counts, state } = status(ground(all));
        expect(counts.pass + counts.fail + counts.excepted + counts.unknown).toBe(counts.expected);
        expect(state === 'satisfied').toBe(counts.fail === 0 && counts.unknown === 0 && counts.expected > 0);
        expect(assuranceOf(counts)).toBeLessThanOrEqual(coverageOf(counts));
      }),
    );
  });

  it('unknown never counts as pass: without a fresh pass behind it there is none', () => {
    fc.assert(
      fc.property(spans, (all) => {
        const withoutPass = ground(all.filter(({ result }) => result !== 'pass'));
        expect(status(withoutPass).counts.pass).toBe(0);
        const asked = askAt(ground(all), CHECKS, NOW);
        for (const { answer, by } of asked)
          if (answer === 'pass') expect(by !== null && by.first <= NOW && NOW < by.expires && by.result === 'pass').toBe(true);
        const later = status(ground(all), CHECKS, unixMs(NOW + hours(100)));
        expect(later.counts.pass).toBe(0);
        expect(later.state).not.toBe('satisfied');
      }),
    );
  });

  it('a failing observation more never improves a figure', () => {
    fc.assert(
      fc.property(spans, fail, (all, { check, host, part }) => {
        const before = status(ground(all));
        const more = span(check, host, 'fail', NOW - 1, { subject: `service:new-${part}@${host}` as Entity });
        const after = status(ground([...all, more]));
        expect(after.counts.pass).toBeLessThanOrEqual(before.counts.pass);
        expect(after.counts.fail).toBeGreaterThanOrEqual(before.counts.fail);
        expect(assuranceOf(after.counts)).toBeLessThanOrEqual(assuranceOf(before.counts));
        expect(RANK[after.state]).toBeLessThanOrEqual(RANK[before.state]);
      }),
    );
  });

  it('coverage less never improves assurance: a check that is answered no more on a host, or a host that is silent, makes nothing better', () => {
    const cutAt = (all: readonly Observation[], cut: number, isCut: (one: Observation) => boolean): readonly Observation[] =>
      all.flatMap((one) => {
        if (!isCut(one)) return [one];
        return one.first >= cut ? [] : [{ ...one, last: unixMs(Math.min(one.last, cut)), expires: unixMs(Math.min(one.expires, cut)) }];
      });
    fc.assert(
      fc.property(
        spans,
        fc.constantFrom(...HOSTS),
        fc.constantFrom(...CHECKS),
        fc.integer({ min: 0, max: hours(13) }),
        (all, host, check, ago) => {
          const before = status(ground(all));
          const unasked = status(ground(cutAt(all, NOW - ago, (one) => one.check === check && one.subject.endsWith(host))));
          const silent = status(ground(cutAt(all, NOW - ago, (one) => one.subject.endsWith(host))));
          for (const after of [unasked, silent]) {
            expect(after.counts.pass).toBeLessThanOrEqual(before.counts.pass);
            expect(assuranceOf(after.counts)).toBeLessThanOrEqual(assuranceOf(before.counts));
            expect(after.state).not.toBe('satisfied');
          }
        },
      ),
    );
  });

  it('the sweep over time and the look at one time agree at every time', () => {
    fc.assert(
      fc.property(spans, fc.array(fc.integer({ min: 0, max: hours(14) }), { minLength: 1, maxLength: 8 }), (all, times) => {
        const g = ground(all);
        const turns = turnsOf(g, CHECKS, unixMs(NOW - hours(14)), NOW);
        for (const ago of times) {
          const at = unixMs(NOW - ago);
          const state = stateOf(countAnswers(askAt(g, CHECKS, at).map(({ answer }) => answer)));
          expect(turns.findLast((turn) => turn.at <= at)?.state).toBe(state);
        }
        for (const [i, turn] of turns.entries()) if (i > 0) expect(turn.state).not.toBe(turns[i - 1]?.state);
      }),
    );
  });
});
