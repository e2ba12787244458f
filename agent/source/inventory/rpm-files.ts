// SPDX-License-Identifier: Apache-2.0
/**
 * The two older forms of rpm's database, read as files: `ndb` (SUSE) and Berkeley DB hash (RHEL 8 and before).
 * Input: the bytes of Packages.db or Packages. Output: the bytes of each header; a file that is of neither form, or cut, throws with the reason.
 */

const NDB_SLOT_PAGE_BYTES = 4_096;
const NDB_BLOCK_BYTES = 16;

/** Slots of sixteen bytes name blobs; each blob says its own length again. @throws Error where the file is not whole. */
export function* ndbHeaders(bytes: Buffer): Generator<Buffer> {
  if (bytes.length < NDB_SLOT_PAGE_BYTES || bytes.toString('latin1', 0, 4) !== 'RpmP') throw new Error('it is no ndb database');
  const slots = bytes.readUInt32LE(12) * NDB_SLOT_PAGE_BYTES;
  if (slots > bytes.length) throw new Error('it ends within its slots');
  // The first two places hold the head of the file.
  for (let at = 32; at + 16 <= slots; at += 16) {
    if (bytes.toString('latin1', at, at + 4) !== 'Slot') throw new Error(`there is no slot at byte ${at}`);
    const [index, block] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)];
    if (index === 0) continue;
    const blob = block * NDB_BLOCK_BYTES;
    if (blob + 16 > bytes.length || bytes.toString('latin1', blob, blob + 4) !== 'BlbS' || bytes.readUInt32LE(blob + 4) !== index)
      throw new Error(`package ${index} is not where its slot says`);
    const length = bytes.readUInt32LE(blob + 12);
    if (blob + 16 + length > bytes.length) throw new Error(`it ends within package ${index}`);
    yield bytes.subarray(blob + 16, blob + 16 + length);
  }
}

const HASH_MAGIC = 0x061561;
const PAGE_HEAD_BYTES = 26;
const HASH_PAGES: ReadonlySet<number> = new Set([2, 13]);
const OVERFLOW_PAGE = 7;
const KEY_DATA = 1;
const OFF_PAGE = 3;

/** rpm keeps a counter of four bytes among its packages. */
const COUNTER_BYTES = 4;

/** Every value of a hash database: those on a page and those that overflow to pages of their own. @throws Error where the file is not whole. */
export function* bdbHeaders(bytes: Buffer): Generator<Buffer> {
  if (bytes.length < 512) throw new Error('it is no Berkeley DB');
  const little = bytes.readUInt32LE(12) === HASH_MAGIC;
  if (!little && bytes.readUInt32BE(12) !== HASH_MAGIC) throw new Error('it is no Berkeley DB hash');
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const u16 = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const size = u32(20);
  if (size < 512 || size > 65_536) throw new Error('its pages have no possible size');
  const last = u32(32);
  if ((last + 1) * size > bytes.length) throw new Error(`it ends before page ${last}`);
  for (let page = 1; page <= last; page++) {
    const at = page * size;
    if (!HASH_PAGES.has(bytes[at + 25]!)) continue;
    // Offsets of keys and values take turns.
    const entries = u16(at + 20);
    if (PAGE_HEAD_BYTES + entries * 2 > size) throw new Error(`page ${page} cannot have ${entries} entries`);
    for (let i = 1; i < entries; i += 2) {
      const entry = u16(at + PAGE_HEAD_BYTES + i * 2);
      const end = u16(at + PAGE_HEAD_BYTES + (i - 1) * 2);
      if (entry >= size || end > size || end <= entry) throw new Error(`page ${page} is not whole`);
      const kind = bytes[at + entry];
      if (kind === KEY_DATA) {
        if (end - entry - 1 !== COUNTER_BYTES) yield bytes.subarray(at + entry + 1, at + end);
      } else if (kind === OFF_PAGE) yield overflow(u32(at + entry + 4), u32(at + entry + 8));
    }
  }

  function overflow(first: number, length: number): Buffer {
    const pieces: Buffer[] = [];
    let gathered = 0;
    for (let page = first; page !== 0 && gathered < length; ) {
      const at = page * size;
      if (at + size > bytes.length || bytes[at + 25] !== OVERFLOW_PAGE) throw new Error(`page ${page} does not go on with its value`);
      const used = u16(at + 22);
      if (used === 0 || PAGE_HEAD_BYTES + used > size) throw new Error(`page ${page} is not whole`);
      pieces.push(bytes.subarray(at + PAGE_HEAD_BYTES, at + PAGE_HEAD_BYTES + used));
      gathered += used;
      page = u32(at + 16);
    }
    if (gathered < length) throw new Error(`a value that begins on page ${first} is not whole`);
    return Buffer.concat(pieces).subarray(0, length);
  }
}
