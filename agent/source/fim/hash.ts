// SPDX-License-Identifier: Apache-2.0
/**
 * The digest of a file that nobody can make wait, lead elsewhere or swap: never through a link, never of what is no regular file.
 * Input: a path, what lstat said of it where it was asked, a limit. Output: the digest, or why there is none. Blocking: runs in the worker.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { systemCode } from '../../../core/errors.ts';
import type { RawPath } from './name.ts';

export type Digest =
  /** `stat` is of the very file that was read. */
  | { readonly kind: 'ok'; readonly hex: string; readonly stat: Stats }
  /** It is another one than lstat saw, or is being written: look again. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'none'; readonly reason: string; readonly denied: boolean };

export type DigestAlgorithm = 'sha256' | 'sha1' | 'md5';

// A FIFO that took the file's place must not make the open wait.
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
const BUFFER_BYTES = 262_144;
let shared: Buffer | undefined;

export const tooLarge = (limitBytes: number): string => `it is larger than ${limitBytes} bytes, the limit of fim.limit, and was not hashed`;

export const DENIED = 'this agent may not read it';

/** `seen` is what lstat said, where it was asked: a listing that says that it is a file is enough. `pause` is called between pieces of a long file. */
export const digestFile = (
  path: RawPath,
  seen: Stats | undefined,
  limitBytes: number,
  pause: () => void,
  algorithm: DigestAlgorithm = 'sha256',
): Digest => {
  if (seen && seen.size > limitBytes) return { kind: 'none', reason: tooLarge(limitBytes), denied: false };
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch (error) {
    return refusal(error);
  }
  try {
    const opened = fstatSync(fd);
    if (!opened.isFile() || (seen && (opened.ino !== seen.ino || opened.dev !== seen.dev))) return { kind: 'moved' };
    if (opened.size > limitBytes) return { kind: 'none', reason: tooLarge(limitBytes), denied: false };
    const buffer = (shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES));
    const first = readSync(fd, buffer, 0, BUFFER_BYTES, 0);
    if (first === opened.size && first < BUFFER_BYTES)
      return { kind: 'ok', hex: hash(algorithm, buffer.subarray(0, first), 'hex'), stat: opened };
    return digestLong(fd, opened, buffer, first, algorithm, pause);
  } catch (error) {
    return refusal(error);
  } finally {
    closeSync(fd);
  }
};

const digestLong = (fd: number, opened: Stats, buffer: Buffer, first: number, algorithm: DigestAlgorithm, pause: () => void): Digest => {
  const running = createHash(algorithm);
  let done = 0;
  for (let n = first; n > 0; n = readSync(fd, buffer, 0, BUFFER_BYTES, done)) {
    running.update(buffer.subarray(0, n));
    done += n;
    // A file that grows as fast as it is read has no end.
    if (done > opened.size) return { kind: 'moved' };
    pause();
  }
  const after = fstatSync(fd);
  if (done !== after.size || after.mtimeMs !== opened.mtimeMs || after.ctimeMs !== opened.ctimeMs) return { kind: 'moved' };
  return { kind: 'ok', hex: running.digest('hex'), stat: opened };
};

const refusal = (error: unknown): Digest => {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' };
  // A link, a socket or a device without a driver stands there now.
  if (code === 'ELOOP' || code === 'ENXIO' || code === 'ENODEV') return { kind: 'moved' };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'none', reason: DENIED, denied: true };
  return { kind: 'none', reason: `it cannot be read (${code ?? 'no reason given'})`, denied: false };
};
