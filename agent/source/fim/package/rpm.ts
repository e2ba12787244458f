// SPDX-License-Identifier: Apache-2.0
/**
 * rpm's own database in SQLite, as of rpm 4.16: one binary header a package with its version, files and digests.
 * Input: the root that it lies under. Output: the port of a package manager. The older Berkeley form is not read, which is said.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toError } from '../../../../core/errors.ts';
import { escapeName } from '../name.ts';
import { isLocked, mergedPaths, type OwnedFile, type PackageManager, stampOf } from './packages.ts';

const FOLDERS = ['usr/lib/sysimage/rpm', 'var/lib/rpm'];
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  arch: 1022,
  digests: 1035,
  folderOf: 1116,
  names: 1117,
  folders: 1118,
  algorithm: 5011,
};
/** OpenPGP's numbers of digests; old packages that state none use MD5. */
const ALGORITHMS: Readonly<Record<number, 'md5' | 'sha1' | 'sha256'>> = { 1: 'md5', 2: 'sha1', 8: 'sha256' };
const MAX_ENTRIES = 65_536;

/** Undefined where there is no rpm. */
export const openRpm = (root: string): PackageManager | undefined => {
  const find = (file: string): string | undefined => FOLDERS.map((folder) => join(root, folder, file)).find((path) => existsSync(path));
  const file = find('rpmdb.sqlite');
  const old = find('Packages') ?? find('Packages.db');
  if (file === undefined && old === undefined) return undefined;
  const real = mergedPaths(root);
  const headers = function* (): Iterable<Header> {
    const db = new DatabaseSync(file!, { readOnly: true });
    try {
      for (const row of db.prepare('SELECT blob FROM Packages').iterate()) yield readHeader(Buffer.from(row['blob'] as Uint8Array));
    } finally {
      db.close();
    }
  };
  return {
    name: 'rpm',
    stamp: () => (file === undefined ? stampOf(old!) : `${stampOf(file)} ${stampOf(`${file}-wal`)}`),
    list: () => {
      if (file === undefined) return { kind: 'bad', file: old!, reason: 'it is in the form before rpm 4.16' };
      try {
        const packages = new Map<string, string>();
        for (const header of headers()) if (header.text(TAG.name) !== 'gpg-pubkey') packages.set(nameOf(header), versionOf(header));
        return { kind: 'ok', file, packages };
      } catch (error) {
        return { kind: 'bad', file, reason: toError(error).message };
      }
    },
    stillNotes: () => false,
    *files(packages, wanted): Iterable<OwnedFile> {
      if (file === undefined) return;
      for (const header of headers()) {
        const name = nameOf(header);
        if (!packages.has(name)) continue;
        const folders = header.texts(TAG.folders);
        const folderOf = header.numbers(TAG.folderOf);
        const digests = header.texts(TAG.digests);
        const algorithm = ALGORITHMS[header.numbers(TAG.algorithm)[0] ?? 1];
        for (const [i, base] of header.texts(TAG.names).entries()) {
          const path = real(escapeName(Buffer.from(`${folders[folderOf[i] ?? -1] ?? ''}${base}`, 'latin1')));
          if (!wanted(path)) continue;
          const hex = digests[i] ?? '';
          yield { path, package: name, ...(hex === '' || !algorithm ? {} : { digest: { algorithm, hex } }) };
        }
      }
    },
    isBusy: () => isLocked(FOLDERS.map((folder) => join(root, folder, '.rpm.lock'))),
  };
};

/** Several kernels stand side by side: their names alone are not theirs. */
const nameOf = (header: Header): string => {
  const name = `${header.text(TAG.name)}.${header.text(TAG.arch)}`;
  return /^(kernel|kmod)/.test(name) ? `${name}-${versionOf(header)}` : name;
};
const versionOf = (header: Header): string => {
  const epoch = header.numbers(TAG.epoch)[0];
  return `${epoch === undefined ? '' : `${epoch}:`}${header.text(TAG.version)}-${header.text(TAG.release)}`;
};

interface Header {
  text(tag: number): string;
  texts(tag: number): readonly string[];
  numbers(tag: number): readonly number[];
}

/** Two counts, an index of (tag, type, offset, count), then the data. @throws RangeError where it is cut. */
const readHeader = (blob: Buffer): Header => {
  const entries = blob.readUInt32BE(0);
  const size = blob.readUInt32BE(4);
  const base = 8 + entries * 16;
  if (entries > MAX_ENTRIES || base + size > blob.length) throw new RangeError('a package header is cut');
  const index = new Map<number, { readonly type: number; readonly offset: number; readonly count: number }>();
  for (let i = 0; i < entries; i++) {
    const at = 8 + i * 16;
    index.set(blob.readUInt32BE(at), {
      type: blob.readUInt32BE(at + 4),
      offset: base + blob.readUInt32BE(at + 8),
      count: Math.min(blob.readUInt32BE(at + 12), size),
    });
  }
  // Text, list of texts, text in several languages.
  const texts = (tag: number): readonly string[] => {
    const entry = index.get(tag);
    if (!entry || ![6, 8, 9].includes(entry.type)) return [];
    const found: string[] = [];
    for (let at = entry.offset, i = 0; i < entry.count; i++) {
      const end = blob.indexOf(0, at);
      if (end < 0) throw new RangeError('a package header is cut');
      found.push(blob.toString('latin1', at, end));
      at = end + 1;
    }
    return found;
  };
  return {
    texts,
    text: (tag) => texts(tag)[0] ?? '',
    numbers: (tag) => {
      const entry = index.get(tag);
      if (entry?.type !== 4) return [];
      return Array.from({ length: entry.count }, (_, i) => blob.readUInt32BE(entry.offset + i * 4));
    },
  };
};
