// SPDX-License-Identifier: Apache-2.0
/**
 * Databases of others in SQLite, read and never written.
 * Input: a path in this process's file system, a query. Output: its rows, one at a time; throws what the database says.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

const WAIT_MS = 1_000;

/** The engine is loaded when the first database is met: most hosts have none. @throws Error where the file is no database, or is not whole. */
export function* rowsOf(path: string, query: string, ...values: readonly SQLInputValue[]): Generator<Readonly<Record<string, unknown>>> {
  const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite') as { readonly DatabaseSync: typeof DatabaseSync };
  const database = new Database(path, { readOnly: true, timeout: WAIT_MS });
  try {
    yield* database.prepare(query).iterate(...values) as Iterable<Readonly<Record<string, unknown>>>;
  } finally {
    database.close();
  }
}

/** A column of bytes; undefined where it is something else. */
export const bytesOf = (value: unknown): Buffer | undefined =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
