// SPDX-License-Identifier: Apache-2.0
/**
 * The exclusive lock of a data folder. The operating system frees it when its owner dies, so no stale lock can stay behind.
 * Input: the folder. Output: a held lock, or DATA_FOLDER_BUSY with the owner's process id.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { coreFault } from '../../../core/errors.ts';

export interface FolderLock {
  readonly dir: string;
  /** Frees the folder. Repeating it is harmless. */
  release(): void;
}

/**
 * Takes the folder, making it with mode 0700 where it is missing.
 * @throws CodedError DATA_FOLDER_BUSY when another process, or another part of this one, holds it.
 */
export const lockFolder = (dir: string): FolderLock => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const owner = join(dir, 'lock.pid');
  // SQLite's own file lock: released by the system with the process, unlike a file with a number in it.
  const db = new DatabaseSync(join(dir, 'lock.db'), { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    throw coreFault('DATA_FOLDER_BUSY', { dir, pid: ownerOf(owner), flag: '--data' }, cause);
  }
  writeFileSync(owner, `${process.pid}\n`, { mode: 0o600 });
  let held = true;
  return {
    dir,
    release: () => {
      if (!held) return;
      held = false;
      db.close();
    },
  };
};

const ownerOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown';
  } catch {
    // The owner holds the lock but has not written its number yet.
    return 'unknown';
  }
};
