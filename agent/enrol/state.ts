// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's state folder: mode 0700, one process at a time, files written whole and durable.
 * Input: a path. Output: a lock that falls when the process dies; private files.
 */
import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { coreFault, isCoded, systemCode, toError } from '../../core/errors.ts';
import { random128 } from '../../core/ids.ts';
import { fault } from '../errors.ts';

/** Makes the folder, or checks that it is this user's alone. @throws CodedError AGENT_STATE_UNUSABLE. */
export const openStateFolder = (dir: string): void => {
  const unusable = (reason: string, cause?: unknown): Error => fault('AGENT_STATE_UNUSABLE', { dir, reason }, cause);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const stat = lstatSync(dir);
    if (!stat.isDirectory()) throw unusable('it is not a folder');
    if (process.getuid && stat.uid !== process.getuid()) throw unusable('it belongs to another user');
    if ((stat.mode & 0o077) !== 0) throw unusable(`others may enter it (mode ${(stat.mode & 0o777).toString(8)})`);
  } catch (error) {
    const code = isCoded(error) ? undefined : systemCode(error);
    throw code === undefined ? error : unusable(code, error);
  }
};

/** Writes a private file whole: temp, fsync, rename, fsync of the folder. */
export const writePrivateFile = (path: string, text: string): void => {
  const temp = `${path}.${random128().slice(0, 8)}.tmp`;
  const fd = openSync(temp, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

export interface StateLock {
  release(): void;
}

/** The process that holds the folder's lock and lives; undefined when none does. */
export const lockHolder = (dir: string): number | undefined => {
  const text = readIfThere(join(dir, 'lock'));
  const [pid, started] = (text ?? '').split(' ');
  const number = Number(pid);
  if (!Number.isInteger(number) || number <= 0) return undefined;
  const now = startOf(number);
  return now !== undefined && (started === undefined || started === '' || now === '' || now === started) ? number : undefined;
};

/** Takes the folder for this process. @throws CodedError DATA_FOLDER_BUSY. */
export const lockState = (dir: string): StateLock => {
  const path = join(dir, 'lock');
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}`;
  const temp = join(dir, `lock.${process.pid}.${random128().slice(0, 8)}`);
  for (let attempt = 0; attempt < 10; attempt++) {
    const holder = lockHolder(dir);
    if (holder !== undefined && holder !== process.pid) throw coreFault('DATA_FOLDER_BUSY', { dir, pid: holder, flag: '--state' });
    const seen = readIfThere(path);
    if (seen !== undefined) {
      // Set aside, then looked at: if it is not the dead one that was seen, another process was faster and gets it back.
      renameQuietly(path, `${temp}.old`);
      const took = readIfThere(`${temp}.old`);
      if (took !== undefined && took !== seen) linkQuietly(`${temp}.old`, path);
      unlinkQuietly(`${temp}.old`);
    }
    const fd = openSync(temp, 'wx', 0o600);
    writeSync(fd, mine);
    closeSync(fd);
    const linked = linkQuietly(temp, path);
    unlinkQuietly(temp);
    if (linked) return { release: () => readIfThere(path) === mine && unlinkQuietly(path) };
  }
  throw coreFault('DATA_FOLDER_BUSY', { dir, pid: lockHolder(dir) ?? 0, flag: '--state' });
};

/** When a process began, in ticks since boot; '' where the system does not say, undefined when there is none. */
const startOf = (pid: number): string | undefined => {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return systemCode(error) === 'EPERM' ? '' : undefined;
  }
};

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Absent, or gone meanwhile: both mean there is nothing to read.
    return undefined;
  }
};

const linkQuietly = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOENT') return false;
    throw toError(error);
  }
};

const renameQuietly = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw toError(error);
  }
};

const unlinkQuietly = (path: string): boolean => {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw toError(error);
    return false;
  }
};
