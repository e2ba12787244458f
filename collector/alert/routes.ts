// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts over HTTP: lists by KQL, one, its chain down to raw lines, and what people decide about it.
 * Input: functions that read and change alerts. Output: JSON; a change needs the version that was read.
 */
import { type Static, Type } from 'typebox';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { Count, closed, Id, listOf, OneId, PageQuery, type Route, route, Time, WindowQuery } from '../http/route.ts';
import { ALERT_STATES, type Alert, type AlertWork, VERDICTS } from '../model/alert.ts';
import type { EvidenceLine } from '../model/evidence.ts';
import type { Actor } from '../model/permission.ts';
import { LEVELS } from '../model/rule.ts';
import type { Node } from '../query/ast.ts';
import { parseOrThrow } from '../query/parse.ts';
import { readWindow } from '../query/window.ts';

/** What the machine says and what people say, in one. Queries see these names. */
export interface AlertView extends Alert, AlertWork {
  /** Version of what people said; 0 before anybody did. */
  readonly version: number;
}

export interface AlertQuestion {
  readonly where: Node;
  /** Of `last`, from inclusive to exclusive; null is always. */
  readonly window: { readonly from: UnixMs; readonly to: UnixMs } | null;
}

export interface AlertChain {
  readonly alert: AlertView;
  readonly lines: readonly EvidenceLine[];
  /** Signals that are counted but not among the lines. */
  readonly more: number;
}

export interface AlertChange {
  readonly state?: AlertWork['state'];
  readonly verdict?: NonNullable<AlertWork['verdict']>;
  readonly reason?: string;
  /** Name or id of a user; null takes the assignment away. */
  readonly assignee?: string | null;
}

/** All throw NOT_FOUND for an unknown id. */
export interface AlertPorts {
  readonly now: () => UnixMs;
  /** Newest `last` first. */
  list(
    question: AlertQuestion,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ readonly items: readonly AlertView[]; readonly next: string | null; readonly total: number }>;
  count(question: AlertQuestion): Promise<number>;
  /** Most frequent values of a field of the view. */
  top(question: AlertQuestion, field: string, limit: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  /** How many of each level ended in each of `bars` equal parts of a window. */
  levels(
    question: AlertQuestion & { readonly window: NonNullable<AlertQuestion['window']> },
    bars: number,
  ): Promise<readonly Readonly<Record<string, number>>[]>;
  get(id: string): Promise<AlertView>;
  explain(id: string): Promise<AlertChain>;
  /** Audited. @throws CodedError STATE_CONFLICT, MOVE_REFUSED, VERDICT_NEEDED, REASON_NEEDED. */
  change(by: Actor, id: string, change: AlertChange, ifVersion: number, from: string): Promise<AlertView>;
}

export const AlertSchema = Type.Object({
  id: Id,
  rule: Type.String(),
  title: Type.String(),
  level: Type.Enum([...LEVELS]),
  entity: Type.String(),
  entityName: Type.String(),
  entities: Type.Array(Type.String()),
  count: Count,
  first: Time,
  last: Time,
  detected: Time,
  tactics: Type.Array(Type.String()),
  techniques: Type.Array(Type.String()),
  why: Type.Array(Type.String()),
  late: Type.Boolean(),
  backlog: Type.Boolean(),
  replay: Type.Boolean(),
  status: Type.Enum(['live', 'merged']),
  mergedInto: Type.Optional(Type.String()),
  incident: Type.Optional(Type.String()),
  state: Type.Enum([...ALERT_STATES]),
  assignee: Type.Optional(Type.String()),
  verdict: Type.Optional(Type.Enum([...VERDICTS])),
  reason: Type.Optional(Type.String()),
  acknowledgedAt: Type.Optional(Time),
  closedAt: Type.Optional(Time),
  moves: Type.Optional(
    Type.Array(
      Type.Object({
        to: Type.Enum([...ALERT_STATES]),
        at: Time,
        by: Type.String(),
        verdict: Type.Optional(Type.Enum([...VERDICTS])),
        reason: Type.Optional(Type.String()),
      }),
    ),
  ),
  version: Count,
});

const LineSchema = Type.Object({
  event: Type.String(),
  time: Time,
  original: Type.String(),
  stream: Type.String(),
  seq: Count,
  offset: Count,
});

export const AlertChainSchema = Type.Object({
  id: Id,
  title: Type.String(),
  level: Type.String(),
  rule: Type.String(),
  entity: Type.String(),
  entityName: Type.String(),
  count: Count,
  first: Time,
  last: Time,
  why: Type.Array(Type.String()),
  lines: Type.Array(LineSchema),
  more: Count,
});

/** The alert as JSON. */
export const alertJson = (view: AlertView): Static<typeof AlertSchema> => {
  const { sample: _, members: __, n: ___, ...shown } = view;
  return {
    ...shown,
    entities: [...view.entities],
    tactics: [...view.tactics],
    techniques: [...view.techniques],
    why: [...view.why],
    first: isoTime(view.first),
    last: isoTime(view.last),
    detected: isoTime(view.detected),
    ...(view.acknowledgedAt === undefined ? {} : { acknowledgedAt: isoTime(view.acknowledgedAt) }),
    ...(view.closedAt === undefined ? {} : { closedAt: isoTime(view.closedAt) }),
    ...(view.moves === undefined ? {} : { moves: view.moves.map((move) => ({ ...move, at: isoTime(move.at) })) }),
  } as Static<typeof AlertSchema>;
};

/** An alert's chain as JSON. */
export const chainJson = ({ alert, lines, more }: AlertChain): Static<typeof AlertChainSchema> => ({
  id: alert.id,
  title: alert.title,
  level: alert.level,
  rule: alert.rule,
  entity: alert.entity,
  entityName: alert.entityName,
  count: alert.count,
  first: isoTime(alert.first),
  last: isoTime(alert.last),
  why: [...alert.why],
  lines: lines.map((line) => ({ ...line, time: isoTime(line.time) })),
  more,
});

export const alertRoutes = (ports: AlertPorts): readonly Route[] => {
  const shape = { tag: 'alert', permission: 'alert.read' } as const;
  const read = (asked: { readonly query?: string; readonly from?: string; readonly to?: string }): AlertQuestion => ({
    where: parseOrThrow(asked.query ?? ''),
    window: asked.from === undefined && asked.to === undefined ? null : readWindow(asked.from, asked.to, ports.now()),
  });
  return [
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts',
      summary: 'Alerts by KQL over their own fields, newest first; all of them without a window.',
      query: closed({ ...WindowQuery, ...PageQuery }),
      answer: listOf(AlertSchema),
      handle: async ({ query }) => {
        const { limit = 100, after } = query;
        const { items, next, total } = await ports.list(read(query), { limit, ...(after === undefined ? {} : { after }) });
        return { body: { items: items.map(alertJson), next, total } };
      },
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts/count',
      summary: 'How many alerts.',
      query: closed(WindowQuery),
      answer: Type.Object({ count: Count }),
      handle: async ({ query }) => ({ body: { count: await ports.count(read(query)) } }),
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts/top',
      summary: 'The most frequent values of a field.',
      query: closed({ ...WindowQuery, field: Type.String({ pattern: '^[A-Za-z]{1,40}$' }), limit: PageQuery.limit }),
      answer: Type.Object({ buckets: Type.Array(Type.Object({ key: Type.String(), count: Count })) }),
      handle: async ({ query }) => ({ body: { buckets: [...(await ports.top(read(query), query.field, query.limit ?? 10))] } }),
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts/histogram',
      summary: 'How many alerts of each level ended in each equal part of a window.',
      query: closed({ ...WindowQuery, buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) }),
      answer: Type.Object({
        buckets: Type.Array(Type.Object({ counts: Type.Record(Type.String(), Count) })),
        from: Time,
        to: Time,
      }),
      handle: async ({ query: { buckets = 60, ...asked } }) => {
        const window = readWindow(asked.from, asked.to, ports.now());
        const found = await ports.levels({ ...read(asked), window }, buckets);
        return {
          body: { buckets: found.map((counts) => ({ counts: { ...counts } })), from: isoTime(window.from), to: isoTime(window.to) },
        };
      },
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts/:id',
      summary: 'One alert; its ETag is the version that a change names.',
      params: OneId,
      answer: AlertSchema,
      handle: async ({ params }) => {
        const view = await ports.get(params.id);
        return { body: alertJson(view), version: view.version };
      },
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/alerts/:id/explain',
      summary: 'The chain of an alert down to the raw lines and their blocks.',
      params: OneId,
      answer: Type.Object({ id: Id, title: Type.String(), alerts: Type.Array(AlertChainSchema) }),
      handle: async ({ params }) => {
        const chain = await ports.explain(params.id);
        return { body: { id: chain.alert.id, title: chain.alert.title, alerts: [chainJson(chain)] } };
      },
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/alerts/:id',
      tag: 'alert',
      permission: 'alert.write',
      summary: 'Acknowledge, assign, close with a verdict, open again.',
      params: OneId,
      body: closed({
        state: Type.Optional(Type.Enum([...ALERT_STATES])),
        verdict: Type.Optional(Type.Enum([...VERDICTS])),
        reason: Type.Optional(Type.String({ maxLength: 4000 })),
        assignee: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()])),
      }),
      answer: AlertSchema,
      ifMatch: true,
      handle: async ({ params, body, actor, ifVersion, from }) => {
        const view = await ports.change(actor, params.id, body as AlertChange, ifVersion, from);
        return { body: alertJson(view), version: view.version };
      },
    }),
  ];
};
