// SPDX-License-Identifier: Apache-2.0
/**
 * Which of the open files an end that the collector holds lies in (river.md W11).
 * Input: an end with the print of its file, the files that are open. Output: the file, or undefined where none holds it.
 */
import { fstatSync } from 'node:fs';
import type { StreamEnd } from '../../../core/protocol.ts';
import { COPY_BYTES, holdsMark, NO_PRINT, parsePrint } from './identity.ts';
import type { OpenFile } from './open.ts';

/** The file itself first; else a copy, or the file put back from one, known by its bytes where there are enough of them. */
export const fileAt = (end: StreamEnd, files: readonly OpenFile[]): OpenFile | undefined => {
  const print = end.file && parsePrint(end.file.fingerprint);
  if (!print || !end.file) return undefined;
  const { device, inode } = end.file;
  const holds = (file: OpenFile): boolean =>
    file.fd !== undefined && holdsMark(file.fd, Number(fstatSync(file.fd).size), { ...file.mark, ...NO_PRINT, ...print, offset: end.end });
  const isSame = ({ mark }: OpenFile): boolean => mark.device === device && mark.inode === inode;
  const same = files.find((file) => isSame(file) && holds(file));
  return same ?? (print.tailBytes >= COPY_BYTES ? files.find((file) => !isSame(file) && holds(file)) : undefined);
};
