// SPDX-License-Identifier: Apache-2.0
/**
 * One typed test as SQLite SQL over a JSON document; dots reach into objects, any item of a list on the way may match.
 * Input: a field reference and a test of resolve. Output: SQL with parameters; it calls `vigil_fold`.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { FieldRef } from './field.ts';
import { fold, likePattern } from './fold.ts';
import type { NumberTest, Op, Test, TextTest, TimeTest } from './resolve.ts';
import type { Sql } from './to-sql.ts';

const SIGN: Readonly<Record<Op | 'eq', string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=' };

/** Gives a connection the functions that conditions of this dialect call. Once for each connection. */
export const registerQueryFunctions = (database: DatabaseSync): void => {
  database.function('vigil_fold', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : null));
};

/** The test as a condition on one document. */
export const sqliteTest = (column: string, field: FieldRef, test: Test): Sql => {
  if (field.kind !== 'path') throw new TypeError('documents have paths only');
  const froms: string[] = [];
  const params: (string | number)[] = [];
  let source = column;
  field.path.forEach((key, i) => {
    const path = `$."${key}"`;
    // A list gives its items, anything else itself; keys of a list or a text are none.
    froms.push(`json_each(CASE json_type(${source}, ?) WHEN 'array' THEN ${source} -> ? ELSE json_array(${source} -> ?) END) AS e${i}`);
    params.push(path, path, path);
    source = `(CASE e${i}.type WHEN 'object' THEN e${i}.value ELSE '{}' END)`;
  });
  const last = `e${field.path.length - 1}`;
  const item = itemTest(last, test);
  return { sql: `EXISTS (SELECT 1 FROM ${froms.join(', ')} WHERE ${item.sql})`, params: [...params, ...item.params] };
};

/** Any text of the document passes. */
export const sqliteAnywhere = (column: string, test: TextTest): Sql => {
  const item = textTest('vigil_fold(t.atom)', test);
  return { sql: `EXISTS (SELECT 1 FROM json_tree(${column}) AS t WHERE t.type = 'text' AND ${item.sql})`, params: item.params };
};

const itemTest = (item: string, test: Test): Sql => {
  if (test.kind === 'exists') return { sql: `${item}.type <> 'null'`, params: [] };
  if (test.kind !== 'dynamic') throw new TypeError(`documents have no ${test.kind} test`);
  const ways: Sql[] = [];
  if (test.text !== undefined) {
    const text = textTest(`vigil_fold(${item}.value)`, test.text);
    ways.push({ sql: `(${item}.type = 'text' AND ${text.sql})`, params: text.params });
  }
  if (test.number !== undefined) {
    const number = numberTest(`${item}.value`, test.number);
    ways.push({ sql: `(${item}.type IN ('integer', 'real') AND ${number.sql})`, params: number.params });
  }
  if (test.boolean !== undefined) ways.push({ sql: `${item}.type = '${test.boolean}'`, params: [] });
  return { sql: `(${ways.map((one) => one.sql).join(' OR ')})`, params: ways.flatMap((one) => one.params) };
};

const numberTest = (value: string, test: NumberTest | TimeTest): Sql => {
  if (test.kind === 'number') return { sql: `${value} ${SIGN[test.op]} ?`, params: [test.value] };
  const ends: Sql[] = [];
  if (test.from !== undefined) ends.push({ sql: `${value} >= ?`, params: [test.from] });
  if (test.to !== undefined) ends.push({ sql: `${value} < ?`, params: [test.to] });
  return { sql: ends.map((end) => end.sql).join(' AND '), params: ends.flatMap((end) => end.params) };
};

const textTest = (text: string, test: TextTest): Sql => {
  switch (test.kind) {
    case 'equals':
      return { sql: `${text} = ?`, params: [test.text] };
    case 'contains':
      return { sql: `instr(${text}, ?) > 0`, params: [test.text] };
    case 'like':
      return { sql: `${text} LIKE ? ESCAPE '\\'`, params: [likePattern(test.parts)] };
    case 'order':
      return { sql: `${text} ${SIGN[test.op]} ?`, params: [test.text] };
  }
};
