// SPDX-License-Identifier: Apache-2.0
/**
 * One typed test as DuckDB SQL over the events table. Comparisons keep the bare column on one side where row-group statistics can help.
 * Input: a field reference and a test of resolve. Output: SQL with parameters.
 */
import { ECS, isEcsField } from '../../core/ecs.ts';
import type { FieldRef } from './field.ts';
import { likePattern, regexPattern } from './fold.ts';
import type { Network } from './ip.ts';
import type { Op, Test, TextTest } from './resolve.ts';
import type { Sql } from './to-sql.ts';

const SIGN: Readonly<Record<Op | 'eq', string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=' };

/** The test as a condition on one row; NULL where the field is absent. */
export const duckdbTest = (field: FieldRef, test: Test): Sql => {
  const value = expression(field);
  if (test.kind === 'exists') return { sql: value.list ? `(len(${value.one}) > 0)` : `(${value.one} IS NOT NULL)`, params: value.params };
  if (value.list) return listTest(value, test);
  return scalarTest(value.one, value.params, test, field.kind === 'ecs' && field.typed, field.kind === 'ecs' && field.exact);
};

interface Expression {
  /** The value as SQL; text, or the column's own type. */
  readonly one: string;
  readonly params: readonly string[];
  /** True for lists, of which one item is enough. */
  readonly list: boolean;
}

const expression = (field: FieldRef): Expression => {
  switch (field.kind) {
    case 'ecs': {
      if (field.typed) return { one: `"${field.name}"`, params: [], list: field.type === 'keywords' };
      const many = field.type === 'keywords' ? '[*]' : field.type === 'flattened' ? '.*' : '';
      if (many !== '') return { one: EXTRACT, params: [`$."${field.name}"${many}`], list: true };
      return { one: EXTRACT, params: [`$."${field.name}"`], list: false };
    }
    case 'extra':
      return { one: EXTRACT, params: [pointer(storedName(field.name))], list: false };
    case 'inside':
      return { one: EXTRACT, params: [`${pointer(field.name)}${pointer(field.key)}`], list: false };
    case 'path':
      throw new TypeError('events have no paths');
  }
};

const EXTRACT = 'json_extract_string("vigil.extra", ?)';
// A JSON pointer takes any name, quotes included.
const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
// An extra with the name of a sparse field stands under a longer name (store/schema.ts).
const storedName = (name: string): string =>
  (isEcsField(name) && !ECS[name].typed) || name.startsWith('vigil.extra.') ? `vigil.extra.${name}` : name;

const listTest = (value: Expression, test: Test): Sql => {
  if (test.kind !== 'equals' && test.kind !== 'contains' && test.kind !== 'like' && test.kind !== 'order') throw new TypeError(test.kind);
  const item = textTest('lower(x)', test);
  return { sql: `(len(list_filter(${value.one}, lambda x: ${item.sql})) > 0)`, params: [...value.params, ...item.params] };
};

const scalarTest = (one: string, params: readonly string[], test: Test, typed: boolean, exact: boolean): Sql => {
  switch (test.kind) {
    case 'equals':
    case 'contains':
    case 'like':
    case 'order': {
      const made = textTest(exact || isCaseless(test) ? one : `lower(${one})`, test);
      return { sql: made.sql, params: [...params, ...made.params] };
    }
    case 'boolean':
      return { sql: typed ? `(${one} = ${test.value})` : `(${one} = '${test.value}')`, params };
    case 'number': {
      const whole = Number.isInteger(test.value);
      const left = typed ? one : `TRY_CAST(${one} AS DOUBLE)`;
      return { sql: `(${left} ${SIGN[test.op]} CAST(? AS ${typed && whole ? 'BIGINT' : 'DOUBLE'}))`, params: [...params, test.value] };
    }
    case 'time': {
      const left = typed ? one : `TRY_CAST(${one} AS BIGINT)`;
      const right = typed ? 'epoch_ms(CAST(? AS BIGINT))' : 'CAST(? AS BIGINT)';
      const ends: Sql[] = [];
      if (test.from !== undefined) ends.push({ sql: `${left} >= ${right}`, params: [...params, test.from] });
      if (test.to !== undefined) ends.push({ sql: `${left} < ${right}`, params: [...params, test.to] });
      return { sql: `(${ends.map((end) => end.sql).join(' AND ')})`, params: ends.flatMap((end) => end.params) };
    }
    case 'network':
      return networkTest(one, params, test.network);
    case 'exists':
    case 'dynamic':
      throw new TypeError(`${test.kind} is no test of one value`);
  }
};

// Digits and signs have no case, so the column need not be folded for them: addresses, ports, ids. Order is another matter.
const isCaseless = (test: TextTest): boolean => {
  if (test.kind === 'order') return false;
  const text = test.kind === 'like' ? test.parts.join('') : test.text;
  return /^[^\p{L}\p{M}\p{N}]*$/u.test(text.replace(/[0-9]/g, ''));
};

const textTest = (text: string, test: TextTest): Sql => {
  switch (test.kind) {
    case 'equals':
      return { sql: `(${text} = ?)`, params: [test.text] };
    case 'contains':
      return { sql: `contains(${text}, ?)`, params: [test.text] };
    case 'like': {
      const [first, middle, last] = test.parts;
      if (test.parts.length === 3 && first === '' && last === '') return { sql: `contains(${text}, ?)`, params: [middle as string] };
      // LIKE tries every place for every wildcard: with two of them a long line takes minutes, and cannot be interrupted. RE2 is linear.
      if (test.parts.length > 2) return { sql: `regexp_full_match(${text}, ?, 's')`, params: [regexPattern(test.parts)] };
      return { sql: `(${text} LIKE ? ESCAPE '\\')`, params: [likePattern(test.parts)] };
    }
    case 'order':
      return { sql: `(${text} ${SIGN[test.op]} ?)`, params: [test.text] };
  }
};

// Addresses stand in the store as canonical text. An IPv4 network is a prefix of it, and one byte in a range.
const networkTest = (one: string, params: readonly string[], network: Network): Sql => {
  if (network.v4 !== undefined) {
    const { bytes, prefix } = network.v4;
    const whole = prefix >> 3;
    if (whole === 4) return { sql: `(${one} = ?)`, params: [...params, bytes.join('.')] };
    const start = bytes
      .slice(0, whole)
      .map((byte) => `${byte}.`)
      .join('');
    const low = bytes[whole] as number;
    const high = low + (1 << (8 - (prefix & 7))) - 1;
    const byte = `TRY_CAST(split_part(${one}, '.', ${whole + 1}) AS INTEGER) BETWEEN ${low} AND ${high}`;
    const head = `starts_with(${one}, ?) AND NOT contains(${one}, ':') AND contains(${one}, '.')`;
    const headParams = [...params, start, ...params, ...params];
    return prefix % 8 === 0
      ? { sql: `(${head})`, params: headParams }
      : { sql: `(${head} AND ${byte})`, params: [...headParams, ...params] };
  }
  const key = keyOf(one);
  const uses = key.split('?').length - 1;
  const all = Array.from({ length: params.length === 0 ? 0 : uses / params.length }, () => params).flat();
  return { sql: `(${key} BETWEEN ? AND ?)`, params: [...all, network.from, network.to] };
};

// 32 hexadecimal digits as in ip.ts; NULL for text that is no address.
const keyOf = (one: string): string => {
  const four = `'00000000000000000000ffff' || array_to_string(list_transform(string_split(${one}, '.'), lambda p: lpad(to_hex(TRY_CAST(p AS INTEGER)), 2, '0')), '')`;
  const left = `list_filter(string_split(split_part(${one}, '::', 1), ':'), lambda p: p <> '')`;
  const right = `list_filter(string_split(split_part(${one}, '::', 2), ':'), lambda p: p <> '')`;
  const zeros = `list_resize([]::VARCHAR[], 8 - len(${left}) - len(${right}), '0')`;
  const six = `array_to_string(list_transform(list_concat(list_concat(${left}, ${zeros}), ${right}), lambda p: lpad(lower(p), 4, '0')), '')`;
  return `lower(CASE WHEN contains(${one}, ':') THEN ${six} WHEN contains(${one}, '.') THEN ${four} END)`;
};
