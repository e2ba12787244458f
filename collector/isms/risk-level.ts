// SPDX-License-Identifier: Apache-2.0
/**
 * Likelihood and impact in the words of NIST SP 800-30, and the level that both make. Pure.
 * Input: words, or a yearly probability. Output: words; the matrix rises in both directions and never by more than one step.
 */
import { LIKELIHOODS, type Likelihood } from '../model/risk.ts';

export const rankOf = (word: Likelihood): number => LIKELIHOODS.indexOf(word);
const wordOf = (rank: number): Likelihood => LIKELIHOODS[Math.max(0, Math.min(LIKELIHOODS.length - 1, rank))] as Likelihood;

export const raisedBy = (word: Likelihood, steps: number): Likelihood => wordOf(rankOf(word) + steps);
export const higherOf = (a: Likelihood, b: Likelihood): Likelihood => (rankOf(a) >= rankOf(b) ? a : b);

/** Rows: likelihood from very low; columns: impact from very low. */
const MATRIX: readonly (readonly number[])[] = [
  [0, 0, 0, 1, 1],
  [0, 1, 1, 1, 2],
  [0, 1, 2, 2, 3],
  [0, 1, 2, 3, 4],
  [0, 1, 2, 3, 4],
];

export const levelOf = (likelihood: Likelihood, impact: Likelihood): Likelihood =>
  wordOf(MATRIX[rankOf(likelihood)]?.[rankOf(impact)] ?? 0);

/** Upper ends of the words' bands of probability in a year. */
const BANDS: readonly number[] = [0.05, 0.21, 0.8, 0.96];

/** The word for so many incidents a year, by the probability of at least one. */
export const likelihoodOfRate = (perYear: number): Likelihood => {
  const probability = 1 - Math.exp(-perYear);
  const rank = BANDS.findIndex((end) => probability < end);
  return wordOf(rank < 0 ? LIKELIHOODS.length - 1 : rank);
};
