// SPDX-License-Identifier: Apache-2.0
/**
 * Runs seeds of the model and makes small what fails.
 * Input: a first seed and how many. Output: totals; for each way of failing one schedule, minimised, that anybody can run again.
 */

import { runSchedule } from './finish.ts';
import { type Action, scheduleOf, showAction } from './schedule.ts';
import type { Stats } from './world.ts';

export interface Failure {
  readonly seed: number;
  readonly family: string;
  readonly broken: string;
  readonly times: number;
  readonly actions: readonly Action[];
}

export interface Campaign {
  readonly seeds: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
  readonly stats: Stats;
}

/** Runs seeds from `first` on. */
export const campaign = async (first: number, seeds: number, minimise = true): Promise<Campaign> => {
  const found = new Map<string, { seed: number; family: string; times: number; actions: readonly Action[] }>();
  const stats: Stats = { acked: 0, conflicts: 0, resyncs: 0, crashes: 0, restores: 0, unmatched: 0, said: 0 };
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const { family, actions } = scheduleOf(seed);
    const run = await runSchedule(actions);
    for (const key of Object.keys(stats) as (keyof Stats)[]) stats[key] += run.stats[key];
    if (run.broken.length > 0) failed++;
    for (const broken of run.broken) {
      const known = found.get(broken);
      if (known) known.times++;
      if (!known || actions.length < known.actions.length) found.set(broken, { seed, family, times: known?.times ?? 1, actions });
    }
  }
  const failures: Failure[] = [];
  for (const [broken, one] of found)
    failures.push({ broken, ...one, actions: minimise ? await smaller(one.actions, broken) : one.actions });
  return { seeds, failed, failures, stats };
};

/** The same failure with actions left out, until none can be. */
export const smaller = async (actions: readonly Action[], broken: string): Promise<readonly Action[]> => {
  let best = actions;
  for (let again = true; again; ) {
    again = false;
    for (const width of [8, 4, 2, 1])
      for (let at = 0; at < best.length; ) {
        const shorter = [...best.slice(0, at), ...best.slice(at + width)];
        if ((await runSchedule(shorter)).broken.includes(broken)) {
          best = shorter;
          again = true;
        } else at++;
      }
  }
  return best;
};

/** A failure as text: what broke, how often, and the schedule. */
export const showFailure = ({ seed, family, broken, times, actions }: Failure): string =>
  `${broken} (${times}×, first in seed ${seed}, ${family}): ${actions.map(showAction).join(' ')}`;
