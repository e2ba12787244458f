// SPDX-License-Identifier: Apache-2.0
/**
 * What a package transaction explains: a changed file whose package has another version now, and whose content is what that version states.
 * Input: changes of the walk, the package manager's own files, the packages of the last scan. Output: whether a change is explained; the upgrade fact.
 */
import type { Fact } from '../../../../core/fact.ts';
import type { UnixMs } from '../../../../core/units.ts';
import type { SourceProblem } from '../../source.ts';
import type { Baseline } from '../baseline.ts';
import type { DigestAlgorithm } from '../hash.ts';
import type { Change } from '../walk.ts';
import { openApk } from './apk.ts';
import { openDpkg } from './dpkg.ts';
import type { OwnedFile, PackageManager } from './packages.ts';
import { openRpm } from './rpm.ts';

export interface Upgrades {
  /** Packages changed since the last scan: it is worth to look at everything at once. */
  readonly hasChanged: boolean;
  /** A package manager is at work, so that a change cannot be judged yet. Asked often. */
  isBusy(): boolean;
  /** Notes the change when it is explained. */
  explains(change: Change): boolean;
  /** One fact for each 256 packages that changed files. */
  facts(at: UnixMs): readonly Fact[];
  /** What is known of packages from now on; undefined when nothing moved. */
  readonly moved: ((baseline: Baseline) => void) | undefined;
  readonly problem: SourceProblem | undefined;
}

const SAMPLE = 20;
const PACKAGES_EACH = 256;
const BUSY_MS = 50;

export const openManager = (root: string): PackageManager | undefined => openDpkg(root) ?? openRpm(root) ?? openApk(root);

export interface UpgradeOptions {
  readonly manager: PackageManager | undefined;
  readonly baseline: Baseline;
  readonly wanted: (path: string) => boolean;
  /** Digest of a watched file as it is now; undefined when it cannot be had. */
  readonly digest: (path: string, algorithm: DigestAlgorithm) => string | undefined;
  readonly monotonic: () => number;
}

const STAMP = 'packages';

/** Reads what changed since the last scan. Nothing is read while the manager's list is the same. */
export const openUpgrades = (options: UpgradeOptions): Upgrades => {
  const { manager, baseline } = options;
  if (!manager) return NONE;
  const stamp = `${manager.name} ${manager.stamp()}`;
  let busyAt = Number.NEGATIVE_INFINITY;
  let busy = false;
  const isBusy = (): boolean => {
    const now = options.monotonic();
    if (now - busyAt >= BUSY_MS) [busyAt, busy] = [now, manager.isBusy()];
    return busy;
  };
  const base = { hasChanged: false, isBusy, explains: () => false, facts: () => [], moved: undefined, problem: undefined };
  if (baseline.meta(STAMP) === stamp) return base;
  const list = manager.list();
  const before = baseline.packages();
  const bad = (file: string, reason: string): Upgrades => ({ ...base, problem: problemOf(manager, file, reason) });
  if (list.kind === 'bad') return bad(list.file, list.reason);
  const { packages } = list;
  const changed = new Set<string>();
  for (const [name, version] of packages) if (before.get(name) !== version) changed.add(name);
  for (const name of before.keys()) {
    if (packages.has(name)) continue;
    // A list that was cut at a fitting place looks whole.
    if (manager.stillNotes(name)) return bad(list.file, `it does not name ${name}, whose files are noted beside it`);
    changed.add(name);
  }
  const owned = new Map<string, OwnedFile>();
  let reason: string | undefined;
  try {
    for (const one of manager.files(changed, options.wanted)) owned.set(one.path, one);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  if (reason !== undefined) return bad(manager.name, reason);
  // At first sight there is no version before, and nothing to explain.
  const first = before.size === 0;
  const files = new Map<string, number>();
  const sample: string[] = [];
  return {
    ...base,
    hasChanged: !first && changed.size > 0,
    explains: (change) => {
      if (first || change.change === 'baseline' || change.change === 'seen') return false;
      const name = explainer(change, owned, changed, options);
      if (name === undefined) return false;
      files.set(name, (files.get(name) ?? 0) + 1);
      if (sample.length < SAMPLE) sample.push(change.path);
      return true;
    },
    facts: (at) => factsOf(manager, [...files], before, packages, sample, at),
    moved: (store) => {
      store.setPackages(
        packages,
        changed,
        [...owned.values()].map(({ path, package: name }) => [path, name] as const),
      );
      store.setMeta(STAMP, stamp);
    },
  };
};

const NONE: Upgrades = {
  hasChanged: false,
  isBusy: () => false,
  explains: () => false,
  facts: () => [],
  moved: undefined,
  problem: undefined,
};

const problemOf = (manager: PackageManager, file: string, reason: string): SourceProblem => ({
  code: 'FIM_PACKAGES_UNREADABLE',
  about: file,
  reason: `${reason}; until it is whole, changes by ${manager.name} are told file by file`,
  hint: `See what ${manager.name} itself says of it, and put it back from a copy.`,
});

/** A package may bring content; what it may not bring unseen are rights and other owners. */
const explainer = (
  { change, path, fields, was }: Change,
  owned: ReadonlyMap<string, OwnedFile>,
  changed: ReadonlySet<string>,
  options: UpgradeOptions,
): string | undefined => {
  if (change === 'removed') {
    const name = options.baseline.ownerOf(path);
    return name !== undefined && changed.has(name) && !owned.has(path) ? name : undefined;
  }
  const owner = owned.get(path);
  if (!owner) return undefined;
  if (change === 'changed' && was && ['type', 'mode', 'uid', 'gid'].some((name) => name in was)) return undefined;
  const mode = Number.parseInt(String(fields['mode'] ?? '0'), 8);
  if (change === 'added' && ((mode & 0o6002) !== 0 || fields['uid'] !== 0)) return undefined;
  if (fields['type'] === 'dir' || fields['type'] === 'symlink') return owner.package;
  if (fields['type'] !== 'file' || !owner.digest) return undefined;
  const { algorithm, hex } = owner.digest;
  const now = algorithm === 'sha256' ? fields['sha256'] : options.digest(path, algorithm);
  return now === hex ? owner.package : undefined;
};

const factsOf = (
  manager: PackageManager,
  files: readonly (readonly [name: string, files: number])[],
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  sample: readonly string[],
  at: UnixMs,
): readonly Fact[] => {
  const facts: Fact[] = [];
  for (let i = 0; i < files.length; i += PACKAGES_EACH) {
    const part = files.slice(i, i + PACKAGES_EACH).sort(([, a], [, b]) => b - a);
    const names = part.map(([name]) => name);
    const lead = names[0]!;
    const title = `${lead} ${now.get(lead) ?? 'removed'}`;
    facts.push({
      kind: 'upgrade',
      item: (names.length === 1 ? title : `${title} and ${names.length - 1} more`).slice(0, 1_000),
      change: 'added',
      at,
      fields: {
        manager: manager.name,
        packages: names,
        from: names.map((name) => before.get(name) ?? ''),
        to: names.map((name) => now.get(name) ?? ''),
        files: part.reduce((sum, [, n]) => sum + n, 0),
        sample,
      },
    });
  }
  return facts;
};
