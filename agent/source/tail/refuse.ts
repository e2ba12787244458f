// SPDX-License-Identifier: Apache-2.0
/**
 * What is never read, whatever the configuration says: folders of a collector's data and keys, and the agent's own state.
 * Input: a real path. Output: yes or no.
 */
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** What stands in a collector's data folder and nowhere else: its socket while it runs, its keys always. */
const MARKERS = ['control.sock', join('keys', 'agent-ca.key'), 'agent-ca.key'];

/** True when the real path lies in a refused folder, or in a folder that looks like a collector's data. */
export const isRefused = (real: string, refuse: readonly string[]): boolean =>
  refuse.some((folder) => real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) || inDataFolder(real);

const inDataFolder = (real: string): boolean => {
  for (let folder = dirname(real); folder !== dirname(folder); folder = dirname(folder))
    if (MARKERS.some((marker) => existsSync(join(folder, marker)))) return true;
  return false;
};
