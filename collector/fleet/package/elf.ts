// SPDX-License-Identifier: Apache-2.0
/**
 * A program without what only a debugger reads: an ELF file cut behind its last segment, without a section table. It runs as before.
 * Input: the bytes of a 64-bit little-endian executable. Output: the same, a fifth shorter; other files come back as they are.
 */

const PROGRAM_HEADER_BYTES = 56;

/** Section tables and what stands behind the last segment are for linkers and debuggers; the kernel maps segments only. */
export const withoutDebugInfo = (file: Buffer): Buffer => {
  const isElf64 = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
  if (!isElf64) return file;
  const headers = Number(file.readBigUInt64LE(32));
  const [size, count] = [file.readUInt16LE(54), file.readUInt16LE(56)];
  if (size !== PROGRAM_HEADER_BYTES || headers + size * count > file.length) return file;
  let end = headers + size * count;
  for (let i = 0; i < count; i++) {
    const at = headers + i * size;
    end = Math.max(end, Number(file.readBigUInt64LE(at + 8)) + Number(file.readBigUInt64LE(at + 32)));
  }
  if (end > file.length) return file;
  const cut = Buffer.from(file.subarray(0, end));
  cut.writeBigUInt64LE(0n, 40); // Place of the section table.
  cut.writeUInt16LE(0, 60); // Number of sections.
  cut.writeUInt16LE(0, 62); // The one that holds their names.
  return cut;
};
