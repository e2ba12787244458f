// SPDX-License-Identifier: Apache-2.0
/**
 * The figures of a week and what the first page says of them: each rule by the facts that call it.
 * Input: weeks as facts. Output: figures and sentences.
 */
import { describe, expect, it } from 'vitest';
import { unixMs } from '../../core/units.ts';
import { busyInputs, emptyInputs, hostId, hostileInputs, quietInputs, WEEK } from '../../test/support/report.ts';
import { decisionsOf } from './decision.ts';
import { gapsOf } from './gap.ts';
import { leadOf } from './headline.ts';
import type { ReportInputs, WindowInput } from './inputs.ts';
import { movementsOf } from './movement.ts';
import { riskSection } from './section/risks.ts';
import { weeklyFigures } from './weekly.ts';
import { timesOf } from './words.ts';

const HOUR = 3_600_000;
const times = timesOf(WEEK);
const lead = (inputs: ReportInputs) => leadOf(weeklyFigures(inputs), times);
const now = (inputs: ReportInputs, more: Partial<WindowInput>): ReportInputs => ({ ...inputs, now: { ...inputs.now, ...more } });

describe('incidents of a week', () => {
  const { incidents } = weeklyFigures(busyInputs());

  it('are those that touch it, by their steps before its end', () => {
    expect([incidents.opened, incidents.carriedIn, incidents.closed, incidents.open]).toEqual([2, 1, 1, 2]);
    expect(incidents.incidents.map(({ number, state, open, acknowledged }) => [number, state, open, acknowledged])).toEqual([
      [6, 'closed', false, true],
      [8, 'recovered', true, true],
      [9, 'new', true, false],
    ]);
  });

  it('have clocks that are met, missed, or run on; what may still be met is not due', () => {
    const of = (number: number) =>
      incidents.incidents
        .find((one) => one.number === number)
        ?.clocks.map(({ step, spanMs, running, met }) => [step, (spanMs ?? 0) / 60_000, running, met]);
    expect(of(8)?.slice(0, 2)).toEqual([
      ['detect', 91 / 60, false, null],
      ['acknowledge', 307 - 91 / 60, false, false],
    ]);
    expect(of(9)?.[1]?.slice(2)).toEqual([true, null]);
    expect(incidents.steps.map(({ step, met, due }) => [step, met, due])).toEqual([
      ['detect', 0, 0],
      ['acknowledge', 0, 2],
      ['contain', 0, 2],
      ['resolve', 1, 2],
    ]);
  });

  it('do not change by what people did after the week', () => {
    const inputs = busyInputs();
    const late = inputs.now.incidents.map((one) => ({
      ...one,
      moves: [...one.moves, { to: 'closed' as const, at: unixMs(WEEK.to + HOUR), by: 'usr_x' }],
    }));
    expect(weeklyFigures(now(inputs, { incidents: late })).incidents.incidents.map(({ state }) => state)).toEqual([
      'closed',
      'recovered',
      'new',
    ]);
  });

  it('that came as old lines have no time of detection', () => {
    const inputs = busyInputs();
    const replayed = inputs.now.incidents.map((one) => ({ ...one, replay: true }));
    expect(weeklyFigures(now(inputs, { incidents: replayed })).incidents.steps[0]).toMatchObject({ n: 0, medianMs: null });
  });

  it('and alerts are counted by day and level, and add up', () => {
    expect(incidents.alerts).toBe(46);
    expect(incidents.byDay.flatMap((day) => Object.values(day)).reduce((a, b) => a + b)).toBe(46);
    expect(Object.values(incidents.byLevel).reduce((a, b) => a + b)).toBe(46);
    expect(Object.values(incidents.verdicts).reduce((a, b) => a + b) + incidents.alertsOpen).toBe(46);
  });
});

describe('settings of a week', () => {
  const { settings, before } = weeklyFigures(busyInputs());

  it('are the answers as they stood at its end; a stale one is unknown, a waived fail is excepted', () => {
    expect(settings.all).toEqual({ pass: 27, fail: 1, excepted: 1, unknown: 1, expected: 30 });
    expect(settings.failing.map(({ check, names }) => [check, names])).toEqual([['firewall-active', ['web-1']]]);
    expect(settings.waivers.map(({ owner }) => owner)).toEqual(['J. Weber']);
  });

  it('name what turned, and the week before is told by the same spans', () => {
    expect(settings.changed.map(({ check, name, from, to }) => [check, name, from, to])).toEqual([
      ['ssh-password-login-disabled', 'bastion-1', 'fail', 'pass'],
      ['firewall-active', 'web-1', 'pass', 'fail'],
    ]);
    expect(before.settings.all).toEqual({ pass: 28, fail: 1, excepted: 1, unknown: 0, expected: 30 });
  });

  it('are no better for a host that stopped answering', () => {
    const inputs = busyInputs();
    const silent = inputs.observations.map((one) => (one.subject.endsWith(hostId('web-2')) ? { ...one, expires: unixMs(WEEK.from) } : one));
    const { all } = weeklyFigures({ ...inputs, observations: silent }).settings;
    expect(all).toMatchObject({ expected: 30, unknown: 7, pass: 21 });
  });
});

describe('coverage of a week', () => {
  it('counts hosts, losses and what fell quiet', () => {
    const inputs = busyInputs();
    const fewer = now(inputs, { records: { ...inputs.now.records, byDataset: inputs.now.records.byDataset.slice(1) } });
    const { coverage } = weeklyFigures(fewer);
    expect(coverage).toMatchObject({ expected: 5, reporting: 4, heard: 5, silent: ['web-2'], lost: 17, quiet: ['sshd'], failed: 1_204 });
    expect(coverage.techniques).toEqual({ live: 40, of: 40 });
  });

  it('keeps a silent host in the population', () => {
    const inputs = quietInputs();
    const silent = {
      ...inputs,
      moment: { ...inputs.moment, hosts: inputs.moment.hosts.map((one) => ({ ...one, standing: 'silent' as const })) },
    };
    expect(weeklyFigures(silent).coverage).toMatchObject({ expected: 5, reporting: 0 });
  });
});

describe('the headline', () => {
  it('says the worst incident first, and how long nobody answered', () => {
    expect(lead(busyInputs()).headline).toBe('Two grave incidents, the worst five hours unanswered');
    const one = now(busyInputs(), {
      incidents: busyInputs()
        .now.incidents.slice(1, 2)
        .map((incident) => ({ ...incident, hosts: ['bastion-1'] })),
    });
    expect(lead(one).headline).toBe('One critical incident on bastion-1, five hours unanswered');
    expect(lead(one).standfirst).toContain('began on bastion-1 on Thursday at 02:14 and was noticed after 1 min 31 s.');
  });

  it('says when nobody has answered at all', () => {
    const open = now(busyInputs(), {
      incidents: busyInputs()
        .now.incidents.slice(1, 2)
        .map((incident) => ({ ...incident, moves: [], hosts: [] })),
    });
    expect(lead(open).headline).toBe('One critical incident, and nobody has answered');
  });

  it('is not an incident that was found to be benign', () => {
    const benign = now(busyInputs(), {
      incidents: busyInputs()
        .now.incidents.slice(0, 1)
        .map((incident) => ({ ...incident, verdict: 'benign' })),
      notices: [],
    });
    expect(lead(benign).headline).toBe('One of five hosts has fallen silent');
  });

  it('is what was lost, or who fell silent, or what fails more, where nothing graver happened', () => {
    const none = now(busyInputs(), { incidents: [], alerts: [] });
    expect(lead(none).headline).toBe('No grave incident, but records were lost');
    const failing = { ...quietInputs(), observations: quietInputs().observations.filter(({ check }) => check === 'firewall-active') };
    expect(lead(failing).headline).toBe('No grave incident, but one more check fails');
  });

  it('is not quiet where nobody listened', () => {
    expect(lead(emptyInputs()).headline).toBe('Nothing was heard this week, so nothing is known');
    const unheard = { ...quietInputs(), now: emptyInputs().now };
    expect(lead(unheard).standfirst).toBe('None of five expected hosts sent a record. That is not a quiet week; it is an unseen one.');
  });

  it('is quiet where all were heard', () => {
    expect(lead({ ...quietInputs(), observations: [] }).headline).toBe('A quiet week, and every host was heard');
  });

  it('has at most ten words, whatever names hold', () => {
    for (const inputs of [emptyInputs(), quietInputs(), busyInputs(), hostileInputs()]) {
      expect(lead(inputs).headline.split(' ').length).toBeLessThanOrEqual(10);
      expect(lead(inputs).headline).not.toContain('<');
    }
  });
});

describe('the register of risks', () => {
  it('is moved by what a failing check opens and an incident used', () => {
    const { risks } = weeklyFigures(busyInputs());
    const first = risks.risks.find(({ number }) => number === 1);
    // Passwords were open the week before; in this week the incident came through them.
    expect(first).toMatchObject({ above: true, wasAbove: true, before: 'high', proposed: true });
    expect(first?.because.map(({ kind }) => kind)).toContain('incident');
    expect(risks.above).toBe(risks.risks.filter(({ above }) => above).length);
    const shut = busyInputs().observations.map((one) =>
      one.result === 'fail' && one.waiver === undefined ? { ...one, result: 'pass' as const } : one,
    );
    const byIncident = weeklyFigures({ ...busyInputs(), observations: shut }).risks;
    expect(byIncident.risks.find(({ number }) => number === 1)).toMatchObject({ above: true, wasAbove: false, before: 'moderate' });
    expect(byIncident.moved).toBeGreaterThan(0);
  });

  it('is not within tolerance because nothing is measured', () => {
    const unmeasured = { ...quietInputs(), observations: [] };
    const figures = weeklyFigures(unmeasured);
    expect(figures.risks.risks.every(({ measured }) => measured === 0)).toBe(true);
    expect(riskSection(figures.risks, figures.settings, times, WEEK.to).takeaway).toBe(
      'Nothing that ten risks rest on is measured, so none can be said to be within tolerance.',
    );
  });
});

describe('controls of a week', () => {
  const { controls } = weeklyFigures(busyInputs());

  it('are satisfied, failing, unknown or without a check, and add up', () => {
    const { satisfied, failing, unknown, unmeasured, of } = controls.now;
    expect(of).toBe(106);
    expect(satisfied + failing + unknown + unmeasured).toBe(106);
    expect(controls.functions.reduce((sum, one) => sum + one.of, 0)).toBe(106);
    expect(controls.line).toHaveLength(13);
    expect(controls.line.at(-1)).toEqual({ week: '2026-W47', percent: controls.now.percent });
    expect(controls.line[0]).toEqual({ week: '2026-W35', percent: null });
  });

  it('name the answers that turned them, by their observations', () => {
    const turned = controls.turned.find(({ from, to }) => from === 'satisfied' && to === 'not-satisfied');
    expect(turned?.because).toEqual(['firewall-active on web-1: fail']);
    expect(turned?.observations[0]).toMatch(/^obs_/);
  });

  it('are unknown, and never satisfied, once nobody answers', () => {
    const stale = busyInputs().observations.map((one) => ({ ...one, expires: unixMs(WEEK.from + HOUR) }));
    const { now } = weeklyFigures({ ...busyInputs(), observations: stale }).controls;
    expect([now.satisfied, now.failing, now.percent]).toEqual([0, 0, null]);
  });
});

describe('entities of a week', () => {
  it('have shares that add up to their score, and their change over the week', () => {
    const { hosts } = weeklyFigures(busyInputs()).entities;
    for (const one of hosts) {
      const sum = (all: readonly { readonly share: number }[]): number => Math.round(all.reduce((n, { share }) => n + share, 0) * 10) / 10;
      expect([sum(one.threatShares), sum(one.exposureShares)]).toEqual([one.threat, one.exposure]);
    }
    expect(hosts[0]).toMatchObject({ name: 'bastion-1', held: true });
    expect(hosts[0]?.threatBy).toBe(hosts[0]?.threat);
  });
});

describe('better and worse', () => {
  const of = (inputs: ReportInputs) => movementsOf(weeklyFigures(inputs), 5, inputs.before.records.total > 0, null);

  it('compare with the week before', () => {
    const { better, worse } = of(busyInputs());
    expect(better.map(({ head }) => head)).toEqual(['Settings', 'Controls']);
    expect(worse.map(({ head }) => head)).toEqual(['Grave incidents', 'Time to acknowledge', 'Records lost', 'Controls']);
    expect(worse[1]?.text).toBe('Two clocks missed, INC-6 and INC-8; none a week before.');
  });

  it('say nothing where there is nothing to compare', () => {
    expect(of(emptyInputs())).toEqual({ better: [], worse: [] });
    expect(of({ ...quietInputs(), observations: [] })).toEqual({ better: [], worse: [] });
  });
});

describe('decisions and gaps', () => {
  it('wait for a person, the incident first', () => {
    const inputs = busyInputs();
    const texts = decisionsOf(inputs, weeklyFigures(inputs), times).map(({ text }) => text);
    expect(texts[0]).toBe('Take INC-9, or dismiss it with a reason');
    expect(texts).toContain('Bring web-2 back, or retire it with a reason');
    expect(texts).toContain('Renew or end the exception of “core-dumps-restricted” on db-1');
    expect(decisionsOf(emptyInputs(), weeklyFigures(emptyInputs()), times).map(({ text }) => text)).toEqual([
      'Enrol the first host, so that there is something to report',
    ]);
  });

  it('name what could not be seen', () => {
    const gaps = gapsOf(weeklyFigures(busyInputs()), times).map(({ what }) => what);
    expect(gaps).toContain('17 records declared lost, first Thu 02:14');
    expect(gaps).toContain('1 source an agent may not read');
  });
});
