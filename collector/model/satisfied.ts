// SPDX-License-Identifier: Apache-2.0
/**
 * A satisfied window: what a rule or correlation found about one entity, before it is an alert (river.md S3, S5).
 * Input: correlate judges a page. Output: alert joins windows into episodes.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';

/** Whom an alert is about, and by which rule; replays have pairs of their own. */
export interface Pair {
  readonly rule: string;
  readonly entity: Entity;
  readonly replay: boolean;
}

/** Where the signals of a pair stand in the signals table. */
export interface MemberKey {
  readonly correlation: string;
  readonly group: string;
}

export interface Satisfied extends Pair {
  /** Group of the correlation that was satisfied, as in the signals table. */
  readonly group: string;
  /** First and last event time of the window, both inclusive. */
  readonly from: UnixMs;
  readonly to: UnixMs;
  readonly members: MemberKey;
  /** Ingest time of the signal that completed it. */
  readonly detected: UnixMs;
  /** Every signal that completed it lay over a window before the watermark (S8). */
  readonly late: boolean;
  /** Every signal that completed it was an old line at first sight (A2). */
  readonly backlog: boolean;
}

/** Signals of a pair that a page brought, whether or not they satisfied anything: an alert they fall into counts them. */
export interface Arrived extends Pair {
  readonly members: MemberKey;
  readonly times: readonly UnixMs[];
}

/** What judging one page found. */
export interface Judged {
  readonly satisfied: readonly Satisfied[];
  readonly arrived: readonly Arrived[];
}

/** Opens the group of a replay, so that it never mixes with what happens now. */
export const REPLAY_MARK = '\u001e';
/** Stands between the values of a group. */
export const GROUP_SEPARATOR = '\u001f';
