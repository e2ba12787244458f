// SPDX-License-Identifier: Apache-2.0
/**
 * What the agent itself costs, and the brake on its reading.
 * Input: the process's own counters. Output: CPU and memory since the last question; how long to pause after work.
 */
import type { Clock } from '../core/clock.ts';
import { type Ms, ms } from '../core/units.ts';

export interface Cost {
  /** CPU time of the whole process since the question before, ms. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export interface Budget {
  cost(): Cost;
  /** To be called when a piece of work begins; the answer is called when it ends, and says how long to pause. */
  work(): () => Ms;
}

export interface Counters {
  readonly cpuUsage: () => { readonly user: number; readonly system: number };
  readonly rss: () => number;
}

const OWN: Counters = { cpuUsage: () => process.cpuUsage(), rss: () => process.memoryUsage.rss() };

/** `cpuPercent` of one core is what work may take on average; 100 never pauses. */
export const openBudget = (clock: Clock, cpuPercent: number, counters: Counters = OWN): Budget => {
  const total = (): number => {
    const { user, system } = counters.cpuUsage();
    return (user + system) / 1000;
  };
  let before = total();
  return {
    cost: () => {
      const now = total();
      const cpuMs = Math.max(0, Math.round(now - before));
      before = now;
      return { cpuMs, rssBytes: counters.rss() };
    },
    work: () => {
      const cpu = total();
      const began = clock.monotonic();
      return () => {
        const used = total() - cpu;
        const allowed = (used * 100) / cpuPercent;
        return ms(Math.max(0, Math.min(1_000, Math.round(allowed - (clock.monotonic() - began)))));
      };
    },
  };
};
