// SPDX-License-Identifier: Apache-2.0
/**
 * Reads a whole collection page by page: agents, assets and presences are kept in memory from the start.
 * Input: a collection. Output: all its documents with their versions.
 */
import type { Collection, Collections, StateStore, Stored } from '../store/store.ts';

/** Every document of a collection, by id. */
export const allOf = async <C extends Collection>(state: StateStore, collection: C): Promise<readonly Stored<Collections[C]>[]> => {
  const found: Stored<Collections[C]>[] = [];
  let after: string | undefined;
  do {
    const page = await state.list(collection, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    found.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
};
