// SPDX-License-Identifier: Apache-2.0
/**
 * Looks at a path itself, never through a last link; what is not there is an answer and no fault.
 * Input: a path. Output: its attributes, undefined, or the system's error for what may not be seen.
 */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../../core/errors.ts';
import type { RawPath } from './name.ts';

/** Undefined where nothing is, or where a folder above is none. @throws the system's error for the rest. */
export const statIfThere = (path: RawPath): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
};

/** The same, and undefined too for what this user may not see. */
export const statIfAllowed = (path: RawPath): Stats | undefined => {
  try {
    return statIfThere(path);
  } catch {
    // What is closed is counted where it is listed.
    return undefined;
  }
};

/** The same path under its real folder; unchanged where that is not there or may not be entered. */
export const underRealFolder = (path: string): string => {
  try {
    return path === '/' ? path : join(realpathSync(dirname(path)), basename(path));
  } catch {
    // Not there, or not ours to enter.
    return path;
  }
};
