// SPDX-License-Identifier: Apache-2.0
/**
 * A score in sentences: how its parts make it, and what would lower it. Pure; nothing is said that the inputs do not hold.
 * Input: inputs and a time. Output: sentences for `explain`, the console and the report.
 */
import { isoTime, type UnixMs } from '../../core/units.ts';
import type { Score, ScoreInputs, Share } from '../model/score.ts';
import { belowAt } from './formula.ts';

export interface ScoreWords {
  readonly how: readonly string[];
  readonly lowers: readonly string[];
}

/** What people aim for when an incident is over: below it an entity is not at the top of any list. */
const CALM = 50;

const day = (at: UnixMs): string => isoTime(at).slice(0, 10);

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

export const explainScore = (inputs: ScoreInputs, score: Score): ScoreWords => ({
  how: howOf(inputs, score),
  lowers: lowersOf(inputs, score),
});

const howOf = (inputs: ScoreInputs, { threatShares, exposureShares, combined, odds }: Score): readonly string[] => {
  const context = inputs.context.length === 0 ? '' : `, then ×${odds} on the odds for ${listed(inputs.context.map(({ name }) => name))}`;
  return [
    ...(threatShares.length === 0 ? ['No alert raises the threat.'] : [`Threat: combined ${combined.threat.toFixed(1)}${context}.`]),
    ...(exposureShares.length === 0
      ? ['No failing check raises the exposure.']
      : [`Exposure: combined ${combined.exposure.toFixed(1)}${context}.`]),
  ];
};

const lowersOf = (inputs: ScoreInputs, score: Score): readonly string[] => {
  const held = [...new Set(inputs.threat.flatMap((one) => (one.frozen ? (one.held ?? []) : [])))];
  const words: string[] = [];
  if (score.threat > 0 && held.length > 0) {
    const ends = held.length === 1 ? 'Ending the open incident' : `Ending the ${held.length} open incidents`;
    const by = score.threat >= CALM ? belowAt(inputs, CALM, score.at, true) : null;
    words.push(
      by === null ? `${ends} starts the decay.` : `${ends} starts the decay: ended now and nothing new, it is below ${CALM} on ${day(by)}.`,
    );
  } else if (score.nextDecay !== null) words.push(`It decays by itself, next at ${isoTime(score.nextDecay)}.`);
  const best = (shares: readonly Share[]): Share | undefined =>
    shares.reduce<Share | undefined>((least, one) => (least === undefined || one.without < least.without ? one : least), undefined);
  const [threat, exposure] = [best(score.threatShares), best(score.exposureShares)];
  if (threat !== undefined) words.push(`Without "${threat.title}" the threat would be ${threat.without.toFixed(1)}.`);
  if (exposure !== undefined) words.push(`Mending "${exposure.title}" brings the exposure to ${exposure.without.toFixed(1)}.`);
  return words;
};
