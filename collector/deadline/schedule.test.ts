// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { openLog } from '../../core/log.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { handClock } from '../../test/support/memory-state.ts';
import { type Job, type LastRuns, openSchedule } from './schedule.ts';

const log = openLog({ program: 'vigil', level: 'silent' });

const memoryRuns = (start: Record<string, number> = {}): LastRuns & { readonly kept: Map<string, UnixMs> } => {
  const kept = new Map(Object.entries(start).map(([name, at]) => [name, unixMs(at)]));
  return { kept, get: async (name) => kept.get(name) ?? null, set: async (name, at) => void kept.set(name, at) };
};

// 23 November 2026, 08:40 UTC.
const NOW = Date.UTC(2026, 10, 23, 8, 40);
const NIGHTLY = '0 3 * * *';

const counting = (name: string, cron: string, extra: Partial<Job> = {}) => {
  const state = { runs: 0 };
  const job: Job = { name, cron, run: async () => void (state.runs += 1), ...extra };
  return { state, job };
};

describe('a scheduled job', () => {
  it('is made up for once when it was due while nothing ran', async () => {
    const missed = counting('missed', NIGHTLY);
    const notDue = counting('not-due', NIGHTLY);
    const never = counting('never', NIGHTLY);
    const unwanted = counting('unwanted', NIGHTLY, { catchUp: false });
    const runs = memoryRuns({ missed: NOW - 3 * 86_400_000, 'not-due': Date.UTC(2026, 10, 23, 3, 0, 1), unwanted: NOW - 86_400_000 });
    const schedule = await openSchedule([missed.job, notDue.job, never.job, unwanted.job], runs, handClock(NOW), log);
    await expect.poll(() => runs.kept.get('missed')).toBe(NOW);
    expect([missed.state.runs, notDue.state.runs, never.state.runs, unwanted.state.runs]).toEqual([1, 0, 0, 0]);
    await schedule.close();
    const again = await openSchedule([missed.job], runs, handClock(NOW + 60_000), log);
    await again.close();
    expect(missed.state.runs).toBe(1);
  });

  it('is due in UTC, and says when it is next', async () => {
    const schedule = await openSchedule([counting('nightly', NIGHTLY).job], memoryRuns(), handClock(NOW), log);
    const next = schedule.jobs()[0]?.next ?? 0;
    expect(new Date(next).getUTCHours()).toBe(3);
    expect(next).toBeGreaterThan(Date.now());
    await schedule.close();
  });

  it('never runs twice at the same time, and a failure is kept and repeated later', async () => {
    let running = 0;
    let most = 0;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: Job = {
      name: 'slow',
      cron: NIGHTLY,
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await gate;
        running -= 1;
        throw new Error('no disk');
      },
    };
    const runs = memoryRuns();
    const schedule = await openSchedule([slow], runs, handClock(NOW), log);
    const both = Promise.allSettled([schedule.runNow('slow'), schedule.runNow('slow')]);
    open();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(most).toBe(1);
    expect(schedule.jobs()[0]).toMatchObject({ failed: 'no disk', running: false });
    await schedule.close();
  });

  it('is refused when its expression or name is wrong', async () => {
    for (const cron of ['', '* * *', '61 * * * *', '0 0 3 * * *', 'rubbish'])
      await expect(openSchedule([counting('x', cron).job], memoryRuns(), handClock(NOW), log)).rejects.toMatchObject({ code: 'JOB_BAD' });
    const twice = counting('x', NIGHTLY).job;
    await expect(openSchedule([twice, twice], memoryRuns(), handClock(NOW), log)).rejects.toMatchObject({ code: 'JOB_BAD' });
  });
});
