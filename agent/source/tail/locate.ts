// SPDX-License-Identifier: Apache-2.0
/**
 * Finds on a restart where the bytes behind a mark are now: at the path, under a rotated name, in a copy, or packed.
 * Input: a mark, the path it was read at. Output: an open file at the mark's place; the siblings that came after it.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileId, holdsMark, idOf, type Mark, openRegular, resolveFile, sameId } from './identity.ts';
import { PackedReader } from './packed.ts';
import { filesIn, type Sibling, siblingsOf } from './rotated.ts';

export interface Place {
  readonly path: string;
  readonly stat: BigIntStats;
  readonly fd: number | undefined;
  readonly packed: PackedReader | undefined;
}

/** A file changed this long before the last look may still hold what was not seen then: clocks of file systems are coarse. */
const SLACK_MS = 2_000;

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
): Promise<Place | undefined> => byInode(path, mark, taken) ?? byContent(path, mark, taken) ?? (await inPacked(path, mark, taken, onReady));

/** The same without the packed ones, which take time to look into. */
export const locatePlain = (path: string, mark: Mark, taken: (id: FileId) => boolean): Place | undefined =>
  byInode(path, mark, taken) ?? byContent(path, mark, taken);

const byInode = (path: string, mark: Mark, taken: (id: FileId) => boolean): Place | undefined => {
  const folders = new Set([dirname(path), dirname(mark.path)]);
  for (const folder of folders)
    for (const file of filesIn(folder))
      if (file.path !== path && sameId(idOf(file.stat), mark) && !taken(mark)) {
        const place = openPlain(file.path, mark);
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
export const inPacked = async (
  path: string,
  mark: Mark,
  taken: (id: FileId) => boolean,
  onReady: () => void,
): Promise<Place | undefined> => {
  if (mark.headBytes === 0) return undefined;
  for (const sibling of allSiblings(path).toReversed()) {
    if (!isRecent(sibling, mark) || taken(idOf(sibling.stat))) continue;
    const place = openPacked(sibling, onReady);
    if (!place?.packed) continue;
    if (await place.packed.skipTo(mark)) return place;
    place.packed.close();
  }
  return undefined;
};

/** Opens a sibling from its beginning; undefined when it cannot be read. */
export const openSibling = (sibling: Sibling, onReady: () => void): Place | undefined =>
  sibling.packing === 'plain' ? openPlain(sibling.path, undefined) : openPacked(sibling, onReady);

const isRecent = (sibling: Sibling, mark: Mark): boolean => Number(sibling.stat.mtimeMs) >= mark.seenAt - SLACK_MS;

const openPlain = (path: string, mark: Mark | undefined): Place | undefined => {
  const opened = openRegular(path, () => false);
  if (opened.kind === 'no') return undefined;
  if (mark === undefined || holdsMark(opened.fd, Number(opened.stat.size), mark))
    return { path, stat: opened.stat, fd: opened.fd, packed: undefined };
  closeSync(opened.fd);
  return undefined;
};

const openPacked = (sibling: Sibling, onReady: () => void): Place | undefined => {
  if (sibling.packing !== 'gzip' && sibling.packing !== 'zstd') return undefined;
  let fd: number;
  try {
    fd = openSync(sibling.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // Gone or closed to us meanwhile; what cannot be found is counted by the caller.
    return undefined;
  }
  return {
    path: sibling.path,
    stat: fstatSync(fd, { bigint: true }),
    fd: undefined,
    packed: new PackedReader(fd, sibling.packing, onReady),
  };
};
