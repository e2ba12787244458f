// SPDX-License-Identifier: Apache-2.0
/**
 * What the disk refuses now, part by part: a full or a read-only disk makes a part wait, not end.
 * Input: refusals with their reason, and that a part is taken again. Output: conditions with what to do; one line in the log at each change.
 */
import type { Log } from '../core/log.ts';
import type { Condition } from './http/status.ts';

export type Part = 'the event store' | 'the state' | 'the pass';

export interface Refusals {
  /** A part is refused; null when it goes on. */
  tell(part: Part, reason: string | null): void;
  conditions(journal: string | null): readonly Condition[];
}

export const makeRefusals = (log: Log): Refusals => {
  const refused = new Map<Part, string>();
  return {
    tell: (part, reason) => {
      const before = refused.get(part);
      if (reason === null) refused.delete(part);
      else refused.set(part, reason);
      if (reason !== null && before === undefined)
        log.error({ event: 'disk.refuses', part, reason }, 'The disk refuses; it is tried again');
      if (reason === null && before !== undefined) log.info({ event: 'disk.takes', part }, 'The disk takes what is written again');
    },
    conditions: (journal) =>
      [...(journal === null ? [] : [['the journal', journal] as const]), ...refused].map(([about, reason]) => ({
        code: 'DISK_REFUSES',
        about,
        text: `cannot be written: ${reason}.`,
        hint: 'Free space or mend the disk. Nothing acknowledged is lost: it is tried again every few seconds, and agents keep the rest.',
      })),
  };
};
