// SPDX-License-Identifier: Apache-2.0
/**
 * Databases of others in SQLite, read and never written.
 * Input: a path in this process's file system, a query. Output: its rows, one at a time; throws what the database says.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

const WAIT_MS = 1_000;

/** The engine is loaded when the first database is met: most hosts have none. @throws Error where the file is no database, or is not whole. */
export function* rowsOf(path: string, query: string, ...values: readonly SQLInputValue[]): Generator<Readonly<Record<string, unknown>>> {
  const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite') as { readonly DatabaseSync: typeof DatabaseSync };
  const open = (where: string | URL): DatabaseSync => new Database(where, { readOnly: true, timeout: WAIT_MS });
  // Even a reader makes files beside a database that logs its writes; where no write waits, there is nothing to share.
  const still = pathToFileURL(path);
  still.search = 'immutable=1';
  const database = writesWait(path) ? open(path) : open(still);
  try {
    yield* database.prepare(query).iterate(...values) as Iterable<Readonly<Record<string, unknown>>>;
  } finally {
    database.close();
  }
}

const writesWait = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** A column of bytes; undefined where it is something else. */
export const bytesOf = (value: unknown): Buffer | undefined =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
