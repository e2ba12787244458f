// SPDX-License-Identifier: Apache-2.0
/**
 * Whether and why the integrity of a path is watched, and how it was last told; and what a plan would watch.
 * Input: settings, the file system, the baseline. Output: plain values for `explain` and `plan`.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FactFields } from '../../../core/fact.ts';
import type { AgentConfig } from '../../config.ts';
import { BASELINE_FILE, lookUp } from './baseline.ts';
import { excludedOf, excluder, type Root, rootOf, rootsOf, type WatchEntry, watchEntries } from './entries.ts';
import { escapeName, isWithin } from './name.ts';
import { fimEntries, watchesFiles } from './open.ts';
import { statIfAllowed, underRealFolder } from './stat.ts';

export interface WatchExplanation {
  readonly watched: boolean;
  readonly why: string;
  /** Where the path really lies, when folders above it are links. */
  readonly path: string;
  /** The entry that it is watched by. */
  readonly entry?: string;
  readonly hint?: string;
  /** As it was last told to the collector. */
  readonly last?: FactFields;
}

/** `path` is absolute. */
export const explainWatch = (path: string, from: string, config: AgentConfig, dir: string): WatchExplanation => {
  // Links are not followed, so a path is known under its real folder only.
  const real = underRealFolder(path);
  if (!watchesFiles(config))
    return {
      watched: false,
      path: real,
      why: 'fim.enabled is off, or there is nothing to watch',
      hint: 'Set fim.enabled and fim.discover.',
    };
  const { roots } = rootsOf(watchEntries(fimEntries(config), from));
  const text = escapeName(real);
  const root = rootOf(text, roots);
  if (!root) return { watched: false, path: real, why: 'no watched path holds it', hint: `Add it: --fim ${path}, or under fim.paths.` };
  if ([dir, ...config['tail.refuse']].some((folder) => isWithin(text, folder)))
    return { watched: false, path: real, why: 'it lies in a folder that is never looked at' };
  const left = leftOutBy(text, root.path, excluder(excludedOf(fimEntries(config), from)));
  if (left !== undefined)
    return { watched: false, path: real, why: `${left} is left out`, hint: 'It changes in its ordinary course, or fim.exclude names it.' };
  const last = lookUp(join(dir, BASELINE_FILE), text);
  const why = root.entry.because === 'usual' ? `${root.entry.pattern} is one of the usual paths` : `fim.paths names ${root.entry.because}`;
  return { watched: true, path: real, why, entry: root.entry.pattern, ...(last ? { last } : {}) };
};

const leftOutBy = (path: string, root: string, excluded: (path: string) => string | undefined): string | undefined => {
  for (let at = path; at.length >= root.length && at !== '/'; at = dirname(at)) {
    const pattern = excluded(at);
    if (pattern !== undefined) return pattern;
  }
  return undefined;
};

export interface WatchPlan {
  readonly entry: WatchEntry;
  readonly path: string;
  readonly files: number;
  readonly folders: number;
  readonly denied: number;
}

const MAX_COUNTED = 200_000;

/** What would be watched here, counted and not opened. Roots that lie in another one are counted with that. */
export const planWatch = (from: string, config: AgentConfig): readonly WatchPlan[] => {
  if (!watchesFiles(config)) return [];
  const entries = fimEntries(config);
  const { roots } = rootsOf(watchEntries(entries, from));
  const excluded = excluder(excludedOf(entries, from));
  let left = MAX_COUNTED;
  const count = ({ path, entry }: Root): WatchPlan | undefined => {
    const found = { files: 0, folders: 0, denied: 0 };
    const stat = statIfAllowed(path);
    if (!stat) return undefined;
    const walk = (folder: string, device: number): void => {
      found.folders += 1;
      let names: readonly { readonly name: string; isDirectory(): boolean }[] = [];
      try {
        names = readdirSync(folder, { withFileTypes: true });
      } catch {
        found.denied += 1;
      }
      for (const one of names) {
        const at = join(folder, one.name);
        if (--left < 0 || excluded(at) !== undefined) continue;
        if (!one.isDirectory()) found.files += 1;
        else if (statIfAllowed(at)?.dev === device) walk(at, device);
      }
    };
    if (stat.isDirectory()) walk(path, stat.dev);
    else found.files = 1;
    return { entry, path, ...found };
  };
  return roots
    .filter((root) => !roots.some((other) => other !== root && isWithin(root.path, other.path)))
    .flatMap((root) => count(root) ?? []);
};
