// SPDX-License-Identifier: Apache-2.0
/**
 * What an inventory of a tree would tell, without telling anybody: for `plan`, tests and benches.
 * Input: the tree's folder. Output: the number of items by kind, what cannot be seen and why.
 */
import type { FactKind } from '../../../core/fact.ts';
import type { SourceProblem } from '../source.ts';
import { makeScanners } from './scanners.ts';
import { openTree } from './tree.ts';

export interface InventoryPreview {
  readonly counts: Readonly<Partial<Record<FactKind, number>>>;
  readonly problems: readonly SourceProblem[];
}

export const previewInventory = (root: string): InventoryPreview => {
  const tree = openTree(root);
  const counts: Partial<Record<FactKind, number>> = {};
  const problems: SourceProblem[] = [];
  for (const { kind, look } of makeScanners()) {
    const items = new Set<string>();
    for (const found of look(tree, (text) => text)) {
      if (found.kind === 'item') items.add(found.item);
      if (found.kind === 'problem') problems.push(found.problem);
    }
    counts[kind] = items.size;
  }
  return { counts, problems };
};

/** `752 packages, 24 users`: kinds of which there is something. */
export const previewText = ({ counts }: InventoryPreview): string =>
  Object.entries(counts)
    .filter(([kind, count]) => count > 0 && kind !== 'os')
    .map(([kind, count]) => `${count} ${kind.replace('-', ' ')}${count === 1 ? '' : 's'}`)
    .join(', ');
