// SPDX-License-Identifier: Apache-2.0
/**
 * What one weekly report is made from, whole: with this and the method's version anyone computes every figure again.
 * Input: gathered from the stores at one time. Output: `weeklyFigures`, the bundle that is signed. Plain JSON throughout.
 */
import type { AssetId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { SourceFigure } from '../fleet/figures.ts';
import type { Stay } from '../isms/population.ts';
import type { Alert, AlertWork } from '../model/alert.ts';
import type { Control } from '../model/control.ts';
import type { HostStanding } from '../model/host.ts';
import type { Incident, IncidentMove, IncidentWork } from '../model/incident.ts';
import type { CheckMapping, Observation } from '../model/observation.ts';
import type { Risk } from '../model/risk.ts';
import type { Level } from '../model/rule.ts';
import type { ScoreInputs } from '../model/score.ts';

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

/** One change of a watched file. */
export interface FileChange {
  readonly event: string;
  readonly host: string;
  readonly path: string;
  readonly action: string;
  readonly at: UnixMs;
}

/** What agents that watch files said in one week. */
export interface FileInput {
  /** Hosts that finished a scan. */
  readonly hosts: number;
  /** Changes of files that no package transaction explains. */
  readonly changes: number;
  /** The first of them. */
  readonly sample: readonly FileChange[];
  readonly upgrades: readonly { readonly event: string; readonly files: number }[];
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
  readonly files: FileInput;
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
  /** Names that only others' logs have. */
  readonly unmanaged: readonly string[];
  /** Packages and hosts of the inventory. */
  readonly inventory: { readonly packages: number; readonly hosts: number };
}

/** Entities that stood highest when the week ended, and the same a week before. */
export interface ScoreInput {
  /** How many entities of each kind have a score. */
  readonly scored: Readonly<Record<string, number>>;
  readonly now: readonly ScoreInputs[];
  readonly before: readonly ScoreInputs[];
}

/** Catalogue, map and population that control states are derived from. */
export interface ControlInput {
  /** `csf:2.0`. */
  readonly catalogue: string;
  readonly title: string;
  readonly controls: readonly Pick<Control, 'ref' | 'id' | 'kind' | 'parent' | 'title'>[];
  readonly mappings: readonly Pick<CheckMapping, 'check' | 'control' | 'relationship'>[];
  readonly once: readonly string[];
  readonly self: AssetId;
  readonly stays: readonly Stay[];
  /** Titles of checks, where they are known. */
  readonly titles: Readonly<Record<string, string>>;
}

/** An incident as far as risks ask, with what people had said of it when the week ended. */
export interface RiskIncident {
  readonly incident: Pick<Incident, 'id' | 'number' | 'title' | 'techniques' | 'detected' | 'replay'>;
  readonly work: Pick<IncidentWork, 'state' | 'verdict' | 'moves'> | null;
}

export interface RiskInput {
  readonly risks: readonly Risk[];
  readonly incidents: readonly RiskIncident[];
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
  /** Spans of answers that reach into the weeks of the line, or back to the oldest assessment of a risk within a year. */
  readonly observations: readonly Observation[];
  readonly scores: ScoreInput;
  readonly controls: ControlInput;
  readonly risks: RiskInput;
}
