// SPDX-License-Identifier: Apache-2.0
/**
 * What a risk may cost in a year, by Monte Carlo: how often, times how much each time. Pure; the seed gives the same digits again.
 * Input: a frequency, a loss, how many draws. Output: mean, spread, percentiles, the loss exceedance curve.
 */
import { fault } from '../errors.ts';
import { type Draws, openDraws } from './random.ts';

export type Frequency = { readonly poisson: number } | { readonly bernoulli: number };
export type Loss =
  /** A 90 % interval. */
  | { readonly lognormal: { readonly p5: number; readonly p95: number } }
  | { readonly pert: { readonly min: number; readonly mode: number; readonly max: number } };

export interface Simulation {
  readonly frequency: Frequency;
  readonly loss: Loss;
  readonly draws: number;
  readonly seed: number;
  readonly threshold?: number;
}

export interface Simulated {
  readonly mean: number;
  readonly sd: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  /** Share of years without a loss. */
  readonly zero: number;
  /** Share of years whose loss is over the threshold. */
  readonly over?: number;
  /** Loss, and the share of years whose loss is over it. */
  readonly exceedance: readonly (readonly [loss: number, probability: number])[];
  readonly seed: number;
}

export const DEFAULT_DRAWS = 100_000;
const MOST_DRAWS = 10_000_000;
/** Losses that one simulation draws, expected: beyond it takes minutes. */
const MOST_LOSSES = 200_000_000;
/** Width of a 90 % interval of the normal distribution. */
const NORMAL_90 = 3.289707253902945;
const CURVE_POINTS = 40;

// ─── Input ─────────────────────────────────────────────────────────────────────────────────────

/** @throws CodedError SIMULATION_BAD that names the value and what it must be. */
export const readSimulation = (value: unknown, seedOf: () => number): Simulation => {
  const { frequency, loss, draws, seed, threshold } = objectOf(value, 'the scenario', ['frequency', 'loss', 'draws', 'seed', 'threshold']);
  const read = {
    frequency: frequencyOf(frequency),
    loss: lossOf(loss),
    draws: draws === undefined ? DEFAULT_DRAWS : integerOf(draws, 'draws', 1, MOST_DRAWS),
    seed: seed === undefined ? seedOf() : integerOf(seed, 'seed', 0, 0xffff_ffff),
    ...(threshold === undefined ? {} : { threshold: numberOf(threshold, 'threshold', 0, Number.MAX_VALUE) }),
  };
  const each = 'poisson' in read.frequency ? Math.max(1, read.frequency.poisson) : 1;
  if (read.draws * each > MOST_LOSSES) throw bad('draws', `draws times poisson is at most ${MOST_LOSSES}`);
  return read;
};

const bad = (what: string, reason: string): Error => fault('SIMULATION_BAD', { what, reason });

const objectOf = (value: unknown, what: string, keys: readonly string[]): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(what, `it is an object with ${keys.join(', ')}`);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw bad(what, `"${unknown}" is none of ${keys.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
};

const numberOf = (value: unknown, what: string, min: number, max: number): number => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(what, 'it is a number');
  if (value < min || value > max) throw bad(what, `it lies from ${min} to ${max}`);
  return value;
};

const integerOf = (value: unknown, what: string, min: number, max: number): number => {
  const n = numberOf(value, what, min, max);
  if (!Number.isInteger(n)) throw bad(what, 'it is a whole number');
  return n;
};

const oneOf = (value: unknown, what: string, kinds: readonly string[]): readonly [kind: string, of: unknown] => {
  const object = objectOf(value, what, kinds);
  const [first, ...more] = Object.entries(object);
  if (first === undefined || more.length > 0) throw bad(what, `it has one of ${kinds.join(', ')}`);
  return first;
};

const frequencyOf = (value: unknown): Frequency => {
  const [kind, of] = oneOf(value, 'frequency', ['poisson', 'bernoulli']);
  return kind === 'poisson'
    ? { poisson: numberOf(of, 'frequency.poisson', 0, 100_000) }
    : { bernoulli: numberOf(of, 'frequency.bernoulli', 0, 1) };
};

/** Largest single loss that is taken: sums of many stay finite. */
const MOST_LOSS = 1e15;

const lossOf = (value: unknown): Loss => {
  const [kind, of] = oneOf(value, 'loss', ['lognormal', 'pert']);
  if (kind === 'lognormal') {
    const { p5, p95 } = objectOf(of, 'loss.lognormal', ['p5', 'p95']);
    const [low, high] = [numberOf(p5, 'loss.lognormal.p5', 0, MOST_LOSS), numberOf(p95, 'loss.lognormal.p95', 0, MOST_LOSS)];
    if (low <= 0) throw bad('loss.lognormal.p5', 'it is over 0');
    if (low >= high) throw bad('loss.lognormal', 'p5 is under p95');
    return { lognormal: { p5: low, p95: high } };
  }
  const { min, mode, max } = objectOf(of, 'loss.pert', ['min', 'mode', 'max']);
  const [low, most, high] = [
    numberOf(min, 'loss.pert.min', 0, MOST_LOSS),
    numberOf(mode, 'loss.pert.mode', 0, MOST_LOSS),
    numberOf(max, 'loss.pert.max', 0, MOST_LOSS),
  ];
  if (!(low <= most && most <= high && low < high)) throw bad('loss.pert', 'min, mode and max rise, and min is under max');
  return { pert: { min: low, mode: most, max: high } };
};

// ─── Draws ─────────────────────────────────────────────────────────────────────────────────────

const counter = (frequency: Frequency, draws: Draws): (() => number) => {
  if ('poisson' in frequency) return () => draws.poisson(frequency.poisson);
  return () => (draws.uniform() < frequency.bernoulli ? 1 : 0);
};

const drawer = (loss: Loss, draws: Draws): (() => number) => {
  if ('lognormal' in loss) {
    const [low, high] = [Math.log(loss.lognormal.p5), Math.log(loss.lognormal.p95)];
    const [mu, sigma] = [(low + high) / 2, (high - low) / NORMAL_90];
    return () => Math.exp(mu + sigma * draws.normal());
  }
  const { min, mode, max } = loss.pert;
  const [alpha, beta] = [1 + (4 * (mode - min)) / (max - min), 1 + (4 * (max - mode)) / (max - min)];
  return () => {
    const x = draws.gamma(alpha);
    return min + (max - min) * (x / (x + draws.gamma(beta)));
  };
};

export const simulate = ({ frequency, loss, draws: n, seed, threshold }: Simulation): Simulated => {
  const draws = openDraws(seed);
  const [count, draw] = [counter(frequency, draws), drawer(loss, draws)];
  const years = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i += 1) {
    let total = 0;
    for (let events = count(); events > 0; events -= 1) total += draw();
    years[i] = total;
    sum += total;
  }
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i += 1) squares += ((years[i] as number) - mean) ** 2;
  years.sort();
  /** The least loss that a share of the years does not pass. */
  const quantile = (share: number): number => years[Math.max(0, Math.ceil(share * n) - 1)] as number;
  return {
    mean,
    sd: Math.sqrt(squares / n),
    p50: quantile(0.5),
    p90: quantile(0.9),
    p95: quantile(0.95),
    p99: quantile(0.99),
    zero: firstOver(years, 0) / n,
    ...(threshold === undefined ? {} : { over: (n - firstOver(years, threshold)) / n }),
    exceedance: curveOf(years),
    seed,
  };
};

/** Index of the first value over a limit, in sorted values. */
const firstOver = (sorted: Float64Array, limit: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Points at equal steps of the logarithm, from a loss that all but a hundredth of the years with one pass, to the greatest. */
const curveOf = (sorted: Float64Array): Simulated['exceedance'] => {
  const n = sorted.length;
  const first = firstOver(sorted, 0);
  const points: (readonly [number, number])[] = [[0, (n - first) / n]];
  if (first === n) return points;
  const [low, high] = [sorted[first + Math.floor((n - 1 - first) / 100)] as number, sorted[n - 1] as number];
  for (let i = 0; i <= CURVE_POINTS; i += 1) {
    const loss = i === CURVE_POINTS ? high : low * (high / low) ** (i / CURVE_POINTS);
    if (loss > (points.at(-1)?.[0] ?? 0)) points.push([loss, (n - firstOver(sorted, loss)) / n]);
  }
  return points;
};
