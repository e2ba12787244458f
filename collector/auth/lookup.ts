// SPDX-License-Identifier: Apache-2.0
/**
 * Reads all documents whose field has one exact value, page by page.
 * Input: a collection and a field. Output: the stored documents; callers check the value again, for KQL compares more loosely.
 */
import type { Node } from '../query/ast.ts';
import type { Collection, Collections, StateStore, Stored } from '../store/store.ts';

const exactly = (field: string, value: string): Node => ({
  kind: 'is',
  field: { text: field, quoted: false, at: 0 },
  value: { text: value, quoted: true, at: 0 },
});

/** All documents of a collection, or those where a field is that value; bounded only by what the store holds. */
export const everyWhere = async <C extends Collection>(
  state: StateStore,
  collection: C,
  field?: string,
  value?: string,
): Promise<readonly Stored<Collections[C]>[]> => {
  const found: Stored<Collections[C]>[] = [];
  let after: string | undefined;
  do {
    const page = await state.list(collection, {
      limit: 1_000,
      ...(field === undefined || value === undefined ? {} : { where: exactly(field, value) }),
      ...(after === undefined ? {} : { after }),
    });
    found.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
};
