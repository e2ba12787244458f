// SPDX-License-Identifier: Apache-2.0
/**
 * Packages of rpm, whichever of its databases a system has: SQLite, ndb, Berkeley DB.
 * Input: the database's file. Output: items `rpm:name:arch`, with the version where one name stands there more than once.
 */
import { systemCode, toError } from '../../../core/errors.ts';
import { blind, type Found, item, PAUSE, problem } from './found.ts';
import { bdbHeaders, ndbHeaders } from './rpm-files.ts';
import { type RpmPackage, readRpmHeader } from './rpm-header.ts';
import { bytesOf, rowsOf } from './sqlite.ts';
import { absence } from './text.ts';
import type { Tree } from './tree.ts';

const FOLDERS = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'];
const FILES = ['rpmdb.sqlite', 'Packages.db', 'Packages'];
export const RPM_FILES = FOLDERS.flatMap((folder) => FILES.map((file) => `${folder}/${file}`));
const UNSEEN = { field: 'manager', value: 'rpm' } as const;
/** Several versions of these stand beside each other on every system that was ever upgraded. */
const MANY = /^(kernel|gpg-pubkey)/;
const LIMIT_BYTES = 536_870_912;

export function* rpmItems(tree: Tree): Generator<Found> {
  const path = RPM_FILES.find((one) => tree.stat(one)?.isFile());
  if (path === undefined) {
    for (const folder of FOLDERS) {
      const closed = tree.closed(folder);
      if (closed) yield* absence(folder, closed, UNSEEN);
    }
    return;
  }
  const packages: RpmPackage[] = [];
  let bad = 0;
  try {
    for (const header of headersOf(tree, path)) {
      const one = readRpmHeader(header);
      if (one) packages.push(one);
      else bad++;
      yield PAUSE;
    }
  } catch (error) {
    yield* blind(UNSEEN, problem('INVENTORY_DAMAGED', path, systemCode(error) ?? toError(error).message));
  }
  if (bad > 0) yield* blind(UNSEEN, problem('INVENTORY_DAMAGED', path, `${bad} of its records are no packages`));
  const counts = Map.groupBy(packages, ({ name, arch }) => `${name}:${arch}`);
  for (const one of packages) {
    const id = `${one.name}:${one.arch}`;
    const many = MANY.test(one.name) || counts.get(id)!.length > 1;
    yield item(`rpm:${id}${many ? `:${one.version}` : ''}`, {
      manager: 'rpm',
      name: one.name,
      version: one.version,
      arch: one.arch,
      source: one.source ?? one.name,
      source_version: one.sourceVersion ?? one.version,
      state: 'installed',
      installed_at: one.installedAt,
      vendor: one.vendor,
    });
  }
}

function* headersOf(tree: Tree, path: string): Generator<Buffer> {
  if (path.endsWith('.sqlite')) {
    for (const { blob } of rowsOf(tree.real(path)!, 'SELECT blob FROM Packages')) yield bytesOf(blob) ?? Buffer.alloc(0);
    return;
  }
  const read = tree.read(path, LIMIT_BYTES);
  if (read.kind !== 'bytes') throw new Error(read.kind === 'failed' ? read.reason : `it is ${read.kind}`);
  yield* path.endsWith('.db') ? ndbHeaders(read.bytes) : bdbHeaders(read.bytes);
}
