// SPDX-License-Identifier: Apache-2.0
/**
 * The detection of a rule as a tree: what parser, compiler, index and explanation share.
 * Input: built by `parse`, `modifier` and `condition`. Output: read by `compile`, `literal`, `explain`, `filter`.
 */
import type { Parts } from './pattern.ts';
import type { LinearRegex } from './regex.ts';

export type TextOperator = 'equals' | 'contains' | 'startswith' | 'endswith' | 'like';

export const TIME_UNITS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

export type OrderOperator = 'eq' | 'lt' | 'lte' | 'gt' | 'gte';

/** A question about one value of a field. */
export type Test =
  /** `text` is in lower case unless `cased`; for `like` it is empty and `parts` decide. */
  | { readonly kind: 'text'; readonly op: TextOperator; readonly text: string; readonly parts: Parts; readonly cased: boolean }
  | { readonly kind: 'number'; readonly op: OrderOperator; readonly value: number }
  | { readonly kind: 'time'; readonly unit: TimeUnit; readonly op: OrderOperator; readonly value: number }
  | { readonly kind: 'regex'; readonly regex: LinearRegex }
  | { readonly kind: 'cidr'; readonly text: string; readonly contains: (address: string) => boolean }
  | { readonly kind: 'fieldref'; readonly field: string; readonly op: TextOperator; readonly cased: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'exists'; readonly value: boolean };

/** A field and its values; `field` null means keywords, over the whole event. */
export interface Item {
  readonly field: string | null;
  /** One entry for each value written, each with the tests it expands to (any of them). */
  readonly values: readonly (readonly Test[])[];
  /** All values must hold, else any. */
  readonly all: boolean;
}

export type Node =
  | { readonly kind: 'and'; readonly of: readonly Node[] }
  | { readonly kind: 'or'; readonly of: readonly Node[] }
  /** At least `n` of them. */
  | { readonly kind: 'some'; readonly n: number; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
  | { readonly kind: 'item'; readonly item: Item };

export const and = (of: readonly Node[]): Node => (of.length === 1 ? (of[0] as Node) : { kind: 'and', of });
export const or = (of: readonly Node[]): Node => (of.length === 1 ? (of[0] as Node) : { kind: 'or', of });
export const not = (of: Node): Node => (of.kind === 'not' ? of.of : { kind: 'not', of });

/** Every field that the tree reads, fields compared with included. */
export const fieldsOf = (node: Node, into: Set<string> = new Set()): Set<string> => {
  if (node.kind === 'item') {
    if (node.item.field !== null) into.add(node.item.field);
    for (const tests of node.item.values) for (const test of tests) if (test.kind === 'fieldref') into.add(test.field);
  } else if (node.kind === 'not') fieldsOf(node.of, into);
  else for (const child of node.of) fieldsOf(child, into);
  return into;
};

/** Whether the tree searches words over the whole event. */
export const hasKeywords = (node: Node): boolean =>
  node.kind === 'item' ? node.item.field === null : node.kind === 'not' ? hasKeywords(node.of) : node.of.some(hasKeywords);

/** How many tests the tree holds. */
export const sizeOf = (node: Node): number =>
  node.kind === 'item'
    ? node.item.values.reduce((n, tests) => n + tests.length, 0)
    : node.kind === 'not'
      ? sizeOf(node.of)
      : node.of.reduce((n, child) => n + sizeOf(child), 0);
