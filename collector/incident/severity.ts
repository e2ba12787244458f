// SPDX-License-Identifier: Apache-2.0
/**
 * How bad an incident is and which comes first: level for people, score for the order.
 * Input: its alerts. Output: the highest level, one higher where an attack shows several tactics; a score from 0 to 100.
 */
import { LEVELS, type Level, levelRank } from '../model/rule.ts';

export interface Weighed {
  readonly rule: string;
  readonly level: Level;
  readonly tactics: readonly string[];
}

/** Different tactics, of alerts of level medium and above, that raise the severity by one. */
export const TACTICS_RAISE = 3;
/** Reconnaissance and resource development happen before anybody is in: a scan that tries much is not graver for it. */
const BEFOREHAND: ReadonlySet<string> = new Set(['TA0043', 'TA0042']);

export const severityOf = (alerts: readonly Weighed[]): Level => {
  const highest = alerts.reduce((most, { level }) => Math.max(most, levelRank(level)), 0);
  const tactics = new Set(
    alerts.flatMap(({ level, tactics: own }) => (levelRank(level) >= levelRank('medium') ? own.filter((id) => !BEFOREHAND.has(id)) : [])),
  );
  const raised = tactics.size >= TACTICS_RAISE && highest >= levelRank('high') ? highest + 1 : highest;
  return LEVELS[Math.min(raised, LEVELS.length - 1)]!;
};

const BASE: Readonly<Record<Level, number>> = { informational: 1, low: 5, medium: 20, high: 50, critical: 80 };

/**
 * Different rules are combined as chances (1 - product of 1 - c), repeats of one rule count a little more up to one and a half times.
 * Order of the alerts does not matter. One decimal.
 */
export const scoreOf = (alerts: readonly Weighed[]): number => {
  const rules = new Map<string, { base: number; n: number }>();
  for (const { rule, level } of alerts) {
    const known = rules.get(rule);
    rules.set(rule, { base: Math.max(BASE[level], known?.base ?? 0), n: (known?.n ?? 0) + 1 });
  }
  let rest = 1;
  for (const { base, n } of [...rules.values()].sort((a, b) => a.base - b.base || a.n - b.n))
    rest *= 1 - Math.min(99, base * Math.min(1.5, 1 + 0.1 * Math.log2(n))) / 100;
  return Math.round((1 - rest) * 1000) / 10;
};
