// SPDX-License-Identifier: Apache-2.0
/**
 * Inputs of one entity's score, computed anew from the sets behind it, and what must be written when they differ from those that stood.
 * Input: a synchronous reader, inside the transaction that changed something. Output: writes of the score and its snapshot.
 */
import { isoTime, minutes, type UnixMs, unixMs } from '../../core/units.ts';
import type { Entity } from '../model/entity.ts';
import { type ScoreInputs, type ScoreSnapshot, WEIGHTS_VERSION } from '../model/score.ts';
import type { ScoreReader } from '../model/scores.ts';
import type { Write } from '../store/store.ts';
import { contextOf } from './context.ts';
import { exposureOf } from './exposure.ts';
import { valuesAt } from './formula.ts';
import { threatOf } from './threat.ts';

export interface InputParts {
  readonly reader: ScoreReader;
  readonly nameOf: (entity: Entity) => string;
  /** Of a rule; undefined while the rules are not loaded, then what stood before is kept. */
  readonly confidence: (rule: string) => number | undefined;
  /** Of a check; undefined while it is not known, then what stood before is kept. */
  readonly titleOf: (check: string) => string | undefined;
}

/** Changes within this span share one snapshot, the last. */
const SLOT = minutes(15);

const slotOf = (at: UnixMs): UnixMs => unixMs(at - (at % SLOT));

/** Id of the snapshot that keeps inputs which stand since `at`. */
export const snapshotId = (entity: Entity, at: UnixMs): string => `${entity}@${isoTime(slotOf(at))}`;

/** Id of the snapshot at the midnight that begins a day (UTC). */
export const dailyId = (entity: Entity, at: UnixMs): string => `${entity}@${isoTime(at).slice(0, 10)}`;

/** What must be written for an entity; nothing where its inputs are those that stand. `at` is when the change became known. */
export const scoreWrites = (entity: Entity, before: ScoreInputs | null, at: UnixMs, parts: InputParts): readonly Write[] => {
  const kept = new Map(before?.threat.map(({ key, confidence }) => [key, confidence]));
  const titles = new Map(before?.exposure.map(({ key, title }) => [key, title]));
  const standing = parts.reader.standing(entity);
  const alerts = standing.absent ? [] : parts.reader.alerts(entity);
  const found = {
    entity,
    name: parts.nameOf(entity),
    weights: WEIGHTS_VERSION,
    threat: threatOf(alerts, (rule) => parts.confidence(rule) ?? kept.get(rule) ?? 1),
    exposure: exposureOf(parts.reader.answers(entity), (check) => parts.titleOf(check) ?? titles.get(check) ?? check),
    context: contextOf(standing),
  };
  if (before === null && found.threat.length === 0 && found.exposure.length === 0) return [];
  if (before !== null && isSame(before, found)) return [];
  // Snapshots of an entity never go back in time, whatever clock the change came by.
  const since = unixMs(Math.max(at, before?.at ?? 0));
  const overwrites = before !== null && slotOf(before.at) === slotOf(since);
  const inputs: ScoreInputs = { ...found, at: since, before: before === null ? null : overwrites ? before.before : before.at };
  const snapshot: ScoreSnapshot = { daily: false, at: since, inputs, ...valuesAt(inputs, since) };
  return [
    { collection: 'score', id: entity, value: inputs },
    { collection: 'scoreSnapshot', id: snapshotId(entity, since), value: snapshot },
  ];
};

const isSame = (before: ScoreInputs, found: Omit<ScoreInputs, 'at' | 'before'>): boolean => {
  const text = ({ entity, name, weights, threat, exposure, context }: Omit<ScoreInputs, 'at' | 'before'>): string =>
    JSON.stringify([entity, name, weights, threat, exposure, context]);
  return text(before) === text(found);
};
