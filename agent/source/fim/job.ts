// SPDX-License-Identifier: Apache-2.0
/**
 * One job of the worker: a scan of everything, or a look at folders in which something stirred; what it finds becomes facts.
 * Input: the baseline, entries, a job. Output: facts through the outbox, figures, problems. Blocking.
 */
import type { Clock } from '../../../core/clock.ts';
import { FACT_LIMIT_BYTES, FACT_VERSION, type FactChange, factText } from '../../../core/fact.ts';
import { sha256 } from '../../../core/hash.ts';
import { RECORD_FLAGS } from '../../../core/record.ts';
import type { UnixMs } from '../../../core/units.ts';
import { openBudget } from '../../budget.ts';
import type { SourceProblem } from '../source.ts';
import { type Baseline, putMove } from './baseline.ts';
import { excluder, type Root, rootOf, rootsOf } from './entries.ts';
import { digestFile } from './hash.ts';
import { type Names, openNames } from './item.ts';
import { isWithin, rawPath, splitPath } from './name.ts';
import type { Outbox } from './outbox.ts';
import { openManager, openUpgrades } from './package/upgrade.ts';
import { problemsOf } from './problem.ts';
import type { FimWorkerData, FromFimWorker, Job, JobFigures } from './protocol.ts';
import { statIfAllowed } from './stat.ts';
import { type Change, makeWalk } from './walk.ts';

export interface JobResult {
  readonly figures: JobFigures;
  readonly problems: readonly SourceProblem[];
}

const ITEM_CHARACTERS = 1_000;
const CHECK_EVERY = 32;
/** A short job is not slowed down: somebody waits for what it finds. */
const FREE_MS = 200;
/** No package brings anything there. */
const NEVER_PACKAGED = ['/root', '/home', '/usr/local', '/var/spool/cron'];

/** How an item is named: its path, or of a longer one the beginning and a digest of the whole. */
export const itemOf = (path: string): string =>
  path.length <= ITEM_CHARACTERS ? path : `${path.slice(0, ITEM_CHARACTERS - 33).toWellFormed()}…${sha256(path).slice(0, 32)}`;

/** The same text as `factText` gives, around fields that are JSON already. */
const textAround = (item: string, change: FactChange, at: UnixMs, told: string, was: Change['was']): string =>
  `{"v":${FACT_VERSION},"kind":"file","item":${JSON.stringify(item)},"change":"${change}","at":${at},"fields":${told}` +
  `${was === undefined ? '' : `,"was":${JSON.stringify(was)}`}}`;

export const runJob = (
  data: FimWorkerData,
  job: Job,
  baseline: Baseline,
  outbox: Outbox,
  clock: Clock,
  post: (message: FromFimWorker) => void,
): JobResult => {
  const began = clock.monotonic();
  const cpuBegan = threadCpuMs();
  const manager = openManager(data.packageRoot);
  // Asked again every few seconds while it works: nothing is walked for that.
  if (job.kind === 'scan' && !job.closes && job.patient && manager?.isBusy()) return { figures: WAITING, problems: [] };
  const isFirst = baseline.isEmpty && baseline.meta(SCANNED) === undefined;
  const known = baseline.entries();
  const { roots, denied } = rootsOf(data.entries);
  const excluded = excluder(data.exclude);
  const settings = sha256(JSON.stringify([data.entries.map(({ pattern }) => pattern), data.exclude, data.limitBytes]));
  const age = clock.now() - Number(baseline.meta(FULL) ?? 0);
  const full = job.kind === 'scan' && (job.full || isFirst || age < 0 || age >= data.fullMs || baseline.meta(SETTINGS) !== settings);

  const budget = openBudget(clock, data.cpuPercent, { cpuUsage: () => process.threadCpuUsage(), rss: () => 0 });
  let pause = budget.work();
  let steps = 0;
  const breathe = (): void => {
    if (++steps % CHECK_EVERY !== 0) return;
    outbox.check();
    if (threadCpuMs() - cpuBegan < FREE_MS) return;
    const span = pause();
    if (span < 5) return;
    outbox.sleep(span);
    pause = budget.work();
  };

  const watched = (path: string): boolean => rootOf(path, roots) !== undefined && excluded(path) === undefined;
  const upgrades = openUpgrades({
    manager,
    baseline,
    wanted: watched,
    digest: (path, algorithm) => {
      const raw = rawPath(path);
      const stat = statIfAllowed(raw);
      const digest = stat?.isFile() ? digestFile(raw, stat, data.limitBytes, breathe, algorithm) : undefined;
      return digest?.kind === 'ok' ? digest.hex : undefined;
    },
    monotonic: () => clock.monotonic(),
  });
  const whole = job.kind === 'scan' || (upgrades.hasChanged && !upgrades.isBusy());

  let allowance = job.allowance;
  /** Gone with their package. */
  const left: string[] = [];
  let findings = 0;
  let withheld = 0;
  let deferred = 0;
  const say = (change: FactChange, one: Change): void => {
    const item = itemOf(one.path);
    const at = clock.now();
    let text = textAround(item, change, at, one.told, change === 'changed' ? one.was : undefined);
    // The longest names and targets, all of their bytes escaped, fill a fact: what was before stands in the fact before.
    if (text.length > FACT_LIMIT_BYTES) text = textAround(item, change, at, one.told, undefined);
    const move =
      one.change === 'removed'
        ? ({ kind: 'drop', path: one.path } as const)
        : one.key === undefined
          ? undefined
          : putMove(one.path, one.key, one.told, one.fields, item);
    outbox.put(text, change === 'baseline' ? RECORD_FLAGS.backlog : 0, move);
  };
  const tell = (one: Change): void => {
    if (one.change === 'baseline' || one.change === 'seen') say(one.change, one);
    else if (job.patient && !NEVER_PACKAGED.some((folder) => isWithin(one.path, folder)) && upgrades.isBusy()) deferred += 1;
    else if (upgrades.explains(one)) {
      // What a package brought is said again quietly, so that both sides know the file as it is now. What left with it is missed by the next full scan.
      if (one.change === 'removed') left.push(one.path);
      else say('seen', one);
    } else if (allowance <= 0) withheld += 1;
    else {
      allowance -= 1;
      findings += 1;
      say(one.change, one);
    }
  };

  const folders: [string, string][] = [];
  const walk = makeWalk({
    baseline,
    excluded,
    refused: (path) => data.refuse.some((folder) => isWithin(path, folder)),
    maxItems: data.maxItems,
    limitBytes: data.limitBytes,
    names: openNamesLazily(),
    pause: breathe,
    full,
    passingAt: whole ? null : clock.now(),
    isFirst: (path) => isFirst || !known.has(rootOf(path, roots)?.entry.pattern ?? ''),
    tell,
    onFolder: (path, id) => folders.push([path, id]),
  });
  const present = new Set<string>();
  const links: Root[] = [];
  const missing: Root[] = [];
  if (whole) {
    for (const root of roots) {
      const stat = walk.root(root);
      if (stat) present.add(root.path);
      if (!stat?.isDirectory()) folders.push(...parentOf(root.path));
      if (stat?.isSymbolicLink()) links.push(root);
      if (!stat && root.entry.because !== 'usual') missing.push(root);
    }
    const patterns = new Set(data.entries.map(({ pattern }) => pattern));
    for (const [path, pattern] of baseline.roots()) {
      if (roots.some((root) => root.path === path)) continue;
      if (patterns.has(pattern)) walk.gone(path);
      else if (rootOf(path, roots) === undefined) {
        for (const [below] of baseline.below(path)) baseline.forget(below);
        baseline.forget(path);
      }
    }
  } else if (job.kind === 'look')
    for (const folder of job.folders) {
      if (rootOf(folder, roots)) walk.folder(folder);
      else for (const root of roots) if (splitPath(root.path)[0] === folder) walk.root(root);
    }

  const upgraded = upgrades.facts(clock.now());
  // While files of a transaction may still come, its versions must stay new.
  const moved = whole && deferred === 0 && !upgrades.isBusy() ? upgrades.moved : undefined;
  const upgradeMove = {
    kind: 'then',
    work: (store: Baseline) => {
      for (const path of left) store.forget(path);
      moved?.(store);
    },
  } as const;
  for (const [i, fact] of upgraded.entries()) outbox.put(factText(fact), 0, i === upgraded.length - 1 ? upgradeMove : undefined);
  outbox.settle();
  if (upgraded.length === 0 && moved) baseline.move([{ kind: 'then', work: moved }]);

  const { counts } = walk;
  if (job.kind === 'scan' && job.closes) {
    const { count, checksum } = baseline.figures();
    const at = clock.now();
    outbox.put(
      factText({
        kind: 'scan',
        item: 'file',
        change: isFirst ? 'baseline' : 'seen',
        at,
        fields: { of: 'file', full, count, checksum, took_ms: Math.ceil(clock.monotonic() - began), errors: counts.unreadable },
      }),
      0,
      {
        kind: 'then',
        work: (store) => {
          store.setMeta(SCANNED, String(at));
          if (!full) return;
          store.setMeta(FULL, String(at));
          store.setMeta(SETTINGS, settings);
          store.setEntries(
            data.entries.map(({ pattern }) => pattern),
            new Map(roots.filter(({ path }) => present.has(path)).map(({ path, entry }) => [path, entry.pattern])),
          );
        },
      },
    );
    outbox.settle();
  }
  if (folders.length > 0 || whole) post({ kind: 'folders', whole, folders });
  return {
    figures: {
      items: counts.items,
      folders: counts.folders,
      findings,
      withheld,
      deferred,
      left: left.length,
      unreadable: counts.unreadable,
      tookMs: Math.round(clock.monotonic() - began),
      cpuMs: Math.round(threadCpuMs() - cpuBegan),
      whole,
    },
    problems: problemsOf({ counts, denied, links, missing, packages: upgrades.problem, maxItems: data.maxItems }),
  };
};

const WAITING: JobFigures = {
  items: 0,
  folders: 0,
  findings: 0,
  withheld: 0,
  deferred: 1,
  left: 0,
  unreadable: 0,
  tookMs: 0,
  cpuMs: 0,
  whole: false,
};
const SCANNED = 'scanned';
const FULL = 'full';
const SETTINGS = 'settings';

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Most jobs find nothing to name. */
const openNamesLazily = (): Names => {
  let names: Names | undefined;
  const own = (): Names => (names ??= openNames(''));
  return { user: (id) => own().user(id), group: (id) => own().group(id) };
};

/** The folder in which a root that is no folder stands or would stand, as a folder to watch. */
const parentOf = (path: string): readonly [string, string][] => {
  const [folder] = splitPath(path);
  const stat = statIfAllowed(rawPath(folder));
  return stat?.isDirectory() ? [[folder, `${stat.dev}:${stat.ino}`]] : [];
};
