// SPDX-License-Identifier: Apache-2.0
/**
 * Named jobs at times of the calendar, in UTC, never overlapping, made up for after downtime: the one door to node-cron.
 * Input: cron expressions and work; the last run of each, kept through a small port. Output: each due time is run at least once, late if need be.
 */
import { createTask, type Logger, type ScheduledTask, validate } from 'node-cron';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';

export interface Job {
  /** Unique; last runs are kept under it. */
  readonly name: string;
  /** Five fields, UTC, e.g. `0 * * * *` for every full hour. */
  readonly cron: string;
  /** Run once at the start when a due time passed while nothing ran (true when absent). */
  readonly catchUp?: boolean;
  readonly run: (due: UnixMs) => Promise<void>;
}

/** Keeps when each job last ran. */
export interface LastRuns {
  get(name: string): Promise<UnixMs | null>;
  set(name: string, at: UnixMs): Promise<void>;
}

export interface JobState {
  readonly name: string;
  readonly cron: string;
  readonly running: boolean;
  readonly lastRun: UnixMs | null;
  /** How the last run ended. */
  readonly failed: string | null;
  readonly next: UnixMs | null;
}

export interface Schedule {
  readonly jobs: () => readonly JobState[];
  /** Runs a job now, or waits for the run under way. @throws CodedError NOT_FOUND; what the job throws. */
  runNow(name: string): Promise<void>;
  /** Runs every job whose time came by this clock since it last ran: for a clock that is moved by hand. */
  runDue(): Promise<void>;
  /** Takes no more due times and waits for the runs under way. */
  close(): Promise<void>;
}

interface Kept {
  readonly job: Job;
  readonly task: ScheduledTask;
  running: Promise<void> | null;
  lastRun: UnixMs | null;
  failed: string | null;
}

/**
 * Starts the jobs. One that was due since its last run is run at once; one that never ran counts as run now.
 * @throws CodedError JOB_BAD for a malformed expression or a name used twice.
 */
export const openSchedule = async (jobs: readonly Job[], lastRuns: LastRuns, clock: Clock, log: Log): Promise<Schedule> => {
  const kept = new Map<string, Kept>();
  for (const job of jobs) {
    if (!validate(job.cron) || job.cron.trim().split(/\s+/).length !== 5)
      throw fault('JOB_BAD', { name: job.name, reason: `"${job.cron}" is no cron expression of five fields` });
    if (kept.has(job.name)) throw fault('JOB_BAD', { name: job.name, reason: 'the name is used twice' });
    const task = createTask(job.cron, () => quietly(job.name), {
      name: job.name,
      timezone: 'UTC',
      noOverlap: true,
      suppressMissedWarning: true,
      logger: quietLogger(log),
    });
    kept.set(job.name, { job, task, running: null, lastRun: await lastRuns.get(job.name), failed: null });
  }

  const start = (name: string): Promise<void> => {
    const one = kept.get(name);
    if (!one) return Promise.resolve();
    one.running ??= run(one).finally(() => {
      one.running = null;
    });
    return one.running;
  };

  const run = async (one: Kept): Promise<void> => {
    const due = clock.now();
    try {
      await one.job.run(due);
      one.failed = null;
      one.lastRun = due;
      // Written after the work: a crash in between repeats it, which jobs must bear, and never skips it.
      await lastRuns.set(one.job.name, due);
    } catch (error) {
      one.failed = error instanceof Error ? error.message : String(error);
      log.error({ event: 'schedule.job.failed', job: one.job.name, err: error }, 'a scheduled job failed');
      throw error;
    }
  };

  const quietly = (name: string): void => void start(name).catch(() => undefined); // logged by run; the next due time tries again

  for (const [name, one] of kept) {
    if (one.lastRun === null) {
      one.lastRun = clock.now();
      await lastRuns.set(name, one.lastRun);
    } else if (one.job.catchUp !== false && wasDue(one.task, one.lastRun, clock.now())) quietly(name);
    await one.task.start();
  }

  return {
    jobs: () =>
      [...kept.values()].map(({ job, task, running, lastRun, failed }) => {
        const next = task.getNextRun();
        return {
          name: job.name,
          cron: job.cron,
          running: running !== null,
          lastRun,
          failed,
          next: next === null ? null : unixMs(next.getTime()),
        };
      }),
    runNow: async (name) => {
      if (!kept.has(name)) throw fault('NOT_FOUND', { what: 'job', id: name });
      await start(name);
    },
    runDue: async () => {
      for (const [name, { task, lastRun }] of kept) if (lastRun === null || wasDue(task, lastRun, clock.now())) await start(name);
    },
    close: async () => {
      for (const { task } of kept.values()) await task.destroy();
      await Promise.allSettled([...kept.values()].map(({ running }) => running));
    },
  };
};

/** The package's own words, kept out of the console: what matters is logged here. */
const quietLogger = (log: Log): Logger => {
  const tell = (message: string | Error): void => log.debug({ event: 'schedule.cron' }, String(message));
  return { info: tell, warn: tell, error: tell, debug: tell };
};

const MINUTE_MS = 60_000;
/** 31 days are looked at minute by minute (0.3 s); after a longer absence a job is taken to be due. */
const LOOK_BACK_MS = 31 * 86_400_000;

/** True when a time of the expression lies after `last` and not after `now`. */
const wasDue = (task: ScheduledTask, last: UnixMs, now: UnixMs): boolean => {
  if (now - last > LOOK_BACK_MS) return true;
  const first = Math.floor(last / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  for (let at = first; at <= now; at += MINUTE_MS) if (task.match(new Date(at))) return true;
  return false;
};
