// SPDX-License-Identifier: Apache-2.0
/**
 * Writes the archive of a backup: a temporary file beside its place, fsynced, renamed. Memory is bounded by one piece.
 * Input: files that no longer change up to a length. Output: the archive, with a manifest signed by the collector's key.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode, toError } from '../../core/errors.ts';
import { syncFolder } from '../../core/segment.ts';
import type { Signer } from '../../core/sign.ts';
import { fault } from '../errors.ts';
import {
  type BackupFile,
  type BackupManifest,
  FIRST_NAME,
  FIRST_TEXT,
  MANIFEST_NAME,
  SIGNATURE_NAME,
  sealManifest,
  sealText,
} from './manifest.ts';
import { TAR_BLOCK, TAR_END_BYTES, tarHead, tarPadding } from './tar.ts';

export interface BackupSource {
  /** Path in the backup. */
  readonly path: string;
  /** Where it is read. */
  readonly from: string;
  /** So many bytes are taken; what was appended since is not. */
  readonly bytes: number;
}

export interface WriteBackup {
  readonly out: string;
  readonly sources: readonly BackupSource[];
  readonly about: Omit<BackupManifest, 'v' | 'files'>;
  readonly signer: Signer;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface BackupMade {
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 of the manifest, hexadecimal: names this backup. */
  readonly manifest: string;
}

const PIECE_BYTES = 1_048_576;

/** @throws CodedError BACKUP_FAILED; nothing is left behind then. */
export const writeBackup = async (work: WriteBackup): Promise<BackupMade> => {
  const temp = `${work.out}.part`;
  let file: FileHandle | null = null;
  try {
    await rm(temp, { force: true });
    file = await open(temp, 'wx', 0o600);
    const made = await writeAll(file, work);
    await file.sync();
    await file.close();
    file = null;
    await rename(temp, work.out);
    await syncFolder(dirname(work.out));
    return made;
  } catch (error) {
    // The first fault counts; what cannot be removed carries `.part` in its name.
    await file?.close().catch(() => undefined);
    await rm(temp, { force: true }).catch(() => undefined);
    throw fault('BACKUP_FAILED', { file: work.out, reason: systemCode(error) ?? toError(error).message }, error);
  }
};

const writeAll = async (file: FileHandle, { sources, about, signer, onProgress, signal }: WriteBackup): Promise<BackupMade> => {
  const atSeconds = Math.floor(about.at / 1000);
  let at = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    at += bytes.length;
  };
  const entry = async (path: string, content: Uint8Array): Promise<void> => {
    await put(tarHead({ path, bytes: content.length, atSeconds }));
    await put(content);
    await put(tarPadding(content.length));
  };

  await entry(FIRST_NAME, Buffer.from(FIRST_TEXT));
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  const files: BackupFile[] = [];
  let done = 0;
  for (const { path, from, bytes } of sources) {
    const hash = createHash('sha256');
    await put(tarHead({ path, bytes, atSeconds }));
    const source = await open(from, 'r');
    try {
      for (let read = 0; read < bytes; ) {
        signal?.throwIfAborted();
        const { bytesRead } = await source.read(piece, 0, Math.min(PIECE_BYTES, bytes - read), read);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        const part = piece.subarray(0, bytesRead);
        hash.update(part);
        await put(part);
        read += bytesRead;
        done += bytesRead;
        onProgress?.(done, total);
      }
    } finally {
      await source.close();
    }
    await put(tarPadding(bytes));
    files.push({ path, bytes, sha256: hash.digest('hex') });
  }
  const manifest = Buffer.from(`${JSON.stringify({ v: 1, ...about, files } satisfies BackupManifest)}\n`);
  const seal = sealManifest(manifest, at, signer);
  await entry(MANIFEST_NAME, manifest);
  await put(tarHead({ path: SIGNATURE_NAME, bytes: TAR_BLOCK, atSeconds }));
  await put(sealText(seal));
  await put(Buffer.alloc(TAR_END_BYTES));
  return { files: files.length, bytes: at, manifest: createHash('sha256').update(manifest).digest('hex') };
};
