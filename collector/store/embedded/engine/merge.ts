// SPDX-License-Identifier: Apache-2.0
/**
 * Which small files are merged: of the same dataset, or of several, and day of ingest, up to so many rows at once.
 * Input: the files of the manifest. Output: groups to merge.
 */
import { SCHEMA_ID } from '../../schema.ts';
import type { StoredFile } from './manifest.ts';

/** A file with at least this many rows is not merged again. */
export const LARGE_ROWS = 500_000;
const MOST_ROWS = 1_000_000;

/** Groups of files in order of time, of each dataset and day with at least `minFiles` small ones. */
export const mergeable = (files: readonly StoredFile[], minFiles: number): readonly (readonly StoredFile[])[] => {
  const byPlace = new Map<string, StoredFile[]>();
  for (const file of files) {
    if (file.rows >= LARGE_ROWS || file.schema !== SCHEMA_ID) continue;
    const place = JSON.stringify([file.day, file.dataset]);
    const group = byPlace.get(place);
    if (group === undefined) byPlace.set(place, [file]);
    else group.push(file);
  }
  const enough = [...byPlace.values()].filter((group) => group.length >= minFiles);
  return enough.flatMap((group) => cut(group)).filter((group) => group.length > 1);
};

const cut = (files: readonly StoredFile[]): readonly (readonly StoredFile[])[] => {
  const groups: StoredFile[][] = [[]];
  let rows = 0;
  for (const file of files.toSorted((a, b) => a.minTime - b.minTime || a.id - b.id)) {
    if (rows + file.rows > MOST_ROWS) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(file);
    rows += file.rows;
  }
  return groups;
};
