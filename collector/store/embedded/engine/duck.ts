// SPDX-License-Identifier: Apache-2.0
/**
 * The one door to DuckDB: an in-memory instance that may touch the given folders only and whose configuration is locked.
 * Input: limits and folders. Output: connections that run SQL of our own making with parameters.
 */
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, listValue } from '@duckdb/node-api';
import { sqlText } from '../../schema.ts';

export interface DuckOptions {
  readonly memoryBytes: number;
  readonly tempDir: string;
  readonly tempBytes: number;
  /** Folders it may read and write, besides the temporary one. */
  readonly folders: readonly string[];
}

export type Param = string | number | bigint | boolean | readonly string[];
export type Row = readonly unknown[];

export interface Connection {
  /** Runs one statement and answers its rows: bigint for BIGINT, arrays for lists, null where absent. */
  rows(sql: string, params?: readonly Param[]): Promise<readonly Row[]>;
  /** Stops what runs on this connection; it fails with an interrupt. */
  interrupt(): void;
  close(): void;
}

export interface Duck {
  connect(): Promise<Connection>;
}

export const openDuck = async ({ memoryBytes, tempDir, tempBytes, folders }: DuckOptions): Promise<Duck> => {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${memoryBytes}B`,
    temp_directory: tempDir,
    max_temp_directory_size: `${tempBytes}B`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'false',
    allow_community_extensions: 'false',
  });
  const setup = wrap(await instance.connect());
  await setup.rows("SET TimeZone = 'UTC'");
  await setup.rows('SET parquet_metadata_cache = true');
  // Order matters: after the last of these nothing can be widened again.
  await setup.rows(`SET allowed_directories = [${[...folders, tempDir].map((dir) => sqlText(`${dir}/`)).join(', ')}]`);
  await setup.rows('SET enable_external_access = false');
  await setup.rows('SET lock_configuration = true');
  setup.close();
  return { connect: async () => wrap(await instance.connect()) };
};

const asValue = (param: Param): DuckDBValue => (typeof param === 'object' ? listValue([...param]) : param);

const wrap = (connection: DuckDBConnection): Connection => ({
  rows: async (sql, params = []) => {
    const reader = await connection.runAndReadAll(sql, params.map(asValue));
    return reader.getRowsJS();
  },
  interrupt: () => connection.interrupt(),
  close: () => connection.closeSync(),
});
