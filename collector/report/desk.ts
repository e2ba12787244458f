// SPDX-License-Identifier: Apache-2.0
/**
 * Makes reports: each Monday by itself, on demand for any week that is over, again when facts came late. One at a time.
 * Input: what reports are gathered from, the key that signs, the archive. Output: kept reports; each making stands in the audit trail.
 */
import type { Log } from '../../core/log.ts';
import type { Signer } from '../../core/sign.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor } from '../model/permission.ts';
import type { ReportEntry } from '../model/report.ts';
import type { StateStore } from '../store/store.ts';
import type { Archive, Format } from './archive.ts';
import type { Bundle } from './bundle.ts';
import { type GatherPorts, gatherInputs } from './gather.ts';
import type { Fonts } from './render/style.ts';
import type { MadeRevision, RevisionWork } from './revision.ts';
import { lastFullWeek, readWeek, type Week, wallClock, weekAfter } from './week.ts';

export interface DeskParts {
  readonly gather: GatherPorts;
  readonly state: StateStore;
  readonly archive: Archive;
  readonly audit: AuditTrail;
  readonly signer: Signer;
  readonly fonts: Fonts | null;
  /** Computes, renders and signs; a thread of its own where one runs. */
  readonly make: (work: RevisionWork) => Promise<MadeRevision | null>;
  readonly zone: string;
  /** Weeks that were over before then are made on demand only. */
  readonly since: UnixMs;
  readonly now: () => UnixMs;
  readonly log: Log;
}

export interface ReportDesk {
  /** The week of a name, the last full one without. @throws CodedError WEEK_MALFORMED, WEEK_NOT_OVER. */
  week(name?: string): Week;
  /**
   * The newest revision of a week; makes it where there is none, and another where facts came since.
   * @throws CodedError REPORT_TOO_LARGE, REPORT_NOT_KEPT.
   */
  make(week: Week, by: Actor, from: string): Promise<{ readonly entry: ReportEntry; readonly fresh: boolean }>;
  /** @throws CodedError NOT_FOUND, REPORT_DAMAGED. */
  read(week: string, format: Format, revision?: number): Promise<{ readonly entry: ReportEntry; readonly bytes: Buffer }>;
  list: Archive['list'];
  /** What the clock asks for: the last week's report once it is Monday six o'clock, and revisions of the last four. */
  due(): Promise<void>;
}

/** Late records have until six on Monday morning. */
const HOUR = 6;
/** Weeks whose late facts still make revisions by themselves. */
const REVISED_WEEKS = 4;
const CLOCK: Actor = { kind: 'local-owner', id: 'collector', name: 'the collector', role: 'admin' };

export const openDesk = (parts: DeskParts): ReportDesk => {
  const { archive, audit, signer, zone, now, log } = parts;
  /** The last full week and day on which late facts were looked for. */
  let lookedOn = '';
  let turn: Promise<unknown> = Promise.resolve();
  /** One after another: two at once would give one revision twice. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  /** The newest revision: its files are as they were written, or this throws. */
  const newest = async (week: Week): Promise<{ readonly entry: ReportEntry; readonly bundle: Bundle } | null> => {
    const entry = await archive.find(week.name);
    if (entry === null) return null;
    return { entry, bundle: JSON.parse((await archive.read(entry, 'json')).toString('utf8')) as Bundle };
  };

  const makeNow = async (week: Week, by: Actor, from: string): Promise<{ readonly entry: ReportEntry; readonly fresh: boolean }> => {
    const last = await newest(week);
    const inputs = await gatherInputs(parts.gather, week, last?.bundle.inputs.moment ?? null);
    const made = await parts.make({
      inputs,
      last:
        last === null
          ? null
          : {
              revision: last.entry.revision,
              hash: last.entry.hashes.json,
              method: last.bundle.inputs.method,
              figures: last.bundle.figures,
            },
      made: now(),
      privatePem: signer.privatePem,
      fonts: parts.fonts,
    });
    if (made === null) return { entry: (last as NonNullable<typeof last>).entry, fresh: false };
    const details = { revision: made.revision, hash: made.hashes.json, key: made.key };
    const entry = await audit.act({ act: 'report.make', on: week.name, details, actor: by, from }, () => archive.keep(made));
    return { entry, fresh: true };
  };

  const make: ReportDesk['make'] = (week, by, from) => inTurn(() => makeNow(week, by, from));

  return {
    week: (name) => (name === undefined ? lastFullWeek(now(), zone) : readWeek(name, zone, now())),
    make,
    list: archive.list,
    read: async (week, format, revision) => {
      const entry = await archive.find(week, revision);
      if (entry === null)
        throw fault('NOT_FOUND', { what: 'report of', id: revision === undefined ? week : `${week}, revision ${revision}` });
      return { entry, bytes: await archive.read(entry, format) };
    },
    due: async () => {
      const last = lastFullWeek(now(), zone);
      const { weekday, hour } = wallClock(now(), zone);
      const early = weekday === 0 && hour < HOUR;
      if (!early && last.to > parts.since && (await archive.find(last.name)) === null) await make(last, CLOCK, 'local');
      const today = `${last.name} ${weekday}`;
      if (hour < HOUR || lookedOn === today) return;
      lookedOn = today;
      for (let n = 0; n < REVISED_WEEKS; n++) {
        const week = weekAfter(last, -n);
        if ((await archive.find(week.name)) === null) continue;
        const { entry, fresh } = await make(week, CLOCK, 'local');
        if (fresh) log.info({ event: 'report.revised', week: entry.week, revision: entry.revision }, 'Late facts made a revision');
      }
    },
  };
};
