// SPDX-License-Identifier: Apache-2.0
/**
 * Compiles a query into a SQL condition with parameters, for the events table of DuckDB or the JSON documents of SQLite.
 * Input: the tree of parse. Output: `{ sql, params }`; no text of the query ever stands in the SQL itself.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Node } from './ast.ts';
import { type Resolved, resolve } from './resolve.ts';
import { duckdbTest } from './sql-duckdb.ts';
import { sqliteAnywhere, sqliteTest } from './sql-sqlite.ts';

export interface Sql {
  /** A boolean expression in parentheses where it needs them; `?` for each parameter, in order. */
  readonly sql: string;
  readonly params: readonly (string | number)[];
}

export type SqlOptions =
  /** Over typed columns named as in `core/ecs.ts`, `vigil.extra` as JSON text, dates as TIMESTAMP. */
  | { readonly dialect: 'duckdb'; readonly now: UnixMs }
  /** Over one JSON text column, named with its table (`document.value`), for json_each has a `value` too. The connection needs `registerQueryFunctions`. */
  | { readonly dialect: 'sqlite-json'; readonly now: UnixMs; readonly column: string };

/**
 * The condition for a WHERE. A missing value makes a test NULL or false; `not` is IS NOT TRUE.
 * @throws CodedError QUERY_BAD_VALUE.
 */
export const toSql = (node: Node, options: SqlOptions): Sql => {
  if (options.dialect === 'duckdb')
    return build(resolve(node, { of: 'events', now: options.now }), (leaf) => {
      if (leaf.kind === 'anywhere') throw new TypeError('events have no free text test');
      return duckdbTest(leaf.field, leaf.test);
    });
  const { column } = options;
  return build(resolve(node, { of: 'documents', now: options.now }), (leaf) =>
    leaf.kind === 'anywhere' ? sqliteAnywhere(column, leaf.test) : sqliteTest(column, leaf.field, leaf.test),
  );
};

type Leaf = Extract<Resolved, { kind: 'test' | 'anywhere' }>;

const build = (node: Resolved, leaf: (of: Leaf) => Sql): Sql => {
  switch (node.kind) {
    case 'true':
      return { sql: 'TRUE', params: [] };
    case 'false':
      return { sql: 'FALSE', params: [] };
    case 'not': {
      const { sql, params } = build(node.of, leaf);
      return { sql: `((${sql}) IS NOT TRUE)`, params };
    }
    case 'and':
    case 'or':
      return join(
        node.of.map((child) => build(child, leaf)),
        node.kind === 'and' ? 'AND' : 'OR',
      );
    default:
      return leaf(node);
  }
};

// As a balanced tree: SQLite refuses expressions deeper than 1,000, and a thousand values in a row would be that deep.
const join = (parts: readonly Sql[], word: 'AND' | 'OR'): Sql => {
  if (parts.length === 1) return parts[0] as Sql;
  const half = parts.length >> 1;
  const left = join(parts.slice(0, half), word);
  const right = join(parts.slice(half), word);
  return { sql: `(${left.sql} ${word} ${right.sql})`, params: [...left.params, ...right.params] };
};
