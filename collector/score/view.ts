// SPDX-License-Identifier: Apache-2.0
/**
 * Scores as people read them: lists, one with its shares at any time, its history, the chain down to raw lines.
 * Input: the two stores. Output: what the routes answer with.
 */
import { isIP } from 'node:net';
import { days, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { type Entity, makeEntity, parseEntity } from '../model/entity.ts';
import { type EvidenceLine, evidenceLine } from '../model/evidence.ts';
import type { Score, ScoreInputs, Share } from '../model/score.ts';
import type { EventStore, StateStore } from '../store/store.ts';
import { explainScore, type ScoreWords } from './explain.ts';
import { type Moved, movedScore, type Ranked, rankScores } from './figures.ts';
import { scoreAt } from './formula.ts';
import type { ScorePorts, ScoreQuestion } from './routes.ts';
import { allScores, historyOf, inputsAt } from './snapshot.ts';

export interface ScoreView extends Moved {
  readonly inputs: ScoreInputs;
  readonly weekThreatBy: number;
  readonly weekExposureBy: number;
  readonly words: ScoreWords;
}

/** One source behind a share, with its first raw lines. */
export interface ScoreSource {
  readonly id: string;
  readonly text: string;
  readonly lines: readonly EvidenceLine[];
}

export interface ScoreChain {
  readonly inputs: ScoreInputs;
  readonly score: Score;
  readonly words: ScoreWords;
  readonly shares: readonly (Share & {
    readonly side: 'threat' | 'exposure';
    readonly chain: readonly ScoreSource[];
    readonly more: number;
  })[];
}

/** Lists look at no more entities than these. */
const MOST = 100_000;
const SOURCES_SHOWN = 3;
const LINES_SHOWN = 3;

export const readScores = (state: StateStore, events: Pick<EventStore, 'get'>, now: () => UnixMs): ScorePorts => {
  const rank = async ({ at = now(), order, kind }: ScoreQuestion): Promise<readonly Ranked[]> => {
    const all: ScoreInputs[] = [];
    for await (const inputs of allScores(state)) {
      const then = inputs.at <= at ? inputs : await inputsAt(state, inputs.entity, at);
      if (then !== null) all.push(then);
      if (all.length >= MOST) break;
    }
    return rankScores(all, at, { order, ...(kind === undefined ? {} : { kind }) });
  };
  const found = async (ref: string, at: UnixMs): Promise<ScoreInputs> => {
    const entity = await entityOf(state, ref);
    const inputs = entity === null ? null : await inputsAt(state, entity, at);
    if (inputs === null) throw fault('NOT_FOUND', { what: 'score', id: ref });
    return inputs;
  };
  return {
    now,
    list: async (question, { limit, after }) => {
      const from = after === undefined ? 0 : Number.parseInt(after, 10) || 0;
      const all = await rank(question);
      const items = all.slice(from, from + limit).map(({ inputs }) => scoreAt(inputs, question.at ?? now()));
      return {
        items: items.map((score, i) => ({ score, name: (all[from + i] as Ranked).inputs.name })),
        next: from + items.length < all.length ? String(from + items.length) : null,
        total: all.length,
      };
    },
    get: async (ref, at = now()) => {
      const inputs = await found(ref, at);
      const [dayAgo, weekAgo] = [unixMs(at - days(1)), unixMs(at - days(7))];
      const [day, week] = await Promise.all([inputsAt(state, inputs.entity, dayAgo), inputsAt(state, inputs.entity, weekAgo)]);
      const moved = movedScore(inputs, at, day, dayAgo);
      const since = movedScore(inputs, at, week, weekAgo);
      const words = explainScore(inputs, moved.score);
      return { ...moved, inputs, weekThreatBy: since.threatBy, weekExposureBy: since.exposureBy, words };
    },
    history: async (ref, from, to) => {
      const entity = await entityOf(state, ref);
      if (entity === null || (await state.get('score', entity)) === null) throw fault('NOT_FOUND', { what: 'score', id: ref });
      return historyOf(state, entity, from, to);
    },
    explain: async (ref, at = now()): Promise<ScoreChain> => {
      const inputs = await found(ref, at);
      const score = scoreAt(inputs, at);
      const side = (shares: readonly Share[], of: 'threat' | 'exposure') =>
        Promise.all(
          shares.map(async (share) => {
            const shown = share.sources.slice(0, SOURCES_SHOWN);
            const chain = (await Promise.all(shown.map((id) => sourceOf(state, events, id)))).flatMap((one) => one ?? []);
            return { ...share, side: of, chain, more: share.sources.length - shown.length };
          }),
        );
      const [threat, exposure] = await Promise.all([side(score.threatShares, 'threat'), side(score.exposureShares, 'exposure')]);
      return { inputs, score, words: explainScore(inputs, score), shares: [...threat, ...exposure] };
    },
  };
};

/** `host:ast_…`, an address, a host's name or `user@host`; null when there is no such host. */
const entityOf = async (state: StateStore, ref: string): Promise<Entity | null> => {
  if (parseEntity(ref) !== null && isIP(ref) === 0) return ref as Entity;
  if (isIP(ref) !== 0) return makeEntity('ip', ref);
  const at = ref.lastIndexOf('@');
  const literal = (text: string) => ({ text, quoted: true, at: 0 });
  const host = await state.list('asset', { where: { kind: 'is', field: literal('name'), value: literal(ref.slice(at + 1)) }, limit: 1 });
  const asset = host.items[0]?.value.id ?? (await state.get('asset', ref.slice(at + 1)))?.value.id;
  if (asset === undefined) return null;
  return at < 0 ? makeEntity('host', asset) : makeEntity('user', `${ref.slice(0, at)}@${asset}`);
};

const sourceOf = async (state: StateStore, events: Pick<EventStore, 'get'>, id: string): Promise<ScoreSource | null> => {
  const linesOf = async (ids: readonly string[], at: UnixMs): Promise<readonly EvidenceLine[]> =>
    (await events.get(ids.slice(0, LINES_SHOWN)))
      .flatMap((event) => evidenceLine(event, at) ?? [])
      .sort((a, b) => a.time - b.time || a.seq - b.seq);
  if (id.startsWith('alr_')) {
    const alert = (await state.get('alert', id))?.value;
    return alert === undefined ? null : { id, text: `${alert.title} (${alert.level})`, lines: await linesOf(alert.sample, alert.first) };
  }
  const one = (await state.get('observation', id))?.value;
  if (one === undefined) return null;
  const text = `${one.check} is ${one.actual}, expected ${one.expected}`;
  return { id, text, lines: one.event === undefined ? [] : await linesOf([one.event], one.first) };
};
