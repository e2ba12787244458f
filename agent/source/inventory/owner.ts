// SPDX-License-Identifier: Apache-2.0
/**
 * Which package a program came with.
 * Input: paths of programs, the lists of files that dpkg, apk and rpm keep. Output: the package's name by path; nothing for what no package brought.
 */
import { APK_FILES } from './apk.ts';
import { DPKG_STATUS } from './dpkg.ts';
import { type Found, PAUSE } from './found.ts';
import { RPM_FILES } from './rpm.ts';
import { readRpmHeader } from './rpm-header.ts';
import { bytesOf, rowsOf } from './sqlite.ts';
import type { Tree } from './tree.ts';

const INFO = '/var/lib/dpkg/info';
const MERGED = /^\/usr(\/(?:s?bin|lib\w*)\/)/;

export type Owners = ReadonlyMap<string, string | undefined>;

/** Remembers its answers as long as the databases do not change: lists of files are long. */
export const makePackageOf = (): ((tree: Tree, paths: readonly string[]) => Generator<Found, Owners>) => {
  let known = new Map<string, string | undefined>();
  let mark = '';
  return function* (tree, paths) {
    const now = [DPKG_STATUS, ...APK_FILES, ...RPM_FILES].map((file) => String(tree.stat(file)?.mtimeMs)).join(' ');
    if (now !== mark) known = new Map();
    mark = now;
    const wanted = new Map<string, string>();
    for (const path of new Set(paths)) {
      if (known.has(path)) continue;
      known.set(path, undefined);
      // Packages of before the merge of /bin into /usr/bin name the older place.
      for (const name of [path, path.replace(MERGED, '$1')]) wanted.set(name, path);
    }
    if (wanted.size > 0) for (const [name, owner] of yield* owners(tree, wanted)) known.set(wanted.get(name)!, owner);
    return known;
  };
};

function* owners(tree: Tree, wanted: ReadonlyMap<string, string>): Generator<Found, ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const needles = [...wanted.keys()].map((name) => ({ name, needle: Buffer.from(`\n${name}\n`) }));
  for (const list of tree.list(INFO)) {
    if (!list.endsWith('.list')) continue;
    const read = tree.read(`${INFO}/${list}`);
    if (read.kind === 'bytes')
      for (const { name, needle } of needles) if (read.bytes.includes(needle)) found.set(name, list.slice(0, -5).split(':')[0]!);
    yield PAUSE;
  }
  for (const path of APK_FILES) {
    const read = tree.read(path, 134_217_728);
    if (read.kind === 'bytes') apkOwners(read.bytes.toString('utf8'), wanted, found);
  }
  yield PAUSE;
  const database = RPM_FILES.find((path) => path.endsWith('.sqlite') && tree.stat(path));
  if (database !== undefined) rpmOwners(tree.real(database)!, wanted, found);
  return found;
}

/** `F:` names a folder, `R:` a file in it. */
const apkOwners = (text: string, wanted: ReadonlyMap<string, string>, found: Map<string, string>): void => {
  let [name, folder] = ['', ''];
  for (const line of text.split('\n')) {
    if (line.startsWith('P:')) name = line.slice(2);
    else if (line.startsWith('F:')) folder = `/${line.slice(2)}`;
    else if (line.startsWith('R:') && wanted.has(`${folder}/${line.slice(2)}`)) found.set(`${folder}/${line.slice(2)}`, name);
  }
};

const BY_NAME = 'SELECT p.blob FROM Basenames b JOIN Packages p ON p.hnum = b.hnum WHERE b.key = ?';
const DIR_INDEXES = 1116;
const BASE_NAMES = 1117;
const DIR_NAMES = 1118;

/** The database has an index from names of files to packages; the folder is looked up in the header. */
const rpmOwners = (path: string, wanted: ReadonlyMap<string, string>, found: Map<string, string>): void => {
  try {
    for (const name of wanted.keys())
      for (const { blob } of rowsOf(path, BY_NAME, name.slice(name.lastIndexOf('/') + 1))) {
        const header = bytesOf(blob);
        const owner = header && hasFile(header, name) ? readRpmHeader(header) : null;
        if (owner) found.set(name, owner.name);
      }
  } catch {
    // The kind `package` says what is wrong with the database; here only a name is missing.
  }
};

const hasFile = (header: Buffer, path: string): boolean => {
  const slash = path.lastIndexOf('/') + 1;
  const folders = stringsOf(header, DIR_NAMES);
  const names = stringsOf(header, BASE_NAMES);
  const indexes = entryOf(header, DIR_INDEXES);
  return (
    indexes !== undefined &&
    names.some((name, i) => name === path.slice(slash) && folders[header.readUInt32BE(indexes.at + i * 4)] === path.slice(0, slash))
  );
};

const entryOf = (header: Buffer, tag: number): { readonly at: number; readonly count: number } | undefined => {
  const entries = header.readUInt32BE(0);
  for (let at = 8; at < 8 + entries * 16; at += 16)
    if (header.readUInt32BE(at) === tag) return { at: 8 + entries * 16 + header.readUInt32BE(at + 8), count: header.readUInt32BE(at + 12) };
  return undefined;
};

const stringsOf = (header: Buffer, tag: number): readonly string[] => {
  const entry = entryOf(header, tag);
  const texts: string[] = [];
  for (let at = entry?.at ?? 0, i = 0; entry && i < entry.count; i++) {
    const end = header.indexOf(0, at);
    if (end === -1) break;
    texts.push(header.toString('utf8', at, end));
    at = end + 1;
  }
  return texts;
};
