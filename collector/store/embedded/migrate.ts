// SPDX-License-Identifier: Apache-2.0
/**
 * The state database's tables, step by step: each step once, in one transaction, never changed after a release.
 * Input: an open database. Output: the same at the newest step, or STATE_TOO_NEW when a later version wrote it.
 */
import type { DatabaseSync } from 'node:sqlite';
import { fault } from '../../errors.ts';
import { COLLECTIONS } from '../store.ts';

const STEPS: readonly string[] = [
  `CREATE TABLE sink (sink TEXT PRIMARY KEY, collector TEXT NOT NULL, incarnation TEXT NOT NULL, offset INTEGER NOT NULL) STRICT;
   CREATE TABLE page (incarnation TEXT NOT NULL, first INTEGER NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (incarnation, first)) STRICT;
   CREATE INDEX page_at ON page (at);
   CREATE TABLE series (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;`,
  // The signals of a page, packed: a storm's pages were most of what the database wrote.
  `ALTER TABLE page ADD COLUMN packed BLOB;`,
];

// Each collection has the same table: a new collection needs no step.
const DOCUMENTS = `${COLLECTIONS.map(
  (name) => `CREATE TABLE IF NOT EXISTS doc_${name} (id TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) STRICT;`,
).join('\n')}
CREATE INDEX IF NOT EXISTS alert_last ON doc_alert (json_extract(value, '$."last"') IS NULL, json_extract(value, '$."last"') DESC, id);
CREATE INDEX IF NOT EXISTS observation_pair ON doc_observation (json_extract(value, '$."subject"'), json_extract(value, '$."check"'), json_extract(value, '$."first"'));
CREATE INDEX IF NOT EXISTS session_expires ON doc_session (json_extract(value, '$."expiresAt"'));`;

/**
 * Brings the tables to the newest step.
 * @throws CodedError STATE_TOO_NEW.
 */
export const migrate = (db: DatabaseSync, file: string): void => {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > STEPS.length) throw fault('STATE_TOO_NEW', { file, version, known: STEPS.length });
  for (let step = version; step < STEPS.length; step++) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(STEPS[step] as string);
      db.exec(`PRAGMA user_version = ${step + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
  db.exec(DOCUMENTS);
};
