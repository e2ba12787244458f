// SPDX-License-Identifier: Apache-2.0
/**
 * The store as it is at one moment: links of its files, of batches not yet sealed, and a copy of the manifest that names them.
 * Input: the manifest. Output: a folder that a store can be opened on. Blocking, so that no seal, merge or expiry comes between.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { linkOrCopy } from '../../../../core/files.ts';
import { fault } from '../../../errors.ts';
import { parseBatchPath } from '../batch-file.ts';
import { skipPath } from './files.ts';
import type { Manifest } from './manifest.ts';

/**
 * Answers the paths below `into`, which must not exist.
 * @throws CodedError FILE_UNREADABLE when a file that the manifest names is not there.
 */
export const snapshot = (manifest: Manifest, dir: string, into: string): readonly string[] => {
  mkdirSync(into, { recursive: true, mode: 0o700 });
  manifest.copyTo(join(into, 'manifest.db'));
  const files = manifest.files().flatMap(({ path }) => [`files/${path}`, `files/${skipPath(path)}`]);
  const batches = readdirSync(join(dir, 'hot'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(dir, 'hot', name)).map((one) => `${name}/${one}`))
    // A batch may go between two lines here only when it is sealed, and then the manifest above says so.
    .filter((path) => parseBatchPath(path) !== null)
    .map((path) => `hot/${path}`);
  const taken = [...files, ...batches].filter((path) => {
    if (linkOrCopy(join(dir, path), join(into, path))) return true;
    if (path.startsWith('hot/') || path.endsWith('.skip')) return false;
    throw fault('FILE_UNREADABLE', { file: join(dir, path), reason: 'it is missing' });
  });
  return ['manifest.db', ...taken];
};
