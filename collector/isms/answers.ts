// SPDX-License-Identifier: Apache-2.0
/**
 * What a check answers about one host at a time: of all its subjects there the worst, and nothing that is not fresh. Pure.
 * Input: spans of observations. Output: pairs of check and host, their answer at any time, the times at which it can change.
 */
import type { AssetId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { type Entity, makeEntity } from '../model/entity.ts';
import { type Observation, spanAt } from '../model/observation.ts';

/** `excepted`: fails, and somebody answers for it until a date. `not-applicable` leaves the population. */
export type Answer = 'pass' | 'fail' | 'excepted' | 'unknown' | 'not-applicable';

/** All that was ever answered to one check about one host and its parts. */
export interface Pair {
  readonly check: string;
  readonly host: AssetId;
  readonly subjects: ReadonlyMap<Entity, readonly Observation[]>;
}

export interface Answered {
  readonly answer: Answer;
  /** The span that says it; null where none covers the time. */
  readonly by: Observation | null;
}

const HOST_OF = /(?:^host:|@)(ast_[A-Za-z0-9_-]{16,32})$/;

/** The host that an observation is about, itself or one of its parts. */
export const hostOf = (subject: Entity): AssetId | null => (HOST_OF.exec(subject)?.[1] ?? null) as AssetId | null;

export const pairKey = (check: string, host: AssetId): string => `${check} ${host}`;

/** Spans of any order into pairs. */
export const pairsOf = (spans: Iterable<Observation>): ReadonlyMap<string, Pair> => {
  const pairs = new Map<string, { check: string; host: AssetId; subjects: Map<Entity, Observation[]> }>();
  for (const span of spans) {
    const host = hostOf(span.subject);
    if (host === null) continue;
    const key = pairKey(span.check, host);
    const pair = pairs.get(key) ?? { check: span.check, host, subjects: new Map<Entity, Observation[]>() };
    pairs.set(key, pair);
    const list = pair.subjects.get(span.subject);
    if (list) list.push(span);
    else pair.subjects.set(span.subject, [span]);
  }
  for (const { subjects } of pairs.values()) for (const list of subjects.values()) list.sort((a, b) => a.first - b.first);
  return pairs;
};

const RANK: Readonly<Record<Answer, number>> = { fail: 4, unknown: 3, excepted: 2, pass: 1, 'not-applicable': 0 };

/** A part that its agent said is there no more; of a host itself that is a check which is not made any more, so unknown. */
const isGone = (host: AssetId, subject: Entity, spans: readonly Observation[], at: UnixMs): boolean => {
  if (subject === makeEntity('host', host)) return false;
  const last = spans.findLast(({ first }) => first <= at);
  return last !== undefined && last.result === 'unknown' && last.expires <= last.last;
};

const ofSubject = (spans: readonly Observation[], at: UnixMs): Answered => {
  const by = spanAt(spans, at) ?? null;
  if (by === null || by.result === 'unknown' || by.result === 'error') return { answer: 'unknown', by };
  if (by.result === 'fail') return { answer: by.waiver !== undefined && at < by.waiver.until ? 'excepted' : 'fail', by };
  return { answer: by.result, by };
};

/** Undefined for a pair nobody ever answered: that is unknown too. */
export const answerAt = (pair: Pair | undefined, at: UnixMs): Answered => {
  let worst: Answered | null = null;
  if (pair !== undefined)
    for (const [subject, spans] of pair.subjects) {
      // What was not yet asked of a part says nothing about its host.
      const known = spans.some(({ first }) => first <= at);
      if (!known && subject !== makeEntity('host', pair.host)) continue;
      if (isGone(pair.host, subject, spans, at)) continue;
      const one = ofSubject(spans, at);
      if (worst === null || RANK[one.answer] > RANK[worst.answer]) worst = one;
    }
  return worst ?? { answer: 'unknown', by: null };
};

/** Times at which the answer may change. */
export const timesOf = (pair: Pair): readonly UnixMs[] =>
  [...pair.subjects.values()].flatMap((spans) =>
    spans.flatMap(({ first, expires, waiver }) => [first, expires, ...(waiver === undefined ? [] : [waiver.until])]),
  );
