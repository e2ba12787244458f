// SPDX-License-Identifier: Apache-2.0
/**
 * The risk register over HTTP: all risks, one, its chain down to raw lines, and a person's assessment of it.
 * Input: functions that read and assess risks. Output: JSON, assessed and indicated side by side, each with its origin.
 */
import { type Static, Type } from 'typebox';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { Count, closed, OneId, type Route, route, Time } from '../http/route.ts';
import { CONTROL_STATES } from '../model/control.ts';
import type { Actor } from '../model/permission.ts';
import { LIKELIHOODS } from '../model/risk.ts';
import { readTime } from '../query/window.ts';
import type { Assessment } from './assess.ts';
import { At, countsJson, LineSchema, lineJson } from './control-routes.ts';
import type { RiskChain, RiskReader, RiskView } from './risk-view.ts';

export interface RiskPorts extends RiskReader {
  readonly now: () => UnixMs;
  /** Audited. @throws CodedError NOT_FOUND, REASON_NEEDED, STATE_CONFLICT. */
  assess(by: Actor, ref: string, wish: Assessment, ifVersion: number, from: string): Promise<RiskView>;
}

const Word = Type.Enum([...LIKELIHOODS]);

const BasisSchema = Type.Object({
  kind: Type.Enum(['observation', 'control', 'incident', 'alert']),
  id: Type.String(),
  text: Type.String(),
});

const Shown = {
  id: Type.String(),
  reference: Type.String({ description: 'as people write it, R-01' }),
  title: Type.String(),
  scenario: Type.String(),
  techniques: Type.Array(Type.String()),
  checks: Type.Array(Type.String()),
  controls: Type.Array(Type.String()),
  status: Type.Enum(['proposed', 'open', 'closed']),
  tolerance: Word,
  at: Time,
  assessed: Type.Object({ likelihood: Word, impact: Word, by: Type.String(), at: Time, reason: Type.Optional(Type.String()) }),
  indicated: Type.Object({
    likelihood: Word,
    since: Time,
    now: Word,
    because: Type.Array(BasisSchema),
    coverage: Type.Object({ measured: Count, expected: Count }),
    rate: Type.Union([
      Type.Object({ expected: Type.Number(), indicated: Type.Number(), incidents: Count, years: Type.Number() }),
      Type.Null(),
    ]),
  }),
  level: Type.Object({ assessed: Word, indicated: Word }),
  aboveTolerance: Type.Boolean(),
  version: Count,
};
const RiskSchema = Type.Object(Shown);

const { because: _, ...IndicatedRest } = Shown.indicated.properties;
const ChainSchema = Type.Object({
  ...Shown,
  indicated: Type.Object({
    ...IndicatedRest,
    because: Type.Array(Type.Object({ ...BasisSchema.properties, lines: Type.Array(LineSchema) })),
  }),
  states: Type.Array(
    Type.Object({
      ref: Type.String(),
      statement: Type.String(),
      state: Type.Enum([...CONTROL_STATES]),
      measured: Type.Boolean(),
      counts: Type.Object({
        pass: Count,
        fail: Count,
        excepted: Count,
        unknown: Count,
        expected: Count,
        coverage: Type.Number(),
        assurance: Type.Number(),
      }),
    }),
  ),
});

/** `R-01`. */
export const riskReference = (number: number): string => `R-${String(number).padStart(2, '0')}`;

const riskJson = ({ risk, version, at, indicated, level, aboveTolerance }: RiskView): Static<typeof RiskSchema> => ({
  id: risk.id,
  reference: riskReference(risk.number),
  title: risk.title,
  scenario: risk.scenario,
  techniques: [...risk.techniques],
  checks: [...risk.checks],
  controls: [...risk.controls],
  status: risk.status,
  tolerance: risk.tolerance,
  at: isoTime(at),
  assessed: { ...risk.assessed, at: isoTime(risk.assessed.at) },
  indicated: { ...indicated, since: isoTime(indicated.since), because: indicated.because.map((one) => ({ ...one })) },
  level,
  aboveTolerance,
  version,
});

const chainJson = (chain: RiskChain): Static<typeof ChainSchema> => {
  const json = riskJson(chain);
  return {
    ...json,
    indicated: { ...json.indicated, because: chain.chain.map(({ lines, ...basis }) => ({ ...basis, lines: lines.map(lineJson) })) },
    states: chain.controls.map(({ ref, statement, status }) => ({
      ref,
      statement,
      state: status.state,
      measured: status.measured,
      counts: countsJson(status.counts),
    })),
  };
};

export const riskRoutes = (ports: RiskPorts): readonly Route[] => {
  const shape = { tag: 'risk', permission: 'risk.read', method: 'GET' } as const;
  const timeOf = (text: string | undefined): UnixMs | undefined => (text === undefined ? undefined : readTime(text, ports.now()));
  return [
    route({
      ...shape,
      path: '/api/v1/risks',
      summary: 'The risk register, highest indicated level first: what was assessed beside what telemetry indicates.',
      query: closed({ at: At }),
      answer: Type.Object({ items: Type.Array(RiskSchema) }),
      handle: async ({ query }) => ({ body: { items: (await ports.list(timeOf(query.at))).map(riskJson) } }),
    }),
    route({
      ...shape,
      path: '/api/v1/risks/:id',
      summary: 'One risk, by id or number (R-01); its ETag is the version that an assessment names.',
      params: OneId,
      query: closed({ at: At }),
      answer: RiskSchema,
      handle: async ({ params, query }) => {
        const view = await ports.get(params.id, timeOf(query.at));
        return { body: riskJson(view), version: view.version };
      },
    }),
    route({
      ...shape,
      path: '/api/v1/risks/:id/explain',
      summary: 'The chain of a risk: what its indicated likelihood rests on, down to raw lines, and the states of its controls.',
      params: OneId,
      query: closed({ at: At }),
      answer: ChainSchema,
      handle: async ({ params, query }) => ({ body: chainJson(await ports.explain(params.id, timeOf(query.at))) }),
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/risks/:id',
      tag: 'risk',
      permission: 'risk.write',
      summary: 'Assess a risk, with a reason: the decision by which an indicated likelihood may fall again.',
      params: OneId,
      body: closed({
        likelihood: Type.Optional(Word),
        impact: Type.Optional(Word),
        tolerance: Type.Optional(Word),
        status: Type.Optional(Type.Enum(['open', 'closed'])),
        reason: Type.String({ minLength: 1, maxLength: 4000 }),
      }),
      answer: RiskSchema,
      ifMatch: true,
      handle: async ({ params, body, actor, ifVersion, from }) => {
        const view = await ports.assess(actor, params.id, body as Assessment, ifVersion, from);
        return { body: riskJson(view), version: view.version };
      },
    }),
  ];
};
