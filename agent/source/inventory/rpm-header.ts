// SPDX-License-Identifier: Apache-2.0
/**
 * The header of one package as the databases of rpm keep it: an index of tags before their values.
 * Input: the bytes of one record. Output: the few values that are needed; null where the bytes cannot be a header.
 */

const TAGS = { name: 1000, version: 1001, release: 1002, epoch: 1003, installTime: 1008, vendor: 1011, arch: 1022, source: 1044 } as const;
const MAX_ENTRIES = 65_536;
const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;
const I18N_STRING = 9;

export interface RpmPackage {
  readonly name: string;
  /** `epoch:version-release`, the epoch where there is one. */
  readonly version: string;
  readonly arch: string;
  readonly source?: string;
  readonly sourceVersion?: string;
  readonly installedAt?: number;
  readonly vendor?: string;
}

/** Numbers are big endian. A length that leads out of the bytes makes the whole of them no header. */
export const readRpmHeader = (bytes: Buffer): RpmPackage | null => {
  if (bytes.length < 8) return null;
  const count = bytes.readUInt32BE(0);
  const dataBytes = bytes.readUInt32BE(4);
  const dataAt = 8 + count * 16;
  if (count > MAX_ENTRIES || dataAt + dataBytes > bytes.length) return null;
  const data = bytes.subarray(dataAt, dataAt + dataBytes);
  const text = new Map<number, string>();
  const numbers = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const at = 8 + i * 16;
    const [tag, type, offset] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 8)];
    if (!WANTED.has(tag)) continue;
    if (offset >= data.length) return null;
    if (type === STRING || type === STRING_ARRAY || type === I18N_STRING) {
      const end = data.indexOf(0, offset);
      if (end === -1) return null;
      text.set(tag, data.toString('utf8', offset, end));
    } else if (type === INT32) {
      if (offset + 4 > data.length) return null;
      numbers.set(tag, data.readUInt32BE(offset));
    }
  }
  const [name, version] = [text.get(TAGS.name), text.get(TAGS.version)];
  if (name === undefined || version === undefined) return null;
  const release = text.get(TAGS.release);
  const epoch = numbers.get(TAGS.epoch);
  const vendor = text.get(TAGS.vendor);
  const installed = numbers.get(TAGS.installTime);
  return {
    name,
    version: `${epoch === undefined ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`,
    // Keys that packages are signed with stand there as packages without a machine.
    arch: text.get(TAGS.arch) ?? 'none',
    ...sourceOf(text.get(TAGS.source), epoch),
    ...(installed === undefined ? {} : { installedAt: installed * 1_000 }),
    ...(vendor === undefined ? {} : { vendor }),
  };
};

const WANTED: ReadonlySet<number> = new Set(Object.values(TAGS));

/** `bash-5.1.8-6.el9.src.rpm`: name and version of what it was built from. */
const sourceOf = (file: string | undefined, epoch: number | undefined): { readonly source?: string; readonly sourceVersion?: string } => {
  const [, source, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? [];
  return source === undefined || version === undefined
    ? {}
    : { source, sourceVersion: `${epoch === undefined ? '' : `${epoch}:`}${version}` };
};
