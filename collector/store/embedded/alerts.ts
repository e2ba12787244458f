// SPDX-License-Identifier: Apache-2.0
/**
 * The index of alerts by pair, time and entity beside the state's documents, in the same database and transaction.
 * Input: every write of an alert, incident or what people say of it. Output: the synchronous questions of grouping (S5, S7).
 */
import type { DatabaseSync } from 'node:sqlite';
import type { AlertId, IncidentId } from '../../../core/ids.ts';
import type { Alert } from '../../model/alert.ts';
import { type AlertLink, type AlertReader, type IncidentReader, linkOf, type Pins } from '../../model/alerts.ts';
import type { IncidentWork } from '../../model/incident.ts';
import type { Pair } from '../../model/satisfied.ts';
import type { Collection, Collections } from '../store.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS alert_index (
  id TEXT NOT NULL PRIMARY KEY, rule TEXT NOT NULL, entity TEXT NOT NULL, replay INTEGER NOT NULL, n INTEGER NOT NULL,
  live INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, link TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS alert_index_live ON alert_index (rule, entity, replay, last) WHERE live = 1;
CREATE INDEX IF NOT EXISTS alert_index_number ON alert_index (rule, entity, replay, n);
CREATE TABLE IF NOT EXISTS alert_entity (
  entity TEXT NOT NULL, replay INTEGER NOT NULL, opens INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL, alert TEXT NOT NULL,
  address INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (entity, replay, opens, last, alert)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_entity_alert ON alert_entity (alert);
CREATE TABLE IF NOT EXISTS incident_pin (
  alert TEXT NOT NULL, incident TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (alert, incident)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS incident_pin_incident ON incident_pin (incident);
`;

// What people say is written by commands, not by pages: where the state's own table stands, the database keeps the pins itself.
const PIN_TRIGGERS = ['INSERT', 'UPDATE'].map(
  (when) => `
CREATE TRIGGER IF NOT EXISTS incident_pin_${when.toLowerCase()} AFTER ${when} ON doc_incidentWork BEGIN
  DELETE FROM incident_pin WHERE incident = NEW.id;
  INSERT OR REPLACE INTO incident_pin SELECT value, NEW.id, 'added' FROM json_each(NEW.value, '$.added');
  INSERT OR REPLACE INTO incident_pin SELECT value, NEW.id, 'removed' FROM json_each(NEW.value, '$.removed');
END;`,
);

/** Links that are kept as objects at most, about 1 kB each. */
const LINKS_KEPT = 10_000;

const isAddress = (entity: string): boolean => entity.startsWith('ip:');

/** Reads a document of the state in the running transaction; null when there is none. */
export type ReadDocument = <C extends Collection>(collection: C, id: string) => Collections[C] | null;

export interface AlertIndex extends AlertReader, IncidentReader {
  /** MUST be called for each document of `alert` that is written, in its transaction, and of `incidentWork` where the state is not in this database. Others are passed over. */
  note<C extends Collection>(collection: C, id: string, value: Collections[C]): void;
  /** MUST be called when a transaction with notes in it was not ended: what was noted is not so. */
  forget(): void;
}

/** Opens the index, creating it where it is missing. Transactions are the caller's. */
export const openAlerts = (db: DatabaseSync, read: ReadDocument): AlertIndex => {
  db.exec(SCHEMA);
  const hasAddress = db.prepare("SELECT 1 FROM pragma_table_info('alert_entity') WHERE name = 'address'").get();
  if (!hasAddress) db.exec('ALTER TABLE alert_entity ADD COLUMN address INTEGER NOT NULL DEFAULT 0');
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'doc_incidentWork'").get()) db.exec(PIN_TRIGGERS.join('\n'));
  const upsert =
    db.prepare(`INSERT INTO alert_index (id, rule, entity, replay, n, live, first, last, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET live = excluded.live, first = excluded.first, last = excluded.last, link = excluded.link`);
  const dropEntities = db.prepare('DELETE FROM alert_entity WHERE alert = ?');
  const addEntity = db.prepare(
    'INSERT OR IGNORE INTO alert_entity (entity, replay, opens, last, first, alert, address) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const held = db.prepare('SELECT live, first, last, link FROM alert_index WHERE id = ?');
  const touching = db.prepare(
    'SELECT id FROM alert_index WHERE live = 1 AND rule = ? AND entity = ? AND replay = ? AND last >= ? AND first <= ? ORDER BY n',
  );
  const pairLinks = db.prepare(
    'SELECT id, link FROM alert_index WHERE live = 1 AND rule = ? AND entity = ? AND replay = ? AND last >= ? AND first <= ? LIMIT ?',
  );
  const highest = db.prepare('SELECT max(n) AS n FROM alert_index WHERE rule = ? AND entity = ? AND replay = ?');
  const linkById = db.prepare('SELECT link FROM alert_index WHERE id = ? AND live = 1');
  const byEntity = db.prepare(
    'SELECT alert, first FROM alert_entity WHERE entity = ? AND replay = ? AND opens = ? AND last >= ? AND first <= ? AND address <= ? LIMIT ?',
  );
  const dropPins = db.prepare('DELETE FROM incident_pin WHERE incident = ?');
  const addPin = db.prepare('INSERT OR REPLACE INTO incident_pin (alert, incident, kind) VALUES (?, ?, ?)');
  const pinsOf = db.prepare('SELECT incident, kind FROM incident_pin WHERE alert = ? ORDER BY incident');

  const noteAlert = (alert: Alert): void => {
    const live = alert.status === 'live' ? 1 : 0;
    const link = linkOf(alert);
    links.delete(alert.id);
    const before = held.get(alert.id) as { live: number; first: number; last: number; link: string } | undefined;
    upsert.run(alert.id, alert.rule, alert.entity, Number(alert.replay), alert.n, live, alert.first, alert.last, JSON.stringify(link));
    const moved =
      !before ||
      before.live !== live ||
      before.first !== alert.first ||
      before.last !== alert.last ||
      entityKey(JSON.parse(before.link) as AlertLink) !== entityKey(link);
    if (!moved) return;
    if (before) dropEntities.run(alert.id);
    if (live)
      for (const entity of alert.entities)
        addEntity.run(
          entity,
          Number(alert.replay),
          Number(alert.opens === true),
          alert.last,
          alert.first,
          alert.id,
          Number(isAddress(alert.entity)),
        );
  };
  const noteWork = (id: string, work: IncidentWork): void => {
    dropPins.run(id);
    for (const alert of work.added ?? []) addPin.run(alert, id, 'added');
    for (const alert of work.removed ?? []) addPin.run(alert, id, 'removed');
  };
  /** The same link is asked for by every alert beside it: one object stands for it until it is written again. */
  const links = new Map<string, AlertLink>();
  const keep = (id: string, text: string): AlertLink => {
    const known = links.get(id);
    if (known) return known;
    const link = JSON.parse(text) as AlertLink;
    if (links.size >= LINKS_KEPT) links.delete(links.keys().next().value ?? '');
    links.set(id, link);
    return link;
  };
  const linkedTo = (ids: Iterable<string>): AlertLink[] => {
    const out: AlertLink[] = [];
    for (const id of ids) {
      const known = links.get(id);
      const row = known ? undefined : (linkById.get(id) as { link: string } | undefined);
      if (known) out.push(known);
      else if (row) out.push(keep(id, row.link));
    }
    return out;
  };

  return {
    note: (collection, id, value) => {
      if (collection === 'alert') noteAlert(value as Alert);
      if (collection === 'incidentWork') noteWork(id, value as IncidentWork);
    },
    forget: () => links.clear(),
    touching: (pair: Pair, from, to) => {
      const rows = touching.all(pair.rule, pair.entity, Number(pair.replay), from, to) as { id: string }[];
      return rows.flatMap(({ id }) => read('alert', id) ?? []);
    },
    lastNumber: (pair: Pair) => (highest.get(pair.rule, pair.entity, Number(pair.replay)) as { n: number | null }).n ?? 0,
    alert: (id) => read('alert', id),
    linked: ({ entities, aboutAddress, replay, opens, onHost, limit, ...span }) => {
      const found = new Map<string, number>();
      for (const entity of entities) {
        const most = Number(!aboutAddress || isAddress(entity));
        const { from, to } = entity.startsWith('host:') ? onHost : span;
        const rows = byEntity.all(entity, Number(replay), Number(opens), from, to, most, limit) as { alert: string; first: number }[];
        for (const { alert, first } of rows) found.set(alert, first);
      }
      const ids = [...found].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).map(([id]) => id);
      return linkedTo(ids.slice(0, limit));
    },
    ofPair: (pair, from, to, limit) => {
      const rows = pairLinks.all(pair.rule, pair.entity, Number(pair.replay), from, to, limit) as { id: string; link: string }[];
      return rows.map(({ id, link }) => keep(id, link));
    },
    links: (ids: readonly AlertId[]) => linkedTo(ids),
    pins: (id): Pins => {
      const rows = pinsOf.all(id) as { incident: string; kind: string }[];
      const added = rows.find(({ kind }) => kind === 'added');
      return { added: (added?.incident ?? null) as IncidentId | null, removed: rows.some(({ kind }) => kind === 'removed') };
    },
    incident: (id) => read('incident', id),
    incidentWork: (id) => read('incidentWork', id),
  };
};

const entityKey = ({ entities, opens }: AlertLink): string => `${opens === true} ${entities.join()}`;
