// SPDX-License-Identifier: Apache-2.0
/**
 * Inputs as they stood at a past time, and the daily snapshots that make every past value computable.
 * Input: the state store. Output: inputs at a time, a history by days; snapshots taken and old ones removed by the daily job.
 */
import { days, type UnixMs, unixMs } from '../../core/units.ts';
import { type Entity, parseEntity } from '../model/entity.ts';
import type { ScoreInputs, ScoreSnapshot } from '../model/score.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { valuesAt } from './formula.ts';
import { dailyId, snapshotId } from './inputs.ts';

const DAY = days(1);
export const midnight = (at: UnixMs): UnixMs => unixMs(at - (at % DAY));

/** Midnights that are tried from a time backwards or forwards. */
const TRIED = 45;

/**
 * The inputs that stood at a time; null when nothing was known of the entity then. Of changes within a quarter of an hour the last is kept,
 * so a time within one may give what stood before it.
 */
export const inputsAt = async (state: StateStore, entity: Entity, at: UnixMs): Promise<ScoreInputs | null> => {
  const now = (await state.get('score', entity))?.value ?? null;
  if (now === null || now.at <= at) return now;
  let inputs: ScoreInputs | null = (await dailyAfter(state, entity, at, now.at)) ?? now;
  while (inputs !== null && inputs.at > at) {
    if (inputs.before === null) return null;
    const found: Stored<ScoreSnapshot> | null = await state.get('scoreSnapshot', snapshotId(entity, inputs.before));
    // The finer snapshots are kept for some months; beyond them the day's own stands for the day.
    inputs = found === null ? await dailyBefore(state, entity, at) : found.value.inputs;
  }
  return inputs;
};

/** The next midnight's snapshot is nearer than today. */
const dailyAfter = async (state: StateStore, entity: Entity, at: UnixMs, until: UnixMs): Promise<ScoreInputs | null> => {
  for (let day = midnight(at) + DAY, n = 0; day < until && n < TRIED; day += DAY, n += 1) {
    const found = await state.get('scoreSnapshot', dailyId(entity, unixMs(day)));
    if (found !== null) return found.value.inputs;
  }
  return null;
};

const dailyBefore = async (state: StateStore, entity: Entity, at: UnixMs): Promise<ScoreInputs | null> => {
  for (let day = Number(midnight(at)), n = 0; n < TRIED; day -= DAY, n += 1) {
    const found = await state.get('scoreSnapshot', dailyId(entity, unixMs(day)));
    if (found !== null) return found.value.inputs;
  }
  return null;
};

export interface ScorePoint {
  readonly at: UnixMs;
  readonly threat: number;
  readonly exposure: number;
}

/** Both values at each midnight from `from` (inclusive) to `to`, and at `to`; 0 where nothing was known. */
export const historyOf = async (state: StateStore, entity: Entity, from: UnixMs, to: UnixMs): Promise<readonly ScorePoint[]> => {
  const times: UnixMs[] = [];
  for (let day = Number(midnight(unixMs(from + DAY - 1))); day < to; day += DAY) times.push(unixMs(day));
  const points: ScorePoint[] = [];
  for (const at of [...times, to]) {
    const inputs = await inputsAt(state, entity, at);
    points.push({ at, ...(inputs === null ? { threat: 0, exposure: 0 } : valuesAt(inputs, at)) });
  }
  return points;
};

/** Every entity that has inputs now. */
export async function* allScores(state: StateStore): AsyncGenerator<ScoreInputs, void> {
  for (let after: string | null | undefined; after !== null; ) {
    const page: Awaited<ReturnType<typeof state.list<'score'>>> = await state.list('score', {
      limit: 1000,
      ...(after === undefined ? {} : { after }),
    });
    for (const { value } of page.items) yield value;
    after = page.next;
  }
}

const CHANGES_KEPT = days(100);
const DAILIES_KEPT = days(400);
/** An address of which nothing is left is forgotten after this. */
const ADDRESS_KEPT = days(60);
/** Smallest value that a day keeps a snapshot for, hosts aside: what has decayed needs none. */
const WORTH = 1;

/** Takes the snapshots of the day that `at` lies in, and removes what is old. May be repeated. */
export const takeDaily = async (state: StateStore, at: UnixMs): Promise<number> => {
  const day = midnight(at);
  let taken = 0;
  for await (const now of allScores(state)) {
    const kind = parseEntity(now.entity)?.kind;
    const values = valuesAt(now, at);
    if (kind === 'ip' && values.threat === 0 && values.exposure === 0 && now.at < at - ADDRESS_KEPT) {
      await state.remove('score', now.entity);
      continue;
    }
    const inputs = now.at <= day ? now : await inputsAt(state, now.entity, day);
    if (inputs === null) continue;
    const then = valuesAt(inputs, day);
    if (kind !== 'host' && Math.max(then.threat, then.exposure) < WORTH) continue;
    await state.put('scoreSnapshot', dailyId(now.entity, day), { daily: true, at: day, inputs, ...then });
    taken += 1;
  }
  await removeOld(state, false, unixMs(at - CHANGES_KEPT));
  await removeOld(state, true, unixMs(at - DAILIES_KEPT));
  return taken;
};

const removeOld = async (state: StateStore, daily: boolean, before: UnixMs): Promise<void> => {
  const literal = (text: string) => ({ text, quoted: false, at: 0 });
  for (let more = true; more; ) {
    const { items } = await state.list('scoreSnapshot', {
      where: {
        kind: 'and',
        of: [
          { kind: 'is', field: literal('daily'), value: literal(String(daily)) },
          { kind: 'range', field: literal('at'), op: 'lt', value: literal(String(before)) },
        ],
      },
      limit: 1000,
    });
    for (const { id } of items) await state.remove('scoreSnapshot', id);
    more = items.length === 1000;
  }
};
