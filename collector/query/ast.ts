// SPDX-License-Identifier: Apache-2.0
/**
 * The tree of a KQL query, the one form that SQL, Elasticsearch and the predicate are made from.
 * Input: parse. Output: to-sql, to-elastic, to-predicate. Meaning: a missing field makes every test false, and `not` turns that into true.
 */

/** A literal as written; `quoted` keeps `*` literal and means a phrase. */
export interface Literal {
  readonly text: string;
  readonly quoted: boolean;
  /** Places in `text` of `*` that were written `\*` and stand for themselves; the others of an unquoted literal match anything. */
  readonly escaped?: readonly number[];
  /** Offset of its first character in the query text. */
  readonly at: number;
}

export type Node =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
  /** `field: value`; field null means the fields searched by default. */
  | { readonly kind: 'is'; readonly field: Literal | null; readonly value: Literal }
  | { readonly kind: 'exists'; readonly field: Literal }
  | { readonly kind: 'range'; readonly field: Literal; readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: Literal };

/** A place where a query could not be understood. Offsets count from 0 in UTF-16 units. */
export interface QueryProblem {
  readonly at: number;
  readonly message: string;
  readonly expected: readonly string[];
}

export type ParsedQuery = { readonly kind: 'ok'; readonly node: Node } | { readonly kind: 'failed'; readonly problem: QueryProblem };
