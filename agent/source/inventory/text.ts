// SPDX-License-Identifier: Apache-2.0
/**
 * Text of files as it stands there: bytes that are no UTF-8 are kept visible, lines that nothing understands are counted and told.
 * Input: a tree and a path. Output: lines; troubles as findings, once a file.
 */
import { isUtf8 } from 'node:buffer';
import { blind, type Found, type InventoryCode, problem, type Unseen } from './found.ts';
import { type Absent, TREE_LIMIT_BYTES, type Tree } from './tree.ts';

/** Longest line that is looked at. */
export const LINE_CHARS = 65_536;

/** Bytes as text; each byte that is no UTF-8 stands as `\xNN`. */
export const visibleText = (bytes: Buffer): string => {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += `\\x${bytes[at++]!.toString(16).padStart(2, '0')}`;
    else {
      text += bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return text;
};

/** Length of the run of well-formed text at a place; 0 where there is none. Runs are cut, so that a run of one odd byte costs no second look at the rest. */
const sequenceLength = (bytes: Buffer, at: number): number => {
  let end = at;
  while (end < bytes.length && bytes[end]! < 0x80 && end - at < 4_096) end++;
  if (end > at) return end - at;
  for (let length = 2; length <= 4; length++) if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
};

/** Why a path was not read, as a finding; nothing where it is not there. */
export function* absence(path: string, absent: Absent, unseen: Unseen | undefined): Generator<Found> {
  if (absent.kind === 'missing') return;
  const trouble =
    absent.kind === 'denied'
      ? problem('INVENTORY_DENIED', path, 'this user may not read it')
      : problem(absent.reason.includes('larger') ? 'INVENTORY_TOO_LARGE' : 'INVENTORY_UNREADABLE', path, absent.reason);
  if (unseen === undefined) yield trouble;
  else yield* blind(unseen, trouble);
}

/** Text of a file; undefined where there is none, with the reason told where it is not simply absent. */
export function* readText(
  tree: Tree,
  path: string,
  unseen: Unseen | undefined,
  limit = TREE_LIMIT_BYTES,
): Generator<Found, string | undefined> {
  const read = tree.read(path, limit);
  if (read.kind !== 'bytes') {
    yield* absence(path, read, unseen);
    return undefined;
  }
  if (!isUtf8(read.bytes)) yield problem('INVENTORY_NOT_UTF8', path, 'it has bytes that are no UTF-8');
  return visibleText(read.bytes);
}

/** Counts what was not understood in one file, and tells it once. */
export interface Oddities {
  add(line: number, reason: string): void;
  tell(path: string, code?: InventoryCode): Iterable<Found>;
}

export const oddities = (): Oddities => {
  let count = 0;
  let first = '';
  return {
    add: (line, reason) => {
      if (count++ === 0) first = `line ${line} ${reason}`;
    },
    *tell(path, code = 'INVENTORY_ODD') {
      if (count > 0) yield problem(code, path, count === 1 ? first : `${first}, and ${count - 1} more`);
    },
  };
};

/** Small text of the kernel or of a setting, trimmed; undefined where it is not there or empty. */
export const smallText = (tree: Tree, path: string): string | undefined => {
  const read = tree.read(path, 65_536);
  const text = read.kind === 'bytes' ? visibleText(read.bytes).replace(/\0+$/, '').trim() : '';
  return text === '' ? undefined : text;
};
