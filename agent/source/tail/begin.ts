// SPDX-License-Identifier: Apache-2.0
/**
 * Where reading begins: at first sight by A2, after a restart with the rotated files first.
 * Input: a path's open file, its siblings, the marks of the last sealed block. Output: files to read, oldest first.
 */
import type { Clock } from '../../../core/clock.ts';
import { days, type UnixMs } from '../../../core/units.ts';
import { COPY_BYTES, type FileId, freshMark, holdsMark, idOf, type Mark, printsAt, readAt, sameId } from './identity.ts';
import { allSiblings, findUnread, locateRotated, openSibling, type Place, siblingMark } from './locate.ts';
import { type OpenFile, openFileOf } from './open.ts';
import type { Sibling } from './rotated.ts';

/** At first sight nothing older is read, and not more of one file (A2). */
export const FIRST_SIGHT_MS = days(7);
export const FIRST_SIGHT_BYTES = 1_000_000_000;
const LINE_SEARCH_BYTES = 1_114_112;
/** Rotated files that one stream opens at once. */
const MAX_FILES = 64;

export interface BeginContext {
  readonly path: string;
  readonly clock: Clock;
  readonly count: (name: string, by?: number) => void;
  readonly onReady: () => void;
  /** The file at the path, open; undefined when there is none that can be read. */
  readonly current: Place | undefined;
}

export interface Resume {
  /** Oldest first; the last one was at the path. */
  readonly marks: readonly Mark[];
  /** Rotated files that were read to their end and let go. */
  readonly done: readonly FileId[];
}

/** What a `resume` text says; nothing where it cannot be understood, which reads from the beginning. */
export const parseResume = (text: string): Resume => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Our own text, guarded by the segment's checksum: it is either whole or of a version that is not read.
    return { marks: [], done: [] };
  }
  const { files, done } = (value ?? {}) as { readonly files?: unknown; readonly done?: unknown };
  return { marks: Array.isArray(files) ? files.filter(isMark) : [], done: Array.isArray(done) ? done.filter(isId) : [] };
};

const isId = (value: unknown): value is FileId => {
  const id = value as Partial<FileId> | null;
  return typeof id === 'object' && id !== null && [id.device, id.inode, id.birth].every((part) => typeof part === 'string');
};

const isMark = (value: unknown): value is Mark => {
  const mark = value as Partial<Mark> | null;
  return (
    typeof mark === 'object' &&
    mark !== null &&
    ['device', 'inode', 'birth', 'head', 'tail', 'path', 'mtime'].every((key) => typeof mark[key as keyof Mark] === 'string') &&
    /^\d{1,20}$/.test(mark.mtime ?? '') &&
    ['offset', 'headBytes', 'tailBytes', 'backlogTo'].every((key) => Number.isSafeInteger(mark[key as keyof Mark]))
  );
};

/** A stream that was never read. With `since`, only what changed after it counts, and is news; without, everything young enough is backlog. */
export const firstSight = (context: BeginContext, since: UnixMs | undefined): OpenFile[] => {
  const { path, clock, current } = context;
  const oldest = since ?? clock.now() - FIRST_SIGHT_MS;
  const files: OpenFile[] = [];
  for (const sibling of allSiblings(path)
    .filter(({ stat }) => Number(stat.mtimeMs) >= oldest)
    .slice(-MAX_FILES)) {
    if (current && sameId(idOf(sibling.stat), idOf(current.stat))) continue;
    const place = openSibling(sibling, context.onReady);
    if (!place) context.count('unreadable');
    else files.push(begin(context, place, sibling, since === undefined));
  }
  if (!current) return files;
  if (since === undefined && Number(current.stat.mtimeMs) < oldest) {
    const size = Number(current.stat.size);
    context.count('skippedBytes', size);
    const mark = { ...freshMark(current.stat, current.path), offset: size };
    files.push(openFileOf(current, current.fd === undefined ? mark : { ...mark, ...printsAt(current.fd, size) }, false, clock));
  } else files.push(begin(context, current, undefined, since === undefined));
  return files;
};

const begin = (context: BeginContext, place: Place, sibling: Sibling | undefined, backlog: boolean): OpenFile => {
  const size = Number(place.stat.size);
  const backlogTo = backlog ? (place.packed ? Number.MAX_SAFE_INTEGER : size) : 0;
  const mark = sibling ? siblingMark(place, sibling, backlogTo) : freshMark(place.stat, place.path, backlogTo);
  if (place.fd === undefined || size <= FIRST_SIGHT_BYTES) return openFileOf(place, mark, sibling !== undefined, context.clock);
  const from = size - FIRST_SIGHT_BYTES;
  const lineEnd = readAt(place.fd, from, LINE_SEARCH_BYTES).indexOf(10);
  const offset = lineEnd === -1 ? from : from + lineEnd + 1;
  context.count('skippedBytes', offset);
  return openFileOf(place, { ...mark, offset, ...printsAt(place.fd, offset) }, sibling !== undefined, context.clock);
};

/** After a restart: what the marks speak of, then what was rotated since, oldest first, then the file at the path. */
export const resumeFiles = async (context: BeginContext, { marks, done }: Resume): Promise<OpenFile[]> => {
  const { path, clock, current, onReady } = context;
  const files: OpenFile[] = [];
  const taken = (id: FileId): boolean =>
    files.some((file) => sameId(file.mark, id)) || done.some((other) => sameId(other, id)) || (!!current && sameId(idOf(current.stat), id));
  let currentMark: Mark | undefined;
  const last = marks.at(-1);
  for (const mark of marks) {
    // A file that was put back from a copy is another one by its identity, and the same by its bytes.
    if (
      current?.fd !== undefined &&
      (sameId(idOf(current.stat), mark) || mark.tailBytes >= COPY_BYTES) &&
      holdsMark(current.fd, Number(current.stat.size), mark)
    )
      currentMark = { ...mark, ...idOf(current.stat) };
    else if (mark === last)
      for (const found of await findUnread(path, mark, taken, onReady, context.count))
        files.push(openFileOf(found.place, found.mark, true, clock));
    else {
      const place = await locateRotated(path, mark, taken, onReady);
      if (place) files.push(openFileOf(place, { ...mark, ...idOf(place.stat), path: place.path }, true, clock));
    }
  }
  if (current) files.push(openFileOf(current, currentMark ?? freshMark(current.stat, current.path), false, clock));
  return files;
};
