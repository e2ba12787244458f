// SPDX-License-Identifier: Apache-2.0
/**
 * Reads a backup and demands every byte of it: signature, manifest, headers, contents, padding, end.
 * Input: an archive; who wants the contents. Output: its manifest and signer, or BACKUP_BROKEN with the first part that does not hold.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../../core/errors.ts';
import { fault } from '../errors.ts';
import {
  type BackupFile,
  type BackupManifest,
  FIRST_NAME,
  FIRST_TEXT,
  MANIFEST_NAME,
  readManifest,
  readSeal,
  SIGNATURE_NAME,
  sealHolds,
  sealText,
} from './manifest.ts';
import { TAR_BLOCK, TAR_END_BYTES, tarHead, tarPadding } from './tar.ts';

export interface BackupRead {
  readonly manifest: BackupManifest;
  /** Public key that signed it, raw, base64url. */
  readonly signer: string;
  readonly bytes: number;
}

/** Takes the content of one file. */
export interface FileSink {
  readonly piece: (bytes: Uint8Array) => Promise<void>;
  /** All of it held. */
  readonly end: () => Promise<void>;
  /** Called in any case, last. */
  readonly close: () => Promise<void>;
}

export interface ReadBackup {
  readonly onFile?: (file: BackupFile) => Promise<FileSink>;
  readonly onProgress?: (done: number, total: number) => void;
}

const PIECE_BYTES = 1_048_576;
const MANIFEST_LIMIT_BYTES = 268_435_456;
const TAIL_BYTES = 2 * TAR_BLOCK + TAR_END_BYTES;

/** True when a file begins or ends as a backup does. */
export const isBackup = async (path: string): Promise<boolean> => {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(FIRST_NAME.length + 1);
    const tail = Buffer.alloc(SIGNATURE_NAME.length + 1);
    await file.read(head, 0, head.length, 0);
    if (size >= TAIL_BYTES) await file.read(tail, 0, tail.length, size - TAIL_BYTES);
    return head.toString('latin1') === `${FIRST_NAME}\u0000` || tail.toString('latin1') === `${SIGNATURE_NAME}\u0000`;
  } finally {
    await file.close();
  }
};

/** @throws CodedError BACKUP_BROKEN, FILE_UNREADABLE. */
export const readBackup = async (path: string, { onFile, onProgress }: ReadBackup = {}): Promise<BackupRead> => {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw fault('FILE_UNREADABLE', { file: path, reason: systemCode(error) ?? 'it cannot be opened' }, error);
  });
  const broken = (part: string, reason: string): Error => fault('BACKUP_BROKEN', { file: path, part, reason });
  try {
    const { size } = await file.stat();
    if (size < TAIL_BYTES) throw broken('the end', 'the file is too short');
    const { manifest, seal, manifestText } = await readEnd(file, size, broken);
    const atSeconds = Math.floor(manifest.at / 1000);
    let at = 0;
    const demand = async (expected: Uint8Array, part: string, reason: string): Promise<void> => {
      if (expected.length === 0) return;
      if (!(await readExactly(file, at, expected.length))?.equals(expected)) throw broken(part, reason);
      at += expected.length;
    };
    const first = Buffer.from(FIRST_TEXT);
    await demand(tarHead({ path: FIRST_NAME, bytes: first.length, atSeconds }), FIRST_NAME, 'its header was changed');
    await demand(first, FIRST_NAME, 'it was changed');
    await demand(tarPadding(first.length), FIRST_NAME, 'what lies behind it was changed');
    const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let done = 0;
    for (const one of manifest.files) {
      await demand(tarHead({ ...one, atSeconds }), one.path, 'its header was changed');
      const sink = await onFile?.(one);
      try {
        const hash = createHash('sha256');
        for (let read = 0; read < one.bytes; ) {
          const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, one.bytes - read), at);
          if (bytesRead === 0) throw broken(one.path, 'the file ends inside it');
          const part = piece.subarray(0, bytesRead);
          hash.update(part);
          await sink?.piece(part);
          read += bytesRead;
          at += bytesRead;
          done += bytesRead;
          onProgress?.(done, total);
        }
        if (hash.digest('hex') !== one.sha256) throw broken(one.path, 'its content is not what its hash says');
        await demand(tarPadding(one.bytes), one.path, 'what lies behind it was changed');
        await sink?.end();
      } finally {
        await sink?.close();
      }
    }
    if (at !== seal.offset) throw broken(MANIFEST_NAME, 'it does not follow the last file');
    await demand(tarHead({ path: MANIFEST_NAME, bytes: manifestText.length, atSeconds }), MANIFEST_NAME, 'its header was changed');
    await demand(manifestText, MANIFEST_NAME, 'it was changed');
    await demand(tarPadding(manifestText.length), MANIFEST_NAME, 'what lies behind it was changed');
    await demand(tarHead({ path: SIGNATURE_NAME, bytes: TAR_BLOCK, atSeconds }), SIGNATURE_NAME, 'its header was changed');
    await demand(sealText(seal), SIGNATURE_NAME, 'it was changed');
    await demand(Buffer.alloc(TAR_END_BYTES), 'the end', 'it was changed');
    if (at !== size) throw broken('the end', 'something follows it');
    return { manifest, signer: seal.key, bytes: size };
  } finally {
    await file.close();
  }
};

const readEnd = async (file: FileHandle, size: number, broken: (part: string, reason: string) => Error) => {
  const tail = await readExactly(file, size - TAIL_BYTES, TAIL_BYTES);
  if (!tail?.subarray(2 * TAR_BLOCK).equals(Buffer.alloc(TAR_END_BYTES))) throw broken('the end', 'it is missing or was changed');
  const seal = readSeal(tail.subarray(TAR_BLOCK, 2 * TAR_BLOCK));
  if (seal === null || seal.length > MANIFEST_LIMIT_BYTES || seal.offset + seal.length > size)
    throw broken(SIGNATURE_NAME, 'it cannot be read');
  // A manifest's own name and size always fit into one block.
  const manifestText = await readExactly(file, seal.offset + TAR_BLOCK, seal.length);
  if (manifestText === null) throw broken(MANIFEST_NAME, 'it is missing');
  if (!sealHolds(seal, manifestText)) throw broken(MANIFEST_NAME, 'its signature does not hold');
  const manifest = readManifest(manifestText);
  if (manifest === null) throw broken(MANIFEST_NAME, 'it cannot be read by this version');
  return { manifest, seal, manifestText };
};

const readExactly = async (file: FileHandle, at: number, length: number): Promise<Buffer | null> => {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) return null;
    done += bytesRead;
  }
  return bytes;
};
