// SPDX-License-Identifier: Apache-2.0
/**
 * Seeded chance: the same seed gives the same run.
 * Input: a number. Output: numbers, choices.
 */
export interface Random {
  /** In [0, 1). */
  (): number;
  /** Whole, from 0 to below `end`. */
  below(end: number): number;
  of<T>(list: readonly T[]): T;
}

/** mulberry32. */
export const seeded = (seed: number): Random => {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return Object.assign(next, {
    below,
    of: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error('nothing to choose from');
      return list[below(list.length)] as T;
    },
  });
};
