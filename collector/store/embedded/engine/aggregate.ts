// SPDX-License-Identifier: Apache-2.0
/**
 * Counts: how many, the most frequent values, over time, and which fields occur.
 * Input: a query over a snapshot. Output: bounded lists.
 */
import { ECS, ECS_FIELDS, type EcsField } from '../../../../core/ecs.ts';
import { isoTime, unixMs } from '../../../../core/units.ts';
import { COLUMNS, sqlName } from '../../schema.ts';
import type { Bucket, FieldUse } from '../../store.ts';
import { picksOf, type Unit, unitsOf } from './candidates.ts';
import type { Connection } from './duck.ts';
import type { Asks, Query } from './protocol.ts';
import { type FromOptions, fromPicks, type Snapshot } from './sources.ts';
import { type Where, whereOf } from './where.ts';

interface Plan {
  readonly where: Where;
  readonly units: readonly Unit[];
}

const plan = (snapshot: Snapshot, query: Query, from: FromOptions): Plan => {
  const where = whereOf(query);
  return { where, units: [...unitsOf(snapshot, query, where.test, from)] };
};

export const count = async (connection: Connection, snapshot: Snapshot, query: Query, from: FromOptions): Promise<number> => {
  const { where, units } = plan(snapshot, query, from);
  const inside = ({ block, source }: Unit): boolean =>
    where.all && block.minTime >= query.from && block.maxTime < query.to && (from.hidden?.(source) ?? null) === null;
  // Wholly inside the window, the number of rows is known without reading.
  const known = units.filter(inside).reduce((sum, { block }) => sum + block.rows, 0);
  const rest = units.filter((unit) => !inside(unit));
  if (rest.length === 0) return known;
  const { sql } = fromPicks(picksOf(rest), { ...from, messageSpared: where.messageSpared });
  const [row] = await connection.rows(`SELECT count(*) FROM ${sql} WHERE ${where.sql}`, where.params);
  return known + Number(row?.[0] ?? 0);
};

export const top = async (
  connection: Connection,
  snapshot: Snapshot,
  { query, field, limit }: Asks['top']['ask'],
  from: FromOptions,
): Promise<readonly Bucket[]> => {
  const { where, units } = plan(snapshot, query, from);
  if (units.length === 0) return [];
  const messageSpared = where.messageSpared && field !== 'message';
  const { select, params } = keyOf(field);
  const rows = await connection.rows(
    `SELECT key, count(*) AS n FROM (SELECT ${select} AS key FROM ${fromPicks(picksOf(units), { ...from, messageSpared }).sql} WHERE ${where.sql})
     WHERE key IS NOT NULL GROUP BY key ORDER BY n DESC, key LIMIT ${limit}`,
    [...params, ...where.params],
  );
  return rows.map(([key, n]) => ({ key: textOf(field, key), count: Number(n) }));
};

const keyOf = (field: EcsField): { readonly select: string; readonly params: readonly string[] } => {
  const { type, typed } = ECS[field];
  if (!typed) {
    const path = `$.${JSON.stringify(field)}`;
    if (type !== 'keywords') return { select: 'json_extract_string("vigil.extra", ?)', params: [path] };
    return { select: 'unnest(json_extract_string("vigil.extra", ?))', params: [`${path}[*]`] };
  }
  if (type === 'keywords') return { select: `unnest(${sqlName(field)})`, params: [] };
  return { select: type === 'date' ? `epoch_ms(${sqlName(field)})` : sqlName(field), params: [] };
};

const textOf = (field: EcsField, key: unknown): string => (ECS[field].type === 'date' ? isoTime(unixMs(Number(key))) : String(key));

export const histogram = async (
  connection: Connection,
  snapshot: Snapshot,
  { query, buckets }: Asks['histogram']['ask'],
  from: FromOptions,
): Promise<readonly Bucket[]> => {
  const { where, units } = plan(snapshot, query, from);
  const width = Math.max(1, Math.ceil((query.to - query.from) / buckets));
  const counts = new Map<number, number>();
  if (units.length > 0) {
    const table = fromPicks(picksOf(units), { ...from, messageSpared: where.messageSpared }).sql;
    const rows = await connection.rows(
      `SELECT (epoch_ms("@timestamp") - (${Math.trunc(query.from)})) // ${width} AS n, count(*) FROM ${table} WHERE ${where.sql} GROUP BY n`,
      where.params,
    );
    for (const [n, found] of rows) counts.set(Number(n), Number(found));
  }
  const all: Bucket[] = [];
  for (let n = 0; n < buckets && query.from + n * width < query.to; n++)
    all.push({ key: isoTime(unixMs(query.from + n * width)), count: counts.get(n) ?? 0 });
  return all;
};

export const fields = async (connection: Connection, snapshot: Snapshot, query: Query, from: FromOptions): Promise<readonly FieldUse[]> => {
  const { where, units } = plan(snapshot, query, from);
  if (units.length === 0) return [];
  const table = fromPicks(picksOf(units), from).sql;
  const [row = []] = await connection.rows(
    `SELECT ${COLUMNS.map((column) => `count(${sqlName(column.name)})`).join(', ')} FROM ${table} WHERE ${where.sql}`,
    where.params,
  );
  const uses = new Map<EcsField, number>(COLUMNS.map((column, i) => [column.name, Number(row[i] ?? 0)]));
  const hasExtra = (uses.get('vigil.extra') ?? 0) > 0;
  uses.delete('vigil.extra');
  if (hasExtra) {
    const names = await connection.rows(
      `SELECT name, count(*) FROM (SELECT unnest(json_keys("vigil.extra")) AS name FROM ${table} WHERE ${where.sql} AND "vigil.extra" IS NOT NULL)
       WHERE list_contains(?, name) GROUP BY name`,
      [...where.params, SPARSE],
    );
    for (const [name, n] of names) uses.set(name as EcsField, Number(n));
  }
  return ECS_FIELDS.flatMap((field) => {
    const found = uses.get(field) ?? 0;
    return found > 0 ? [{ field, count: found }] : [];
  });
};

const SPARSE: readonly string[] = ECS_FIELDS.filter((field) => !ECS[field].typed);
