// SPDX-License-Identifier: Apache-2.0
/**
 * The formula: inputs and a time give both scores with exact shares. Pure; the order of inputs does not matter.
 * Input: contributions and context. Output: scores from 0 to 99.9, shares that add up to them, the score without each, the next decay.
 */
import { days, minutes, type UnixMs, unixMs } from '../../core/units.ts';
import type { Contribution, Score, ScoreInputs, Share } from '../model/score.ts';
import { CLAMP, EXPOSURE_BASE, HALF_LIFE, HIGHEST, repeatFactor, THREAT_BASE } from './weights.ts';

type Base = typeof THREAT_BASE;

/** One decimal, as people see it. */
export const rounded = (score: number): number => Math.min(HIGHEST, Math.round(score * 10) / 10);

const factorAt = ({ factor, factorUntil }: Contribution, at: UnixMs): number =>
  factorUntil !== undefined && at >= factorUntil ? 1 : factor;

/** What one rule or check weighs at a time, from 0 to 99. */
const weightAt = (one: Contribution, base: Base, at: UnixMs): number => {
  const age = one.frozen || one.last === null ? 0 : Math.max(0, at - one.last);
  const full = base[one.level] * one.confidence * repeatFactor(one.count) * factorAt(one, at);
  return Math.min(CLAMP, full) * 2 ** (-age / HALF_LIFE[one.level]);
};

/** Distinct rules as independent chances. Weights are taken in one order, so that no digit hangs on how they came. */
const combine = (weights: readonly number[]): number =>
  100 * (1 - [...weights].sort((a, b) => a - b).reduce((rest, weight) => rest * (1 - weight / 100), 1));

const inContext = (combined: number, odds: number): number => {
  if (combined <= 0) return 0;
  const shifted = (Math.min(combined, 100 - 1e-9) / (100 - Math.min(combined, 100 - 1e-9))) * odds;
  return Math.min(HIGHEST, (100 * shifted) / (1 + shifted));
};

interface Side {
  readonly score: number;
  readonly combined: number;
  readonly shares: readonly Share[];
}

const sideAt = (contributions: readonly Contribution[], base: Base, odds: number, at: UnixMs): Side => {
  const weighed = contributions
    .map((one) => ({ one, weight: weightAt(one, base, at) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || (a.one.key < b.one.key ? -1 : 1));
  const weights = weighed.map(({ weight }) => weight);
  const score = rounded(inContext(combine(weights), odds));
  const points = shareOut(
    Math.round(score * 10),
    weights.map((weight) => -Math.log1p(-weight / 100)),
  );
  const shares = weighed.map(({ one, weight }, i) => ({
    key: one.key,
    title: one.title,
    weight: Math.round(weight * 10) / 10,
    share: (points[i] as number) / 10,
    without: rounded(inContext(combine(weights.filter((_, other) => other !== i)), odds)),
    count: one.count,
    held: one.frozen,
    sources: one.sources,
  }));
  return { score, combined: rounded(combine(weights)), shares };
};

/** Whole tenths in proportion, by largest remainder: they add up to the whole. */
const shareOut = (tenths: number, parts: readonly number[]): readonly number[] => {
  const sum = parts.reduce((a, b) => a + b, 0);
  const exact = parts.map((part) => (sum === 0 ? 0 : (part / sum) * tenths));
  const whole = exact.map(Math.floor);
  const left = sum === 0 ? 0 : tenths - whole.reduce((a, b) => a + b, 0);
  const order = exact.map((value, i) => ({ i, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (const { i } of order.slice(0, left)) whole[i] = (whole[i] as number) + 1;
  return whole;
};

export const oddsOf = ({ context }: Pick<ScoreInputs, 'context'>): number => context.reduce((product, { odds }) => product * odds, 1);

const threatAt = (inputs: ScoreInputs, at: UnixMs): number =>
  rounded(inContext(combine(inputs.threat.map((one) => weightAt(one, THREAT_BASE, at))), oddsOf(inputs)));

/** Both scores alone, for lists and snapshots. */
export const valuesAt = (inputs: ScoreInputs, at: UnixMs): { readonly threat: number; readonly exposure: number } => ({
  threat: threatAt(inputs, at),
  exposure: rounded(inContext(combine(inputs.exposure.map((one) => weightAt(one, EXPOSURE_BASE, at))), oddsOf(inputs))),
});

/** How far ahead a decay is looked for. */
const AHEAD = days(400);

/**
 * The first minute at which the threat is below a value; null when it is not within 400 days. With `released`, as if every incident ended
 * at `at` and nothing new came.
 */
export const belowAt = (inputs: ScoreInputs, value: number, at: UnixMs, released = false): UnixMs | null => {
  const asked: ScoreInputs = released
    ? { ...inputs, threat: inputs.threat.map((one) => (one.frozen ? { ...one, frozen: false, last: at } : one)) }
    : inputs;
  const below = (time: number): boolean => threatAt(asked, unixMs(time)) < value;
  if (!below(at + AHEAD)) return null;
  let [low, high] = [Number(at), at + AHEAD];
  while (high - low > minutes(1)) {
    const middle = Math.floor((low + high) / 2);
    if (below(middle)) high = middle;
    else low = middle;
  }
  return unixMs(high);
};

export const scoreAt = (inputs: ScoreInputs, at: UnixMs): Score => {
  const odds = oddsOf(inputs);
  const threat = sideAt(inputs.threat, THREAT_BASE, odds, at);
  const exposure = sideAt(inputs.exposure, EXPOSURE_BASE, odds, at);
  return {
    entity: inputs.entity,
    at,
    threat: threat.score,
    exposure: exposure.score,
    threatShares: threat.shares,
    exposureShares: exposure.shares,
    combined: { threat: threat.combined, exposure: exposure.combined },
    odds: Math.round(odds * 10_000) / 10_000,
    nextDecay: threat.score > 0 ? belowAt(inputs, threat.score, at) : null,
  };
};
