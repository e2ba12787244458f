// SPDX-License-Identifier: Apache-2.0
/**
 * Makes a named pipe for tests: Node has no call for it.
 * Input: a path. Output: a FIFO there.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const mkfifo = async (path: string): Promise<void> => {
  await promisify(execFile)('mkfifo', [path]);
};
