// SPDX-License-Identifier: Apache-2.0
/**
 * Packages of dpkg: its status file, with what a run of dpkg that is under way has noted beside it.
 * Input: /var/lib/dpkg. Output: items `dpkg:name:arch`. A file that is cut takes no package away.
 */
import { isUtf8 } from 'node:buffer';
import { blind, type Found, item, PAUSE, problem } from './found.ts';
import { absence, oddities, visibleText } from './text.ts';
import type { Tree } from './tree.ts';

export const DPKG_STATUS = '/var/lib/dpkg/status';
const UPDATES = '/var/lib/dpkg/updates';
const INFO = '/var/lib/dpkg/info';
const DISTROLESS = '/var/lib/dpkg/status.d';
const UNSEEN = { field: 'manager', value: 'dpkg' } as const;

interface Paragraph {
  readonly fields: ReadonlyMap<string, string>;
  readonly line: number;
}

export function* dpkgItems(tree: Tree): Generator<Found> {
  const found = new Map<string, Paragraph>();
  let whole = yield* take(tree, DPKG_STATUS, found);
  for (const name of tree.list(UPDATES)) if (/^\d+$/.test(name)) yield* take(tree, `${UPDATES}/${name}`, found);
  for (const name of tree.list(DISTROLESS)) if (!name.endsWith('.md5sums')) yield* take(tree, `${DISTROLESS}/${name}`, found, false);
  const lists = new Set(tree.list(INFO).filter((name) => name.endsWith('.list')));
  if (whole && found.size > 0) {
    // A file cut at the end of a paragraph looks whole; the lists of files that dpkg keeps tell what should stand there.
    const names = new Set(
      [...found.values()].flatMap(({ fields }) => [fields.get('Package')!, `${fields.get('Package')}:${fields.get('Architecture')}`]),
    );
    const orphans = [...lists].filter((list) => !names.has(list.slice(0, -5)));
    if (orphans.length > 5 && orphans.length * 10 > lists.size) {
      whole = false;
      yield* blind(
        UNSEEN,
        problem(
          'INVENTORY_DAMAGED',
          DPKG_STATUS,
          `${orphans.length} installed packages are missing in it, ${orphans[0]!.slice(0, -5)} first`,
        ),
      );
    }
  }
  for (const [name, { fields }] of found) yield packageItem(tree, name, fields, lists);
}

/** Reads one file into the map; false where it is not whole. */
function* take(tree: Tree, path: string, into: Map<string, Paragraph>, ends = true): Generator<Found, boolean> {
  const read = tree.read(path, 134_217_728);
  if (read.kind !== 'bytes') {
    yield* absence(path, read, UNSEEN);
    return false;
  }
  const { bytes } = read;
  const clean = isUtf8(bytes);
  if (!clean) yield problem('INVENTORY_NOT_UTF8', path, 'it has bytes that are no UTF-8');
  const odd = oddities();
  let line = 1;
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf('\n\n', at);
    // The last package of a file that was cut says only half of what is so.
    if (blank === -1 && ends) break;
    const end = blank === -1 ? bytes.length : blank;
    const text = clean ? bytes.toString('utf8', at, end) : visibleText(bytes.subarray(at, end));
    const fields = fieldsOf(text);
    const [name, arch] = [fields.get('Package'), fields.get('Architecture') ?? 'all'];
    if (name === undefined || !fields.has('Version') || (ends && !fields.has('Status'))) {
      // A package that was never installed has no version, and dpkg keeps a word of it: that is no damage.
      if (name === undefined || !/not-installed|deinstall ok/.test(fields.get('Status') ?? ''))
        odd.add(line, 'is no package with a name, a status and a version');
    } else into.set(`${name}:${arch}`, { fields, line });
    line += lineCount(text) + 1;
    at = end + 2;
    yield PAUSE;
  }
  const torn = ends && bytes.length > 0 && !(bytes.length > 1 && bytes.at(-1) === 10 && bytes.at(-2) === 10);
  if (torn) yield* blind(UNSEEN, problem('INVENTORY_DAMAGED', path, `it ends in the middle of the package at line ${line}`));
  else for (const one of odd.tell(path, 'INVENTORY_DAMAGED')) yield* blind(UNSEEN, one);
  return !torn;
}

/** Only the fields that are needed: the long ones, such as the description, are passed over. */
const WANTED = /^(Package|Status|Version|Architecture|Source|Maintainer|Origin):[ \t]*(.*)$/gm;

const fieldsOf = (text: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  for (const [, key, value] of text.matchAll(WANTED)) fields.set(key!, value!.trim());
  return fields;
};

const lineCount = (text: string): number => {
  let count = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
};

const packageItem = (tree: Tree, id: string, fields: ReadonlyMap<string, string>, lists: ReadonlySet<string>): Found => {
  const name = fields.get('Package')!;
  const version = fields.get('Version')!;
  const arch = fields.get('Architecture');
  const [, source, sourceVersion] = /^(\S+)(?:\s+\(([^)]+)\))?/.exec(fields.get('Source') ?? '') ?? [];
  const list = [`${name}.list`, `${name}:${arch}.list`].find((one) => lists.has(one));
  const installed = list === undefined ? undefined : tree.stat(`${INFO}/${list}`);
  return item(`dpkg:${id}`, {
    manager: 'dpkg',
    name,
    version,
    arch,
    source: source ?? name,
    source_version: sourceVersion ?? version,
    state: fields.get('Status')?.split(/\s+/)[2] ?? 'installed',
    installed_at: installed === undefined ? undefined : Math.trunc(installed.mtimeMs),
    vendor: fields.get('Maintainer'),
    origin: fields.get('Origin'),
  });
};
