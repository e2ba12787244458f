// SPDX-License-Identifier: Apache-2.0
/**
 * Scores of many entities in order, with how they moved. Pure.
 * Input: inputs of entities as they stand at a time and as they stood before. Output: rows for lists and the weekly report.
 */
import type { UnixMs } from '../../core/units.ts';
import { type EntityKind, parseEntity } from '../model/entity.ts';
import type { Score, ScoreInputs } from '../model/score.ts';
import { rounded, scoreAt, valuesAt } from './formula.ts';

export const SCORE_ORDERS = ['threat', 'exposure'] as const;
export type ScoreOrder = (typeof SCORE_ORDERS)[number];

export interface Ranked {
  readonly inputs: ScoreInputs;
  readonly threat: number;
  readonly exposure: number;
}

/** Entities that have a score at the time, highest first; ties by the other score, then by name. */
export const rankScores = (
  all: readonly ScoreInputs[],
  at: UnixMs,
  { order, kind }: { readonly order: ScoreOrder; readonly kind?: EntityKind },
): readonly Ranked[] => {
  const other: ScoreOrder = order === 'threat' ? 'exposure' : 'threat';
  return all
    .filter(({ entity }) => kind === undefined || parseEntity(entity)?.kind === kind)
    .map((inputs) => ({ inputs, ...valuesAt(inputs, at) }))
    .filter((one) => one[order] > 0)
    .sort(
      (a, b) =>
        b[order] - a[order] ||
        b[other] - a[other] ||
        (a.inputs.name < b.inputs.name ? -1 : a.inputs.name > b.inputs.name ? 1 : 0) ||
        (a.inputs.entity < b.inputs.entity ? -1 : 1),
    );
};

export interface Moved {
  readonly score: Score;
  readonly name: string;
  /** Difference to the time before, one decimal. */
  readonly threatBy: number;
  readonly exposureBy: number;
}

/** A score with how it moved since `before`, when other inputs, or none, stood. */
export const movedScore = (now: ScoreInputs, at: UnixMs, then: ScoreInputs | null, before: UnixMs): Moved => {
  const score = scoreAt(now, at);
  const was = then === null ? { threat: 0, exposure: 0 } : valuesAt(then, before);
  const by = (a: number, b: number): number => (a >= b ? rounded(a - b) : -rounded(b - a));
  return { score, name: now.name, threatBy: by(score.threat, was.threat), exposureBy: by(score.exposure, was.exposure) };
};
