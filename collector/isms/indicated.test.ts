// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AssetId, IncidentId } from '../../core/ids.ts';
import { days, hours, type UnixMs, unixMs } from '../../core/units.ts';
import { makeEntity } from '../model/entity.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import { type Observation, observationId, type Result } from '../model/observation.ts';
import { LIKELIHOODS, type Risk, riskId } from '../model/risk.ts';
import type { Level } from '../model/rule.ts';
import { pairsOf } from './answers.ts';
import { parseCatalogue } from './catalogue.ts';
import { indicatedAt, type Judged, type RiskGround } from './indicated.ts';
import { parseMap } from './mapping.ts';
import { parseRegister } from './register.ts';
import { levelOf, likelihoodOfRate, rankOf } from './risk-level.ts';

const NOW = unixMs(Date.UTC(2026, 10, 23, 8, 40));
const START = unixMs(NOW - days(21));
const HOST = `ast_${'a'.repeat(20)}` as AssetId;
const read = (name: string): string => readFileSync(new URL(`../../rules/${name}`, import.meta.url), 'utf8');
const catalogue = parseCatalogue('csf:2.0', read('controls/csf-2.0.jsonl'));

const RISK: Risk = {
  id: riskId('remote-access'),
  number: 1,
  title: 'Break-in through remote access',
  scenario: '',
  techniques: ['T1110', 'T1078'],
  checks: ['root-login', 'lockout', 'firewall', 'banner'],
  controls: [],
  assessed: { likelihood: 'moderate', impact: 'high', by: 'proposed', at: START },
  tolerance: 'moderate',
  frequency: { p5: 0.05, p95: 1 },
  status: 'proposed',
};

const span = (check: string, result: Result, first: number, until: number, severity: Level = 'high'): Observation => {
  const subject = makeEntity('host', HOST);
  const id = observationId(check, subject, unixMs(first));
  return {
    id,
    check,
    subject,
    result,
    actual: 'yes',
    expected: 'no',
    severity,
    first: unixMs(first),
    last: unixMs(until),
    expires: unixMs(until + hours(2)),
    open: true,
  };
};
const passing = (from: number = START): Observation[] => RISK.checks.map((check) => span(check, 'pass', from, NOW));

const incident = (detected: number, work: IncidentWork | null, techniques: readonly string[] = ['T1110.001']): Judged => ({
  incident: {
    id: 'inc_0000000000000008' as IncidentId,
    number: 8,
    title: 'Brute force',
    severity: 'high',
    why: [],
    opener: 'alr_0' as never,
    alerts: [],
    entities: [],
    tactics: [],
    techniques,
    first: unixMs(detected),
    last: unixMs(detected),
    detected: unixMs(detected),
    backlog: false,
    replay: false,
  } as Incident,
  work,
});
const moved = (to: IncidentWork['state'], at: number, more: Partial<IncidentWork> = {}): IncidentWork => ({
  state: to,
  moves: [{ to, at: unixMs(at), by: 'usr_x' }],
  ...more,
});

const ground = (spans: readonly Observation[], incidents: readonly Judged[] = []): RiskGround => ({
  stays: [{ host: HOST, from: START, to: unixMs(NOW + days(400)) }],
  pairs: pairsOf(spans),
  once: new Set(),
  self: HOST,
  incidents,
  nameOf: () => 'bastion',
  titleOf: (check) => check,
});
const indicated = (spans: readonly Observation[], incidents: readonly Judged[] = [], at: UnixMs = NOW, risk = RISK) =>
  indicatedAt(risk, ground(spans, incidents), at);

describe('the indicated likelihood', () => {
  it('is what was assessed where nothing speaks against it, with the coverage beside it', () => {
    expect(indicated(passing())).toMatchObject({
      likelihood: 'moderate',
      now: 'moderate',
      because: [],
      coverage: { measured: 4, expected: 4 },
    });
    expect(indicated([])).toMatchObject({ likelihood: 'moderate', because: [], coverage: { measured: 0, expected: 4 } });
  });

  it('rises by one where a grave check fails, and names the observation, the host and what was found', () => {
    const fail = span('root-login', 'fail', NOW - days(1), NOW);
    const got = indicated([...passing().filter(({ check }) => check !== 'root-login'), fail]);
    expect(got).toMatchObject({ likelihood: 'high', since: fail.first });
    expect(got.because).toEqual([
      { kind: 'observation', id: fail.id, text: '"root-login" does not hold on bastion: it is yes, expected no' },
    ]);
  });

  it('is not raised by one small check among many', () => {
    const small = RISK.checks.slice(0, 3).flatMap((check) => span(check, 'pass', START, NOW));
    const risk = { ...RISK, checks: [...RISK.checks, 'a', 'b'] };
    const more = ['a', 'b'].map((check) => span(check, 'pass', START, NOW));
    expect(indicated([...small, ...more, span('banner', 'fail', NOW - 1, NOW, 'low')], [], NOW, risk).likelihood).toBe('moderate');
  });

  it('rises by one while an incident by its techniques is open, by two where one was confirmed and a way is open', () => {
    const open = incident(NOW - days(2), null);
    expect(indicated(passing(), [open])).toMatchObject({
      likelihood: 'high',
      because: [{ kind: 'incident', text: 'INC-8 Brute force, open' }],
    });
    const confirmed = incident(NOW - days(2), moved('contained', NOW - days(1)));
    const fail = span('root-login', 'fail', NOW - days(3), NOW);
    const spans = [...passing().filter(({ check }) => check !== 'root-login'), fail];
    expect(indicated(spans, [confirmed])).toMatchObject({ likelihood: 'very-high', since: NOW - days(1) });
    expect(indicated(spans, [open]).likelihood).toBe('high');
  });

  it('takes no incident of other techniques, none that was found false, and none of replayed lines', () => {
    expect(indicated(passing(), [incident(NOW - days(2), null, ['T1486'])]).likelihood).toBe('moderate');
    expect(indicated(passing(), [incident(NOW - days(2), null, ['T11100'])]).likelihood).toBe('moderate');
    expect(indicated(passing(), [incident(NOW - days(2), moved('dismissed', NOW, { verdict: 'false-positive' }))]).likelihood).toBe(
      'moderate',
    );
    const replayed = incident(NOW - days(2), null);
    expect(indicated(passing(), [{ ...replayed, incident: { ...replayed.incident, replay: true } }]).likelihood).toBe('moderate');
  });

  it('does not fall by itself when the fault is mended; a new assessment lets it', () => {
    const spans = [
      ...passing().filter(({ check }) => check !== 'root-login'),
      span('root-login', 'fail', NOW - days(3), NOW - days(2)),
      span('root-login', 'pass', NOW - days(2) + hours(2), NOW),
    ];
    expect(indicated(spans)).toMatchObject({ likelihood: 'high', now: 'moderate', since: NOW - days(3) });
    expect(indicated(spans).because[0]?.text).toContain('does not hold on bastion');
    const reviewed = { ...RISK, assessed: { ...RISK.assessed, by: 'usr_e', at: unixMs(NOW - hours(1)) } };
    expect(indicated(spans, [], NOW, reviewed)).toMatchObject({ likelihood: 'moderate', now: 'moderate' });
  });

  it('says what stood at a past time', () => {
    const fail = span('root-login', 'fail', NOW - days(1), NOW);
    const spans = [...passing().filter(({ check }) => check !== 'root-login'), fail];
    expect(indicated(spans, [], unixMs(NOW - days(2))).likelihood).toBe('moderate');
  });

  it('reckons the yearly rate from confirmed incidents over the time that was watched', () => {
    const none = indicated(passing()).rate;
    const one = indicated(passing(), [incident(NOW - days(2), moved('contained', NOW - days(1)))]).rate;
    expect(none?.incidents).toBe(0);
    expect(none?.indicated).toBeLessThan(none?.expected as number);
    expect(one).toMatchObject({ incidents: 1, years: expect.closeTo(21 / 365, 6) });
    expect(one?.indicated).toBeGreaterThan(one?.expected as number);
    // An incident that nobody confirmed moves no rate.
    expect(indicated(passing(), [incident(NOW - days(2), null)]).rate).toEqual(none);
  });
});

describe('in any world', () => {
  const results = fc.array(fc.constantFrom<Result>('pass', 'fail', 'error', 'unknown'), { minLength: 4, maxLength: 4 });
  it('telemetry never lowers below what was assessed, a fail more never lowers it, and impact is not touched', () => {
    fc.assert(
      fc.property(results, fc.nat(3), fc.constantFrom(...LIKELIHOODS), (all, which, likelihood) => {
        const risk = { ...RISK, assessed: { ...RISK.assessed, likelihood } };
        const spans = all.map((result, i) => span(RISK.checks[i] as string, result, NOW - days(1), NOW));
        const before = indicated(spans, [], NOW, risk);
        const worse = spans.map((one, i) => (i === which ? { ...one, result: 'fail' as const } : one));
        const after = indicated(worse, [], NOW, risk);
        expect(rankOf(before.likelihood)).toBeGreaterThanOrEqual(rankOf(likelihood));
        expect(rankOf(after.likelihood)).toBeGreaterThanOrEqual(rankOf(before.likelihood));
        expect(rankOf(before.now)).toBeLessThanOrEqual(rankOf(before.likelihood));
        expect(before.coverage.measured).toBeLessThanOrEqual(before.coverage.expected);
      }),
    );
  });
});

describe('the matrix', () => {
  it('rises in both directions, by one step at most between neighbours', () => {
    for (const [i, likelihood] of LIKELIHOODS.entries())
      for (const [j, impact] of LIKELIHOODS.entries()) {
        const here = rankOf(levelOf(likelihood, impact));
        const [right, down] = [LIKELIHOODS[j + 1], LIKELIHOODS[i + 1]];
        for (const next of [right && levelOf(likelihood, right), down && levelOf(down, impact)]) {
          if (next === undefined) continue;
          expect(rankOf(next) - here).toBeGreaterThanOrEqual(0);
          expect(rankOf(next) - here).toBeLessThanOrEqual(1);
        }
      }
    expect(levelOf('high', 'very-high')).toBe('very-high');
    expect(levelOf('very-high', 'very-low')).toBe('very-low');
  });
  it('takes a rate by the chance of one in a year', () => {
    expect([0.01, 0.1, 0.5, 2, 10].map(likelihoodOfRate)).toEqual(['very-low', 'low', 'moderate', 'high', 'very-high']);
  });
});

describe('the proposed register', () => {
  it('has ten scenarios, each with techniques, controls that exist and checks that are mapped', () => {
    const map = parseMap(read('controls/map.yml'), 'map.yml', catalogue);
    const risks = parseRegister(read('risks/proposed.yml'), 'proposed.yml', catalogue, NOW);
    expect(risks).toHaveLength(10);
    expect(new Set(risks.map(({ id }) => id)).size).toBe(10);
    for (const { checks, title } of risks)
      expect(
        checks.filter((check) => !map.ofCheck.has(check)),
        title,
      ).toEqual([]);
    // Nothing is above its tolerance before something was measured.
    for (const { title, assessed, tolerance } of risks)
      expect(rankOf(levelOf(assessed.likelihood, assessed.impact)), title).toBeLessThanOrEqual(rankOf(tolerance));
    expect(risks.every(({ status, assessed }) => status === 'proposed' && assessed.by === 'proposed')).toBe(true);
  });
});
