// SPDX-License-Identifier: Apache-2.0
/**
 * Sorted lists of sequence ranges, both ends inclusive: what is held, what is missing.
 * Input: ranges one by one, nearly always behind the last. Output: the fewest ranges that hold the same numbers.
 */
export type Range = readonly [from: number, to: number];

/** Puts a range into a sorted list, in place; ranges that touch become one. */
export const addRange = (list: Range[], from: number, to: number): void => {
  let i = list.length;
  while (i > 0 && list[i - 1]![0] > from) i--;
  if (i > 0 && list[i - 1]![1] >= from - 1) i--;
  let low = from;
  let high = to;
  let j = i;
  for (; j < list.length && list[j]![0] <= high + 1; j++) {
    low = Math.min(low, list[j]![0]);
    high = Math.max(high, list[j]![1]);
  }
  list.splice(i, j - i, [low, high]);
};

/** True when some number of the range is in the list. */
export const overlaps = (list: readonly Range[], from: number, to: number): boolean => {
  for (let i = list.length - 1; i >= 0; i--) {
    const [low, high] = list[i]!;
    if (high < from) return false;
    if (low <= to) return true;
  }
  return false;
};

/** True when every number of the range is in the list. */
export const covers = (list: readonly Range[], from: number, to: number): boolean => list.some(([low, high]) => low <= from && high >= to);

/** What of 1 to `to` is in none of the lists. */
export const holes = (to: number, ...lists: readonly (readonly Range[])[]): Range[] => {
  const all: Range[] = [];
  for (const list of lists) for (const [low, high] of list) addRange(all, low, high);
  const out: Range[] = [];
  let next = 1;
  for (const [low, high] of all) {
    if (low > to) break;
    if (low > next) out.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= to) out.push([next, to]);
  return out;
};
