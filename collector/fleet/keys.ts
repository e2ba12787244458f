// SPDX-License-Identifier: Apache-2.0
/**
 * Private keys in files of mode 0600: made once, durably, and never changed after.
 * Input: a path under the data folder's `keys/`. Output: PEM text, or an Ed25519 signer (audit, the collector's own stream).
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import { syncFolder } from '../../core/segment.ts';
import { generateSigner, type Signer, signerFromPem } from '../../core/sign.ts';
import { fault } from '../errors.ts';

/** The text of a file, or null where there is none. */
export const readIfThere = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw fault('KEY_FILE_BAD', { file: path, reason: systemCode(error) ?? 'it cannot be read' }, error);
  });

/** Writes a file of mode 0600 whole or not at all. Without `replace` an existing file stays and the call fails with EEXIST. */
export const writePrivate = async (path: string, text: string, replace = false): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link refuses an existing name, so two starts at once never overwrite each other's key.
    if (replace) await rename(temporary, path);
    else await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
};

/** The PEM in a file; made by `make` and written first where there is none. @throws CodedError KEY_FILE_BAD. */
export const privateFile = async (path: string, make: () => string | Promise<string>): Promise<string> => {
  const there = await readIfThere(path);
  if (there !== null) return there;
  try {
    const text = await make();
    await writePrivate(path, text);
    return text;
  } catch (error) {
    const other = systemCode(error) === 'EEXIST' ? await readIfThere(path) : null;
    if (other !== null) return other;
    throw error;
  }
};

/** The Ed25519 key in a file; made where there is none. @throws CodedError KEY_FILE_BAD. */
export const openSigner = async (path: string): Promise<Signer> => {
  const pem = await privateFile(path, () => generateSigner().privatePem);
  try {
    return signerFromPem(pem);
  } catch (error) {
    throw fault('KEY_FILE_BAD', { file: path, reason: 'it holds no Ed25519 private key' }, error);
  }
};
