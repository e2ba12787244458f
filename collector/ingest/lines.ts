// SPDX-License-Identifier: Apache-2.0
/**
 * A file as lines, plain or gzip, in bounded memory.
 * Input: a path. Output: each line with the bytes it takes in the (unpacked) file; a line over the limit comes in parts.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type CodedError, systemCode, toError } from '../../core/errors.ts';
import { LINE_LIMIT_BYTES, RECORD_FLAGS } from '../../core/record.ts';
import { fault } from '../errors.ts';

export interface FileLine {
  /** Without its line ending. */
  readonly bytes: Uint8Array;
  /** With it: what the file holds, for hashes and offsets. */
  readonly raw: Uint8Array;
  /** `cut` and `continued` of RECORD_FLAGS. */
  readonly flags: number;
}

const NEWLINE = 10;
const RETURN = 13;

const isGzip = async (path: string): Promise<boolean> => {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(2);
    const { bytesRead } = await file.read(head, 0, 2, 0);
    return bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
  } finally {
    await file.close();
  }
};

const openBytes = async (path: string): Promise<Readable> => {
  const packed = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 262_144 });
  if (!packed) return file;
  // An error of either side reaches the reader through the unpacked stream.
  return pipeline(file, createGunzip({ chunkSize: 262_144 }), () => undefined);
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  Z_BUF_ERROR: 'its gzip is cut short',
  Z_DATA_ERROR: 'its gzip is damaged',
};

/** FILE_UNREADABLE with the reason in words. */
export const unreadable = (path: string, error: unknown): CodedError => {
  const code = systemCode(error) ?? '';
  return fault('FILE_UNREADABLE', { file: path, reason: REASONS[code] ?? (code || toError(error).message) }, error);
};

/** The bytes of a file, unpacked where it is gzip. @throws CodedError FILE_UNREADABLE. */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of await openBytes(path)) yield chunk as Buffer;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Reads a file's lines. The last one needs no line ending.
 * @throws CodedError FILE_UNREADABLE: the file cannot be read, or its gzip is damaged; the lines before were given.
 */
export async function* readLines(path: string): AsyncGenerator<readonly FileLine[], void> {
  let rest: Uint8Array = new Uint8Array(0);
  let continued = 0;
  const part = (raw: Uint8Array, whole: boolean): FileLine => {
    let length = raw.length;
    if (whole && raw[length - 1] === NEWLINE) length -= length > 1 && raw[length - 2] === RETURN ? 2 : 1;
    const flags = continued | (whole ? 0 : RECORD_FLAGS.cut);
    continued = whole ? 0 : RECORD_FLAGS.continued;
    return { raw, bytes: raw.subarray(0, length), flags };
  };
  for await (const chunk of readBytes(path)) {
    const bytes: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines: FileLine[] = [];
    let at = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      while (end - at > LINE_LIMIT_BYTES + 2) {
        lines.push(part(bytes.subarray(at, at + LINE_LIMIT_BYTES), false));
        at += LINE_LIMIT_BYTES;
      }
      if (newline < 0) break;
      lines.push(part(bytes.subarray(at, end), true));
      at = end;
    }
    rest = bytes.subarray(at);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [part(rest, true)];
}
