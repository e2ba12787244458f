// SPDX-License-Identifier: Apache-2.0
/**
 * Puts ranges that were decoded again in the place of older rows, and drops those rows from their files bit by bit (river.md P5).
 * Input: whole batch files of a newer generation. Output: files and one change of the manifest that shows them and hides the others.
 */
import { join } from 'node:path';
import { type BatchFile, isWhole } from '../batch-file.ts';
import { joinRanges } from '../journal-ends.ts';
import type { Connection } from './duck.ts';
import { rewriteFile, writeSealed } from './files.ts';
import { HotTables } from './hot.ts';
import type { Manifest, NewFile, Replaced, StoredFile } from './manifest.ts';
import type { Asks, EngineOptions } from './protocol.ts';
import { type FromOptions, fromSql, type Sources } from './sources.ts';

export interface ReplaceParts {
  readonly options: EngineOptions;
  readonly manifest: Manifest;
  readonly sources: Sources;
  readonly connection: Connection;
  readonly from: FromOptions;
}

/** Folder of the batches that wait to replace others. */
export const REDECODE = 'redecode';

/** Writes the batches into files. Nothing of them is in the store before `manifest.replaceRanges`. */
export const writeReplacement = async (parts: ReplaceParts, batches: readonly BatchFile[]): Promise<readonly NewFile[]> => {
  const { options, manifest, connection, from } = parts;
  const dir = join(options.dir, REDECODE);
  const hot = new HotTables(connection, {
    hotDir: dir,
    tempDir: join(options.dir, 'tmp'),
    prefix: 'again',
    bury: (batch, line, text, reason) => manifest.bury(batch.path, line, text, reason, Date.now()),
  });
  const made: NewFile[] = [];
  for (const group of groupsOf(batches, options.sealBytes)) {
    const tables = [];
    try {
      for (const batch of group) {
        if (!(await isWhole(dir, batch))) throw new Error(`the batch ${batch.path} is not whole`);
        tables.push(await hot.load(batch));
      }
      made.push(
        ...(await writeSealed(connection, fromSql(tables, from), joinRanges(group), {
          filesDir: from.filesDir,
          rowGroupRows: options.rowGroupRows,
          level: 3,
        })),
      );
    } finally {
      await hot.drop(tables);
    }
  }
  return made;
};

function* groupsOf(batches: readonly BatchFile[], mostBytes: number): Generator<readonly BatchFile[]> {
  let group: BatchFile[] = [];
  let bytes = 0;
  for (const batch of batches.filter(({ rows }) => rows > 0)) {
    if (group.length > 0 && bytes + batch.bytes > mostBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(batch);
    bytes += batch.bytes;
  }
  if (group.length > 0) yield group;
}

export const replacedBy = ({ what, batches }: Asks['replace']['ask']): readonly Replaced[] =>
  joinRanges(batches).map((range) => ({ ...what, range }));

/** One file with rows that are hidden, written again without them; null when there is none. */
export const dropHidden = async (parts: ReplaceParts): Promise<{ readonly gone: StoredFile; readonly made: NewFile | null } | null> => {
  const { options, sources, connection, from } = parts;
  const generation = Math.max(0, ...sources.replaced.map((one) => one.generation));
  const hidden = sources.hidden();
  for (const file of sources.files) {
    if (hidden(file) === null) continue;
    const seen = { ...from, hidden };
    const [row] = await connection.rows(`SELECT count(*) FROM ${fromSql([file], seen)}`);
    if (Number(row?.[0]) === file.rows) sources.cleaned(file, generation);
    else
      return {
        gone: file,
        made: await rewriteFile(connection, file, seen, {
          filesDir: from.filesDir,
          rowGroupRows: options.rowGroupRows,
          level: 9,
          generation,
        }),
      };
  }
  return null;
};
