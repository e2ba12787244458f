// SPDX-License-Identifier: Apache-2.0
/**
 * Reports on disk: three files for each revision of each week, written whole, never changed; a register beside them says which there are.
 * Input: made reports. Output: files under the data folder, rows of the register.
 */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { syncFolder } from '../../core/segment.ts';
import { fault } from '../errors.ts';
import type { ReportEntry } from '../model/report.ts';
import type { StateStore } from '../store/store.ts';
import type { MadeRevision } from './revision.ts';

export const FORMATS = { json: 'json', html: 'html', text: 'txt' } as const;
export type Format = keyof typeof FORMATS;

export interface Archive {
  /** Writes the files first and the register last: what the register names is there. */
  keep(made: MadeRevision): Promise<ReportEntry>;
  /** Newest week first, then newest revision. */
  list(
    limit: number,
    after?: string,
  ): Promise<{ readonly items: readonly ReportEntry[]; readonly next: string | null; readonly total: number }>;
  /** The newest revision of a week, or the one named; null where there is none. */
  find(week: string, revision?: number): Promise<ReportEntry | null>;
  /** @throws CodedError REPORT_DAMAGED where a file is gone or not as it was written. */
  read(entry: ReportEntry, format: Format): Promise<Buffer>;
}

const idOf = (week: string, revision: number): string => `${week}/${revision}`;
export const fileName = (week: string, revision: number, format: Format): string => `${week}-r${revision}.${FORMATS[format]}`;

export const openArchive = async (dir: string, state: StateStore): Promise<Archive> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });

  const write = async (name: string, text: string): Promise<void> => {
    const path = join(dir, name);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  };

  return {
    keep: async ({ json, html, text, ...entry }) => {
      const { week, revision } = entry;
      try {
        await write(fileName(week, revision, 'html'), html);
        await write(fileName(week, revision, 'text'), text);
        await write(fileName(week, revision, 'json'), json);
        await syncFolder(dir);
      } catch (error) {
        throw fault('REPORT_NOT_KEPT', { week, reason: systemCode(error) ?? 'it cannot be written' }, error);
      }
      await state.put('report', idOf(week, revision), entry);
      return entry;
    },
    list: async (limit, after) => {
      const { items, next, total } = await state.list('report', { limit, orderBy: 'week', ...(after === undefined ? {} : { after }) });
      return { items: items.map(({ value }) => value).sort(newestFirst), next, total };
    },
    find: async (week, revision) => {
      if (revision !== undefined) return (await state.get('report', idOf(week, revision)))?.value ?? null;
      let newest: ReportEntry | null = null;
      for (let n = 0; ; n++) {
        const found = await state.get('report', idOf(week, n));
        if (found === null) return newest;
        newest = found.value;
      }
    },
    read: async ({ week, revision, hashes }, format) => {
      const file = fileName(week, revision, format);
      const bytes = await readFile(join(dir, file)).catch((error: unknown) => {
        throw fault('REPORT_DAMAGED', { file, reason: systemCode(error) ?? 'it cannot be read' }, error);
      });
      if (sha256(bytes) !== hashes[format]) throw fault('REPORT_DAMAGED', { file, reason: 'it is not as it was written' });
      return bytes;
    },
  };
};

const newestFirst = (a: ReportEntry, b: ReportEntry): number => (a.week < b.week ? 1 : a.week > b.week ? -1 : b.revision - a.revision);
