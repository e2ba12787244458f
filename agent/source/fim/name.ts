// SPDX-License-Identifier: Apache-2.0
/**
 * Paths as text that can be turned back: names are bytes, and may hold line ends or what is no UTF-8.
 * Input: bytes or text from the file system. Output: text in which such bytes stand as `\xHH`, the backslash too; and the way back.
 */
import { isUtf8 } from 'node:buffer';

/** What the file system takes: text where the name is plain, bytes where it is not. */
export type RawPath = string | Buffer;

const UNSAFE = /[\u0000-\u001f\u007f\\]/;
const EACH_UNSAFE = /[\u0000-\u001f\u007f\\]/g;
/** Bytes of a name that is no UTF-8 stand escaped, all beyond ASCII: one spelling for each name. */
const EACH_UNSAFE_OR_HIGH = /[\u0000-\u001f\u007f-\u00ff\\]/g;

const escapeOne = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Text of a name or path. Text that was given has been decoded without loss. */
export const escapeName = (raw: RawPath): string => {
  if (typeof raw === 'string') return UNSAFE.test(raw) ? raw.replace(EACH_UNSAFE, escapeOne) : raw;
  return isUtf8(raw) ? escapeName(raw.toString('utf8')) : raw.toString('latin1').replace(EACH_UNSAFE_OR_HIGH, escapeOne);
};

/** The path of a text that `escapeName` made. */
export const rawPath = (text: string): RawPath => {
  if (!text.includes('\\')) return text;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const match of text.matchAll(/\\x([0-9a-f]{2})/g)) {
    pieces.push(Buffer.from(text.slice(from, match.index)), Buffer.from([Number.parseInt(match[1]!, 16)]));
    from = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  return Buffer.concat(pieces);
};

export const joinPath = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** Folder and name of an absolute path; the root is the name '' in the folder '/'. */
export const splitPath = (path: string): readonly [folder: string, name: string] => {
  const cut = path.lastIndexOf('/');
  return [cut <= 0 ? '/' : path.slice(0, cut), path.slice(cut + 1)];
};

/** True when a path is the folder or lies in it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || folder === '/' || (path.startsWith(folder) && path[folder.length] === '/');
