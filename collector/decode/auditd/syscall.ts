// SPDX-License-Identifier: Apache-2.0
/**
 * Names of system calls, by architecture; a number without a name stays a number.
 * Input: `arch` and `syscall` of an audit record. Output: the call's name.
 */
import { unpackNames } from './packed.ts';
import { ARM, GENERIC, I386, PPC, S390X, X86_64 } from './syscall-table.ts';

const PACKED: Readonly<Record<string, string>> = {
  c000003e: X86_64,
  '40000003': I386,
  c00000b7: GENERIC,
  c00000f3: GENERIC,
  c0000102: GENERIC,
  '40000028': ARM,
  '28': ARM,
  c0000015: PPC,
  '80000015': PPC,
  '14': PPC,
  '80000016': S390X,
  '16': S390X,
};

const tables = new Map<string, ReadonlyMap<number, string>>();

/** The table of an architecture, unpacked when its first record comes. */
const tableOf = (arch: string): ReadonlyMap<number, string> | undefined => {
  const known = tables.get(arch);
  if (known !== undefined) return known;
  const packed = Object.hasOwn(PACKED, arch) ? PACKED[arch] : undefined;
  if (packed === undefined) return undefined;
  const made = unpackNames(packed);
  tables.set(arch, made);
  return made;
};

/** The call's name; where it is written as a name already, that. Without an architecture x86_64 is meant. */
export const syscallName = (arch: string | undefined, syscall: string): string => {
  if (!/^\d{1,4}$/.test(syscall)) return syscall;
  return tableOf(arch ?? 'c000003e')?.get(Number(syscall)) ?? syscall;
};
