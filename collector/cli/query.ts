// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil query`: events, alerts or incidents by KQL, as rows, as one number, or by value.
 * Input: the query and a running collector. Output: a table newest first, or NDJSON.
 */
import { nearest } from '../../core/config.ts';
import { fault } from '../errors.ts';
import { type UnknownField, unknownFields } from '../query/field.ts';
import { parseOrThrow } from '../query/parse.ts';
import { type Call, callCollector, type Target } from './client.ts';
import type { QueryOptions } from './look.ts';
import { type Column, countText, jsonLine, type Terminal, table, visible } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

const PLACES = ['events', 'alerts', 'incidents'] as const;
type Place = (typeof PLACES)[number];

const COLUMNS: Readonly<Record<Place, readonly (Column & { readonly field: string })[]>> = {
  events: [
    { title: 'time', field: '@timestamp' },
    { title: 'host', field: 'host.name', max: 24 },
    { title: 'dataset', field: 'event.dataset', max: 20 },
    { title: 'action', field: 'event.action', max: 24 },
    { title: 'line', field: 'event.original', max: 160 },
  ],
  alerts: [
    { title: 'last', field: 'last' },
    { title: 'level', field: 'level' },
    { title: 'alert', field: 'title', max: 48 },
    { title: 'entity', field: 'entityName', max: 32 },
    { title: 'signals', field: 'count', align: 'right' },
    { title: 'state', field: 'state' },
    { title: 'id', field: 'id' },
  ],
  incidents: [
    { title: 'incident', field: 'reference' },
    { title: 'severity', field: 'severity' },
    { title: 'title', field: 'title', max: 60 },
    { title: 'alerts', field: 'alerts', align: 'right' },
    { title: 'state', field: 'state' },
    { title: 'last', field: 'last' },
    { title: 'id', field: 'id' },
  ],
};

/** Largest page that the API gives at once. */
const PAGE = 1000;

export const runQuery = async (kql: string, options: QueryOptions, target: Target, terminal: Terminal): Promise<void> => {
  const place = PLACES.find((name) => name === options.in);
  if (!place) throw fault('USAGE', { reason: `--in ${options.in} is not known; ${PLACES.join(', ')} are` });
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw fault('USAGE', { reason: `--limit ${options.limit} is not a number from 1 to 10000` });
  if (options.count && options.by !== undefined) throw fault('USAGE', { reason: 'Give --count or --by, they ask for different answers' });
  const window = { query: kql, from: options.from, to: options.to };
  const known = await knownFields(place);
  const strange = unknownFields(parseOrThrow(kql), known);
  if (options.count) {
    const { count } = await callCollector<{ count: number }>(target, { path: `/api/v1/${place}/count`, query: window });
    sayUnknown(place, strange, terminal);
    terminal.out(options.json ? `${JSON.stringify({ count })}\n` : `${count}\n`);
    return;
  }
  if (options.by !== undefined) {
    if (known && !known.includes(options.by))
      throw fault('QUERY_UNKNOWN_FIELD', { field: options.by, nearest: nearest(options.by, known) });
    const { buckets } = await callCollector<{ buckets: readonly { key: string; count: number }[] }>(target, {
      path: `/api/v1/${place}/top`,
      query: { ...window, field: options.by, limit: Math.min(limit, 1000) },
    });
    sayUnknown(place, strange, terminal);
    if (options.json) for (const bucket of buckets) terminal.out(jsonLine({ value: bucket.key, count: bucket.count }));
    else if (buckets.length > 0)
      terminal.out(
        `${table(
          terminal,
          [
            { title: options.by, max: 100 },
            { title: 'count', align: 'right' },
          ],
          buckets.map((b) => [b.key, countText(b.count)]),
        )}\n`,
      );
    else terminal.out(`Nothing matches from ${options.from} to ${options.to}.\n`);
    return;
  }
  const rows = await readRows(target, { path: place === 'events' ? '/api/v1/events/search' : `/api/v1/${place}`, query: window }, limit);
  sayUnknown(place, strange, terminal);
  if (options.json) for (const row of rows) terminal.out(jsonLine(row));
  else if (rows.length === 0) terminal.out(`Nothing matches from ${options.from} to ${options.to}.\n`);
  else
    terminal.out(
      `${table(
        terminal,
        COLUMNS[place],
        rows.map((row) => COLUMNS[place].map(({ field }) => cell(row[field]))),
      )}\n`,
    );
};

/** Fields of documents, by the schema of their API; undefined for events, whose table the query language knows itself. */
const knownFields = async (place: Place): Promise<readonly string[] | undefined> => {
  if (place === 'alerts') return Object.keys((await import('../alert/routes.ts')).AlertSchema.properties);
  if (place === 'incidents') return Object.keys((await import('../incident/routes.ts')).IncidentSchema.properties);
  return undefined;
};

/** A misspelt name finds nothing as quietly as a right one: it is named. */
const sayUnknown = (place: Place, strange: readonly UnknownField[], terminal: Terminal): void => {
  for (const { field, nearest: near } of strange)
    terminal.err(
      `There is no field ${visible(field)} in ${place}; the nearest is ${near}.${place === 'events' ? ' It was looked for among the extra fields.' : ''}\n`,
    );
};

const readRows = async (target: Target, call: Call, limit: number): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  let after: string | null = null;
  do {
    const query = { ...call.query, limit: Math.min(PAGE, limit - rows.length), ...(after === null ? {} : { after }) };
    const page: { items: readonly Row[]; next: string | null } = await callCollector(target, { ...call, query });
    rows.push(...page.items);
    after = page.next;
  } while (after !== null && rows.length < limit);
  return rows;
};

const cell = (value: unknown): string => {
  if (value === undefined || value === null) return '–';
  if (Array.isArray(value)) return String(value.length);
  return typeof value === 'string' ? value.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/, '$1Z') : String(value);
};
