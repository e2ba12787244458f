// SPDX-License-Identifier: Apache-2.0
/**
 * The journal export format: `FIELD=value` lines, and fields of any bytes with their length before them; a blank line ends an entry.
 * Input: bytes of one entry, or its lines one by one. Output: fields; where an entry ends, whatever its bytes hold.
 */

const EQUALS = 61;
const LENGTH_BYTES = 8;
const FIELDS_KEPT = 256;

const isName = (bytes: Uint8Array, end: number): boolean => {
  if (end < 1 || end > 64) return false;
  for (let i = 0; i < end; i++) {
    const code = bytes[i] ?? 0;
    if (!(code === 95 || (code >= 65 && code <= 90) || (i > 0 && code >= 48 && code <= 57))) return false;
  }
  return true;
};

/** Length of the name that begins a line: before `=`, or the whole line; -1 where none stands. */
const nameEnd = (line: Uint8Array): number => {
  const at = line.subarray(0, 65).indexOf(EQUALS);
  const end = at < 0 ? line.length : at;
  return isName(line, end) ? end : -1;
};

/** True for a line that can begin an entry. */
export const beginsEntry = (line: Uint8Array): boolean => nameEnd(line) > 0 && line.includes(EQUALS);

const CURSOR = Buffer.from('__CURSOR=');

/** True for the line that `journalctl -o export` begins each entry with. */
export const isCursor = (line: Uint8Array): boolean => line.length > CURSOR.length && CURSOR.equals(line.subarray(0, CURSOR.length));

/** Fields of a whole entry, the first of a name. Broken data ends where it breaks. */
export const parseEntry = (entry: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  const fields = new Map<string, Uint8Array>();
  let at = 0;
  while (at < bytes.length && fields.size < FIELDS_KEPT) {
    const stop = bytes.indexOf(10, at);
    const line = bytes.subarray(at, stop < 0 ? bytes.length : stop);
    const end = nameEnd(line);
    if (end < 0) break;
    const name = line.toString('latin1', 0, end);
    let value: Uint8Array;
    if (end < line.length) {
      value = line.subarray(end + 1);
      at += line.length + 1;
    } else {
      const start = at + line.length + 1;
      const length = start + LENGTH_BYTES > bytes.length ? Number.NaN : Number(bytes.readBigUInt64LE(start));
      if (!(length <= bytes.length - start - LENGTH_BYTES)) break;
      value = bytes.subarray(start + LENGTH_BYTES, start + LENGTH_BYTES + length);
      at = start + LENGTH_BYTES + length + 1;
    }
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
};

/** Follows the lines of an entry. */
export interface EntryScan {
  /** `inside`: part of the entry; `end`: its blank line; `next`: the first line of another entry, whose own end is missing. */
  take(line: Uint8Array): 'inside' | 'end' | 'next';
}

/** Text that stands inside a field of bytes is never taken for a line of the format. */
export const makeEntryScan = (): EntryScan => {
  /** Bytes of a field that are still to come; negative while its length is not whole. */
  let left = 0;
  let length = Buffer.alloc(0);
  const takeBytes = (line: Uint8Array): void => {
    if (left < 0) {
      length = Buffer.concat([length, line, Buffer.from('\n')]);
      if (length.length < LENGTH_BYTES) return;
      // The line's end is a byte of the field, or what follows it.
      left = Number(length.readBigUInt64LE(0)) + 1 - (length.length - LENGTH_BYTES);
    } else left -= line.length + 1;
    // A field that ends inside a line was cut or changed on its way: what follows is read as lines again.
    if (left < 0) left = 0;
  };
  return {
    take: (line) => {
      if (left !== 0) {
        takeBytes(line);
        return 'inside';
      }
      if (line.length === 0) return 'end';
      if (isCursor(line)) return 'next';
      if (nameEnd(line) === line.length) {
        left = -1;
        length = Buffer.alloc(0);
      }
      return 'inside';
    },
  };
};
