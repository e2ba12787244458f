// SPDX-License-Identifier: Apache-2.0
/**
 * The context of an entity as multipliers of odds, each with its name, so that a figure can say why it is higher. Pure.
 * Input: what is known of the entity. Output: the context of its score's inputs.
 */
import type { ScoreInputs } from '../model/score.ts';
import type { Standing } from '../model/scores.ts';
import { CRITICALITY_ODDS, INTERNET_ODDS, PRIVILEGED_ODDS } from './weights.ts';

export const contextOf = ({ criticality = 'normal', privileged, internet }: Standing): ScoreInputs['context'] => [
  ...(criticality === 'normal' ? [] : [{ name: `criticality ${criticality}`, odds: CRITICALITY_ODDS[criticality] }]),
  ...(privileged ? [{ name: 'privileged', odds: PRIVILEGED_ODDS }] : []),
  ...(internet ? [{ name: 'internet-exposed', odds: INTERNET_ODDS }] : []),
];
