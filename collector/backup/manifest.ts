// SPDX-License-Identifier: Apache-2.0
/**
 * What a backup says of itself: every file with size and hash, whose collector and when, signed by that collector's key.
 * Input: the entries written, or the bytes of a backup's end. Output: manifest and signature as bytes; the same read back, or null.
 */
import { asObject, parseJson } from '../../core/bytes.ts';
import { isPublicKey, type Signer, verifySignature } from '../../core/sign.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { TAR_BLOCK } from './tar.ts';

export interface BackupFile {
  /** Path below the data folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

export interface BackupManifest {
  readonly v: 1;
  readonly at: UnixMs;
  /** Version of the program that took it. */
  readonly version: string;
  readonly collector: string;
  readonly journal: { readonly incarnation: string; readonly end: number };
  readonly files: readonly BackupFile[];
}

export const FIRST_NAME = 'VIGIL-BACKUP';
export const FIRST_TEXT =
  'This is a backup of a Vigil collector, format 1. `vigil verify FILE` checks it, `vigil restore FILE --data DIR` puts it back.\nIt holds private keys: keep it as safe as the collector itself.\n';
export const MANIFEST_NAME = 'manifest.json';
export const SIGNATURE_NAME = 'signature.txt';
const DOMAIN = 'vigil-backup-v1';

/** Folders of a data folder that a backup may hold. */
const FOLDERS: ReadonlySet<string> = new Set(['keys', 'state', 'events', 'journal', 'audit', 'quarantine', 'reports']);

export interface Seal {
  /** Where the manifest's entry begins, and the length of its text. */
  readonly offset: number;
  readonly length: number;
  /** Raw public key, base64url. */
  readonly key: string;
  readonly signature: Uint8Array;
}

const placeOf = (offset: number, length: number): Buffer => Buffer.from(`${offset} ${length}`);

export const sealManifest = (manifest: Uint8Array, offset: number, signer: Signer): Seal => ({
  offset,
  length: manifest.length,
  key: signer.publicKey,
  signature: signer.sign(DOMAIN, placeOf(offset, manifest.length), manifest),
});

export const sealHolds = ({ offset, length, key, signature }: Seal, manifest: Uint8Array): boolean =>
  verifySignature(key, signature, DOMAIN, placeOf(offset, length), manifest);

/** The seal as text of exactly one block, so that it stands at a fixed distance from the end. */
export const sealText = ({ offset, length, key, signature }: Seal): Buffer =>
  Buffer.from(
    `${`${DOMAIN}\nmanifest ${offset} ${length}\nkey ${key}\nsignature ${Buffer.from(signature).toString('base64url')}\n`.padEnd(TAR_BLOCK - 1, ' ')}\n`,
  );

const SEAL = /^vigil-backup-v1\nmanifest (\d{1,16}) (\d{1,10})\nkey ([\w-]{43})\nsignature ([\w-]{86})\n *\n$/;

/** Null for what is not, to the byte, the text of a seal. */
export const readSeal = (text: Buffer): Seal | null => {
  const match = SEAL.exec(text.toString('latin1'));
  if (!match) return null;
  const [, offset, length, key, signature] = match as unknown as [string, string, string, string, string];
  const seal = { offset: Number(offset), length: Number(length), key, signature: Buffer.from(signature, 'base64url') };
  return isPublicKey(key) && sealText(seal).equals(text) ? seal : null;
};

/** Null for what is no manifest, or names a path that does not belong into a data folder. */
export const readManifest = (bytes: Uint8Array): BackupManifest | null => {
  const map = asObject(parseJson(bytes));
  const journal = asObject(map?.['journal']);
  if (map?.['v'] !== 1 || !Number.isSafeInteger(map['at']) || !journal || !Array.isArray(map['files'])) return null;
  const files = (map['files'] as unknown[]).map(readFile);
  if (files.some((file) => file === null) || new Set(files.map((file) => file?.path)).size !== files.length) return null;
  return {
    v: 1,
    at: unixMs(Number(map['at'])),
    version: String(map['version']),
    collector: String(map['collector']),
    journal: { incarnation: String(journal['incarnation']), end: Number(journal['end']) },
    files: files as BackupFile[],
  };
};

const readFile = (value: unknown): BackupFile | null => {
  const map = asObject(value);
  const [path, bytes, sha256] = [map?.['path'], map?.['bytes'], map?.['sha256']];
  if (typeof path !== 'string' || typeof sha256 !== 'string' || !Number.isSafeInteger(bytes) || Number(bytes) < 0) return null;
  return isInside(path) ? { path, bytes: Number(bytes), sha256 } : null;
};

// A backup from elsewhere must not write outside the folder it is restored to.
const isInside = (path: string): boolean => {
  const parts = path.split('/');
  return (
    parts.length > 1 &&
    path.length < 1024 &&
    FOLDERS.has(parts[0] as string) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\u0000') && !part.includes('\\'))
  );
};
