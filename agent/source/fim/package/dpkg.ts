// SPDX-License-Identifier: Apache-2.0
/**
 * dpkg's own files: `status` with versions and digests of settings, `info/*.list` and `info/*.md5sums`, the locks and the journal of a transaction.
 * Input: the root that they lie under. Output: the port of a package manager.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../../core/errors.ts';
import { escapeName } from '../name.ts';
import { isLocked, mergedPaths, type OwnedFile, type PackageList, type PackageManager, stampOf } from './packages.ts';

interface Stanza {
  readonly name: string;
  readonly version: string;
  /** Path → MD5 of the settings as the package brought them. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Undefined where there is no dpkg. */
export const openDpkg = (root: string): PackageManager | undefined => {
  const base = join(root, 'var/lib/dpkg');
  const status = join(base, 'status');
  if (!existsSync(status)) return undefined;
  const real = mergedPaths(root);
  let stanzas: readonly Stanza[] = [];
  let left: ReadonlySet<string> = new Set();

  const infoFile = (name: string, ending: string): string | undefined => {
    // `libc6:amd64` is kept under that name, or under `libc6` where there is one architecture only.
    for (const stem of [name, name.split(':')[0]!]) {
      const file = join(base, 'info', `${stem}.${ending}`);
      if (existsSync(file)) return file;
    }
    return undefined;
  };

  return {
    name: 'dpkg',
    stamp: () => stampOf(status),
    list: () => {
      let text: string;
      try {
        text = readFileSync(status, 'latin1');
      } catch (error) {
        return { kind: 'bad', file: status, reason: systemCode(error) ?? 'it cannot be read' };
      }
      const read = readStanzas(text);
      if ('reason' in read) return { kind: 'bad', file: status, reason: read.reason };
      ({ stanzas, left } = read);
      return { kind: 'ok', file: status, packages: new Map(stanzas.map(({ name, version }) => [name, version])) } satisfies PackageList;
    },
    stillNotes: (name) => !left.has(name) && infoFile(name, 'list') !== undefined,
    *files(packages, wanted): Iterable<OwnedFile> {
      for (const { name, settings } of stanzas) {
        if (!packages.has(name)) continue;
        const digests = new Map(settings);
        const sums = infoFile(name, 'md5sums');
        for (const line of sums === undefined ? [] : readFileSync(sums).toString('latin1').split('\n'))
          if (line.length > 34) digests.set(`/${line.slice(34)}`, line.slice(0, 32));
        const list = infoFile(name, 'list');
        for (const line of list === undefined ? [] : readFileSync(list).toString('latin1').split('\n')) {
          if (!line.startsWith('/') || line === '/.') continue;
          const path = real(escapeName(Buffer.from(line, 'latin1')));
          if (!wanted(path)) continue;
          const hex = digests.get(line);
          yield { path, package: name, ...(hex === undefined ? {} : { digest: { algorithm: 'md5', hex } }) };
        }
      }
    },
    isBusy: () => isLocked([join(base, 'lock'), join(base, 'lock-frontend')]) || hasEntries(join(base, 'updates')),
  };
};

const hasEntries = (folder: string): boolean => {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    // Old and small systems have none.
    return false;
  }
};

/** Installed packages, and names of those that left settings behind; a file that ends in the middle is no list. */
const readStanzas = (
  text: string,
): { readonly stanzas: readonly Stanza[]; readonly left: ReadonlySet<string> } | { readonly reason: string } => {
  if (!text.endsWith('\n\n')) return { reason: 'it ends in the middle of a package' };
  const stanzas: Stanza[] = [];
  const left = new Set<string>();
  for (const part of text.split('\n\n')) {
    if (part.trim() === '') continue;
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1];
    const [name, state, version] = [field('Package'), field('Status'), field('Version')];
    if (name === undefined || state === undefined) return { reason: `the package ${name ?? '?'} stands without its state` };
    const architecture = field('Multi-Arch') === 'same' ? `:${field('Architecture') ?? ''}` : '';
    if (/ (not-installed|config-files)$/.test(state)) {
      left.add(name + architecture);
      continue;
    }
    if (version === undefined) return { reason: `the package ${name} stands without its version` };
    const block = /^Conffiles:\n((?: .*\n?)*)/m.exec(part)?.[1] ?? '';
    const settings = new Map([...block.matchAll(/^ (\/.*) ([0-9a-f]{32})(?: .*)?$/gm)].map(([, path, hex]) => [path!, hex!] as const));
    stanzas.push({ name: name + architecture, version, settings });
  }
  return { stanzas, left };
};
