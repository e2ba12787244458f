// SPDX-License-Identifier: Apache-2.0
/**
 * apk's own file: `installed`, stanzas of one-letter fields with every package's folders, files and SHA-1 digests.
 * Input: the root that it lies under. Output: the port of a package manager.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../../core/errors.ts';
import { escapeName } from '../name.ts';
import { isLocked, mergedPaths, type OwnedFile, type PackageManager, stampOf } from './packages.ts';

/** Undefined where there is no apk. */
export const openApk = (root: string): PackageManager | undefined => {
  // Since version 3 it lies below /usr where that is merged.
  const base = ['lib/apk/db', 'usr/lib/apk/db'].map((folder) => join(root, folder)).find((folder) => existsSync(join(folder, 'installed')));
  if (base === undefined) return undefined;
  const file = join(base, 'installed');
  const real = mergedPaths(root);
  let stanzas: readonly (readonly string[])[] = [];
  return {
    name: 'apk',
    stamp: () => stampOf(file),
    list: () => {
      let text: string;
      try {
        text = readFileSync(file, 'latin1');
      } catch (error) {
        return { kind: 'bad', file, reason: systemCode(error) ?? 'it cannot be read' };
      }
      if (text !== '' && !text.endsWith('\n')) return { kind: 'bad', file, reason: 'it ends in the middle of a line' };
      stanzas = text
        .split('\n\n')
        .map((part) => part.split('\n'))
        .filter((lines) => lines.some((line) => line !== ''));
      const packages = new Map<string, string>();
      for (const lines of stanzas) {
        const [name, version] = [fieldOf(lines, 'P'), fieldOf(lines, 'V')];
        if (name === undefined || version === undefined)
          return { kind: 'bad', file, reason: `the package ${name ?? '?'} stands without its version` };
        packages.set(name, version);
      }
      return { kind: 'ok', file, packages };
    },
    stillNotes: () => false,
    *files(packages, wanted): Iterable<OwnedFile> {
      for (const lines of stanzas) {
        const name = fieldOf(lines, 'P')!;
        if (!packages.has(name)) continue;
        let folder = '';
        let pending: OwnedFile | undefined;
        for (const line of lines) {
          const value = line.slice(2);
          if (line.startsWith('F:')) folder = value;
          else if (line.startsWith('Z:Q1') && pending)
            pending = { ...pending, digest: { algorithm: 'sha1', hex: Buffer.from(value.slice(2), 'base64').toString('hex') } };
          else if (!line.startsWith('R:')) continue;
          else {
            if (pending && wanted(pending.path)) yield pending;
            const path = real(escapeName(Buffer.from(folder === '' ? `/${value}` : `/${folder}/${value}`, 'latin1')));
            pending = { path, package: name };
          }
        }
        if (pending && wanted(pending.path)) yield pending;
      }
    },
    isBusy: () => isLocked([join(base, 'lock')]),
  };
};

const fieldOf = (lines: readonly string[], letter: string): string | undefined =>
  lines.find((line) => line.startsWith(`${letter}:`))?.slice(2);
