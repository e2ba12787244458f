// SPDX-License-Identifier: Apache-2.0
/**
 * Who a file is: device, inode and birth, a growing fingerprint of its head, and a hash of the bytes before the offset.
 * Input: open files and paths. Output: marks that are kept in the spool, and the judgement whether a file is still the one that was read.
 */
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { parse, resolve, sep } from 'node:path';
import { systemCode } from '../../../core/errors.ts';

/** Bytes of head and tail that are hashed. */
export const PRINT_BYTES = 1024;

/** Bytes before a place that make another file the same: fewer may be alike by chance. */
export const COPY_BYTES = 256;

export interface FileId {
  readonly device: string;
  readonly inode: string;
  /** Time of birth in ns; '0' where the file system keeps none. Tells a reused inode. */
  readonly birth: string;
}

/** A place in a file, and how to know that file again. Hashes cover bytes that are consumed, so they never change under a writer. */
export interface Mark extends FileId {
  /** Bytes before it are sealed. */
  readonly offset: number;
  readonly headBytes: number;
  readonly head: string;
  readonly tailBytes: number;
  readonly tail: string;
  /** Records that end at or before it are backlog (A2). */
  readonly backlogTo: number;
  /** The next bytes are the rest of a line that was cut. */
  readonly continued: boolean;
  /** Time of the file's last change at the last look, in ns by the file system's own clock. */
  readonly mtime: string;
  /** All that stood in the file at that time was read. */
  readonly atEnd: boolean;
  /** Last known path; for people. */
  readonly path: string;
}

export const idOf = (stat: BigIntStats): FileId => ({
  device: String(stat.dev),
  inode: String(stat.ino),
  birth: String(stat.birthtimeNs),
});

/** The same file on the same inode. A birth that is not known on either side says nothing. */
export const sameId = (a: FileId, b: FileId): boolean =>
  a.device === b.device && a.inode === b.inode && (a.birth === b.birth || a.birth === '0' || b.birth === '0');

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);

export const NO_PRINT = { headBytes: 0, head: '', tailBytes: 0, tail: '' } as const;

/** A mark at a place of a file of which nothing is read yet. */
export const freshMark = (stat: BigIntStats, path: string, backlogTo = 0): Mark => ({
  ...idOf(stat),
  ...NO_PRINT,
  offset: 0,
  backlogTo,
  continued: false,
  mtime: String(stat.mtimeNs),
  atEnd: false,
  path,
});

/** Reads up to `length` bytes at a place; fewer at the end of the file. */
export const readAt = (fd: number, offset: number, length: number): Buffer => {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const got = readSync(fd, buffer, done, length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return buffer.subarray(0, done);
};

/** Head and tail prints of a file at an offset, read from the file itself. */
export const printsAt = (fd: number, offset: number): Pick<Mark, 'headBytes' | 'head' | 'tailBytes' | 'tail'> => {
  const size = Math.min(PRINT_BYTES, offset);
  if (size === 0) return NO_PRINT;
  return { headBytes: size, head: digest(readAt(fd, 0, size)), tailBytes: size, tail: digest(readAt(fd, offset - size, size)) };
};

/** True when the open file holds what was read up to the mark: long enough, same head, same bytes before the offset. */
export const holdsMark = (fd: number, size: number, mark: Mark): boolean => {
  if (size < mark.offset) return false;
  if (mark.headBytes > 0 && digest(readAt(fd, 0, mark.headBytes)) !== mark.head) return false;
  return mark.tailBytes === 0 || digest(readAt(fd, mark.offset - mark.tailBytes, mark.tailBytes)) === mark.tail;
};

/** The print as it stands in a block's header, opaque to the collector; `parsePrint` takes it back (W11). */
export const printText = (mark: Mark): string => `${mark.headBytes}.${mark.head}.${mark.tailBytes}.${mark.tail}`;

export const parsePrint = (text: string): Pick<Mark, 'headBytes' | 'head' | 'tailBytes' | 'tail'> | null => {
  const match = /^(\d{1,4})\.([0-9a-f]{0,64})\.(\d{1,4})\.([0-9a-f]{0,64})$/.exec(text);
  if (!match) return null;
  const [headBytes, tailBytes] = [Number(match[1]), Number(match[3])];
  if (headBytes > PRINT_BYTES || tailBytes > PRINT_BYTES) return null;
  return { headBytes, head: match[2]!, tailBytes, tail: match[4]! };
};

export type OpenProblem = 'missing' | 'denied' | 'not-regular' | 'untrusted-link' | 'refused' | 'failed';

export type Opened =
  | { readonly kind: 'open'; readonly fd: number; readonly stat: BigIntStats; readonly real: string }
  | { readonly kind: 'no'; readonly problem: OpenProblem; readonly reason: string };

/**
 * The path with its links followed, or why not. Every link on the way counts, also one in the middle of the path and one
 * behind another: only where root, this user or the target's owner made it.
 */
export const resolveFile = (path: string): { readonly real: string } | { readonly problem: OpenProblem; readonly reason: string } => {
  try {
    const real = realpathSync(path);
    if (real === resolve(path)) return { real };
    const target = statSync(real);
    return linksOf(path).every((uid) => uid === 0 || uid === process.getuid?.() || uid === target.uid)
      ? { real }
      : { problem: 'untrusted-link', reason: 'the link belongs to another user than its target' };
  } catch (error) {
    return problemOf(error);
  }
};

/** More than the system follows, so that a ring ends. */
const MOST_LINKS = 64;

/** Owners of all links that a path leads over. */
const linksOf = (path: string): readonly number[] => {
  const owners: number[] = [];
  let done = parse(resolve(path)).root;
  let todo = resolve(path).slice(done.length).split(sep);
  while (todo.length > 0 && owners.length < MOST_LINKS) {
    const [name = '', ...rest] = todo;
    const at = resolve(done, name);
    const stat = lstatSync(at);
    todo = rest;
    if (!stat.isSymbolicLink()) done = at;
    else {
      owners.push(stat.uid);
      const target = resolve(done, readlinkSync(at));
      done = parse(target).root;
      todo = [...target.slice(done.length).split(sep), ...rest];
    }
  }
  return owners;
};

/** A look at a path without opening it, links followed by the same rule. */
export const statFile = (
  path: string,
):
  | { readonly kind: 'ok'; readonly stat: BigIntStats }
  | { readonly kind: 'no'; readonly problem: OpenProblem; readonly reason: string } => {
  try {
    let stat = lstatSync(path, { bigint: true });
    if (stat.isSymbolicLink()) {
      const where = resolveFile(path);
      if ('problem' in where) return { kind: 'no', ...where };
      stat = lstatSync(where.real, { bigint: true });
    }
    return stat.isFile() ? { kind: 'ok', stat } : { kind: 'no', problem: 'not-regular', reason: 'it is not a regular file' };
  } catch (error) {
    return { kind: 'no', ...problemOf(error) };
  }
};

/** Opens a file for reading without ever waiting: links at the end are not followed, and only a regular file stays open. */
export const openRegular = (path: string, refused: (real: string) => boolean): Opened => {
  const where = resolveFile(path);
  if ('problem' in where) return { kind: 'no', ...where };
  if (refused(where.real)) return { kind: 'no', problem: 'refused', reason: 'it lies in a folder that is never read' };
  let fd: number;
  try {
    // A FIFO or a device can block or act on open; a look before saves the attempt, fstat after it is what counts.
    if (!lstatSync(where.real).isFile()) return { kind: 'no', problem: 'not-regular', reason: 'it is not a regular file' };
    fd = openSync(where.real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return { kind: 'no', ...problemOf(error) };
  }
  const stat = fstatSync(fd, { bigint: true });
  const there = isAt(fd, where.real);
  if (stat.isFile() && there) return { kind: 'open', fd, stat, real: where.real };
  closeSync(fd);
  if (!there) return { kind: 'no', problem: 'missing', reason: 'it was moved while it was opened' };
  return { kind: 'no', problem: 'not-regular', reason: 'it is not a regular file' };
};

/** False when a folder on the way was swapped for a link between the look and the open. Systems without /proc cannot tell. */
const isAt = (fd: number, real: string): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === real;
  } catch {
    // No /proc here: the checks before and O_NOFOLLOW stand alone.
    return true;
  }
};

const problemOf = (error: unknown): { readonly problem: OpenProblem; readonly reason: string } => {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'missing', reason: 'it is not there' };
  if (code === 'EACCES' || code === 'EPERM') return { problem: 'denied', reason: 'this user may not read it' };
  if (code === 'ELOOP') return { problem: 'untrusted-link', reason: 'it became a link while it was opened' };
  return { problem: 'failed', reason: code ?? 'it cannot be opened' };
};
