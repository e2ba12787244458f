// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the rotated siblings of a log: `app.log.1`, `app.log-20261124.gz`, `app-20261124.log`, `app.log.old`.
 * Input: a path. Output: its siblings, oldest first.
 */
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { MAX_ENTRIES } from './glob.ts';

export type Packing = 'plain' | 'gzip' | 'zstd' | 'unreadable';

export interface Sibling {
  readonly path: string;
  readonly packing: Packing;
  readonly stat: BigIntStats;
  /** Number of a numbered name, counting up with age; 0 for dated names. */
  readonly number: number;
  /** Digits of a dated name, which sort as the dates do; '' for numbered names. */
  readonly date: string;
}

const NUMBER_OR_DATE = String.raw`[.\-_](?:old|prev|\d[\d\-_T:]*(?:\.\d+)?)`;
const DATE = String.raw`[.\-_]\d{4}[\d\-_T:]{2,}`;
const PACKED = String.raw`(\.gz|\.zst|\.bz2|\.xz|\.Z)?`;
const PACKINGS: Readonly<Record<string, Packing>> = { '.gz': 'gzip', '.zst': 'zstd' };

const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const patternOf = (base: string): RegExp => {
  const extension = extname(base);
  const stem = extension === '' ? base : base.slice(0, -extension.length);
  const dated = extension === '' ? '' : `|${quote(stem)}${DATE}${quote(extension)}`;
  return new RegExp(`^(?:${quote(base)}(${NUMBER_OR_DATE})${dated})${PACKED}$`);
};

/** True when the name is one that a rotation of `base` makes. Both are names without folder. */
export const isRotatedName = (base: string, name: string): boolean => patternOf(base).test(name);

/** How a file is packed, by its name. */
export const packingOf = (name: string): Packing => {
  const extension = extname(name);
  return PACKINGS[extension] ?? (/^\.(bz2|xz|Z)$/.test(extension) ? 'unreadable' : 'plain');
};

/** Rotated siblings in the path's folder, oldest first. Regular files only. */
export const siblingsOf = (path: string): readonly Sibling[] => {
  const folder = dirname(path);
  const base = basename(path);
  const pattern = patternOf(base);
  const found: Sibling[] = [];
  for (const name of namesIn(folder)) {
    if (name === base) continue;
    const match = pattern.exec(name);
    if (!match) continue;
    const stat = lookAt(join(folder, name));
    if (!stat?.isFile()) continue;
    const number = /^[.\-_](\d{1,4})$/.exec(match[1] ?? '');
    found.push({
      path: join(folder, name),
      packing: packingOf(name),
      stat,
      number: number ? Number(number[1]) : 0,
      date: number ? '' : digitsBehind(base, name),
    });
  }
  return found.sort(byAge);
};

const digitsBehind = (base: string, name: string): string => {
  const stem = base.slice(0, base.length - extname(base).length);
  const digits = name.slice(stem.length).match(/\d+/g)?.join('') ?? '';
  return digits.length >= 6 ? digits : '';
};

/** Packers cut times to the second, so of times that are this near the name decides. */
const NEAR_NS = 2_000_000_000n;

// Times tell the order whatever the names mean: with some programs the highest number is the newest. In names, numbers count up with age.
const byAge = (a: Sibling, b: Sibling): number => {
  const apart = a.stat.mtimeNs - b.stat.mtimeNs;
  if (apart > NEAR_NS || apart < -NEAR_NS) return apart < 0n ? -1 : 1;
  if (a.number > 0 && b.number > 0 && a.number !== b.number) return b.number - a.number;
  if (a.date !== '' && b.date !== '' && a.date !== b.date) return a.date < b.date ? -1 : 1;
  return apart < 0n ? -1 : apart > 0n ? 1 : a.path < b.path ? -1 : 1;
};

/** Every regular file of a folder, for the search of an inode under any name. */
export const filesIn = (folder: string): readonly { readonly path: string; readonly stat: BigIntStats }[] =>
  namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = lookAt(path);
    return stat?.isFile() ? [{ path, stat }] : [];
  });

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).slice(0, MAX_ENTRIES);
  } catch {
    // A folder that is gone or closed to us has no siblings to offer; the path itself is reported where it is opened.
    return [];
  }
};

const lookAt = (path: string): BigIntStats | undefined => {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    // It was renamed or removed between listing and look: the next look sees it under its new name.
    return undefined;
  }
};
