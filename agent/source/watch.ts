// SPDX-License-Identifier: Apache-2.0
/**
 * The one door to chokidar: wakes the reader up when something happens in a folder of logs. Polling stays the truth.
 * Input: folders. Output: a call with the folder's path, never more.
 */
import type { FSWatcher } from 'chokidar';

/** Folders that are watched; the others are only polled. */
const MAX_FOLDERS = 256;

export interface FolderWatch {
  /** Adds folders; those already watched are passed over. */
  add(folders: readonly string[]): void;
  close(): Promise<void>;
}

/** Starts without folders. Files in them get no watch of their own: the folder's events tell of their growth too. */
export const watchFolders = async (onChange: (folder: string) => void, onError: (error: unknown) => void): Promise<FolderWatch> => {
  const { watch } = await import('chokidar');
  const folders = new Set<string>();
  let watcher: FSWatcher | undefined;
  return {
    add: (more) => {
      const fresh = more.filter((folder) => !folders.has(folder)).slice(0, MAX_FOLDERS - folders.size);
      if (fresh.length === 0) return;
      for (const folder of fresh) folders.add(folder);
      if (watcher) {
        watcher.add(fresh);
        return;
      }
      watcher = watch(fresh, {
        depth: 0,
        persistent: true,
        ignoreInitial: true,
        followSymlinks: true,
        ignored: (path) => !folders.has(path),
      });
      watcher.on('raw', (_event, _path, details) => {
        const { watchedPath } = details as { readonly watchedPath?: string };
        if (watchedPath !== undefined) onChange(watchedPath);
      });
      watcher.on('error', onError);
    },
    close: async () => {
      await watcher?.close();
    },
  };
};
