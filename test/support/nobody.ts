// SPDX-License-Identifier: Apache-2.0
/**
 * A user without rights, as whom tests of root run a part of the program; a checkout in a folder of root's own is closed to it.
 * Input: nothing. Output: whether it can run programs of this checkout.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

/** Account `nobody`, group `nogroup`. */
export const NOBODY = 65_534;

export const nobodyRuns = (): boolean => {
  if (process.getuid?.() !== 0) return false;
  const read = `require('node:fs').readFileSync(${JSON.stringify(join(ROOT, 'package.json'))})`;
  const { status } = spawnSync(process.execPath, ['-e', read], { uid: NOBODY, gid: NOBODY });
  if (status !== 0) process.stdout.write(`What a user without rights sees is passed over: ${ROOT} is closed to it.\n`);
  return status === 0;
};
