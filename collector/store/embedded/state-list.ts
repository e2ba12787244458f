// SPDX-License-Identifier: Apache-2.0
/**
 * Lists documents by a query, in a stable order, page by page: missing values last, ties by id.
 * Input: a collection and a `ListQuery`. Output: its documents, the place of the next page, the total.
 */
import type { StatementSync } from 'node:sqlite';
import type { UnixMs } from '../../../core/units.ts';
import { fault } from '../../errors.ts';
import { toSql } from '../../query/to-sql.ts';
import type { Collection, Collections, Listed, ListQuery } from '../store.ts';

type Value = string | number | null;
const MOST = 10_000;

/** @throws CodedError USAGE for a limit, an order or a place that is none, and the errors of queries. */
export const listDocuments = <C extends Collection>(
  sql: (text: string) => StatementSync,
  collection: C,
  query: ListQuery,
  now: UnixMs,
): Listed<Collections[C]> => {
  const { limit, orderBy, ascending = false } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw fault('USAGE', { reason: `The limit is ${limit}, not 1 to ${MOST}` });
  const where =
    query.where === undefined
      ? { sql: 'TRUE', params: [] }
      : toSql(query.where, { dialect: 'sqlite-json', now, column: `doc_${collection}.value` });
  const key = orderBy === undefined ? null : `json_extract(value, ${pathOf(orderBy)})`;
  const after = query.after === undefined ? null : parsePlace(query.after);
  const ids = query.prefix === undefined ? { sql: 'TRUE', params: [] } : beginning(query.prefix);
  const place = after === null ? { sql: 'TRUE', params: [] } : beyond(key, ascending, after);
  const order = key === null ? 'id' : `${key} IS NULL, ${key} ${ascending ? 'ASC' : 'DESC'}, id`;
  const table = `doc_${collection}`;
  const rows = sql(
    `SELECT id, version, value, ${key ?? 'NULL'} AS key FROM ${table} WHERE (${ids.sql}) AND (${where.sql}) AND (${place.sql}) ORDER BY ${order} LIMIT ?`,
  ).all(...ids.params, ...where.params, ...place.params, limit + 1);
  const total = sql(`SELECT count(*) AS n FROM ${table} WHERE (${ids.sql}) AND (${where.sql})`).get(...ids.params, ...where.params);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => ({ id: String(row['id']), version: Number(row['version']), value: JSON.parse(String(row['value'])) })),
    next: rows.length > limit && last !== undefined ? formatPlace(last['key'] as Value, String(last['id'])) : null,
    total: Number(total?.['n'] ?? 0),
  };
};

/** As a range, so that the index of ids is used; text compares by its bytes, and none is above U+10FFFF. */
const beginning = (prefix: string): { sql: string; params: string[] } => ({
  sql: 'id >= ? AND id < ?',
  params: [prefix, `${prefix}\u{10ffff}`],
});

const beyond = (key: string | null, ascending: boolean, [value, id]: Place): { sql: string; params: Exclude<Value, null>[] } => {
  if (key === null) return { sql: 'id > ?', params: [id] };
  if (value === null) return { sql: `${key} IS NULL AND id > ?`, params: [id] };
  return { sql: `${key} IS NULL OR ${key} ${ascending ? '>' : '<'} ? OR (${key} = ? AND id > ?)`, params: [value, value, id] };
};

// The path stands in the SQL so that an index on it is used; hence only plain names.
const pathOf = (field: string): string => {
  if (!/^[\w@-]{1,64}(\.[\w@-]{1,64}){0,8}$/.test(field)) throw fault('USAGE', { reason: `${field} is not a field to order by` });
  return `'$${field
    .split('.')
    .map((part) => `."${part}"`)
    .join('')}'`;
};

type Place = readonly [value: Value, id: string];

const formatPlace = (value: Value, id: string): string => Buffer.from(JSON.stringify([value, id])).toString('base64url');

const parsePlace = (text: string): Place => {
  try {
    const [value, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown];
    const known = value === null || typeof value === 'string' || typeof value === 'number';
    if (known && typeof id === 'string') return [value, id];
  } catch {
    // Told below: a place that was not made here.
  }
  throw fault('USAGE', { reason: 'The place to go on from was not given by an earlier page' });
};
