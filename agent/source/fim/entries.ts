// SPDX-License-Identifier: Apache-2.0
/**
 * What is watched: the usual paths of this distribution, where an attacker stays or a setting opens the host, and what the configuration adds.
 * Input: os-release, settings. Output: entries with their reason; paths that stand behind them now; what is left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { systemCode } from '../../../core/errors.ts';
import { expandGlob, globPattern, isGlob } from '../tail/glob.ts';
import { escapeName, isWithin } from './name.ts';
import { statIfThere, underRealFolder } from './stat.ts';

export type Family = 'debian' | 'rhel' | 'alpine' | 'other';

export interface WatchEntry {
  /** An absolute path or glob. */
  readonly pattern: string;
  /** `usual`, or as the configuration spells it. */
  readonly because: string;
}

/** Programs, settings, start-up, accounts, keys. One place of every distribution. */
const EVERYWHERE = [
  '/etc',
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
  '/boot',
  '/boot/efi',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/local/lib/systemd',
  '/usr/lib/systemd/system',
  '/usr/lib/systemd/system-generators',
  '/lib/systemd/system',
  '/var/spool/cron',
  '/root/.ssh',
  '/home/*/.ssh',
  '/root/.bashrc',
  '/root/.bash_profile',
  '/root/.profile',
];

/** PAM modules and helpers lie where each distribution puts them. */
const BY_FAMILY: Readonly<Record<Family, readonly string[]>> = {
  debian: ['/usr/lib/*/security', '/lib/*/security', '/usr/lib/openssh', '/usr/lib/sudo', '/usr/libexec/sudo'],
  rhel: ['/usr/lib64/security', '/usr/libexec/openssh', '/usr/libexec/sudo'],
  alpine: ['/lib/security', '/usr/lib/security', '/usr/lib/ssh', '/usr/lib/sudo', '/lib/rc'],
  other: ['/usr/lib/*/security', '/usr/lib64/security', '/lib/security', '/usr/libexec/sudo'],
};

/** Written by the system itself in its ordinary course. */
const NOISY = [
  '/etc/mtab',
  '/etc/adjtime',
  '/etc/ld.so.cache',
  '/etc/.updated',
  '/etc/.pwd.lock',
  '/etc/fake-hwclock.data',
  '/etc/blkid.tab*',
  '/etc/lvm/archive',
  '/etc/lvm/backup',
  '/etc/lvm/cache',
  '/etc/cups/subscriptions.conf*',
  '/etc/cups/printers.conf*',
  '/etc/**/.*.sw[opx]',
  '/boot/grub*/grubenv',
  '/usr/**/__pycache__',
];

/** From `/etc/os-release`; a host that has none is `other`. */
export const familyOf = (osRelease = '/etc/os-release'): Family => {
  let text = '';
  try {
    text = readFileSync(osRelease, 'utf8');
  } catch {
    // Small images have none.
  }
  const words = [...text.matchAll(/^ID(?:_LIKE)?=["']?([^"'\n]*)/gm)].flatMap(([, value]) => (value ?? '').toLowerCase().split(/\s+/));
  if (words.some((word) => word === 'debian' || word === 'ubuntu')) return 'debian';
  if (words.some((word) => ['rhel', 'fedora', 'centos', 'rocky', 'almalinux'].includes(word))) return 'rhel';
  return words.includes('alpine') ? 'alpine' : 'other';
};

export interface EntryOptions {
  readonly usual: boolean;
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
}

export const watchEntries = (options: EntryOptions, from: string, family: Family = familyOf()): readonly WatchEntry[] => [
  ...(options.usual ? [...EVERYWHERE, ...BY_FAMILY[family]].map((pattern) => ({ pattern, because: 'usual' })) : []),
  ...options.paths.map((path) => ({ pattern: absolute(path, from), because: path })),
];

/** Patterns that are left out; a folder that matches is left out with all that lies in it. */
export const excludedOf = (options: EntryOptions, from: string): readonly string[] => [
  ...(options.usual ? NOISY : []),
  ...options.exclude.map((path) => absolute(path, from)),
];

const absolute = (path: string, from: string): string => {
  const whole = normalize(isAbsolute(path) ? path : resolve(from, path));
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
};

/** One test for all patterns, over a path's text; undefined where nothing is left out. */
export const excluder = (patterns: readonly string[]): ((path: string) => string | undefined) => {
  const plain = new Set(patterns.filter((pattern) => !isGlob(pattern)).map(escapeName));
  const globs = patterns.filter(isGlob).map((pattern) => [pattern, globPattern(pattern)] as const);
  const any = globs.length === 0 ? undefined : new RegExp(globs.map(([, { source }]) => `(?:${source})`).join('|'), 's');
  if (patterns.length === 0) return () => undefined;
  return (path) => {
    if (plain.has(path)) return path;
    return any?.test(path) ? globs.find(([, pattern]) => pattern.test(path))?.[0] : undefined;
  };
};

export interface Root {
  /** Text of the path. */
  readonly path: string;
  readonly entry: WatchEntry;
}

/** What stands behind the entries now; a plain path is a root whether it is there or not. */
export const rootsOf = (entries: readonly WatchEntry[]): { readonly roots: readonly Root[]; readonly denied: readonly string[] } => {
  const found = new Map<string, Root>();
  const denied: string[] = [];
  for (const entry of entries)
    for (const path of isGlob(entry.pattern) ? expand(entry.pattern, denied).filter(exists) : [entry.pattern]) {
      // `/lib/x` and `/usr/lib/x` are one place on most hosts.
      const text = escapeName(underRealFolder(path));
      if (!found.has(text)) found.set(text, { path: text, entry });
    }
  return { roots: [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), denied };
};

/** Files and folders alike. */
const expand = (pattern: string, denied: string[]): readonly string[] => {
  const name = basename(pattern);
  const above = expandGlob(isGlob(name) ? `${dirname(pattern)}/.` : pattern);
  denied.push(...above.denied);
  if (!isGlob(name)) return above.paths;
  const fits = globPattern(name);
  return above.paths.flatMap((folder) => {
    try {
      return readdirSync(folder).flatMap((one) => (fits.test(one) ? [join(folder, one)] : []));
    } catch (error) {
      if (systemCode(error) === 'EACCES') denied.push(folder);
      return [];
    }
  });
};

const exists = (path: string): boolean => {
  try {
    return statIfThere(path) !== undefined;
  } catch {
    // In a folder that this user may not enter: the scan says so.
    return true;
  }
};

/** The entry that a path is watched by: the root that it lies in, the deepest first. */
export const rootOf = (path: string, roots: readonly Root[]): Root | undefined =>
  roots.filter((root) => isWithin(path, root.path)).sort((a, b) => b.path.length - a.path.length)[0];
