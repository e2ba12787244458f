// SPDX-License-Identifier: Apache-2.0
/**
 * What the collector does by the calendar: retention, merging, checkpoints of the audit trail, its own certificate, daily scores, the weekly report.
 * Input: the open parts. Output: a schedule that makes up for downtime.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { bytes, unixMs } from '../core/units.ts';
import type { AuditLog } from './auth/audit/log.ts';
import type { CollectorConfig } from './config.ts';
import { type Job, openSchedule, type Schedule } from './deadline/schedule.ts';
import type { Journal } from './journal/journal.ts';
import { takeDaily } from './score/snapshot.ts';
import type { StepWatch } from './step.ts';
import type { EmbeddedEvents } from './store/embedded/events.ts';
import type { StateThread } from './threads.ts';

export interface JobParts {
  readonly config: CollectorConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly state: StateThread;
  readonly events: EmbeddedEvents;
  readonly journal: Journal;
  readonly audit: AuditLog;
  /** How far the journal is judged: what lies behind may go. */
  readonly judged: () => number;
  /** Renews the certificates of the listeners where they are due. */
  readonly refresh: () => Promise<void>;
  readonly steps: StepWatch;
  /** Asks the collector's own checks of every host. */
  readonly checks: () => Promise<void>;
  /** Plants a record to see that it is found. */
  readonly plant: () => void;
  /** Makes the weekly report when its time has come. */
  readonly report: () => Promise<void>;
}

export const openJobs = (parts: JobParts): Promise<Schedule> => {
  const { state, clock, events, audit, steps } = parts;
  const jobs: readonly Job[] = [
    { name: 'retention', cron: '17 * * * *', run: () => keepWithin(parts) },
    { name: 'merge', cron: '40 2 * * *', run: async () => void (await events.merge(4)) },
    { name: 'scores', cron: '0 0 * * *', run: async (due) => void (await takeDaily(state.store, due)) },
    { name: 'checkpoint', cron: '* * * * *', run: () => Promise.all([steps.look(), audit.checkpoint()]).then(() => undefined) },
    { name: 'certificate', cron: '5 3 * * *', run: parts.refresh },
    { name: 'checks', cron: '*/10 * * * *', run: parts.checks },
    { name: 'self-test', cron: '25 * * * *', run: async () => parts.plant() },
    // Every hour, because Monday six o'clock is another hour of UTC in each zone and half of the year.
    { name: 'report', cron: '5 * * * *', run: parts.report },
  ];
  return openSchedule(
    jobs,
    {
      get: async (name) => ((await state.store.get('setting', `job:${name}`))?.value['at'] as ReturnType<Clock['now']> | undefined) ?? null,
      set: async (name, at) => void (await state.store.put('setting', `job:${name}`, { at })),
    },
    clock,
    parts.log.child({ part: 'schedule' }),
  );
};

/** Events and journal within their age and size; the journal only as far as everything behind it has been understood and sealed. */
const keepWithin = async ({ config, clock, state, events, journal, judged, steps }: JobParts): Promise<void> => {
  // On the word of a clock that may be wrong nothing goes for its age.
  const { rests } = steps;
  const before = (keepMs: number): ReturnType<Clock['now']> => unixMs(rests ? 0 : clock.now() - keepMs);
  await events.expire({
    olderThan: before(config['store.events.keep']),
    maxBytes: bytes(config['store.events.quota']),
  });
  const sealed = events
    .sealed()
    .reduce((lowest, { incarnation, offset }) => (incarnation === journal.incarnation ? Math.max(lowest, offset) : lowest), 0);
  await journal.release(Math.min(sealed, judged()), {
    olderThan: before(config['journal.keep']),
    maxBytes: config['journal.quota'],
  });
  if (!rests) state.tidy();
};
