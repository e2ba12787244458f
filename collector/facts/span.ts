// SPDX-License-Identifier: Apache-2.0
/**
 * Answers of a check into spans: a repeated answer carries a span on, another answer or a gap longer than its freshness ends it. Pure.
 * Input: the spans of one pair around a time, one answer. Output: which spans to write and which to take away; the same in any order of arrival.
 */
import type { EventId } from '../../core/ids.ts';
import { type Ms, ms, type UnixMs, unixMs } from '../../core/units.ts';
import type { Entity } from '../model/entity.ts';
import { type Observation, type ObservationId, observationId, type Result } from '../model/observation.ts';
import type { Level } from '../model/rule.ts';

/** What a check was answered, about one subject, at one time. */
export interface Answer {
  readonly check: string;
  readonly subject: Entity;
  readonly result: Result;
  readonly actual: string;
  readonly expected: string;
  readonly severity: Level;
  readonly reason?: string;
  readonly waiver?: NonNullable<Observation['waiver']>;
  readonly freshMs: Ms;
  readonly at: UnixMs;
  readonly event?: EventId;
}

export interface SpanChange {
  readonly put: readonly Observation[];
  readonly remove: readonly ObservationId[];
}

const NOTHING: SpanChange = { put: [], remove: [] };
/** Two days of hourly answers: a contradiction that comes later than so many answers splits a span at the nearest time that is known. */
export const TIMES_KEPT = 48;

/** Of two answers at one time the worse holds. */
const WORST_FIRST: readonly Result[] = ['fail', 'error', 'unknown', 'not-applicable', 'pass'];

type Said = Omit<Answer, 'at' | 'event'>;

/** Two answers with the same text are the same answer. */
const textOf = ({ result, actual, expected, severity, reason, waiver, freshMs }: Said): string =>
  JSON.stringify([result, actual, expected, severity, reason, waiver && [waiver.reason, waiver.owner, waiver.until], freshMs]);

const beats = (a: Said, b: Said): boolean => {
  const ranks = WORST_FIRST.indexOf(a.result) - WORST_FIRST.indexOf(b.result);
  return ranks < 0 || (ranks === 0 && textOf(a) < textOf(b));
};

/** One known time of an answer; `joined`: nothing else was said between it and the one before. */
interface Point {
  readonly at: UnixMs;
  readonly said: Said;
  readonly text: string;
  readonly event: EventId | undefined;
  readonly joined: boolean;
}

const timesOf = ({ first, last, times = first === last ? [first] : [first, last] }: Observation): readonly UnixMs[] => times;
const saidOf = (span: Observation): Said => ({ ...span, freshMs: span.freshMs ?? ms(span.expires - span.last) });

const pointsOf = (span: Observation): readonly Point[] => {
  const times = timesOf(span);
  const said = saidOf(span);
  const text = textOf(said);
  const known = times[0] === span.first ? times : [span.first, ...times];
  return known.map((at, n) => ({ at, said, text, event: span.event, joined: n > 0 }));
};

/** Points in order of time into runs of one answer. */
const runsOf = (points: readonly Point[]): readonly (readonly Point[])[] => {
  const runs: Point[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    const goesOn = before !== undefined && before.text === point.text && (point.joined || point.at - before.at <= point.said.freshMs);
    if (run !== undefined && goesOn) run.push(point);
    else runs.push([point]);
  }
  return runs;
};

const spanOf = (run: readonly Point[], next: UnixMs | undefined, open: boolean): Observation => {
  const [{ at: first, said, event }, { at: last }] = [run[0] as Point, run.at(-1) as Point];
  const { check, subject, result, actual, expected, severity, reason, waiver, freshMs } = said;
  return {
    id: observationId(check, subject, first),
    check,
    subject,
    result,
    actual,
    expected,
    severity,
    ...(reason === undefined ? {} : { reason }),
    first,
    last,
    expires: unixMs(Math.min(last + freshMs, next ?? Number.POSITIVE_INFINITY)),
    freshMs,
    times: run.slice(-TIMES_KEPT).map(({ at }) => at),
    ...(event === undefined ? {} : { event }),
    ...(waiver === undefined ? {} : { waiver }),
    open,
  };
};

/** The usual case: the newest answer once more. */
const carriedOn = (span: Observation, answer: Answer): Observation => ({
  ...span,
  last: answer.at,
  expires: unixMs(answer.at + answer.freshMs),
  times: [...timesOf(span).slice(1 - TIMES_KEPT), answer.at],
});

/** Where an answer belongs among the spans around its time, which `FactReader.spansNear` gives. */
export const placeAnswer = (near: readonly Observation[], answer: Answer): SpanChange => {
  const newest = near.at(-1);
  const text = textOf(answer);
  if (newest?.open && answer.at > newest.last && answer.at - newest.last <= answer.freshMs && textOf(saidOf(newest)) === text)
    return { put: [carriedOn(newest, answer)], remove: [] };
  const points = near.flatMap(pointsOf);
  const same = points.findIndex(({ at }) => at === answer.at);
  const there = points[same];
  if (there !== undefined && !beats(answer, there.said)) return NOTHING;
  const rest = there === undefined ? points : points.filter((_, n) => n !== same);
  const after = rest.findIndex(({ at }) => at > answer.at);
  const place = after < 0 ? rest.length : after;
  const [before, next] = [rest[place - 1], rest[place]];
  const own: Point = {
    at: answer.at,
    said: answer,
    text,
    event: answer.event,
    joined: next?.joined === true && next.text === text && before?.text === text,
  };
  const tail = rest.slice(place).map((point, n) => (n === 0 ? { ...point, joined: point.joined && point.text === text } : point));
  const runs = runsOf([...rest.slice(0, place), own, ...tail]);
  return changesOf(near, runs);
};

const changesOf = (near: readonly Observation[], runs: readonly (readonly Point[])[]): SpanChange => {
  const last = near.at(-1);
  const isNewest = last === undefined || last.open;
  const made = runs.map((run, n) => {
    const next = runs[n + 1]?.[0]?.at;
    const span = spanOf(run, next, isNewest && n === runs.length - 1);
    // What stands behind the spans that were read decides how long the last of them holds.
    return next === undefined && last !== undefined && !isNewest && span.last === last.last ? { ...span, expires: last.expires } : span;
  });
  const known = new Map(near.map((span) => [span.id, JSON.stringify(span)]));
  const ids = new Set(made.map(({ id }) => id));
  return {
    put: made.filter((span) => known.get(span.id) !== JSON.stringify(span)),
    remove: near.flatMap(({ id }) => (ids.has(id) ? [] : [id])),
  };
};
