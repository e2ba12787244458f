// SPDX-License-Identifier: Apache-2.0
/**
 * Whose work may wait when the processors are full: on Linux each thread has a niceness of its own.
 * Input: by how much the calling thread stands back. Output: none; elsewhere, where it would slow the whole process, nothing is done.
 */
import { getPriority, setPriority } from 'node:os';

const LEAST = 19;

/** The calling thread and what it starts later stand back by so much behind who started it. */
export const standBack = (by: number): void => {
  if (process.platform === 'linux') setPriority(Math.min(LEAST, getPriority() + by));
};
