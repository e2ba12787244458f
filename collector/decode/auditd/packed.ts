// SPDX-License-Identifier: Apache-2.0
/**
 * Tables of names by number, written as people can read and compare them: `5: open close 10: unlink`.
 * Input: such a text. Output: a map.
 */

/** Names in the order of their numbers; `N:` says where the count goes on. Starts at 0. */
export const unpackNames = (packed: string): ReadonlyMap<number, string> => {
  const names = new Map<number, string>();
  let next = 0;
  for (const word of packed.trim().split(/\s+/)) {
    if (word.endsWith(':')) next = Number(word.slice(0, -1));
    else names.set(next++, word);
  }
  return names;
};
