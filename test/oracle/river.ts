// SPDX-License-Identifier: Apache-2.0
/**
 * The whole river over the lines of one file, for protocols about alerts.
 * Input: lines and their dataset. Output: the alerts that stand in the end, by the code that `vigil alerts` runs.
 */
import { openRiver } from '../../collector/cli/river.ts';
import { unixMs } from '../../core/units.ts';
import type { AlertRiver } from './alerts.ts';

export const riverOver = (): AlertRiver => {
  const river = openRiver();
  return async (lines, dataset) => (await river)(lines, dataset, unixMs(Date.now()));
};
