// SPDX-License-Identifier: Apache-2.0
/**
 * The condition of a query: its tree and its time window as SQL over the columns of `schema.ts`.
 * Input: a query from the collector. Output: SQL with parameters, and what it lets a search skip.
 */
import type { Node } from '../../../query/ast.ts';
import { toSql } from '../../../query/to-sql.ts';
import type { Param } from './duck.ts';
import type { Query } from './protocol.ts';
import type { Source } from './sources.ts';

export interface Where {
  readonly sql: string;
  readonly params: readonly Param[];
  /** The whole window matches: no condition besides time. */
  readonly all: boolean;
  readonly messageSpared: boolean;
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

/** Sources that can hold an event of the window. */
export const inWindow = <T extends Source>(sources: readonly T[], from: number, to: number): readonly T[] =>
  sources.filter((source) => source.maxTime >= from && source.minTime < to);
