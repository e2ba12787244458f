// SPDX-License-Identifier: Apache-2.0
/**
 * Checks and observations: a question that can be answered by observing, and one answer about one subject over one span of time.
 * Input: posture facts of the agents, checks that the collector answers from its own knowledge. Output: control states, Exposure, risks, the report.
 */
import { type EventId, hashId } from '../../core/ids.ts';
import type { Ms, UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';
import type { Level } from './rule.ts';

export type ObservationId = ReturnType<typeof hashId<'obs'>>;

export const RESULTS = ['pass', 'fail', 'error', 'not-applicable', 'unknown'] as const;
/** `error` and `unknown` are never a pass; `not-applicable` leaves the population. */
export type Result = (typeof RESULTS)[number];

/** Relation of a check to a control, in the words of OSCAL's mapping model; a part covered infers at most "partial". */
export const RELATIONSHIPS = ['equal-to', 'equivalent-to', 'subset-of', 'superset-of', 'intersects-with'] as const;
export type Relationship = (typeof RELATIONSHIPS)[number];

export interface Check {
  /** Dotted or dashed, lower-case, e.g. `ssh-root-login-disabled`. */
  readonly id: string;
  readonly title: string;
  readonly severity: Level;
  /** OSCAL method. */
  readonly method: 'TEST' | 'EXAMINE' | 'INTERVIEW';
  /** Answers older than this are unknown. */
  readonly freshMs: Ms;
  /** Who answers it: the agent's posture run, or the collector from what it knows. */
  readonly by: 'agent' | 'collector';
  readonly fix?: string;
}

/** Why and how far a check supports a control; data in rules/controls/map.yml. */
export interface CheckMapping {
  readonly check: string;
  /** Edition-qualified: `csf:2.0/PR.AA-05`. */
  readonly control: string;
  readonly relationship: Relationship;
  readonly reason: string;
}

/**
 * The same answer about one subject over a span of time: begun by the observation that changed the answer, carried on by each that repeated it.
 * A gap longer than the check's freshness ends a span, so the state at any past time is exact: what is not covered is unknown.
 */
export interface Observation {
  readonly id: ObservationId;
  readonly check: string;
  readonly subject: Entity;
  readonly result: Result;
  readonly actual: string;
  readonly expected: string;
  readonly severity: Level;
  readonly reason?: string;
  /** First and last time this answer was observed. */
  readonly first: UnixMs;
  readonly last: UnixMs;
  /** The answer holds until then unless it is repeated. */
  readonly expires: UnixMs;
  /** How long an answer of this check holds; `expires` less `last` when absent. */
  readonly freshMs?: Ms;
  /** Newest times at which it was said, ascending, at most 48: a late answer that contradicts splits the span where it belongs. */
  readonly times?: readonly UnixMs[];
  /** An event that said this answer, the first as far as it is known, where an agent gave it. */
  readonly event?: EventId;
  /** A fail that somebody answers for until a date; lapses by itself. */
  readonly waiver?: { readonly reason: string; readonly owner: string; readonly until: UnixMs };
  /** The newest span of its pair. */
  readonly open: boolean;
}

export const observationId = (check: string, subject: Entity, first: UnixMs): ObservationId => hashId('obs', check, subject, first);

/** The span that tells the answer at a time; undefined is unknown. Spans are of one pair. */
export const spanAt = (spans: readonly Observation[], at: UnixMs): Observation | undefined =>
  spans.find(({ first, expires }) => first <= at && at < expires);
