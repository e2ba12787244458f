// SPDX-License-Identifier: Apache-2.0
/**
 * The data folder, before anything is written to it: made for this user alone, or refused in words.
 * Input: a path. Output: a folder that can be written to, or DATA_FOLDER_UNUSABLE.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { systemCode, toError } from '../core/errors.ts';
import { fault } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is no folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Makes the folder with mode 0700; one that is there keeps its mode. @throws CodedError DATA_FOLDER_UNUSABLE. */
export const makeDataFolder = (dir: string): void => {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = systemCode(error) ?? '';
    throw fault('DATA_FOLDER_UNUSABLE', { dir, reason: REASONS[code] ?? (code || toError(error).message) }, error);
  }
};
