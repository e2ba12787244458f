// SPDX-License-Identifier: Apache-2.0
/**
 * The little of tar that a backup needs: POSIX headers that follow from path, size and time alone, so that a reader can demand every byte of them.
 * Input: what an entry is. Output: the bytes before and behind its content; any `tar` reads the result.
 */

export const TAR_BLOCK = 512;
/** Two empty blocks end an archive. */
export const TAR_END_BYTES = 2 * TAR_BLOCK;

export interface TarEntry {
  readonly path: string;
  readonly bytes: number;
  /** Time of change in whole seconds. */
  readonly atSeconds: number;
  /** Rights; 0600 where absent, as in every backup. */
  readonly mode?: number;
}

const NAME_BYTES = 100;
const SIZE_LIMIT = 8 ** 11;
const MODE = 0o600;

/** What stands before an entry's content: one block, or three where path or size do not fit into one. */
export const tarHead = ({ path, bytes, atSeconds, mode = MODE }: TarEntry): Buffer => {
  const records: string[] = [];
  if (Buffer.byteLength(path) > NAME_BYTES) records.push(paxRecord('path', path));
  if (bytes >= SIZE_LIMIT) records.push(paxRecord('size', String(bytes)));
  const plain = block(path, bytes, atSeconds, '0', mode);
  if (records.length === 0) return plain;
  const text = Buffer.from(records.join(''));
  return Buffer.concat([block('pax', text.length, atSeconds, 'x', MODE), text, tarPadding(text.length), plain]);
};

/** What stands behind a content of so many bytes. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK);

// The length at the front counts itself.
const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
};

const block = (path: string, bytes: number, atSeconds: number, type: '0' | 'x', mode: number): Buffer => {
  const head = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, at: number, length: number): void =>
    void head.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
  Buffer.from(path).copy(head, 0, 0, NAME_BYTES);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes < SIZE_LIMIT ? bytes : 0, 124, 12);
  octal(atSeconds, 136, 12);
  head.write('        ', 148, 'latin1');
  head.write(type, 156, 'latin1');
  head.write('ustar\u000000', 257, 'latin1');
  let sum = 0;
  for (const byte of head) sum += byte;
  head.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return head;
};
