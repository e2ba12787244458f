// SPDX-License-Identifier: Apache-2.0
/**
 * Episodes: satisfied windows of one pair joined where the gap is small (S5). Pure; the same set gives the same episodes in any order (S6).
 * Input: windows and the live alerts they may touch. Output: clusters, each with the alert that stays and those merged into it.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Alert } from '../model/alert.ts';
import type { Rule } from '../model/rule.ts';
import type { Satisfied } from '../model/satisfied.ts';

/** Event time that joins episodes where the rule says nothing else. */
export const REARM_MS = 3_600_000;

export interface Episode {
  readonly first: UnixMs;
  readonly last: UnixMs;
  readonly windows: readonly Satisfied[];
  /** Live alerts it touches, lowest n first. */
  readonly alerts: readonly Alert[];
}

/** The rule's own gap or 60 min, or the window where that is longer. */
export const rearmOf = (rule: Rule | undefined): number =>
  Math.max(rule?.rearmMs ?? REARM_MS, rule?.kind === 'correlation' ? rule.timespanMs : 0);

/**
 * Joins windows and alerts of one pair. An alert without a new window is among them where a signal came that lies inside it, because its
 * members are all signals of the pair between first and last; other clusters are left out, nothing changes for them.
 */
export const episodesOf = (
  windows: readonly Satisfied[],
  times: readonly UnixMs[],
  alerts: readonly Alert[],
  rearmMs: number,
): readonly Episode[] => {
  const spans = [
    ...windows.map((window) => ({ first: window.from, last: window.to, window, alert: null })),
    ...alerts.map((alert) => ({ first: alert.first, last: alert.last, window: null, alert })),
  ].sort((a, b) => a.first - b.first || a.last - b.last);
  const out: { first: UnixMs; last: UnixMs; windows: Satisfied[]; alerts: Alert[] }[] = [];
  for (const { first, last, window, alert } of spans) {
    let open = out.at(-1);
    if (!open || first - open.last > rearmMs) out.push((open = { first, last, windows: [], alerts: [] }));
    open.last = Math.max(open.last, last) as UnixMs;
    if (window) open.windows.push(window);
    if (alert) open.alerts.push(alert);
  }
  for (const episode of out) episode.alerts.sort((a, b) => a.n - b.n);
  return out.filter(({ first, last, windows: own }) => own.length > 0 || times.some((time) => time >= first && time <= last));
};
