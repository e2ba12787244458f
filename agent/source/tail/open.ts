// SPDX-License-Identifier: Apache-2.0
/**
 * A file that is being read, with the place reached and what was last seen of it.
 * Input: a place that was found, a mark. Output: the mutable state that `follow.ts` works on.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import type { Mark } from './identity.ts';
import type { Place } from './locate.ts';

export interface OpenFile extends Pick<Place, 'fd' | 'packed'> {
  mark: Mark;
  rotated: boolean;
  /** There may be bytes behind the mark. */
  dirty: boolean;
  size: number;
  changed: bigint;
  /** Time of the last change of content, ns. */
  mtime: string;
  /** A read of the usual size held no line end: the next one takes more. */
  longLine: boolean;
  /** Monotonic time of the last growth. */
  grewAt: number;
}

/** Changes whenever content or attributes do. */
export const stampOf = (stat: { readonly mtimeNs: bigint; readonly ctimeNs: bigint }): bigint => stat.mtimeNs + stat.ctimeNs;

export const openFileOf = (place: Place, mark: Mark, rotated: boolean, clock: Clock): OpenFile => {
  const age = Math.max(0, clock.now() - Number(place.stat.mtimeMs));
  return {
    fd: place.fd,
    packed: place.packed,
    mark,
    rotated,
    longLine: false,
    dirty: true,
    size: Number(place.stat.size),
    changed: stampOf(place.stat),
    mtime: String(place.stat.mtimeNs),
    grewAt: clock.monotonic() - age,
  };
};

/** Lets go of what was opened for it. */
export const closeFile = (file: OpenFile): void => {
  if (file.fd !== undefined) closeSync(file.fd);
  file.packed?.close();
};
