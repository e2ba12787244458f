// SPDX-License-Identifier: Apache-2.0
/**
 * A batch on disk: one NDJSON file whose name holds journal range, rows, generation, length and hash, so that a broken one is recognised (P2).
 * Input: batches of `append`. Output: files under `hot/`, listed in journal order; the engine loads whole ones again after a restart.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { coreFault, systemCode, toError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import type { JournalRange } from '../../model/page.ts';
import type { EventBatch } from '../store.ts';

export interface BatchFile extends JournalRange {
  readonly rows: number;
  readonly generation: number;
  readonly bytes: number;
  /** First 16 hexadecimal digits of the content's SHA-256. */
  readonly sha: string;
  /** Columns that occur, see `EventBatch`. */
  readonly columns?: string;
  /** Path below the hot folder. */
  readonly path: string;
}

const NAME = /^(\d{16})-(\d{16})-(\d+)-g(\d+)-(\d+)-([0-9a-f]{16})(?:-c([0-9a-f]+))?\.ndjson$/;
const TEMP = '.part';

/** Folder of a journal's batches: any collector's name is safe as a path. */
const folderOf = (range: Pick<JournalRange, 'collector' | 'incarnation'>): string =>
  `${encodePart(range.collector)}+${encodePart(range.incarnation)}`;
const encodePart = (text: string): string => encodeURIComponent(text).replaceAll('.', '%2E').replaceAll('*', '%2A') || '%00';
const decodePart = (text: string): string => (text === '%00' ? '' : decodeURIComponent(text));

const pad = (n: number): string => String(n).padStart(16, '0');

/** The file that holds a batch. */
export const batchFile = ({ range, rows, generation, ndjson, columns }: EventBatch): BatchFile => {
  const sha = sha256(ndjson).slice(0, 16);
  const name = `${pad(range.from)}-${pad(range.to)}-${rows}-g${generation}-${ndjson.length}-${sha}${columns === undefined ? '' : `-c${columns}`}.ndjson`;
  const file = { ...range, rows, generation, bytes: ndjson.length, sha, path: `${folderOf(range)}/${name}` };
  return columns === undefined ? file : { ...file, columns };
};

/** What a path below the hot folder says, or null when it names no batch. */
export const parseBatchPath = (path: string): BatchFile | null => {
  const [folder = '', name = ''] = path.split('/');
  const match = NAME.exec(name);
  const [collector, incarnation] = folder.split('+');
  if (match === null || collector === undefined || incarnation === undefined) return null;
  const [, from, to, rows, generation, length, sha, columns] = match;
  const file = {
    collector: decodePart(collector),
    incarnation: decodePart(incarnation),
    from: Number(from),
    to: Number(to),
    rows: Number(rows),
    generation: Number(generation),
    bytes: Number(length),
    sha: sha as string,
    path,
  };
  return columns === undefined ? file : { ...file, columns };
};

/**
 * Writes a batch under a temporary name and renames it. Not fsynced: after a power cut a broken one is made again from the journal.
 * @throws CodedError SEGMENT_FAILED when the disk refuses.
 */
export const writeBatch = async (hotDir: string, file: BatchFile, ndjson: Uint8Array): Promise<void> => {
  const path = join(hotDir, file.path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path + TEMP, ndjson, { mode: 0o600 });
    await rename(path + TEMP, path);
  } catch (cause) {
    // What cannot be removed now is removed with the next opening.
    await rm(path + TEMP, { force: true }).catch(() => {});
    throw coreFault('SEGMENT_FAILED', { file: path, reason: systemCode(cause) ?? toError(cause).message }, cause);
  }
};

/** Every batch below the hot folder: journals by their last change, batches by offset. */
export const listBatches = async (hotDir: string): Promise<readonly BatchFile[]> => {
  const folders = (await readdir(hotDir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const changed = new Map(await Promise.all(folders.map(async ({ name }) => [name, (await stat(join(hotDir, name))).mtimeMs] as const)));
  const found: BatchFile[] = [];
  for (const [folder] of [...changed].sort((a, b) => a[1] - b[1])) {
    for (const name of (await readdir(join(hotDir, folder))).sort()) {
      const file = parseBatchPath(`${folder}/${name}`);
      if (file !== null) found.push(file);
    }
  }
  return found;
};

/** Removes writes that were cut off. Only for who writes, before it writes. */
export const removeUnfinished = async (hotDir: string): Promise<void> => {
  for (const name of await readdir(hotDir, { recursive: true })) if (name.endsWith(TEMP)) await rm(join(hotDir, name), { force: true });
};

/** True when the file is as long as its name says and its hash agrees. */
export const isWhole = async (hotDir: string, file: BatchFile): Promise<boolean> => {
  try {
    const content = await readFile(join(hotDir, file.path));
    return content.length === file.bytes && sha256(content).slice(0, 16) === file.sha;
  } catch {
    // Gone or unreadable is as good as broken: the journal has it.
    return false;
  }
};
