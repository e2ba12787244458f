// SPDX-License-Identifier: Apache-2.0
/**
 * The laws of the report over random worlds: unknown is no pass, a fail more improves nothing, less coverage improves nothing, every percentage has its count.
 * Input: random answers of hosts to checks. Output: claims about posture and settings.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unixMs } from '../../core/units.ts';
import { emptyInputs, hostId, WEEK } from '../../test/support/report.ts';
import { makeEntity } from '../model/entity.ts';
import { type Observation, observationId, RESULTS, type Result } from '../model/observation.ts';
import type { ReportInputs } from './inputs.ts';
import { weeklyFigures } from './weekly.ts';
import { percent } from './words.ts';

const HOSTS = ['a', 'b', 'c'] as const;
const CHECKS = ['one', 'two', 'three', 'four'] as const;

interface Answered {
  readonly host: (typeof HOSTS)[number];
  readonly check: (typeof CHECKS)[number];
  readonly result: Result;
  readonly fresh: boolean;
  readonly waived: boolean;
}

const span = ({ host, check, result, fresh, waived }: Answered): Observation => {
  const subject = makeEntity('host', hostId(host));
  const first = unixMs(WEEK.from - 1_000_000);
  const end = unixMs(fresh ? WEEK.to + 1 : WEEK.from + 1_000);
  const waiver = { reason: 'for now', owner: 'o', until: unixMs(WEEK.to + 1_000) };
  return {
    ...{ id: observationId(check, subject, first), check, subject, result, actual: '', expected: '', severity: 'high', first, last: first },
    ...{ expires: end, open: true },
    ...(waived ? { waiver } : {}),
  };
};

const world = (answers: readonly Answered[]): ReportInputs => {
  const empty = emptyInputs();
  const leaves = empty.controls.controls.filter(({ kind }) => kind === 'subcategory');
  return {
    ...empty,
    observations: answers.map(span),
    controls: {
      ...empty.controls,
      stays: HOSTS.map((name) => ({ host: hostId(name), from: unixMs(0), to: unixMs(253_402_300_799_999) })),
      mappings: CHECKS.flatMap((check, i) =>
        leaves.slice(i * 3, i * 3 + 5).map(({ ref }) => ({ check, control: ref, relationship: 'intersects-with' as const })),
      ),
    },
  };
};

/** At most one answer of each host to each check. */
const worlds = fc.uniqueArray(
  fc.record({
    host: fc.constantFrom(...HOSTS),
    check: fc.constantFrom(...CHECKS),
    result: fc.constantFrom(...RESULTS.filter((result) => result !== 'not-applicable')),
    fresh: fc.boolean(),
    waived: fc.boolean(),
  }),
  { selector: ({ host, check }) => `${host} ${check}`, minLength: 1 },
);

const of = (answers: readonly Answered[]) => {
  const { settings, controls } = weeklyFigures(world(answers));
  return { settings: settings.all, posture: controls.now };
};

describe('the report over random worlds', () => {
  it('counts every expected answer, and only a fresh pass as one', () => {
    fc.assert(
      fc.property(worlds, (answers) => {
        const { settings, posture } = of(answers);
        expect(settings.expected).toBe(HOSTS.length * CHECKS.length);
        expect(settings.pass + settings.fail + settings.excepted + settings.unknown).toBe(settings.expected);
        expect(settings.pass).toBe(answers.filter(({ result, fresh }) => fresh && result === 'pass').length);
        expect(posture.satisfied + posture.failing + posture.unknown + posture.unmeasured).toBe(posture.of);
        expect(posture.percent).toBe(percent(posture.satisfied, posture.satisfied + posture.failing));
      }),
      { numRuns: 60 },
    );
  });

  it('is improved by no answer that fails', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), (answers, n) => {
        const at = n % answers.length;
        const worse = answers.map((one, i) => (i === at ? { ...one, result: 'fail' as const, fresh: true, waived: false } : one));
        const [before, after] = [of(answers), of(worse)];
        expect(after.settings.pass).toBeLessThanOrEqual(before.settings.pass);
        expect(after.settings.fail).toBeGreaterThanOrEqual(before.settings.fail);
        expect(after.posture.satisfied).toBeLessThanOrEqual(before.posture.satisfied);
        expect(after.posture.failing).toBeGreaterThanOrEqual(before.posture.failing);
      }),
      { numRuns: 60 },
    );
  });

  it('is improved by no answer that is missing or stale', () => {
    fc.assert(
      fc.property(worlds, fc.nat(), fc.boolean(), (answers, n, stale) => {
        const at = n % answers.length;
        const fewer = stale ? answers.map((one, i) => (i === at ? { ...one, fresh: false } : one)) : answers.filter((_, i) => i !== at);
        const [before, after] = [of(answers), of(fewer)];
        expect(after.settings.expected).toBe(before.settings.expected);
        expect(after.settings.pass).toBeLessThanOrEqual(before.settings.pass);
        expect(after.settings.unknown).toBeGreaterThanOrEqual(before.settings.unknown);
        expect(after.posture.satisfied).toBeLessThanOrEqual(before.posture.satisfied);
      }),
      { numRuns: 60 },
    );
  });

  it('says the same whatever order the facts came in', () => {
    fc.assert(
      fc.property(worlds, (answers) => {
        expect(of([...answers].reverse())).toEqual(of(answers));
      }),
      { numRuns: 40 },
    );
  });
});
