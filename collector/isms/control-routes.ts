// SPDX-License-Identifier: Apache-2.0
/**
 * Controls over HTTP: a catalogue with states and coverage, one control with its checks and hosts, its chain down to raw lines; at any time.
 * Input: functions that read controls. Output: JSON; every state with its counts.
 */
import { type Static, Type } from 'typebox';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { Count, closed, type Route, route, Time } from '../http/route.ts';
import { CONTROL_STATES, type Counts } from '../model/control.ts';
import type { EvidenceLine } from '../model/evidence.ts';
import { type Observation, RELATIONSHIPS, RESULTS } from '../model/observation.ts';
import { LEVELS } from '../model/rule.ts';
import { readTime } from '../query/window.ts';
import type { AnswerView, CheckView, ControlPorts, ControlView, OneControl } from './control-view.ts';
import { assuranceOf, coverageOf } from './laws.ts';

const CountsSchema = Type.Object({
  pass: Count,
  fail: Count,
  excepted: Count,
  unknown: Count,
  expected: Type.Integer({ minimum: 0, description: 'pass + fail + excepted + unknown' }),
  coverage: Type.Number({ description: 'measured of expected, 0 to 1' }),
  assurance: Type.Number({ description: 'pass of expected, 0 to 1; unknown is no pass' }),
});

const Shown = {
  ref: Type.String({ description: 'edition-qualified, csf:2.0/PR.AA-05' }),
  id: Type.String(),
  kind: Type.Enum(['function', 'category', 'subcategory']),
  parent: Type.Union([Type.String(), Type.Null()]),
  title: Type.String(),
  statement: Type.String(),
  state: Type.Enum([...CONTROL_STATES]),
  measured: Type.Boolean({ description: 'some check speaks for it' }),
  partial: Type.Boolean({ description: 'its checks cover a part of what it asks' }),
  counts: CountsSchema,
  oldest: Type.Union([Time, Type.Null()]),
  since: Type.Union([Time, Type.Null()]),
  below: Type.Object({ satisfied: Count, notSatisfied: Count, unknown: Count, notMeasured: Count, controls: Count }),
};

export const ObservationSchema = Type.Object({
  id: Type.String(),
  check: Type.String(),
  subject: Type.String(),
  result: Type.Enum([...RESULTS]),
  actual: Type.String(),
  expected: Type.String(),
  severity: Type.Enum([...LEVELS]),
  reason: Type.Optional(Type.String()),
  first: Time,
  last: Time,
  expires: Time,
  waiver: Type.Optional(Type.Object({ reason: Type.String(), owner: Type.String(), until: Time })),
});

export const LineSchema = Type.Object({
  event: Type.String(),
  time: Time,
  original: Type.String(),
  stream: Type.String(),
  seq: Count,
  offset: Count,
});

const AnswerSchema = Type.Object({
  host: Type.String(),
  name: Type.String(),
  answer: Type.Enum(['pass', 'fail', 'excepted', 'unknown', 'not-applicable']),
  observation: Type.Union([ObservationSchema, Type.Null()]),
  line: Type.Optional(LineSchema),
});

const OneSchema = Type.Object({
  ...Shown,
  checks: Type.Array(
    Type.Object({
      check: Type.String(),
      title: Type.String(),
      relationship: Type.Enum([...RELATIONSHIPS]),
      reason: Type.String(),
      fix: Type.Optional(Type.String()),
      counts: CountsSchema,
      answers: Type.Array(AnswerSchema),
      more: Type.Integer({ minimum: 0, description: 'hosts beyond those listed' }),
    }),
  ),
  turns: Type.Array(Type.Object({ at: Time, state: Type.Enum([...CONTROL_STATES]), counts: CountsSchema })),
});

export const countsJson = (counts: Counts) => ({ ...counts, coverage: coverageOf(counts), assurance: assuranceOf(counts) });

export const observationJson = (one: Observation): Static<typeof ObservationSchema> => ({
  id: one.id,
  check: one.check,
  subject: one.subject,
  result: one.result,
  actual: one.actual,
  expected: one.expected,
  severity: one.severity,
  ...(one.reason === undefined ? {} : { reason: one.reason }),
  first: isoTime(one.first),
  last: isoTime(one.last),
  expires: isoTime(one.expires),
  ...(one.waiver === undefined ? {} : { waiver: { ...one.waiver, until: isoTime(one.waiver.until) } }),
});

export const lineJson = (line: EvidenceLine): Static<typeof LineSchema> => ({ ...line, time: isoTime(line.time) });

const shownJson = ({ control, status, standing }: ControlView) => ({
  ref: control.ref,
  id: control.id,
  kind: control.kind,
  parent: control.parent,
  title: control.title,
  statement: control.statement,
  state: status.state,
  measured: status.measured,
  partial: status.partial,
  counts: countsJson(status.counts),
  oldest: status.oldest === null ? null : isoTime(status.oldest),
  since: status.since === null ? null : isoTime(status.since),
  below: { ...standing },
});

/** Hosts of a check that are listed. */
const HOSTS_SHOWN = 200;

const answerJson = (
  { host, name, answer, observation }: AnswerView,
  lines: ReadonlyMap<string, EvidenceLine>,
): Static<typeof AnswerSchema> => {
  const line = observation === null ? undefined : lines.get(observation.id);
  return {
    host,
    name,
    answer,
    observation: observation === null ? null : observationJson(observation),
    ...(line === undefined ? {} : { line: lineJson(line) }),
  };
};

const checkJson = (view: CheckView, lines: ReadonlyMap<string, EvidenceLine>) => ({
  check: view.check,
  title: view.title,
  relationship: view.relationship,
  reason: view.reason,
  ...(view.fix === undefined ? {} : { fix: view.fix }),
  counts: countsJson(view.counts),
  answers: view.answers.slice(0, HOSTS_SHOWN).map((answer) => answerJson(answer, lines)),
  more: Math.max(0, view.answers.length - HOSTS_SHOWN),
});

const oneJson = (one: OneControl, lines: ReadonlyMap<string, EvidenceLine>): Static<typeof OneSchema> => ({
  ...shownJson(one),
  checks: one.checks.map((check) => checkJson(check, lines)),
  turns: one.turns.map(({ at, state, counts }) => ({ at: isoTime(at), state, counts: countsJson(counts) })),
});

export const At = Type.Optional(Type.String({ maxLength: 64, description: 'ISO 8601 or date math such as now-24h; now by default' }));

export const controlRoutes = (ports: ControlPorts): readonly Route[] => {
  const shape = { tag: 'compliance', permission: 'control.read', method: 'GET' } as const;
  const timeOf = (text: string | undefined): UnixMs | undefined => (text === undefined ? undefined : readTime(text, ports.now()));
  const Ref = closed({ id: Type.String({ minLength: 1, maxLength: 64 }) });
  return [
    route({
      ...shape,
      path: '/api/v1/controls',
      summary: 'The controls of a catalogue in its order, each with its derived state and the counts behind it.',
      query: closed({ catalogue: Type.Optional(Type.String({ maxLength: 64 })), at: At }),
      answer: Type.Object({ catalogue: Type.String(), at: Time, items: Type.Array(Type.Object(Shown)) }),
      handle: async ({ query }) => {
        const [catalogue, at] = [query.catalogue ?? 'csf:2.0', timeOf(query.at) ?? ports.now()];
        const views = await ports.list(catalogue, at);
        return { body: { catalogue, at: isoTime(at), items: views.map(shownJson) } };
      },
    }),
    route({
      ...shape,
      path: '/api/v1/controls/:id',
      summary: 'One control, by id or reference: its checks with the answer of each host, and each time its state turned.',
      params: Ref,
      query: closed({ at: At }),
      answer: OneSchema,
      handle: async ({ params, query }) => ({ body: oneJson(await ports.get(params.id, timeOf(query.at)), new Map()) }),
    }),
    route({
      ...shape,
      path: '/api/v1/controls/:id/explain',
      summary: 'The chain of a control: its checks, the answers of each host, and the raw records they were given in.',
      params: Ref,
      query: closed({ at: At }),
      answer: OneSchema,
      handle: async ({ params, query }) => {
        const one = await ports.get(params.id, timeOf(query.at));
        const named = one.checks.flatMap(({ answers }) => answers.slice(0, HOSTS_SHOWN).flatMap(({ observation }) => observation ?? []));
        return { body: oneJson(one, await ports.lines(named.slice(0, 1000))) };
      },
    }),
  ];
};
