// SPDX-License-Identifier: Apache-2.0
/**
 * Searches by time: reads the newest blocks first and stops when no other can hold a better row. First keys, then the rows of the page.
 * Input: a query, a page size, a place to go on from. Output: events in a total order (time, then id).
 */
import { fault } from '../../../errors.ts';
import type { Event } from '../../../model/event.ts';
import { EVENT_SELECT, rowToEvent } from '../../schema.ts';
import { inSteps, picksOf, unitsOf } from './candidates.ts';
import type { Connection, Param } from './duck.ts';
import { idTest } from './need.ts';
import type { Asks } from './protocol.ts';
import { type FromOptions, fromPicks, PLACE, rowList, type Snapshot, type Source } from './sources.ts';
import { timeSql, whereOf } from './where.ts';

interface Key {
  readonly time: number;
  readonly id: string;
}

interface Found extends Key {
  readonly source: Source;
  readonly row: number;
}

// Rows that the first step of a search reads: a few blocks cost no more than the question itself.
const FIRST_ROWS = 40_000;

/** Runs a search over a snapshot. */
export const search = async (
  connection: Connection,
  snapshot: Snapshot,
  ask: Asks['search']['ask'],
  from: FromOptions,
): Promise<Asks['search']['answer']> => {
  const newest = ask.order === 'newest';
  const after = ask.after === null ? null : parseKey(ask.after);
  const where = whereOf(ask.query);
  const params: Param[] = [...where.params];
  let place = '';
  if (after !== null) {
    place = ` AND ("@timestamp" ${newest ? '<' : '>'} ${timeSql(after.time)} OR ("@timestamp" = ${timeSql(after.time)} AND "event.id" > ?))`;
    params.push(after.id);
  }
  const window = {
    from: after !== null && !newest ? after.time : ask.query.from,
    to: after !== null && newest ? after.time + 1 : ask.query.to,
  };
  const better = (a: Key, b: Key): number => (newest ? b.time - a.time : a.time - b.time) || compareBytes(a.id, b.id);

  // One more than asked for tells whether there is a next page.
  let best: Found[] = [];
  for (const step of inSteps(unitsOf(snapshot, window, where.test, from, ask.order), FIRST_ROWS)) {
    const last = best[ask.limit];
    const units =
      last === undefined ? step : step.filter(({ block }) => (newest ? block.maxTime >= last.time : block.minTime <= last.time));
    if (units.length === 0) break;
    const bound = last === undefined ? '' : ` AND "@timestamp" ${newest ? '>=' : '<='} ${timeSql(last.time)}`;
    const { sql, sources } = fromPicks(picksOf(units), { ...from, messageSpared: where.messageSpared }, true);
    const rows = await connection.rows(
      `SELECT epoch_ms("@timestamp"), "event.id", ${PLACE} FROM ${sql}
       WHERE ${where.sql}${place}${bound} ORDER BY "@timestamp" ${newest ? 'DESC' : 'ASC'}, "event.id" LIMIT ${ask.limit + 1}`,
      params,
    );
    const found = rows.map(([time, id, source, row]) => ({
      time: Number(time),
      id: String(id),
      source: sources[Number(source)] as Source,
      row: Number(row),
    }));
    best = [...best, ...found].sort(better).slice(0, ask.limit + 1);
  }
  const page = best.slice(0, ask.limit);
  const end = page[page.length - 1];
  return {
    events: await fetchEvents(connection, page, from),
    next: best.length > ask.limit && end !== undefined ? formatKey(end) : null,
  };
};

/** The events with these ids, in that order; ids that are not held are left out. */
export const getEvents = async (
  connection: Connection,
  snapshot: Snapshot,
  ids: readonly string[],
  from: FromOptions,
): Promise<readonly Event[]> => {
  const wanted = [...new Set(ids)];
  const found = new Map<string, Event>();
  const always = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  for (const step of inSteps(unitsOf(snapshot, always, idTest(...wanted), from), FIRST_ROWS)) {
    const left = wanted.filter((id) => !found.has(id));
    if (left.length === 0) break;
    const { sql } = fromPicks(picksOf(step), from);
    const rows = await connection.rows(`SELECT ${EVENT_SELECT} FROM ${sql} WHERE "event.id" IN (SELECT unnest(?))`, [left]);
    for (const event of rows.map(rowToEvent)) {
      const id = event['event.id'];
      if (id !== undefined && !found.has(id)) found.set(id, event);
    }
  }
  return wanted.flatMap((id) => found.get(id) ?? []);
};

const fetchEvents = async (connection: Connection, page: readonly Found[], from: FromOptions): Promise<readonly Event[]> => {
  if (page.length === 0) return [];
  const rowsOf = new Map<Source, number[]>();
  for (const { source, row } of page) {
    const list = rowsOf.get(source);
    if (list === undefined) rowsOf.set(source, [row]);
    else list.push(row);
  }
  const picks = [...rowsOf].map(([source, rows]) => ({ source, rows: rowList(rows) }));
  const { sql, sources } = fromPicks(picks, from, true);
  const rows = await connection.rows(`SELECT ${PLACE}, ${EVENT_SELECT} FROM ${sql}`);
  const byPlace = new Map(rows.map(([source, row, ...values]) => [`${source} ${row}`, rowToEvent(values)]));
  return page.flatMap(({ source, row }) => byPlace.get(`${sources.indexOf(source)} ${row}`) ?? []);
};

const formatKey = ({ time, id }: Key): string => Buffer.from(JSON.stringify([time, id])).toString('base64url');

const parseKey = (text: string): Key => {
  try {
    const [time, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown];
    if (Number.isSafeInteger(time) && typeof id === 'string') return { time: Number(time), id };
  } catch {
    // Told below: a place that was not made here.
  }
  throw fault('USAGE', { reason: 'The place to go on from was not given by an earlier page' });
};

const compareBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
