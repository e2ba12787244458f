// SPDX-License-Identifier: Apache-2.0
/**
 * What journal, spool and quarantine ask of a file system: the door behind which their promises are kept.
 * Input: paths, bytes. Output: the system's own errors. A test gives one that lies in memory, loses what was not synced, or fails.
 */
import { closeSync, copyFileSync, fstatSync, linkSync, mkdirSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

/** An open file; `FileHandle` is one. */
export interface OpenFile {
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesWritten: number }>;
  writev(pieces: readonly Uint8Array[], position: number): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  /** Content and size are durable when it resolves. */
  datasync(): Promise<void>;
  /** The same with all attributes; of a folder: its names. */
  sync(): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  close(): Promise<void>;
}

export interface Files {
  /** `r`, `r+` or `wx`, as in `node:fs`. */
  open(path: string, flags: 'r' | 'r+' | 'wx', mode?: number): Promise<OpenFile>;
  /** Makes a folder with mode 0700, and those above it; nothing where it is. */
  makeFolder(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  stat(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes a file where there is one. */
  remove(path: string): Promise<void>;
  truncate(path: string, length: number): Promise<void>;
  readText(path: string): Promise<string>;
  /** Writes a whole file with mode 0600, durable but for its name. */
  writeText(path: string, text: string): Promise<void>;
  readonly blocking: BlockingFiles;
}

/** The few calls of readers in worker threads. */
export interface BlockingFiles {
  list(path: string): readonly string[];
  /** Time of a folder's last change, ms. */
  changedAt(path: string): number;
  open(path: string): number;
  size(file: number): number;
  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number;
  close(file: number): void;
}

export const systemFiles: Files = {
  open,
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  stat: (path) => stat(path),
  rename,
  unlink,
  remove: (path) => rm(path, { force: true }),
  truncate,
  readText: (path) => readFile(path, 'utf8'),
  writeText: (path, text) => writeFile(path, text, { mode: 0o600, flush: true }),
  blocking: {
    list: (path) => readdirSync(path),
    changedAt: (path) => statSync(path).mtimeMs,
    open: (path) => openSync(path, 'r'),
    size: (file) => fstatSync(file).size,
    read: readSync,
    close: closeSync,
  },
};

/** Gives a file a second name, below a folder that is made with mode 0700; what takes its first name later leaves it as it is. False where it is gone by now. Blocking. */
export const linkOrCopy = (from: string, to: string): boolean => {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    // Not every file system knows links.
    copyFileSync(from, to);
  }
  return true;
};
