// SPDX-License-Identifier: Apache-2.0
/**
 * Finds on a restart where the bytes behind a mark are now: at the path, under a rotated name, in a copy, or packed.
 * Input: a mark, the path it was read at. Output: an open file at the mark's place; the siblings that came after it.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  digest,
  type FileId,
  freshMark,
  holdsMark,
  idOf,
  type Mark,
  openRegular,
  PRINT_BYTES,
  readAt,
  resolveFile,
  sameId,
} from './identity.ts';
import { PackedReader } from './packed.ts';
import { filesIn, type Packing, packingOf, type Sibling, siblingsOf } from './rotated.ts';

export interface Place {
  readonly path: string;
  readonly stat: BigIntStats;
  readonly fd: number | undefined;
  readonly packed: PackedReader | undefined;
}

/** Packers keep the time of a file's last change, some of them to the second only. */
const SLACK_NS = 2_000_000_000n;

/** Siblings in the path's folder and in the folder of the link's target, oldest first. */
export const allSiblings = (path: string): readonly Sibling[] => {
  const where = resolveFile(path);
  if (!('real' in where) || where.real === path || dirname(where.real) === dirname(path)) return siblingsOf(path);
  return [...siblingsOf(path), ...siblingsOf(where.real)];
};

/** The rotated file that holds the mark, by inode, then by content, then unpacked. Undefined when it is gone. */
export const locateRotated = async (
  path: string,
  mark: Mark,
  taken: (id: FileId) => boolean,
  onReady: () => void,
): Promise<Place | undefined> =>
  (await byInode(path, mark, taken, onReady)) ?? byContent(path, mark, taken) ?? (await inPacked(path, mark, taken, onReady));

const byInode = async (path: string, mark: Mark, taken: (id: FileId) => boolean, onReady: () => void): Promise<Place | undefined> => {
  if (taken(mark)) return undefined;
  for (const folder of new Set([dirname(path), dirname(mark.path)]))
    for (const file of filesIn(folder)) {
      if (file.path === path || !sameId(idOf(file.stat), mark)) continue;
      const packing = packingOf(file.path);
      const place = packing === 'plain' ? openPlain(file.path, mark) : await openPackedAt(file.path, packing, mark, onReady);
      if (place) return place;
    }
  return undefined;
};

const byContent = (path: string, mark: Mark, taken: (id: FileId) => boolean): Place | undefined => {
  if (mark.headBytes === 0) return undefined;
  for (const sibling of allSiblings(path).toReversed()) {
    if (sibling.packing !== 'plain' || !isRecent(sibling, mark) || taken(idOf(sibling.stat))) continue;
    const place = openPlain(sibling.path, mark);
    if (place) return place;
  }
  return undefined;
};

/** Looks into packed siblings changed since the mark was seen, newest first. */
const inPacked = async (path: string, mark: Mark, taken: (id: FileId) => boolean, onReady: () => void): Promise<Place | undefined> => {
  if (mark.headBytes === 0) return undefined;
  for (const sibling of allSiblings(path).toReversed()) {
    if (!isRecent(sibling, mark) || taken(idOf(sibling.stat))) continue;
    // Packed as it was at the last look, by its time in full, and that was read: no need to unpack it to know.
    if (mark.atEnd && sibling.stat.mtimeNs === BigInt(mark.mtime) && sibling.stat.mtimeNs % 1_000_000n !== 0n) continue;
    const place = await openPackedAt(sibling.path, sibling.packing, mark, onReady);
    if (place) return place;
  }
  return undefined;
};

const openPackedAt = async (path: string, packing: Packing, mark: Mark, onReady: () => void): Promise<Place | undefined> => {
  const place = openPacked(path, packing, onReady);
  if (!place?.packed) return undefined;
  if (await place.packed.skipTo(mark)) return place;
  place.packed.close();
  return undefined;
};

/** Opens a sibling from its beginning; undefined when it cannot be read. */
export const openSibling = (sibling: Sibling, onReady: () => void): Place | undefined =>
  sibling.packing === 'plain' ? openPlain(sibling.path, undefined) : openPacked(sibling.path, sibling.packing, onReady);

/** A mark at the beginning of a rotated file. It changes no more, so its head is printed now: it is known again when it is packed before it was read. */
export const siblingMark = (place: Place, sibling: Sibling, backlogTo = 0): Mark => {
  const mark = freshMark(sibling.stat, sibling.path, backlogTo);
  if (place.fd === undefined) return mark;
  const head = readAt(place.fd, 0, PRINT_BYTES);
  return { ...mark, headBytes: head.length, head: head.length === 0 ? '' : digest(head) };
};

/** A file to read, and from where. */
export interface Found {
  readonly place: Place;
  readonly mark: Mark;
}

/** Rotated files that one stream opens at once. */
const MAX_FILES = 64;

/**
 * What was written behind a mark and is not at the path any more: the rest of the file that it speaks of, then the files rotated after that, oldest first.
 * `taken` is true for files that are open, the one at the path among them, and for those that were read before.
 */
export const findUnread = async (
  path: string,
  mark: Mark,
  taken: (id: FileId) => boolean,
  onReady: () => void,
  count: (name: string) => void,
  bounds: { readonly originals: readonly Original[]; readonly before: Bound | undefined } = { originals: [], before: undefined },
): Promise<readonly Found[]> => {
  const rest = await locateRotated(path, mark, taken, onReady);
  const found: Found[] = rest ? [{ place: rest, mark: { ...mark, ...idOf(rest.stat), path: rest.path } }] : [];
  if (!rest && !mark.atEnd) count('unfound');
  const isBefore = bounds.before ? cameBefore(path, bounds.before) : () => true;
  for (const sibling of rotatedSince(path, mark, rest?.path, bounds.before !== undefined)) {
    if (!isBefore(sibling)) continue;
    if (taken(idOf(sibling.stat)) || found.length >= MAX_FILES || (await isCopy(sibling, bounds.originals))) continue;
    const place = openSibling(sibling, onReady);
    if (place) found.push({ place, mark: siblingMark(place, sibling) });
    else count('unreadable');
  }
  return found;
};

/** The second time cut to whole seconds or milliseconds where the first one is. */
const cutLike = (like: bigint, time: bigint): bigint => {
  const unit = like % 1_000_000_000n === 0n ? 1_000_000_000n : like % 1_000_000n === 0n ? 1_000_000n : 1n;
  return time - (time % unit);
};

/** A rotated file that is open, and its size now. */
export interface Original {
  readonly fd: number;
  readonly size: number;
}

const COMPARED_BYTES = 65_536;

/** True for a packed or plain copy of a file that is open: as long, and alike in its first bytes. It is read where it is open. */
const isCopy = async (sibling: Sibling, originals: readonly Original[]): Promise<boolean> => {
  if (sibling.packing === 'unreadable' || originals.length === 0) return false;
  const copy = sibling.packing === 'plain' ? plainHead(sibling) : await packedHead(sibling);
  if (!copy) return false;
  return originals.some(({ fd, size }) => {
    if (copy.size !== undefined && copy.size !== size) return false;
    return readAt(fd, 0, Math.min(COMPARED_BYTES, size)).equals(copy.head);
  });
};

const plainHead = (sibling: Sibling): { readonly head: Buffer; readonly size: number } | undefined => {
  const place = openPlain(sibling.path, undefined);
  if (place?.fd === undefined) return undefined;
  const head = readAt(place.fd, 0, COMPARED_BYTES);
  closeSync(place.fd);
  return { head, size: Number(place.stat.size) };
};

/** Size is undefined where the packing does not tell it. */
const packedHead = async (sibling: Sibling): Promise<{ readonly head: Buffer; readonly size: number | undefined } | undefined> => {
  const place = openPacked(sibling.path, sibling.packing, () => undefined);
  if (!place?.packed) return undefined;
  const { bytes, ended } = await place.packed.head(COMPARED_BYTES);
  const head = Buffer.from(bytes.subarray(0, COMPARED_BYTES));
  place.packed.close();
  return { head, size: ended ? bytes.length : undefined };
};

/**
 * Siblings that came after the file of the mark, or after the copy of it that was found; where neither is there, those changed since the last look.
 * Of a file that is `rotated` itself and was emptied before, it is only what came after the last look that can be meant.
 */
const rotatedSince = (path: string, mark: Mark, found: string | undefined, rotated: boolean): readonly Sibling[] => {
  const siblings = allSiblings(path);
  const index = siblings.findIndex((sibling) => sibling.path === found || (!rotated && sameId(idOf(sibling.stat), mark)));
  if (index >= 0) return siblings.slice(index + 1);
  const since = BigInt(mark.mtime);
  // Of a file of which nothing was read only its time is known, and a packer may have cut that.
  const coarse = mark.headBytes === 0 && !mark.atEnd;
  return siblings.filter(({ stat: { mtimeNs } }) => mtimeNs > since || (coarse && mtimeNs >= cutLike(mtimeNs, since)));
};

/** Those of the siblings that came before a rotated file, by their order or, where it is not among them, by time. */
const cameBefore = (path: string, { id, mtime }: Bound): ((sibling: Sibling) => boolean) => {
  const siblings = allSiblings(path);
  const own = siblings.findIndex(({ stat }) => sameId(idOf(stat), id));
  if (own < 0) return ({ stat }) => stat.mtimeNs <= mtime;
  const earlier = new Set(siblings.slice(0, own).map((sibling) => sibling.path));
  return (sibling) => earlier.has(sibling.path);
};

/** The rotated file that what is looked for is to be read before. */
export interface Bound {
  readonly id: FileId;
  readonly mtime: bigint;
}

const isRecent = (sibling: Sibling, mark: Mark): boolean => sibling.stat.mtimeNs >= BigInt(mark.mtime) - SLACK_NS;

const openPlain = (path: string, mark: Mark | undefined): Place | undefined => {
  const opened = openRegular(path, () => false);
  if (opened.kind === 'no') return undefined;
  if (mark === undefined || holdsMark(opened.fd, Number(opened.stat.size), mark))
    return { path, stat: opened.stat, fd: opened.fd, packed: undefined };
  closeSync(opened.fd);
  return undefined;
};

const openPacked = (path: string, packing: Packing, onReady: () => void): Place | undefined => {
  if (packing !== 'gzip' && packing !== 'zstd') return undefined;
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // Gone or closed to us meanwhile; what cannot be found is counted by the caller.
    return undefined;
  }
  return {
    path: path,
    stat: fstatSync(fd, { bigint: true }),
    fd: undefined,
    packed: new PackedReader(fd, packing, onReady),
  };
};
