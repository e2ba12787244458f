// SPDX-License-Identifier: Apache-2.0
/**
 * Random numbers that a seed gives again: uniform, normal, gamma, beta, Poisson.
 * Input: a seed of 32 bits. Output: draws; the same seed gives the same row on every machine.
 */

export interface Draws {
  /** Over 0 to 1, neither included, with 53 bits. */
  uniform(): number;
  normal(): number;
  /** Shape at least 1, scale 1. */
  gamma(shape: number): number;
  poisson(mean: number): number;
}

/** Means beyond this are drawn in parts, since the sum of Poisson draws is one. */
const POISSON_PART = 24;

/** xoshiro128**, its state filled by splitmix32. */
export const openDraws = (seed: number): Draws => {
  let mix = seed >>> 0;
  const fill = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [fill(), fill(), fill(), fill()];
  const next = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => ((next() >>> 5) * 67_108_864 + (next() >>> 6) + 0.5) / 9_007_199_254_740_992;
  let spare = Number.NaN;
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const kept = spare;
      spare = Number.NaN;
      return kept;
    }
    for (;;) {
      const [u, v] = [2 * uniform() - 1, 2 * uniform() - 1];
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * scale;
      return u * scale;
    }
  };
  /** Marsaglia and Tsang. */
  const gamma = (shape: number): number => {
    const d3 = shape - 1 / 3;
    const c3 = 1 / Math.sqrt(9 * d3);
    for (;;) {
      const x = normal();
      const v = (1 + c3 * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(uniform()) < 0.5 * x * x + d3 - d3 * v + d3 * Math.log(v)) return d3 * v;
    }
  };
  const part = (mean: number): number => {
    const limit = Math.exp(-mean);
    let n = 0;
    for (let product = uniform(); product > limit; product *= uniform()) n += 1;
    return n;
  };
  const poisson = (mean: number): number => {
    let n = 0;
    let left = mean;
    for (; left > POISSON_PART; left -= POISSON_PART) n += part(POISSON_PART);
    return n + (left > 0 ? part(left) : 0);
  };
  return { uniform, normal, gamma, poisson };
};
