// SPDX-License-Identifier: Apache-2.0
/**
 * A file tree as checks see it: every path stays below its root, whatever links say; reads are bounded and kept for one run.
 * Input: a root folder. Output: texts, names, attributes; what is missing is a value, what cannot be read is a coded fault.
 */
import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { isCoded, systemCode, toError } from '../../../core/errors.ts';
import { fault } from '../../errors.ts';

/** Largest file that a check reads. */
const MAX_READ_BYTES = 4_194_304;
const MAX_LINKS = 40;
const MAX_ENTRIES = 50_000;
const MAX_GLOB = 5_000;

export interface Tree {
  readonly root: string;
  /** The running system itself: its kernel can be asked. */
  readonly live: boolean;
  /** Whole text; undefined where there is none. @throws CodedError POSTURE_UNREADABLE. */
  read(path: string): string | undefined;
  /** Attributes, links followed inside the tree; undefined where there is none. */
  stat(path: string): Stats | undefined;
  /** Attributes of the name itself. */
  lstat(path: string): Stats | undefined;
  link(path: string): string | undefined;
  /** Names in a folder, sorted by bytes; empty where there is none. */
  list(path: string): readonly string[];
  /** Paths that match, sorted by bytes; a plain path is given back as it is where it exists. */
  glob(pattern: string): readonly string[];
  /** The path with its links resolved inside the tree. */
  real(path: string): string;
}

const isGlob = (text: string): boolean => /[*?[]/.test(text);

const globPattern = (part: string): RegExp =>
  new RegExp(
    `^${part
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*+/g, '[^/]*')
      .replace(/\?/g, '[^/]')
      .replace(/\[!/g, '[^')}$`,
    's',
  );

const MISSING = new Set(['ENOENT', 'ENOTDIR']);

const unreadable = (path: string, reason: string, cause?: unknown): Error => fault('POSTURE_UNREADABLE', { path, reason }, cause);

/** The fault of a system call on a path; one of ours stays what it is. */
const faultOf = (path: string, error: unknown): Error => (isCoded(error) ? error : unreadable(path, reasonOf(error), error));

const isMissing = (error: unknown): boolean => !isCoded(error) && MISSING.has(systemCode(error) ?? '');

const reasonOf = (error: unknown): string => {
  const code = systemCode(error);
  return code === 'EACCES' || code === 'EPERM'
    ? 'this user may not read it'
    : code === 'ELOOP'
      ? 'its links run in a circle'
      : (code ?? toError(error).message);
};

/** Opens a tree; nothing is read before it is asked for. */
export const openTree = (given: string): Tree => {
  const root = given === '/' ? '' : given.replace(/\/+$/, '');
  const texts = new Map<string, string | undefined>();
  const lists = new Map<string, readonly string[]>();

  /** Resolves links by hand, so that an absolute one starts at the tree's own root and `..` ends there. */
  const realOf = (path: string, followLast: boolean): string | undefined => {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let done: string[] = [];
    let links = 0;
    while (rest.length > 0) {
      const [part, ...more] = rest as [string, ...string[]];
      rest = more;
      if (part === '..') {
        done = done.slice(0, -1);
        continue;
      }
      const here = `${root}/${[...done, part].join('/')}`;
      let stat: Stats;
      try {
        stat = lstatSync(here);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw faultOf(path, error);
      }
      if (stat.isSymbolicLink() && (rest.length > 0 || followLast)) {
        if (++links > MAX_LINKS) throw unreadable(path, 'its links run in a circle');
        const target = readlinkSync(here);
        rest = [...target.split('/').filter((one) => one !== '' && one !== '.'), ...rest];
        if (target.startsWith('/')) done = [];
      } else done = [...done, part];
    }
    return `/${done.join('/')}`;
  };

  const statOf = (path: string, follow: boolean): Stats | undefined => {
    const real = realOf(path, follow);
    if (real === undefined) return undefined;
    try {
      return lstatSync(root + real || '/');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw faultOf(path, error);
    }
  };

  const readText = (path: string): string | undefined => {
    const real = realOf(path, true);
    if (real === undefined) return undefined;
    let fd: number;
    try {
      // A FIFO would wait for a writer, and a link put here since would lead out.
      fd = openSync(root + real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw faultOf(path, error);
    }
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw unreadable(path, 'it is no regular file');
      if (stat.size > MAX_READ_BYTES) throw unreadable(path, `it is larger than ${MAX_READ_BYTES} bytes`);
      // The kernel's files say that they are empty: what comes is read until it ends.
      let buffer = Buffer.alloc(Math.max(stat.size, 4_096) + 1);
      let length = 0;
      for (;;) {
        const n = readSync(fd, buffer, length, buffer.length - length, null);
        if (n === 0) break;
        length += n;
        if (length > MAX_READ_BYTES) throw unreadable(path, `it is larger than ${MAX_READ_BYTES} bytes`);
        if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(buffer.length)]);
      }
      return buffer.toString('utf8', 0, length);
    } catch (error) {
      throw faultOf(path, error);
    } finally {
      closeSync(fd);
    }
  };

  const list = (path: string): readonly string[] => {
    const known = lists.get(path);
    if (known) return known;
    const names: string[] = [];
    const real = realOf(path, true);
    if (real !== undefined) {
      try {
        const folder = opendirSync(`${root}${real}`);
        try {
          for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
            if (names.length >= MAX_ENTRIES) throw unreadable(path, `it holds more than ${MAX_ENTRIES} names`);
            names.push(entry.name);
          }
        } finally {
          folder.closeSync();
        }
      } catch (error) {
        if (!isMissing(error)) throw faultOf(path, error);
      }
    }
    names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    lists.set(path, names);
    return names;
  };

  const glob = (pattern: string): readonly string[] => {
    let paths = [''];
    for (const part of pattern.split('/').filter((one) => one !== '')) {
      const next: string[] = [];
      for (const folder of paths)
        if (!isGlob(part)) next.push(`${folder}/${part}`);
        else {
          const match = globPattern(part);
          for (const name of list(folder === '' ? '/' : folder))
            if ((part.startsWith('.') || !name.startsWith('.')) && match.test(name)) next.push(`${folder}/${name}`);
        }
      if (next.length > MAX_GLOB) throw unreadable(pattern, `more than ${MAX_GLOB} paths match`);
      paths = next;
    }
    return paths.filter((path) => statOf(path, false) !== undefined);
  };

  return {
    root: root === '' ? '/' : root,
    live: root === '',
    read: (path) => {
      if (texts.has(path)) return texts.get(path);
      const text = readText(path);
      texts.set(path, text);
      return text;
    },
    stat: (path) => statOf(path, true),
    lstat: (path) => statOf(path, false),
    link: (path) => {
      const real = realOf(path, false);
      if (real === undefined) return undefined;
      try {
        return readlinkSync(root + real);
      } catch (error) {
        if (systemCode(error) === 'EINVAL' || isMissing(error)) return undefined;
        throw faultOf(path, error);
      }
    },
    list,
    glob,
    real: (path) => realOf(path, true) ?? path,
  };
};
