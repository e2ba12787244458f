// SPDX-License-Identifier: Apache-2.0
/**
 * Searches by time: opens the newest sources first and stops when no other can hold a better row. First keys, then the rows of the page.
 * Input: a query, a page size, a place to go on from. Output: events in a total order (time, then id).
 */
import { fault } from '../../../errors.ts';
import type { Event } from '../../../model/event.ts';
import { EVENT_SELECT, rowToEvent } from '../../schema.ts';
import type { Connection, Param } from './duck.ts';
import type { Asks } from './protocol.ts';
import { type FromOptions, fromSql, isFile, type Snapshot, type Source } from './sources.ts';
import { inWindow, timeSql, whereOf } from './where.ts';

interface Key {
  readonly time: number;
  readonly id: string;
}

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
  const low = after !== null && !newest ? after.time : ask.query.from;
  const high = after !== null && newest ? after.time + 1 : ask.query.to;
  const better = (a: Key, b: Key): number => (newest ? b.time - a.time : a.time - b.time) || compareBytes(a.id, b.id);
  const sources = byTime(inWindow([...snapshot.tables, ...snapshot.files], low, high), newest);

  // One more than asked for tells whether there is a next page.
  let keys: Key[] = [];
  for (const group of inSteps(sources)) {
    const last = keys[ask.limit];
    const within =
      last === undefined ? group : group.filter((source) => (newest ? source.maxTime >= last.time : source.minTime <= last.time));
    if (within.length === 0) break;
    const bound = last === undefined ? '' : ` AND "@timestamp" ${newest ? '>=' : '<='} ${timeSql(last.time)}`;
    const rows = await connection.rows(
      `SELECT epoch_ms("@timestamp"), "event.id" FROM ${fromSql(within, { ...from, messageSpared: where.messageSpared })}
       WHERE ${where.sql}${place}${bound} ORDER BY "@timestamp" ${newest ? 'DESC' : 'ASC'}, "event.id" LIMIT ${ask.limit + 1}`,
      params,
    );
    keys = [...keys, ...rows.map(([time, id]) => ({ time: Number(time), id: String(id) }))].sort(better).slice(0, ask.limit + 1);
  }
  const page = keys.slice(0, ask.limit);
  const end = page[page.length - 1];
  return {
    events: await fetchEvents(connection, sources, page, from),
    next: keys.length > ask.limit && end !== undefined ? formatKey(end) : null,
  };
};

/** The events with these ids, in that order; ids that are not held are left out. */
export const getEvents = async (
  connection: Connection,
  snapshot: Snapshot,
  ids: readonly string[],
  from: FromOptions,
): Promise<readonly Event[]> => {
  const sources = byTime([...snapshot.tables, ...snapshot.files], true);
  const found = new Map<string, Event>();
  const wanted = [...new Set(ids)];
  for (const group of inSteps(sources)) {
    const left = wanted.filter((id) => !found.has(id));
    if (left.length === 0) break;
    for (const event of await readEvents(connection, group, left, '', from)) {
      const id = event['event.id'];
      if (id !== undefined && !found.has(id)) found.set(id, event);
    }
  }
  return wanted.flatMap((id) => found.get(id) ?? []);
};

// Hot tables cost little each: those before the first file are asked with it; then two files, four, eight.
function* inSteps(sources: readonly Source[]): Generator<readonly Source[]> {
  let step = sources.findIndex(isFile) + 1 || sources.length;
  let next = 2;
  for (let at = 0; at < sources.length; ) {
    yield sources.slice(at, at + step);
    at += step;
    step = next;
    next *= 2;
  }
}

const byTime = (sources: readonly Source[], newest: boolean): readonly Source[] =>
  sources.toSorted((a, b) => (newest ? b.maxTime - a.maxTime : a.minTime - b.minTime));

const fetchEvents = async (
  connection: Connection,
  sources: readonly Source[],
  page: readonly Key[],
  from: FromOptions,
): Promise<readonly Event[]> => {
  if (page.length === 0) return [];
  const times = page.map((key) => key.time);
  const low = Math.min(...times);
  const high = Math.max(...times);
  const holding = sources.filter((source) => source.maxTime >= low && source.minTime <= high);
  const ids = page.map((key) => key.id);
  const events = await readEvents(connection, holding, ids, `"@timestamp" BETWEEN ${timeSql(low)} AND ${timeSql(high)} AND `, from);
  const byKey = new Map(events.map((event) => [`${event['@timestamp']} ${event['event.id']}`, event]));
  return page.flatMap((key) => byKey.get(`${key.time} ${key.id}`) ?? []);
};

const readEvents = async (
  connection: Connection,
  sources: readonly Source[],
  ids: readonly string[],
  window: string,
  from: FromOptions,
): Promise<readonly Event[]> => {
  const rows = await connection.rows(
    `SELECT ${EVENT_SELECT} FROM ${fromSql(sources, from)} WHERE ${window}"event.id" IN (SELECT unnest(?))`,
    [ids],
  );
  return rows.map(rowToEvent);
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
