// SPDX-License-Identifier: Apache-2.0
/**
 * Scores over HTTP: entities by threat or exposure, one with its exact shares, its history, the chain down to raw lines; each at any time.
 * Input: functions that read scores. Output: JSON.
 */
import { type Static, Type } from 'typebox';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { Count, closed, listOf, PageQuery, type Route, route, Time } from '../http/route.ts';
import { ENTITY_KINDS, type EntityKind } from '../model/entity.ts';
import type { Score, Share } from '../model/score.ts';
import { readTime, readWindow } from '../query/window.ts';
import { SCORE_ORDERS, type ScoreOrder } from './figures.ts';
import type { ScorePoint } from './snapshot.ts';
import type { ScoreChain, ScoreView } from './view.ts';

export interface ScoreQuestion {
  readonly order: ScoreOrder;
  readonly kind?: EntityKind;
  readonly at?: UnixMs;
}

/** All take an entity (`host:ast_…`), an address, a host's name or `user@host`, and throw NOT_FOUND where nothing is known of it. */
export interface ScorePorts {
  readonly now: () => UnixMs;
  list(
    question: ScoreQuestion,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{
    readonly items: readonly { readonly score: Score; readonly name: string }[];
    readonly next: string | null;
    readonly total: number;
  }>;
  get(ref: string, at?: UnixMs): Promise<ScoreView>;
  /** At each midnight between, and at the end. */
  history(ref: string, from: UnixMs, to: UnixMs): Promise<readonly ScorePoint[]>;
  explain(ref: string, at?: UnixMs): Promise<ScoreChain>;
}

const Value = Type.Number({ minimum: 0, maximum: 99.9 });

const ShareSchema = Type.Object({
  key: Type.String({ description: 'rule or check' }),
  title: Type.String(),
  weight: Type.Number({ description: 'what it weighs by itself, 0 to 99' }),
  share: Type.Number({ description: 'points of the score; all add up to it' }),
  without: Type.Number({ description: 'the score without it' }),
  count: Count,
  held: Type.Boolean({ description: 'an open incident holds it: it does not decay' }),
  sources: Type.Array(Type.String()),
});

const Shown = {
  entity: Type.String(),
  name: Type.String(),
  at: Time,
  threat: Value,
  exposure: Value,
  threatShares: Type.Array(ShareSchema),
  exposureShares: Type.Array(ShareSchema),
  nextDecay: Type.Union([Time, Type.Null()]),
};

const Context = Type.Array(Type.Object({ name: Type.String(), odds: Type.Number() }));
const Words = { how: Type.Array(Type.String()), lowers: Type.Array(Type.String()) };

const OneSchema = Type.Object({
  ...Shown,
  ...Words,
  combined: Type.Object({ threat: Type.Number(), exposure: Type.Number() }),
  odds: Type.Number(),
  context: Context,
  inputsSince: Time,
  weights: Count,
  day: Type.Object({ threat: Type.Number(), exposure: Type.Number() }),
  week: Type.Object({ threat: Type.Number(), exposure: Type.Number() }),
});

const LineSchema = Type.Object({
  event: Type.String(),
  time: Time,
  original: Type.String(),
  stream: Type.String(),
  seq: Count,
  offset: Count,
});

const ChainSchema = Type.Object({
  entity: Type.String(),
  name: Type.String(),
  at: Time,
  threat: Value,
  exposure: Value,
  odds: Type.Number(),
  context: Context,
  inputsSince: Time,
  weights: Count,
  ...Words,
  shares: Type.Array(
    Type.Object({
      side: Type.Enum([...SCORE_ORDERS]),
      ...ShareSchema.properties,
      chain: Type.Array(Type.Object({ id: Type.String(), text: Type.String(), lines: Type.Array(LineSchema) })),
      more: Count,
    }),
  ),
});

const shareJson = (share: Share) => ({ ...share, sources: [...share.sources] });

const shownJson = (score: Score, name: string) => ({
  entity: score.entity,
  name,
  at: isoTime(score.at),
  threat: score.threat,
  exposure: score.exposure,
  threatShares: score.threatShares.map(shareJson),
  exposureShares: score.exposureShares.map(shareJson),
  nextDecay: score.nextDecay === null ? null : isoTime(score.nextDecay),
});

const viewJson = (view: ScoreView): Static<typeof OneSchema> => ({
  ...shownJson(view.score, view.name),
  how: [...view.words.how],
  lowers: [...view.words.lowers],
  combined: view.score.combined,
  odds: view.score.odds,
  context: view.inputs.context.map((one) => ({ ...one })),
  inputsSince: isoTime(view.inputs.at),
  weights: view.inputs.weights,
  day: { threat: view.threatBy, exposure: view.exposureBy },
  week: { threat: view.weekThreatBy, exposure: view.weekExposureBy },
});

const chainJson = ({ inputs, score, words, shares }: ScoreChain): Static<typeof ChainSchema> => ({
  entity: inputs.entity,
  name: inputs.name,
  at: isoTime(score.at),
  threat: score.threat,
  exposure: score.exposure,
  odds: score.odds,
  context: inputs.context.map((one) => ({ ...one })),
  inputsSince: isoTime(inputs.at),
  weights: inputs.weights,
  how: [...words.how],
  lowers: [...words.lowers],
  shares: shares.map(({ chain, ...share }) => ({
    ...shareJson(share),
    side: share.side,
    more: share.more,
    chain: chain.map(({ id, text, lines }) => ({ id, text, lines: lines.map((line) => ({ ...line, time: isoTime(line.time) })) })),
  })),
});

const At = Type.Optional(Type.String({ maxLength: 64, description: 'ISO 8601 or date math such as now-24h; now by default' }));
/** An entity's text can be longer than an id. */
const Ref = closed({ id: Type.String({ minLength: 1, maxLength: 200 }) });

export const scoreRoutes = (ports: ScorePorts): readonly Route[] => {
  const shape = { tag: 'score', permission: 'alert.read', method: 'GET' } as const;
  const timeOf = (text: string | undefined): UnixMs | undefined => (text === undefined ? undefined : readTime(text, ports.now()));
  return [
    route({
      ...shape,
      path: '/api/v1/scores',
      summary: 'Hosts, users and addresses by threat or exposure, highest first.',
      query: closed({
        order: Type.Optional(Type.Enum([...SCORE_ORDERS])),
        kind: Type.Optional(Type.Enum([...ENTITY_KINDS])),
        at: At,
        ...PageQuery,
      }),
      answer: listOf(Type.Object(Shown)),
      handle: async ({ query }) => {
        const at = timeOf(query.at);
        const question: ScoreQuestion = {
          order: query.order ?? 'threat',
          ...(query.kind === undefined ? {} : { kind: query.kind }),
          ...(at === undefined ? {} : { at }),
        };
        const page = { limit: query.limit ?? 100, ...(query.after === undefined ? {} : { after: query.after }) };
        const { items, next, total } = await ports.list(question, page);
        return { body: { items: items.map(({ score, name }) => shownJson(score, name)), next, total } };
      },
    }),
    route({
      ...shape,
      path: '/api/v1/scores/:id',
      summary: 'One entity with the exact shares of its scores, now or at a past time.',
      params: Ref,
      query: closed({ at: At }),
      answer: OneSchema,
      handle: async ({ params, query }) => ({ body: viewJson(await ports.get(params.id, timeOf(query.at))) }),
    }),
    route({
      ...shape,
      path: '/api/v1/scores/:id/history',
      summary: 'Both scores at each midnight (UTC) of a window, and at its end.',
      params: Ref,
      query: closed({ from: At, to: At }),
      answer: Type.Object({ items: Type.Array(Type.Object({ at: Time, threat: Value, exposure: Value })) }),
      handle: async ({ params, query }) => {
        const { from, to } = readWindow(query.from ?? 'now-30d', query.to, ports.now());
        const points = await ports.history(params.id, from, to);
        return { body: { items: points.map((point) => ({ ...point, at: isoTime(point.at) })) } };
      },
    }),
    route({
      ...shape,
      path: '/api/v1/scores/:id/explain',
      summary: 'The chain of a score: its shares, the alerts and observations behind them, their raw lines.',
      params: Ref,
      query: closed({ at: At }),
      answer: ChainSchema,
      handle: async ({ params, query }) => ({ body: chainJson(await ports.explain(params.id, timeOf(query.at))) }),
    }),
  ];
};
