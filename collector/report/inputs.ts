// SPDX-License-Identifier: Apache-2.0
/**
 * What one weekly report is made from, whole: with this and the method's version anyone computes every figure again.
 * Input: gathered from the stores at one time. Output: `weeklyFigures`, the bundle that is signed. Plain JSON throughout.
 */
import type { UnixMs } from '../../core/units.ts';
import type { SourceFigure } from '../fleet/figures.ts';
import type { Alert, AlertWork } from '../model/alert.ts';
import type { HostStanding } from '../model/host.ts';
import type { Incident, IncidentMove } from '../model/incident.ts';
import type { Observation } from '../model/observation.ts';
import type { Level } from '../model/rule.ts';

/** Grows when a figure is computed otherwise from the same inputs. */
export const METHOD = 1;

export type AlertInput = Pick<
  Alert,
  'id' | 'rule' | 'title' | 'level' | 'entity' | 'entityName' | 'first' | 'detected' | 'techniques' | 'replay' | 'incident'
> &
  Pick<AlertWork, 'acknowledgedAt' | 'closedAt' | 'verdict'>;

export interface IncidentInput
  extends Pick<
    Incident,
    'id' | 'number' | 'title' | 'severity' | 'first' | 'detected' | 'alerts' | 'entities' | 'techniques' | 'backlog' | 'replay'
  > {
  readonly moves: readonly IncidentMove[];
  readonly owner: string | null;
  readonly verdict: string | null;
  /** Names of the hosts it speaks of. */
  readonly hosts: readonly string[];
}

/** One thing that Vigil noticed about itself: a gap, a silent agent, a rule that was put aside. */
export interface NoticeInput {
  readonly event: string;
  readonly at: UnixMs;
  readonly action: string;
  readonly host: string | null;
  readonly message: string;
  readonly count: number;
}

export interface CountByName {
  readonly name: string;
  readonly count: number;
}

/** What was stored of one week. */
export interface Records {
  readonly total: number;
  /** Kept raw: no decoder understood them. */
  readonly failed: number;
  /** One a day of the week. */
  readonly byDay: readonly number[];
  readonly byHost: readonly (CountByName & {
    readonly host: string;
    /** Hours of the week in which at least one record was heard. */
    readonly hours: number;
  })[];
  readonly byDataset: readonly CountByName[];
}

/** What happened in one week; facts that come later may still change it. */
export interface WindowInput {
  readonly week: string;
  readonly from: UnixMs;
  readonly to: UnixMs;
  readonly days: readonly UnixMs[];
  readonly alerts: readonly AlertInput[];
  readonly incidents: readonly IncidentInput[];
  readonly records: Records;
  readonly notices: readonly NoticeInput[];
  /** More notices than are kept here. */
  readonly noticesMore: number;
}

export interface RuleInput {
  readonly rule: string;
  readonly title: string;
  readonly level: string;
  readonly state: 'live' | 'silent' | 'blind';
  readonly missing: readonly string[];
  readonly techniques: readonly string[];
}

/** What can only be known as it stands; taken when the report is first made and kept by its revisions. */
export interface MomentInput {
  readonly at: UnixMs;
  readonly hosts: readonly HostStanding[];
  readonly sources: readonly Pick<SourceFigure, 'host' | 'stream' | 'dataset' | 'behindBytes' | 'counts'>[];
  /** Sources that an agent may not or cannot read: `code about` of each host. */
  readonly unreadable: readonly { readonly host: string; readonly code: string; readonly about: string }[];
  readonly rules: {
    readonly loaded: number;
    readonly refused: readonly { readonly file: string; readonly line: number; readonly message: string }[];
    /** Null where the rules have not been looked at yet. */
    readonly coverage: readonly RuleInput[] | null;
  };
}

/** How soon each step is wanted, in ms, by severity; null is no target. */
export type Targets = Readonly<Record<'acknowledge' | 'contain' | 'resolve', Readonly<Record<Level, number | null>>>>;

export interface ReportInputs {
  readonly method: number;
  readonly week: string;
  readonly zone: string;
  readonly organisation: string;
  readonly targets: Targets;
  readonly now: WindowInput;
  readonly before: WindowInput;
  readonly moment: MomentInput;
  /** Spans of answers that reach into this week, the week before, or the end of one of the eleven before. */
  readonly observations: readonly Observation[];
}

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

export const TARGETS: Targets = {
  acknowledge: { critical: 30 * MINUTE, high: 4 * HOUR, medium: DAY, low: 3 * DAY, informational: null },
  contain: { critical: 4 * HOUR, high: DAY, medium: null, low: null, informational: null },
  resolve: { critical: 3 * DAY, high: 3 * DAY, medium: 14 * DAY, low: 30 * DAY, informational: null },
};
