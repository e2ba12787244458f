// SPDX-License-Identifier: Apache-2.0
/**
 * The condition of a query: its tree and its time window as SQL over the columns of `schema.ts`.
 * Input: a query from the collector. Output: SQL with parameters, and what it lets a search skip.
 */
import type { Node } from '../../../query/ast.ts';
import { resolve } from '../../../query/resolve.ts';
import { toSql } from '../../../query/to-sql.ts';
import type { Param } from './duck.ts';
import { type BlockTest, blockTest } from './need.ts';
import type { Query } from './protocol.ts';

export interface Where {
  readonly sql: string;
  readonly params: readonly Param[];
  /** The whole window matches: no condition besides time. */
  readonly all: boolean;
  readonly messageSpared: boolean;
  /** False of a block where no row of it can match; null when nothing can be told. */
  readonly test: BlockTest | null;
}

// Times that both JavaScript and DuckDB can hold.
const FARTHEST = 8_640_000_000_000_000;
export const clampTime = (time: number): number => Math.trunc(Math.max(-FARTHEST, Math.min(FARTHEST, time)));

/** A moment as SQL. */
export const timeSql = (time: number): string => `epoch_ms(${clampTime(time)}::BIGINT)`;

/** @throws CodedError QUERY_BAD_VALUE when a value cannot be one of its field. */
export const whereOf = (query: Query): Where => {
  const { sql, params } = toSql(query.where, { dialect: 'duckdb', now: query.now });
  const window = `"@timestamp" >= ${timeSql(query.from)} AND "@timestamp" < ${timeSql(query.to)}`;
  return {
    sql: query.where.kind === 'all' ? window : `${window} AND (${sql})`,
    params,
    all: query.where.kind === 'all',
    messageSpared: !namesMessage(query.where),
    test: blockTest(resolve(query.where, { of: 'events', now: query.now })),
  };
};

const namesMessage = (node: Node): boolean => {
  switch (node.kind) {
    case 'all':
      return false;
    case 'and':
    case 'or':
      return node.of.some(namesMessage);
    case 'not':
      return namesMessage(node.of);
    default:
      return node.field !== null && (node.field.text === 'message' || node.field.text.includes('*'));
  }
};
