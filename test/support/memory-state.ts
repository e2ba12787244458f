// SPDX-License-Identifier: Apache-2.0
/**
 * What unit tests of the domain stand on: state in memory, a clock moved by hand, audit and notices kept in lists.
 * Input: nothing. Output: the ports, small and real enough to be believed.
 */
import type { AuditEntry, AuditTrail } from '../../collector/model/audit.ts';
import type { Notice, Notices } from '../../collector/model/notice.ts';
import { openState, stateStore } from '../../collector/store/embedded/state.ts';
import type { StateStore } from '../../collector/store/store.ts';
import type { Clock } from '../../core/clock.ts';
import { ms, type UnixMs, unixMs } from '../../core/units.ts';

/** The embedded engine's state in memory: real versions, conflicts and lists, gone with the test. */
export const memoryState = (): StateStore => stateStore(openState(':memory:'));

/** A clock that a test moves by hand; sleepers wake when their time has come. */
export interface HandClock extends Clock {
  readonly advance: (spanMs: number) => void;
  readonly setWall: (at: number) => void;
}

export const handClock = (start: number = Date.UTC(2026, 10, 23, 8, 40)): HandClock => {
  let [wall, mono] = [start, 0];
  const sleepers = new Set<{ until: number; wake: () => void }>();
  return {
    now: (): UnixMs => unixMs(wall),
    monotonic: () => ms(mono),
    sleep: (span, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const one = {
          until: mono + span,
          wake: () => {
            sleepers.delete(one);
            resolve();
          },
        };
        sleepers.add(one);
        signal?.addEventListener('abort', one.wake);
      }),
    advance: (span) => {
      wall += span;
      mono += span;
      for (const one of [...sleepers]) if (one.until <= mono) one.wake();
    },
    setWall: (at) => {
      wall = at;
    },
  };
};

/** An audit trail that keeps its entries in a list. */
export const listAudit = (): AuditTrail & { readonly entries: AuditEntry[] } => {
  const entries: AuditEntry[] = [];
  const add = (entry: Omit<AuditEntry, 'seq' | 'at'>): number => entries.push({ ...entry, seq: entries.length + 1, at: unixMs(0) });
  return {
    entries,
    act: async (entry, run) => {
      const intent = add({ ...entry, phase: 'intent' });
      try {
        const result = await run();
        add({ ...entry, phase: 'done', intent });
        return result;
      } catch (error) {
        add({ ...entry, phase: 'failed', intent });
        throw error;
      }
    },
    refused: async (entry) => {
      add({ ...entry, phase: 'refused' });
    },
    read: async (limit) => entries.slice(-limit).reverse(),
  };
};

/** Notices kept in a list. */
export const listNotices = (): Notices & { readonly said: Notice[] } => {
  const said: Notice[] = [];
  return { said, say: (notice) => void said.push(notice) };
};
