// SPDX-License-Identifier: Apache-2.0
/**
 * Scores: Threat (what is being done to an entity) and Exposure (how open it is), from 0 to 99.9, with exact shares.
 * Input: alerts, verdicts, incidents, observations. Output: console, incidents' severity, risks, the report.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from './entity.ts';
import type { Level } from './rule.ts';

/** Version of the weights: a figure names it, so that an old one can be recomputed. */
export const WEIGHTS_VERSION = 1;

/** What one rule or one check adds. */
export interface Contribution {
  /** Rule id or check id. */
  readonly key: string;
  readonly title: string;
  readonly level: Level;
  /** Stable 1, test 0.8, experimental 0.6; 1 for checks. */
  readonly confidence: number;
  readonly count: number;
  /** Decay counts from here; null for what does not decay. */
  readonly last: UnixMs | null;
  /** An incident on it is open: does not decay. */
  readonly frozen: boolean;
  /** 1 unless a verdict says less: false positive or duplicate 0, benign 0.1, waived 0. */
  readonly factor: number;
  /** The factor holds until then, afterwards it is 1: a waiver lapses by itself. */
  readonly factorUntil?: UnixMs;
  /** Open incidents that hold it. */
  readonly held?: readonly string[];
  /** Alerts or observations behind it, newest first, at most 20. */
  readonly sources: readonly string[];
}

/** Everything a score is computed from; kept daily, so that any past value can be computed again. */
export interface ScoreInputs {
  readonly entity: Entity;
  readonly name: string;
  readonly weights: number;
  /** Since when these stand. */
  readonly at: UnixMs;
  /** Since when those before them stood; null for the first. */
  readonly before: UnixMs | null;
  readonly threat: readonly Contribution[];
  readonly exposure: readonly Contribution[];
  /** Multipliers of odds: criticality, privileged, internet-exposed. */
  readonly context: readonly { readonly name: string; readonly odds: number }[];
}

export interface Share {
  readonly key: string;
  readonly title: string;
  /** What it weighs by itself at that time, from 0 to 99. */
  readonly weight: number;
  /** Points of the score; all shares add up to it. */
  readonly share: number;
  /** The score without this one. */
  readonly without: number;
  /** Alerts or observations that were counted. */
  readonly count: number;
  /** An open incident holds it: it does not decay. */
  readonly held: boolean;
  readonly sources: readonly string[];
}

export interface Score {
  readonly entity: Entity;
  readonly at: UnixMs;
  readonly threat: number;
  readonly exposure: number;
  readonly threatShares: readonly Share[];
  readonly exposureShares: readonly Share[];
  /** Both before the context's odds. */
  readonly combined: { readonly threat: number; readonly exposure: number };
  readonly odds: number;
  /** When decay next lowers the threat's first decimal; null when nothing decays. */
  readonly nextDecay: UnixMs | null;
}

/** Inputs as they stood at a time: one at each midnight, and one with each change, the last of a quarter of an hour. */
export interface ScoreSnapshot {
  readonly daily: boolean;
  readonly at: UnixMs;
  readonly inputs: ScoreInputs;
  readonly threat: number;
  readonly exposure: number;
}
