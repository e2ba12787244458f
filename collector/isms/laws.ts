// SPDX-License-Identifier: Apache-2.0
/**
 * The laws of derived states. Unknown is never pass; stale is unknown; satisfied needs every expected answer, fresh, and none that fails;
 * every figure has its counts. Pure.
 * Input: checks of a control, pairs, who is expected. Output: its status at a time, and each time its state turned.
 */
import type { AssetId } from '../../core/ids.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import type { ControlState, ControlStatus, Counts } from '../model/control.ts';
import type { CheckMapping, Observation } from '../model/observation.ts';
import { type Answer, type Answered, answerAt, type Pair, pairKey, timesOf } from './answers.ts';
import { hostsAt, type Stay } from './population.ts';

/** What is measured, of whom it is expected, and what was answered. */
export interface Ground {
  readonly stays: readonly Stay[];
  readonly pairs: ReadonlyMap<string, Pair>;
  /** Checks that are asked once, and by whom they are answered: the collector's own host. */
  readonly once: ReadonlySet<string>;
  readonly self: AssetId;
}

export const NO_COUNTS: Counts = { pass: 0, fail: 0, excepted: 0, unknown: 0, expected: 0 };

export const countAnswers = (answers: Iterable<Answer>): Counts => {
  const counts = { pass: 0, fail: 0, excepted: 0, unknown: 0, expected: 0 };
  for (const answer of answers) {
    if (answer === 'not-applicable') continue;
    counts[answer] += 1;
    counts.expected += 1;
  }
  return counts;
};

/** Where nothing is expected nothing is known. */
export const stateOf = ({ fail, unknown, expected }: Counts): ControlState =>
  fail > 0 ? 'not-satisfied' : unknown > 0 || expected === 0 ? 'unknown' : 'satisfied';

/** Share that was measured, 0 to 1. */
export const coverageOf = ({ unknown, expected }: Counts): number => (expected === 0 ? 0 : (expected - unknown) / expected);
/** Share that is known to be as it must: what is unknown does not count, and an exception is no pass. */
export const assuranceOf = ({ pass, expected }: Counts): number => (expected === 0 ? 0 : pass / expected);

/** Whom a check is expected of at a time. */
export const expectedAt = (ground: Ground, check: string, at: UnixMs): readonly AssetId[] =>
  ground.once.has(check) ? [ground.self] : hostsAt(ground.stays, at);

export interface Asked extends Answered {
  readonly check: string;
  readonly host: AssetId;
}

/** Every answer that the checks owe at a time. */
export const askAt = (ground: Ground, checks: Iterable<string>, at: UnixMs): readonly Asked[] =>
  [...checks].flatMap((check) =>
    expectedAt(ground, check, at).map((host) => ({ check, host, ...answerAt(ground.pairs.get(pairKey(check, host)), at) })),
  );

/** Observations that a status names, failing ones first. */
const NAMED = 100;
const WORST: Readonly<Record<Answer, number>> = { fail: 0, excepted: 1, unknown: 2, pass: 3, 'not-applicable': 4 };

export const namedBy = (asked: readonly Asked[]): readonly Observation[] =>
  asked
    .filter(({ by, answer }) => by !== null && answer !== 'not-applicable')
    .sort((a, b) => WORST[a.answer] - WORST[b.answer])
    .slice(0, NAMED)
    .map(({ by }) => by as Observation);

/** A part of the requirement at most: none of the checks claims to be all of it. */
const isPartial = (mappings: readonly CheckMapping[]): boolean =>
  !mappings.some(({ relationship }) => ['equal-to', 'equivalent-to', 'superset-of'].includes(relationship));

const uniqueChecks = (mappings: readonly CheckMapping[]): readonly string[] => [...new Set(mappings.map(({ check }) => check))];

/** How far back a state is followed. */
export const HISTORY_MS = 120 * 86_400_000;

/** The status of a control at a time; `since` is left out where nobody asks for it, since it is the dearest part. */
export const statusAt = (ground: Ground, ref: string, mappings: readonly CheckMapping[], at: UnixMs, withSince = true): ControlStatus => {
  const checks = uniqueChecks(mappings);
  const asked = askAt(ground, checks, at);
  const counts = countAnswers(asked.map(({ answer }) => answer));
  const named = namedBy(asked);
  const begin = unixMs(at - HISTORY_MS);
  const turned = checks.length === 0 || !withSince ? null : (turnsOf(ground, checks, begin, at).at(-1)?.at ?? null);
  return {
    ref,
    state: stateOf(counts),
    measured: checks.length > 0,
    partial: checks.length > 0 && isPartial(mappings),
    counts,
    oldest: asked.reduce<UnixMs | null>((oldest, { by, answer }) => {
      if (by === null || answer === 'unknown' || answer === 'not-applicable') return oldest;
      const last = unixMs(Math.min(by.last, at));
      return oldest === null || last < oldest ? last : oldest;
    }, null),
    // What stood all the while has stood for longer than is known.
    since: turned === begin ? null : turned,
    observations: named.map(({ id }) => id),
  };
};

export interface Turn {
  readonly at: UnixMs;
  readonly state: ControlState;
  readonly counts: Counts;
}

/**
 * Every time between `from` and `to` (both inclusive) at which the state of a set of checks became another, oldest first; the first is the
 * state at `from`. One sweep over the times at which an answer changes.
 */
export const turnsOf = (ground: Ground, checks: readonly string[], from: UnixMs, to: UnixMs): readonly Turn[] => {
  const changes: { readonly at: UnixMs; readonly key: string; readonly answer: Answer | null }[] = [];
  for (const check of checks)
    for (const host of everExpected(ground, check)) {
      const pair = ground.pairs.get(pairKey(check, host));
      const stays = ground.once.has(check) ? [] : ground.stays.filter((stay) => stay.host === host);
      const times = new Set([from, ...(pair ? timesOf(pair) : []), ...stays.flatMap((stay) => [stay.from, stay.to])]);
      for (const at of times) {
        if (at < from || at > to) continue;
        const isExpected = ground.once.has(check) || stays.some((stay) => stay.from <= at && at < stay.to);
        changes.push({ at, key: pairKey(check, host), answer: isExpected ? answerAt(pair, at).answer : null });
      }
    }
  changes.sort((a, b) => a.at - b.at);
  const counts = { pass: 0, fail: 0, excepted: 0, unknown: 0, expected: 0 };
  const now = new Map<string, Answer | null>();
  const add = (answer: Answer | null | undefined, by: 1 | -1): void => {
    if (answer === null || answer === undefined || answer === 'not-applicable') return;
    counts[answer] += by;
    counts.expected += by;
  };
  const turns: Turn[] = [];
  for (const [i, { at, key, answer }] of changes.entries()) {
    add(now.get(key), -1);
    add(answer, 1);
    now.set(key, answer);
    if (changes[i + 1]?.at === at) continue;
    const state = stateOf(counts);
    if (turns.at(-1)?.state !== state) turns.push({ at, state, counts: { ...counts } });
  }
  return turns.length > 0 || checks.length === 0 ? turns : [{ at: from, state: 'unknown', counts: NO_COUNTS }];
};

const everExpected = (ground: Ground, check: string): readonly AssetId[] =>
  ground.once.has(check) ? [ground.self] : [...new Set(ground.stays.map(({ host }) => host))];

/** How many controls stand how; those that no check speaks for are neither satisfied nor unknown, they are not measured. */
export interface Standing {
  readonly satisfied: number;
  readonly notSatisfied: number;
  readonly unknown: number;
  readonly notMeasured: number;
  readonly controls: number;
}

export const standingOf = (statuses: Iterable<ControlStatus>): Standing => {
  const standing = { satisfied: 0, notSatisfied: 0, unknown: 0, notMeasured: 0, controls: 0 };
  for (const { state, measured } of statuses) {
    standing.controls += 1;
    if (!measured) standing.notMeasured += 1;
    else if (state === 'satisfied') standing.satisfied += 1;
    else if (state === 'not-satisfied') standing.notSatisfied += 1;
    else standing.unknown += 1;
  }
  return standing;
};
