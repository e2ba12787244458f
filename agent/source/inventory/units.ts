// SPDX-License-Identifier: Apache-2.0
/**
 * Unit files of systemd as they stand on disk: which are there, where they come from, whether they start.
 * Input: the folders that systemd searches. Output: units with their state in the words of `systemctl list-unit-files`, without asking systemd.
 */
import { basename, dirname, join } from 'node:path';
import { type Found, PAUSE } from './found.ts';
import { quietly } from './passwd.ts';
import { readText } from './text.ts';
import type { Tree } from './tree.ts';

const CONFIG = '/etc/systemd/system';
const RUNTIME = '/run/systemd/system';
/** In the order in which the first of a name counts. */
export const UNIT_FOLDERS = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  CONFIG,
  '/etc/systemd/system.attached',
  RUNTIME,
  '/run/systemd/system.attached',
  '/run/systemd/generator',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/run/systemd/generator.late',
];

export interface Unit {
  readonly name: string;
  /** Where the file stands; for an instance its template. */
  readonly path: string;
  readonly start: string;
  /** Lines of the file and its drop-ins, by `Section.Key`, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

interface Places {
  readonly folders: readonly string[];
  /** Names that a `.wants` or `.requires` folder links to, or that another name stands for, by the folder of settings. */
  readonly wanted: ReadonlyMap<string, 'enabled' | 'enabled-runtime' | 'vendor'>;
}

/** Units of the names that are wanted, sorted. */
export function* readUnits(tree: Tree, wants: (name: string) => boolean): Generator<Found, readonly Unit[]> {
  const folders = foldersOf(tree);
  const files = new Map<string, string>();
  for (const folder of folders)
    for (const name of tree.list(folder)) if (wants(name) && !files.has(name)) files.set(name, `${folder}/${name}`);
  const places = { folders, wanted: wantedOf(tree, folders, wants) };
  const units: Unit[] = [];
  for (const [name, path] of files) {
    units.push(readUnit(tree, name, path, places));
    yield PAUSE;
  }
  // Instances that start have no file of their own.
  for (const name of places.wanted.keys()) {
    const template = templateOf(name);
    const path = template === undefined || files.has(name) ? undefined : files.get(template);
    if (path !== undefined) units.push({ ...readUnit(tree, name, path, places), start: startWord(places.wanted.get(name)!) });
  }
  return units.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where /lib is /usr/lib each folder counts once. */
const foldersOf = (tree: Tree): readonly string[] => {
  const seen = new Set<string>();
  return UNIT_FOLDERS.filter((folder) => {
    const where = tree.resolve(folder);
    if (where === undefined || seen.has(where)) return false;
    seen.add(where);
    return true;
  });
};

const startWord = (where: 'enabled' | 'enabled-runtime' | 'vendor'): string => (where === 'vendor' ? 'static' : where);

const wantedOf = (tree: Tree, folders: readonly string[], wants: (name: string) => boolean): Places['wanted'] => {
  const wanted = new Map<string, 'enabled' | 'enabled-runtime' | 'vendor'>();
  for (const folder of folders) {
    const where = folder === CONFIG ? 'enabled' : folder === RUNTIME ? 'enabled-runtime' : 'vendor';
    const note = (name: string): void => {
      const known = wanted.get(name);
      if (known === undefined || known === 'vendor') wanted.set(name, where);
    };
    for (const entry of tree.list(folder)) {
      if (/\.(wants|requires|upholds)$/.test(entry))
        for (const name of tree.list(`${folder}/${entry}`)) {
          if (!wants(name)) continue;
          note(name);
          const target = tree.link(`${folder}/${entry}/${name}`);
          if (target !== undefined && basename(target) !== name) note(basename(target));
        }
      else if (wants(entry)) {
        const target = tree.link(`${folder}/${entry}`);
        if (target !== undefined && target !== '/dev/null' && basename(target) !== entry) note(basename(target));
      }
    }
  }
  return wanted;
};

const readUnit = (tree: Tree, name: string, path: string, places: Places): Unit => {
  const values = valuesOf(tree, name, path, places.folders);
  return { name, path, start: startOf(tree, name, path, values, places), values };
};

const startOf = (tree: Tree, name: string, path: string, values: Unit['values'], { wanted, folders }: Places): string => {
  const folder = dirname(path);
  const runtime = folder.startsWith('/run/') ? '-runtime' : '';
  const target = tree.link(path);
  if (target === '/dev/null' || (target === undefined && tree.stat(path)?.size === 0)) return `masked${runtime}`;
  if (/^\/run\/systemd\/generator/.test(folder)) return 'generated';
  if (folder === '/run/systemd/transient') return 'transient';
  if (target !== undefined && basename(target) !== name) return 'alias';
  const where = wanted.get(name);
  if (where === 'enabled' || where === 'enabled-runtime') return where;
  if (target !== undefined && !folders.some((one) => dirname(join(folder, target)) === one || dirname(target) === one))
    return `linked${runtime}`;
  const installs = ['WantedBy', 'RequiredBy', 'UpheldBy', 'Alias'].some((key) =>
    values.get(`Install.${key}`)?.some((value) => value !== ''),
  );
  if (installs) return 'disabled';
  return values.get('Install.Also')?.some((value) => value !== '') ? 'indirect' : 'static';
};

const templateOf = (name: string): string | undefined => {
  const [, stem, ending] = /^([^@]+@)[^@]+(\.[a-z]+)$/.exec(name) ?? [];
  return stem === undefined ? undefined : `${stem}${ending}`;
};

/** The file, then its drop-ins by the order of their names; an empty value takes back what stood before. */
const valuesOf = (tree: Tree, name: string, path: string, folders: readonly string[]): Unit['values'] => {
  const dropIns = new Map<string, string>();
  for (const unit of new Set([name, templateOf(name)]))
    for (const folder of unit === undefined ? [] : folders)
      for (const file of tree.list(`${folder}/${unit}.d`))
        if (file.endsWith('.conf') && !dropIns.has(file)) dropIns.set(file, `${folder}/${unit}.d/${file}`);
  const values = new Map<string, string[]>();
  for (const file of [path, ...[...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, full]) => full)]) {
    let section = '';
    for (const line of linesOf(quietly(readText(tree, file, undefined, 1_048_576)) ?? '')) {
      const [, head] = /^\[([^\]]+)\]$/.exec(line) ?? [];
      if (head !== undefined) section = head;
      const [, key, value] = head === undefined ? (/^([A-Za-z0-9-]+)\s*=\s*(.*)$/.exec(line) ?? []) : [];
      if (key === undefined) continue;
      const list = values.get(`${section}.${key}`) ?? [];
      values.set(`${section}.${key}`, value === '' ? [] : [...list, value!]);
    }
  }
  return values;
};

const linesOf = (text: string): readonly string[] =>
  text
    .replace(/\\\n(?:[#;][^\n]*\n)*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line));
