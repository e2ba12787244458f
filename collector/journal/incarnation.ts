// SPDX-License-Identifier: Apache-2.0
/**
 * The life of a journal: a random value that changes whenever the journal may have been put back from a copy (river.md W6, J1).
 * Input: the file `incarnation` of a journal folder. Output: the value and the position where it began. A backup leaves the file out.
 */
import { join } from 'node:path';
import { systemCode } from '../../core/errors.ts';
import type { Files } from '../../core/files.ts';
import { random128 } from '../../core/ids.ts';
import { syncFolder } from '../../core/segment.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';

export interface Incarnation {
  /** 32 hexadecimal digits. */
  readonly incarnation: string;
  /** Position where it began. */
  readonly from: number;
}

const fileOf = (dir: string): string => join(dir, 'incarnation');
const LINE = /^([0-9a-f]{32}) (\d{1,16})(?: |$)/;

/**
 * Reads the file; null where it is absent or is not one: then this is another life.
 * @throws CodedError JOURNAL_FAILED when it is there and cannot be read.
 */
export const readIncarnation = async (dir: string, files: Files): Promise<Incarnation | null> => {
  try {
    const match = LINE.exec((await files.readText(fileOf(dir))).trim());
    return match ? { incarnation: match[1]!, from: Number(match[2]) } : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fault('JOURNAL_FAILED', { dir, reason: systemCode(error) ?? 'its incarnation cannot be read' }, error);
  }
};

/** Begins another life at a position, durably. The one before is noted in the file, for people. */
export const writeIncarnation = async (dir: string, from: number, before: string, at: UnixMs, files: Files): Promise<Incarnation> => {
  const incarnation = random128();
  const draft = `${fileOf(dir)}.new`;
  await files.writeText(draft, `${incarnation} ${from} ${before === '' ? '-' : before} ${at}\n`);
  await files.rename(draft, fileOf(dir));
  await syncFolder(dir, files);
  return { incarnation, from };
};
