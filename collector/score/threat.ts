// SPDX-License-Identifier: Apache-2.0
/**
 * What is being done to an entity: its alerts by rule, with what people said of them and of their incidents. Pure.
 * Input: alerts that speak of the entity, in any order. Output: one contribution a rule.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import type { IncidentWork } from '../model/incident.ts';
import { levelRank } from '../model/rule.ts';
import type { Contribution } from '../model/score.ts';
import type { ThreatAlert } from '../model/scores.ts';
import { THREAT_BASE, verdictFactor } from './weights.ts';

const ENDS: ReadonlySet<string> = new Set(['closed', 'dismissed', 'merged']);

/** When an incident ended, whose alerts decay from then on; null while it is open. */
const endOf = (work: IncidentWork | null): UnixMs | null =>
  work === null || !ENDS.has(work.state) ? null : (work.moves?.findLast(({ to }) => ENDS.has(to))?.at ?? unixMs(0));

interface Weighed extends ThreatAlert {
  readonly factor: number;
  readonly held: boolean;
  /** Its decay counts from here. */
  readonly from: UnixMs;
}

const weigh = (alert: ThreatAlert): Weighed => {
  const { incident } = alert;
  const end = incident === undefined ? null : endOf(incident.work);
  const verdict = alert.verdict ?? (end === null ? undefined : incident?.work?.verdict);
  return {
    ...alert,
    factor: verdictFactor(verdict),
    held: incident !== undefined && end === null,
    from: unixMs(Math.max(alert.last, end ?? 0)),
  };
};

/** Sources that a contribution names. */
export const SOURCES = 20;

/**
 * Alerts of a rule that count most stand for it: one that is not judged outweighs others that were found benign.
 * Lines that were replayed beside the live ones repeat them, so the larger of the two numbers counts and not their sum.
 */
export const threatOf = (alerts: Iterable<ThreatAlert>, confidence: (rule: string) => number): readonly Contribution[] => {
  const rules = new Map<string, Weighed[]>();
  for (const alert of alerts) {
    const list = rules.get(alert.rule);
    if (list) list.push(weigh(alert));
    else rules.set(alert.rule, [weigh(alert)]);
  }
  return [...rules].flatMap(([rule, all]) => ofRule(rule, all, confidence(rule)) ?? []).sort((a, b) => (a.key < b.key ? -1 : 1));
};

const ofRule = (rule: string, all: readonly Weighed[], confidence: number): Contribution | null => {
  const factor = Math.max(...all.map((one) => one.factor));
  const counted = all.filter((one) => one.factor === factor).sort((a, b) => b.last - a.last || (a.id < b.id ? -1 : 1));
  const strongest = counted.reduce((most, one) => (levelRank(one.level) > levelRank(most.level) ? one : most));
  if (THREAT_BASE[strongest.level] === 0) return null;
  const replayed = counted.filter(({ replay }) => replay).length;
  const held = [...new Set(counted.flatMap((one) => (one.held && one.incident ? [one.incident.id] : [])))].sort();
  return {
    key: rule,
    title: strongest.title,
    level: strongest.level,
    confidence,
    count: Math.max(replayed, counted.length - replayed),
    last: unixMs(Math.max(...counted.map(({ from }) => from))),
    // A false positive is nothing, open incident or not.
    frozen: held.length > 0 && factor > 0,
    factor,
    ...(held.length > 0 ? { held } : {}),
    sources: counted.slice(0, SOURCES).map(({ id }) => id),
  };
};
