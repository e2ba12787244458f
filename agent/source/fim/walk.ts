// SPDX-License-Identifier: Apache-2.0
/**
 * The walk over watched folders: every item compared with the baseline, none looked at twice, no link followed, no other file system entered.
 * Input: roots or folders, the baseline. Output: changes one by one; folders to watch; what could not be read. Blocking: runs in the worker.
 */
import { readdirSync, type Stats } from 'node:fs';
import { systemCode } from '../../../core/errors.ts';
import type { FactChange, FactFields } from '../../../core/fact.ts';
import type { UnixMs } from '../../../core/units.ts';
import type { Baseline, Row } from './baseline.ts';
import type { Root } from './entries.ts';
import { DENIED, type Digest, digestFile } from './hash.ts';
import { type DescribeOptions, describeItem, differences, type Item, keyOf } from './item.ts';
import { escapeName, joinPath, type RawPath, rawPath, splitPath } from './name.ts';
import { statIfThere } from './stat.ts';

export interface Change {
  readonly change: FactChange;
  readonly path: string;
  readonly fields: FactFields;
  /** JSON of the fields; for `seen`, as it stands in the baseline. */
  readonly told: string;
  /** Undefined for what is gone, and for what stands as it was told. */
  readonly key?: string;
  readonly was?: FactFields;
}

export interface WalkOptions extends DescribeOptions {
  readonly baseline: Baseline;
  readonly excluded: (path: string) => string | undefined;
  readonly refused: (path: string) => boolean;
  readonly maxItems: number;
  /** Hash and tell everything. */
  readonly full: boolean;
  /** The time of a look at what stirred, between scans: a package manager's file on its way to its name is passed over. Null in a scan. */
  readonly passingAt: UnixMs | null;
  /** True for what is seen for the first time because its entry is new: quiet. */
  readonly isFirst: (path: string) => boolean;
  readonly tell: (change: Change) => void;
  readonly onFolder: (path: string, id: string) => void;
}

export interface WalkCounts {
  items: number;
  folders: number;
  unreadable: number;
  /** The first thing that could not be read, for the problem's text. */
  firstUnreadable: string | undefined;
  limitReached: boolean;
  readonly loops: string[];
}

export interface Walk {
  readonly counts: WalkCounts;
  /** Everything from a root down; its row too. Undefined where the root is not there. */
  root(root: Root): Stats | undefined;
  /** One folder's entries; from new folders in it down. */
  folder(path: string): void;
  /** Everything that stood at or below a path is gone. */
  gone(path: string): void;
}

/** Names that dpkg, rpm and apk give a file until it is whole. Whoever else takes one is told by the next scan. */
const ON_ITS_WAY = /\.dpkg-(?:new|tmp)$|;[0-9a-f]{8}$|^\.apk\.[0-9a-f]{20,}$/;
const ON_ITS_WAY_MS = 60_000;

/** Deeper trees are a loop or an attack. */
const MAX_DEPTH = 64;
/** What marks the data of a collector, which no agent looks into. */
const MARKERS = ['agent-ca.key', 'control.sock'];

export const makeWalk = (options: WalkOptions): Walk => {
  const { baseline, excluded, refused } = options;
  const counts: WalkCounts = { items: 0, folders: 0, unreadable: 0, firstUnreadable: undefined, limitReached: false, loops: [] };
  const done = new Set<string>();

  // The baseline moves later: what was told in this walk would be found again by way of another folder.
  const told = new Set<string>();
  const tell = (change: Change): void => {
    if (change.change !== 'baseline' && change.change !== 'seen') {
      if (told.has(change.path)) return;
      told.add(change.path);
    }
    options.tell(change);
  };

  const unreadable = (path: string): void => {
    counts.unreadable += 1;
    counts.firstUnreadable ??= path;
  };

  const { passingAt } = options;
  const isOnItsWay = (path: string, stat: Stats): boolean =>
    passingAt !== null && ON_ITS_WAY.test(splitPath(path)[1]) && passingAt - stat.ctimeMs < ON_ITS_WAY_MS;

  const compare = (path: string, raw: RawPath, stat: Stats, row: Row | undefined, read?: Digest): boolean => {
    const isFile = stat.isFile();
    const key = keyOf(stat);
    // Permission may have been given since, which moves no ctime.
    if (row?.key === key && !(isFile && (options.full || row.told.includes(DENIED)))) {
      if (options.full) tellSeen(path, row.told);
      return true;
    }
    if (!row && isOnItsWay(path, stat)) return false;
    let item: Item | undefined;
    try {
      item = describeItem(path, raw, stat, options, read);
    } catch {
      unreadable(path);
      return true;
    }
    if (!item) return false;
    if (item.denied) unreadable(path);
    if (!row) {
      tell({
        change: options.isFirst(path) ? 'baseline' : 'added',
        path,
        fields: item.fields,
        told: JSON.stringify(item.fields),
        key: item.key,
      });
      return true;
    }
    const before = JSON.parse(row.told) as FactFields;
    const different = differences(before, item.fields);
    if (!different) {
      if (item.key !== row.key) baseline.touch(path, item.key);
      if (options.full) tellSeen(path, row.told);
      return true;
    }
    if (before['type'] === 'dir' && item.fields['type'] !== 'dir') goneBelow(path);
    tell({ change: 'changed', path, fields: item.fields, told: JSON.stringify(item.fields), key: item.key, was: different.was });
    return true;
  };
  const tellSeen = (path: string, told: string): void => tell({ change: 'seen', path, fields: {}, told });

  const goneBelow = (path: string): void => {
    for (const [below, row] of baseline.below(path)) {
      if (excluded(below) !== undefined) baseline.forget(below);
      else tellGone(below, row);
    }
  };
  const tellGone = (path: string, { told }: Row): void => tell({ change: 'removed', path, fields: JSON.parse(told) as FactFields, told });
  // The folder comes last: while it stands, what is left below it is found again.
  const gone = (path: string, row = baseline.row(path)): void => {
    if (row) {
      goneBelow(path);
      tellGone(path, row);
    }
  };

  const visit = (folder: string, stat: Stats, deep: boolean, above: readonly string[], device: number): void => {
    const id = `${stat.dev}:${stat.ino}`;
    if (done.has(folder) || refused(folder)) return;
    if (above.includes(id) || above.length >= MAX_DEPTH) {
      counts.loops.push(folder);
      return;
    }
    const raw = rawPath(folder);
    const rows = baseline.rows(folder);
    let listed: Listed;
    try {
      listed = listFolder(raw, options.full || rows.size === 0);
    } catch (error) {
      const code = systemCode(error);
      // What was told of it stands until it can be read again; one that is gone is missed by the folder above.
      if (code !== 'ENOENT' && code !== 'ENOTDIR') unreadable(folder);
      return;
    }
    const { names, files } = listed;
    if (names.some((name) => typeof name === 'string' && MARKERS.includes(name))) return;
    done.add(folder);
    counts.folders += 1;
    options.onFolder(folder, id);
    const folders: [string, Stats][] = [];
    for (const [i, rawName] of names.entries()) {
      const name = escapeName(rawName);
      const path = joinPath(folder, name);
      if (excluded(path) !== undefined) continue;
      options.pause();
      if (counts.items >= options.maxItems) {
        counts.limitReached = true;
        return;
      }
      const rawChild = typeof rawName === 'string' && typeof raw === 'string' ? joinPath(raw, rawName) : rawPath(path);
      const row = rows.get(name);
      // What will be read anyway tells its attributes when it is open. Where that fails, it is looked at as everything else.
      const read = files?.[i] && (options.full || !row) ? digestFile(rawChild, undefined, options.limitBytes, options.pause) : undefined;
      const whole = read?.kind === 'ok' ? read : undefined;
      const found = whole?.stat ?? statItem(rawChild);
      if (found === 'denied') {
        unreadable(path);
        rows.delete(name);
        continue;
      }
      if (!found || !compare(path, rawChild, found, row, whole)) continue;
      counts.items += 1;
      rows.delete(name);
      if (found.isDirectory() && found.dev === device && (deep || !row || !row.told.includes('"type":"dir"'))) folders.push([path, found]);
    }
    // Somebody put another folder in its place while it was listed: that one is looked at by the next scan.
    const after = statItem(raw);
    if (after && after !== 'denied' && `${after.dev}:${after.ino}` === id)
      for (const [name, row] of rows) {
        const path = joinPath(folder, name);
        if (excluded(path) === undefined) gone(path, row);
        else {
          for (const [below] of baseline.below(path)) baseline.forget(below);
          baseline.forget(path);
        }
      }
    const lower = [...above, id];
    for (const [path, child] of folders) visit(path, child, true, lower, device);
  };

  return {
    counts,
    root: ({ path }) => {
      const raw = rawPath(path);
      if (excluded(path) !== undefined || refused(path)) return undefined;
      const stat = statItem(raw);
      if (stat === 'denied') {
        unreadable(path);
        return undefined;
      }
      if (!stat) {
        gone(path);
        return undefined;
      }
      // A root inside another one was met on the way.
      if (!done.has(splitPath(path)[0]) && compare(path, raw, stat, baseline.row(path))) counts.items += 1;
      if (stat.isDirectory()) visit(path, stat, true, [], stat.dev);
      return stat;
    },
    folder: (path) => {
      const raw = rawPath(path);
      const stat = statItem(raw);
      const row = baseline.row(path);
      if (!stat) return gone(path, row);
      if (stat === 'denied' || !compare(path, raw, stat, row) || !stat.isDirectory()) return;
      visit(path, stat, !row, [], stat.dev);
    },
    gone: (path) => gone(path),
  };
};

/** Undefined: not there. A disk that fails is a refusal too: what was told stands until it can be seen again. */
const statItem = (raw: RawPath): Stats | 'denied' | undefined => {
  try {
    return statIfThere(raw);
  } catch {
    return 'denied';
  }
};

interface Listed {
  readonly names: readonly RawPath[];
  /** Of each name, whether the folder says that it is a regular file. */
  readonly files?: readonly boolean[];
}

/** Names as text where all of them are plain; as bytes where one is no UTF-8. */
const listFolder = (raw: RawPath, withTypes: boolean): Listed => {
  if (!withTypes) {
    const names = readdirSync(raw);
    return { names: names.some(isBroken) ? readdirSync(raw, 'buffer') : names };
  }
  const entries = readdirSync(raw, { withFileTypes: true });
  const isPlain = !entries.some(({ name }) => isBroken(name));
  const found = isPlain ? entries : readdirSync(raw, { withFileTypes: true, encoding: 'buffer' });
  return { names: found.map(({ name }) => name), files: found.map((entry) => entry.isFile()) };
};

const isBroken = (name: string): boolean => name.includes('\ufffd');
