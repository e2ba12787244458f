// SPDX-License-Identifier: Apache-2.0
/** A thousand seeded schedules of crashes, restores, copies, lost and late messages through the real spool, sender, ingest and journal. */
import { describe, expect, it } from 'vitest';
import { runSchedule } from './finish.ts';
import { campaign, showFailure } from './run.ts';
import { scheduleOf } from './schedule.ts';
import { makeShow } from './show.ts';

const SEEDS = 1_000;

describe('the river under seeded faults', () => {
  it('loses no acknowledged record, doubles none, and stores no two under one id (W, J, I5)', { timeout: 300_000 }, async () => {
    const { failures, stats } = await campaign(1, SEEDS);
    expect(failures.map(showFailure)).toEqual([]);
    // Every kind of trouble was met.
    expect(Math.min(stats.conflicts, stats.resyncs, stats.crashes, stats.restores)).toBeGreaterThan(50);
  });

  it('runs a seed the same way each time', async () => {
    for (const seed of [3, 14, 159, 265]) {
      const { actions } = scheduleOf(seed);
      const [one, two] = [[], []] as [string[], string[]];
      const record = (lines: string[]) => {
        const show = makeShow();
        return (...message: Parameters<typeof show>): void => void lines.push(show(...message).replace(/[0-9a-f]{6,}|\d{3,}/g, '…'));
      };
      await runSchedule(actions, record(one));
      await runSchedule(actions, record(two));
      expect(two).toEqual(one);
      expect(one.length).toBeGreaterThan(3);
    }
  });
});
