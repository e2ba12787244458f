// SPDX-License-Identifier: Apache-2.0
/**
 * The file tree that is looked at: a host's own, or any other below a folder, out of which no link leads.
 * Input: absolute paths as the host knows them. Output: bytes, names, links; what cannot be read is a value, never a throw.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { systemCode, toError } from '../../../core/errors.ts';

export type Absent = { readonly kind: 'missing' } | { readonly kind: 'denied' } | { readonly kind: 'failed'; readonly reason: string };
export type Bytes = { readonly kind: 'bytes'; readonly bytes: Buffer; readonly stat: Stats } | Absent;

export interface Tree {
  readonly root: string;
  /** True when it is this host's own: then the kernel may be asked. */
  readonly live: boolean;
  /** Bytes of a regular file; more than `limit` is `failed`. Pipes and devices are never waited for. */
  read(path: string, limit?: number): Bytes;
  /** Part of a file; fewer bytes at its end, none where there is no file. */
  readPart(path: string, at: number, length: number): Buffer;
  /** A file of the kernel from its beginning, in the pieces that it is given in, for as long as somebody asks. */
  pieces(path: string): Iterable<Buffer>;
  /** Names in a folder, sorted, those that are no UTF-8 left out; empty when it is not there. */
  list(path: string): readonly string[];
  /** Why a folder cannot be listed; undefined where it can, or is not there. */
  closed(path: string): Absent | undefined;
  /** The file behind links; undefined where there is none. */
  stat(path: string): Stats | undefined;
  /** Text of a link; undefined where it is none. */
  link(path: string): string | undefined;
  /** Where the path leads when all links are followed, as the host knows it; undefined where that is nowhere. */
  resolve(path: string): string | undefined;
  /** The path in the file system of this process, for those who open it themselves. */
  real(path: string): string | undefined;
}

export const TREE_LIMIT_BYTES = 33_554_432;
const LINKS = 40;
const CHUNK_BYTES = 65_536;
const PIECE_BYTES = 4_096;

export const openTree = (root: string): Tree => {
  const base = normalize(root).replace(/\/+$/, '');
  const live = base === '';
  /** Follows every link by hand, so that an absolute one stays below the root. */
  const chase = (path: string): string | undefined => {
    let rest = normalize(join('/', path)).split('/').filter(Boolean);
    let at = '';
    for (let links = 0; rest.length > 0; ) {
      const [name, ...more] = rest;
      rest = more;
      if (name === '..') {
        at = at === '' ? '' : dirname(at) === '/' ? '' : dirname(at);
        continue;
      }
      const next = `${at}/${name}`;
      const target = linkText(base + next);
      if (target === undefined) at = next;
      else if (++links > LINKS) return undefined;
      else {
        if (target.startsWith('/')) at = '';
        rest = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
      }
    }
    return at === '' ? '/' : at;
  };
  const real = (path: string): string | undefined => {
    if (live) return path;
    const at = chase(path);
    return at === undefined ? undefined : base + at;
  };
  return {
    root: base === '' ? '/' : base,
    live,
    real,
    resolve: (path) => {
      const at = chase(path);
      return at !== undefined && statOf(base + at, live) ? at : undefined;
    },
    read: (path, limit = TREE_LIMIT_BYTES) => {
      const at = real(path);
      return at === undefined ? { kind: 'failed', reason: 'its links lead nowhere' } : readWhole(at, limit, live);
    },
    readPart: (path, at, length) => {
      const file = real(path);
      return file === undefined ? Buffer.alloc(0) : readSome(file, at, length, live);
    },
    pieces: (path) => {
      const file = real(path);
      return file === undefined ? [] : piecesOf(file, live);
    },
    list: (path) => {
      const at = real(path);
      try {
        return at === undefined
          ? []
          : readdirSync(at)
              .filter((name) => !name.includes('\ufffd'))
              .sort();
      } catch {
        // A folder that is not there has no names; one that may not be listed is told by `closed`.
        return [];
      }
    },
    closed: (path) => {
      const at = real(path);
      try {
        if (at !== undefined) readdirSync(at);
        return undefined;
      } catch (error) {
        const absent = absentOf(error);
        return absent.kind === 'missing' ? undefined : absent;
      }
    },
    stat: (path) => {
      const at = real(path);
      return at === undefined ? undefined : statOf(at, live);
    },
    link: (path) => {
      const folder = live ? dirname(path) : chase(dirname(path));
      return folder === undefined ? undefined : linkText(base + join(folder, path.slice(dirname(path).length)));
    },
  };
};

const linkText = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    // Not a link, or nothing there: both are answered by what comes after.
    return undefined;
  }
};

/** Outside the host's own tree every link was followed by hand before; one that came since is not followed. */
const statOf = (path: string, live: boolean): Stats | undefined => {
  try {
    return live ? statSync(path) : lstatSync(path);
  } catch {
    // Not there, or behind a folder that is closed: `closed` and `read` say which.
    return undefined;
  }
};

const absentOf = (error: unknown): Absent => {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied' };
  return { kind: 'failed', reason: code ?? toError(error).message };
};

/** Opened without waiting: a pipe in the place of a file must not hold up the agent. */
const openWithoutWaiting = (path: string, live: boolean): number =>
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (live ? 0 : constants.O_NOFOLLOW));

const opened = <T>(path: string, live: boolean, work: (fd: number, stat: Stats) => T): T => {
  const fd = openWithoutWaiting(path, live);
  try {
    return work(fd, fstatSync(fd));
  } finally {
    closeSync(fd);
  }
};

const readWhole = (path: string, limit: number, live: boolean): Bytes => {
  try {
    return opened(path, live, (fd, stat): Bytes => {
      if (!stat.isFile()) return { kind: 'failed', reason: 'it is not a regular file' };
      if (stat.size > limit) return { kind: 'failed', reason: `it is larger than ${limit} bytes` };
      // Files of the kernel say that they are empty.
      let bytes = Buffer.allocUnsafe(stat.size > 0 ? stat.size + 1 : CHUNK_BYTES);
      let used = 0;
      for (;;) {
        if (used === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length)]);
        const n = readSync(fd, bytes, used, bytes.length - used, null);
        if (n === 0) return { kind: 'bytes', bytes: bytes.subarray(0, used), stat };
        used += n;
        if (used > limit) return { kind: 'failed', reason: `it is larger than ${limit} bytes` };
      }
    });
  } catch (error) {
    return absentOf(error);
  }
};

const readSome = (path: string, at: number, length: number, live: boolean): Buffer => {
  try {
    return opened(path, live, (fd, stat) => {
      if (!stat.isFile()) return Buffer.alloc(0);
      const bytes = Buffer.alloc(length);
      let used = 0;
      for (let n = 1; n > 0 && used < length; used += n) n = readSync(fd, bytes, used, length - used, at + used);
      return bytes.subarray(0, used);
    });
  } catch {
    // Whoever needs to know why asks `read`.
    return Buffer.alloc(0);
  }
};

function* piecesOf(path: string, live: boolean): Generator<Buffer> {
  let fd: number;
  try {
    fd = openWithoutWaiting(path, live);
  } catch {
    // A kernel without the protocol has no table of it.
    return;
  }
  try {
    const bytes = Buffer.allocUnsafe(PIECE_BYTES);
    for (let n = readSync(fd, bytes, 0, PIECE_BYTES, null); n > 0; n = readSync(fd, bytes, 0, PIECE_BYTES, null))
      yield bytes.subarray(0, n);
  } finally {
    closeSync(fd);
  }
}
