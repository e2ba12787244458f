// SPDX-License-Identifier: Apache-2.0
/**
 * Puts a backup into an empty data folder, verified on the way in: all of it, or nothing.
 * Input: an archive, a folder. Output: the folder as the backup had it, without the journal's incarnation, so that agents send again what is missing (river.md W6).
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../core/segment.ts';
import { fault } from '../errors.ts';
import type { BackupFile } from './manifest.ts';
import { type BackupRead, type FileSink, readBackup } from './read.ts';

export interface RestoreOptions {
  readonly file: string;
  readonly dir: string;
  /** Takes the folder for the time it lasts. @throws CodedError DATA_FOLDER_BUSY. */
  readonly lock: (dir: string) => { release(): void };
  readonly onProgress?: (done: number, total: number) => void;
}

/** Where files lie until all of them held. A collector does not start on a folder that holds it. */
export const UNFINISHED = '.restoring';
const LOCK_FILES: ReadonlySet<string> = new Set(['lock.db', 'lock.db-journal', 'lock.db-wal', 'lock.db-shm', 'lock.pid', UNFINISHED]);

/** @throws CodedError BACKUP_BROKEN, FILE_UNREADABLE, RESTORE_NOT_EMPTY, DATA_FOLDER_BUSY. */
export const restoreBackup = async ({ file, dir, lock, onProgress }: RestoreOptions): Promise<BackupRead> => {
  // A folder of somebody else's is not even touched by a lock; that of a running collector is named as such.
  if (existsSync(dir) && !existsSync(join(dir, 'lock.db'))) await mustBeEmpty(dir);
  const held = lock(dir);
  try {
    await mustBeEmpty(dir);
    const parts = join(dir, UNFINISHED);
    await rm(parts, { recursive: true, force: true });
    await mkdir(parts, { mode: 0o700 });
    const folders = new Set<string>([parts]);
    let read: BackupRead;
    try {
      read = await readBackup(file, { onFile: (one) => writeOne(parts, one, folders), ...(onProgress ? { onProgress } : {}) });
      for (const folder of folders) await syncFolder(folder);
    } catch (error) {
      await rm(parts, { recursive: true, force: true });
      throw error;
    }
    for (const name of await readdir(parts)) await rename(join(parts, name), join(dir, name));
    await syncFolder(dir);
    await rm(parts, { recursive: true });
    await syncFolder(dir);
    return read;
  } finally {
    held.release();
  }
};

const mustBeEmpty = async (dir: string): Promise<void> => {
  const names = (await readdir(dir)).filter((name) => !LOCK_FILES.has(name));
  if (names.length > 0) throw fault('RESTORE_NOT_EMPTY', { dir, name: names[0] as string });
};

const writeOne = async (root: string, { path }: BackupFile, folders: Set<string>): Promise<FileSink> => {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  for (let folder = dirname(target); folder.length > root.length; folder = dirname(folder)) folders.add(folder);
  const out = await open(target, 'wx', 0o600);
  let at = 0;
  return {
    piece: async (bytes) => {
      for (let done = 0; done < bytes.length; ) done += (await out.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      at += bytes.length;
    },
    end: () => out.sync(),
    close: () => out.close(),
  };
};
