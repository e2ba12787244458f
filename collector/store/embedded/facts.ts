// SPDX-License-Identifier: Apache-2.0
/**
 * The questions of the facts sink over the state's own documents, in the running transaction.
 * Input: the state's database. Output: items of a host, tables, spans around a time. Port: `FactReader` in `model/facts.ts`.
 */
import { days, type UnixMs, unixMs } from '../../../core/units.ts';
import type { FactTable, HostFact } from '../../model/fact.ts';
import { hostFactId } from '../../model/fact.ts';
import type { FactReader } from '../../model/facts.ts';
import type { Observation } from '../../model/observation.ts';
import type { StateCore } from './state.ts';

const SPAN = `SELECT value FROM doc_observation WHERE json_extract(value, '$."subject"') = ? AND json_extract(value, '$."check"') = ?`;
const FIRST = `json_extract(value, '$."first"')`;
const NEAR = 3;

const valuesOf = <T>(rows: readonly Record<string, unknown>[]): T[] => rows.map(({ value }) => JSON.parse(String(value)) as T);

/** What is gone or over for longer than this is forgotten. */
const KEPT = days(400);

/** Removes items that are gone and answers that hold no longer since long ago; to be called about every hour. */
export const expireFacts = ({ db }: Pick<StateCore, 'db'>, now: UnixMs): void => {
  const before = unixMs(now - KEPT);
  db.prepare(`DELETE FROM doc_hostFact WHERE json_extract(value, '$."removed"') < ?`).run(before);
  db.prepare(`DELETE FROM doc_observation WHERE json_extract(value, '$."open"') = 0 AND json_extract(value, '$."expires"') < ?`).run(
    before,
  );
};

/** Transactions are the caller's. */
export const openFacts = (core: Pick<StateCore, 'db' | 'get'>): FactReader => {
  const { db } = core;
  // Ids are `host/kind/item`, and `0` comes behind `/`.
  const items = db.prepare('SELECT value FROM doc_hostFact WHERE id >= ? AND id < ?');
  const count = db.prepare('SELECT count(*) AS n FROM doc_hostFact WHERE id >= ? AND id < ?');
  const before = db.prepare(`${SPAN} AND ${FIRST} <= ? ORDER BY ${FIRST} DESC LIMIT ${NEAR}`);
  const after = db.prepare(`${SPAN} AND ${FIRST} > ? ORDER BY ${FIRST} LIMIT ${NEAR}`);
  const rangeOf = (host: string, kind: string): [string, string] => [`${host}/${kind}/`, `${host}/${kind}0`];
  return {
    item: (host, kind, item) => (core.get('hostFact', hostFactId(host, kind, item))?.value ?? null) as HostFact | null,
    items: (host, kind) => valuesOf(items.all(...rangeOf(host, kind))),
    count: (host, kind) => Number(count.get(...rangeOf(host, kind))?.['n']),
    table: (host, kind) => (core.get('factTable', hostFactId(host, kind, ''))?.value ?? null) as FactTable | null,
    spansNear: (check, subject, at) => [
      ...valuesOf<Observation>(before.all(subject, check, at)).reverse(),
      ...valuesOf<Observation>(after.all(subject, check, at)),
    ],
  };
};
