// SPDX-License-Identifier: Apache-2.0
/**
 * How open an entity is: its failing checks, waived ones aside for as long as their waiver holds. Pure.
 * Input: per check the newest span that says pass or fail, in any order. Output: one contribution a failing check.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Observation } from '../model/observation.ts';
import { levelRank } from '../model/rule.ts';
import type { Contribution } from '../model/score.ts';
import { SOURCES } from './threat.ts';
import { EXPOSURE_BASE } from './weights.ts';

/**
 * A check that failed when it was last answered counts until an answer says otherwise: that nobody looks any more makes nothing safer,
 * so neither the end of its freshness nor an error lowers it.
 */
export const exposureOf = (newest: Iterable<Observation>, titleOf: (check: string) => string): readonly Contribution[] => {
  const checks = new Map<string, Observation[]>();
  for (const one of newest) {
    if (one.result !== 'fail' || EXPOSURE_BASE[one.severity] === 0) continue;
    const list = checks.get(one.check);
    if (list) list.push(one);
    else checks.set(one.check, [one]);
  }
  return [...checks].map(([check, failing]) => ofCheck(check, failing, titleOf(check))).sort((a, b) => (a.key < b.key ? -1 : 1));
};

const ofCheck = (check: string, failing: readonly Observation[], title: string): Contribution => {
  const sorted = [...failing].sort((a, b) => b.first - a.first || (a.id < b.id ? -1 : 1));
  const strongest = sorted.reduce((most, one) => (levelRank(one.severity) > levelRank(most.severity) ? one : most));
  const waivers = sorted.map(({ waiver }) => waiver?.until);
  const until = waivers.includes(undefined) ? undefined : (Math.min(...(waivers as number[])) as UnixMs);
  return {
    key: check,
    title,
    level: strongest.severity,
    confidence: 1,
    count: sorted.length,
    last: null,
    frozen: false,
    factor: until === undefined ? 1 : 0,
    ...(until === undefined ? {} : { factorUntil: until }),
    sources: sorted.slice(0, SOURCES).map(({ id }) => id),
  };
};
