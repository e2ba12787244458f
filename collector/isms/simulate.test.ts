// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../core/errors.ts';
import { openDraws } from './random.ts';
import { readSimulation, type Simulation, simulate } from './simulate.ts';

const DRAWS = 400_000;
const LOGNORMAL = { lognormal: { p5: 10_000, p95: 500_000 } };
const MU = (Math.log(10_000) + Math.log(500_000)) / 2;
const SIGMA = Math.log(50) / 3.289707253902945;
const MEAN = Math.exp(MU + SIGMA ** 2 / 2);
const SECOND = Math.exp(2 * MU + 2 * SIGMA ** 2);

/** Distribution function of the normal distribution, to 1e-7. */
const phi = (x: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
};

const run = (more: Partial<Simulation>): ReturnType<typeof simulate> =>
  simulate({ frequency: { poisson: 0.8 }, loss: LOGNORMAL, draws: DRAWS, seed: 7, ...more });

/** Four standard errors of a mean. */
const near = (variance: number): number => 4 * Math.sqrt(variance / DRAWS);

describe('a simulated year', () => {
  it('has the mean and the spread that theory gives for Poisson and lognormal', () => {
    for (const lambda of [0.1, 0.8, 5, 30]) {
      const { mean, sd, zero } = run({ frequency: { poisson: lambda } });
      expect(Math.abs(mean - lambda * MEAN)).toBeLessThan(near(lambda * SECOND));
      expect(Math.abs(sd / Math.sqrt(lambda * SECOND) - 1)).toBeLessThan(0.08);
      expect(Math.abs(zero - Math.exp(-lambda))).toBeLessThan(near(Math.exp(-lambda) * (1 - Math.exp(-lambda))) + 1e-5);
    }
  });

  it('has the mean and the tail that theory gives for Bernoulli and lognormal', () => {
    const p = 0.3;
    const { mean, over, p95, zero } = run({ frequency: { bernoulli: p }, threshold: 200_000 });
    expect(Math.abs(mean - p * MEAN)).toBeLessThan(near(p * SECOND - (p * MEAN) ** 2));
    const expected = p * (1 - phi((Math.log(200_000) - MU) / SIGMA));
    expect(Math.abs((over as number) - expected)).toBeLessThan(near(expected * (1 - expected)));
    expect(Math.abs(zero - (1 - p))).toBeLessThan(near(p * (1 - p)));
    // P(L > p95) is a twentieth.
    expect(Math.abs(p * (1 - phi((Math.log(p95) - MU) / SIGMA)) - 0.05)).toBeLessThan(0.002);
  });

  it('has the mean that theory gives for PERT, and stays within its bounds', () => {
    const loss = { pert: { min: 1_000, mode: 4_000, max: 30_000 } };
    const { mean, sd, exceedance } = run({ frequency: { bernoulli: 1 }, loss });
    const expected = (1_000 + 4 * 4_000 + 30_000) / 6;
    const variance = ((expected - 1_000) * (30_000 - expected)) / 7;
    expect(Math.abs(mean - expected)).toBeLessThan(near(variance));
    expect(Math.abs(sd / Math.sqrt(variance) - 1)).toBeLessThan(0.01);
    expect(exceedance.every(([amount]) => amount <= 30_000)).toBe(true);
    const atMode = run({ frequency: { bernoulli: 1 }, loss: { pert: { min: 0, mode: 0, max: 6 } } });
    expect(Math.abs(atMode.mean - 1)).toBeLessThan(0.01);
  });

  it('is the same for the same seed and another for another', () => {
    const of = (seed: number) => run({ draws: 10_000, seed });
    expect(of(1)).toEqual(of(1));
    expect(of(1).mean).not.toBe(of(2).mean);
  });

  it('has a curve that falls, from the share of years with a loss to none', () => {
    const { exceedance, zero } = run({});
    expect(exceedance[0]).toEqual([0, expect.closeTo(1 - zero, 10)]);
    expect(exceedance.at(-1)?.[1]).toBe(0);
    for (const [i, [loss, probability]] of exceedance.entries())
      if (i > 0) {
        expect(loss).toBeGreaterThan(exceedance[i - 1]?.[0] as number);
        expect(probability).toBeLessThanOrEqual(exceedance[i - 1]?.[1] as number);
      }
    expect(run({ frequency: { poisson: 0 }, draws: 100 })).toMatchObject({ mean: 0, p99: 0, zero: 1, exceedance: [[0, 0]] });
  });
});

describe('the random numbers', () => {
  it('are uniform, and the normal ones normal', () => {
    const draws = openDraws(3);
    const buckets = new Array<number>(20).fill(0);
    for (let i = 0; i < 200_000; i += 1) {
      const bucket = Math.floor(draws.uniform() * 20);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    // Chi squared with 19 degrees of freedom is over 43.8 once in a thousand rows.
    expect(buckets.reduce((chi, n) => chi + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(43.8);
    let [sum, squares] = [0, 0];
    for (let i = 0; i < 200_000; i += 1) {
      const x = draws.normal();
      sum += x;
      squares += x * x;
    }
    expect(Math.abs(sum / 200_000)).toBeLessThan(0.01);
    expect(Math.abs(squares / 200_000 - 1)).toBeLessThan(0.02);
  });
});

describe('bad input', () => {
  const codeOf = (value: unknown): string => {
    try {
      readSimulation(value, () => 1);
    } catch (error) {
      if (isCoded(error)) return `${error.code} ${error.message}`;
      throw error;
    }
    return 'taken';
  };
  const good = { frequency: { poisson: 1 }, loss: LOGNORMAL };

  it('is named with what it must be', () => {
    expect(codeOf(good)).toBe('taken');
    expect(codeOf([])).toContain('SIMULATION_BAD the scenario: it is an object with frequency');
    expect(codeOf({ ...good, frequncy: 1 })).toContain('"frequncy" is none of');
    expect(codeOf({ ...good, frequency: { poisson: -1 } })).toContain('frequency.poisson: it lies from 0');
    expect(codeOf({ ...good, frequency: { bernoulli: 1.1 } })).toContain('frequency.bernoulli: it lies from 0 to 1');
    expect(codeOf({ ...good, frequency: { poisson: 1, bernoulli: 1 } })).toContain('it has one of poisson, bernoulli');
    expect(codeOf({ ...good, loss: { lognormal: { p5: 5, p95: 5 } } })).toContain('p5 is under p95');
    expect(codeOf({ ...good, loss: { lognormal: { p5: 0, p95: 5 } } })).toContain('it is over 0');
    expect(codeOf({ ...good, loss: { pert: { min: 3, mode: 2, max: 5 } } })).toContain('min, mode and max rise');
    expect(codeOf({ ...good, draws: 0.5 })).toContain('draws: it');
    expect(codeOf({ ...good, draws: 1e9 })).toContain('draws: it lies from 1 to 10000000');
    expect(codeOf({ ...good, frequency: { poisson: 90_000 }, draws: 100_000 })).toContain('draws times poisson is at most');
    expect(codeOf({ ...good, seed: '7' })).toContain('seed: it is a number');
  });

  it('never ends in anything but a coded error or a simulation', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(codeOf(value)).toMatch(/^(taken|SIMULATION_BAD)/);
      }),
    );
  });
});
