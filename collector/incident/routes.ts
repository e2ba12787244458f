// SPDX-License-Identifier: Apache-2.0
/**
 * Incidents over HTTP: lists by KQL, one by id or number (INC-8), its chain, and what people decide about it.
 * Input: functions that read and change incidents. Output: JSON; a change needs the version that was read.
 */
import { type Static, type TObject, Type } from 'typebox';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { Count, closed, Id, listOf, OneId, PageQuery, type Route, route, Time, WindowQuery } from '../http/route.ts';
import { VERDICTS } from '../model/alert.ts';
import { INCIDENT_STATES, type Incident, type IncidentWork } from '../model/incident.ts';
import type { Actor } from '../model/permission.ts';
import { LEVELS } from '../model/rule.ts';
import type { Node } from '../query/ast.ts';
import { parseOrThrow } from '../query/parse.ts';
import { readWindow } from '../query/window.ts';

/** What the machine says and what people say, in one. Queries see these names. */
export interface IncidentView extends Incident, IncidentWork {
  /** Version of what people said; 0 before anybody did. */
  readonly version: number;
}

export interface IncidentQuestion {
  readonly where: Node;
  /** Of `last`, from inclusive to exclusive; null is always. */
  readonly window: { readonly from: UnixMs; readonly to: UnixMs } | null;
}

export interface IncidentChain<C> {
  readonly incident: IncidentView;
  readonly alerts: readonly C[];
}

export interface IncidentChange {
  readonly state?: IncidentWork['state'];
  readonly verdict?: NonNullable<IncidentWork['verdict']>;
  /** Needed for a step that is skipped, and to dismiss. */
  readonly reason?: string;
  /** Name or id of a user; null takes the owner away. */
  readonly owner?: string | null;
  /** Alerts put in or taken out by a person; the machine never undoes it. */
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  /** With state `merged`: id or number of the incident it goes into. */
  readonly mergedInto?: string;
}

/** All take an id or a number (INC-8) and throw NOT_FOUND for an unknown one. `C` is an alert's chain. */
export interface IncidentPorts<C = unknown> {
  readonly now: () => UnixMs;
  /** Newest `last` first. */
  list(
    question: IncidentQuestion,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ readonly items: readonly IncidentView[]; readonly next: string | null; readonly total: number }>;
  count(question: IncidentQuestion): Promise<number>;
  top(question: IncidentQuestion, field: string, limit: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  get(id: string): Promise<IncidentView>;
  explain(id: string): Promise<IncidentChain<C>>;
  /** Audited. @throws CodedError STATE_CONFLICT, MOVE_REFUSED, VERDICT_NEEDED, REASON_NEEDED. */
  change(by: Actor, id: string, change: IncidentChange, ifVersion: number, from: string): Promise<IncidentView>;
  /** Audited. @throws CodedError NOT_FOUND, USAGE, REASON_NEEDED. */
  declare(
    by: Actor,
    wish: { readonly title: string; readonly reason: string; readonly alerts: readonly string[] },
    from: string,
  ): Promise<IncidentView>;
  /** How an alert's chain is answered, and by which schema (collector/alert). */
  readonly chain: { readonly schema: TObject; readonly json: (chain: C) => unknown };
}

export const IncidentSchema = Type.Object({
  id: Id,
  number: Count,
  reference: Type.String({ description: 'the number as people write it, INC-8' }),
  title: Type.String(),
  severity: Type.Enum([...LEVELS]),
  why: Type.Array(Type.String()),
  opener: Type.String(),
  alerts: Type.Array(Type.String()),
  entities: Type.Array(Type.String()),
  tactics: Type.Array(Type.String()),
  techniques: Type.Array(Type.String()),
  first: Time,
  last: Time,
  detected: Time,
  backlog: Type.Boolean(),
  replay: Type.Boolean(),
  overflow: Type.Optional(Type.Integer({ minimum: 0, description: 'alerts beyond those listed' })),
  state: Type.Enum([...INCIDENT_STATES]),
  owner: Type.Optional(Type.String()),
  verdict: Type.Optional(Type.Enum([...VERDICTS])),
  reason: Type.Optional(Type.String()),
  mergedInto: Type.Optional(Type.String()),
  added: Type.Optional(Type.Array(Type.String())),
  removed: Type.Optional(Type.Array(Type.String())),
  moves: Type.Optional(Type.Array(Type.Object({ to: Type.Enum([...INCIDENT_STATES]), at: Time, by: Type.String() }))),
  declared: Type.Optional(Type.Object({ title: Type.String(), reason: Type.String(), at: Time, by: Type.String() })),
  version: Count,
});

/** The incident as JSON. */
export const incidentJson = (view: IncidentView): Static<typeof IncidentSchema> =>
  ({
    ...view,
    reference: `INC-${view.number}`,
    first: isoTime(view.first),
    last: isoTime(view.last),
    detected: isoTime(view.detected),
    ...(view.declared === undefined ? {} : { declared: { ...view.declared, at: isoTime(view.declared.at) } }),
    ...(view.moves === undefined ? {} : { moves: view.moves.map((move) => ({ ...move, at: isoTime(move.at) })) }),
  }) as unknown as Static<typeof IncidentSchema>;

const AlertIds = Type.Optional(Type.Array(Id, { maxItems: 1000 }));

export const incidentRoutes = <C>(ports: IncidentPorts<C>): readonly Route[] => {
  const shape = { tag: 'incident', permission: 'incident.read' } as const;
  const read = (asked: { readonly query?: string; readonly from?: string; readonly to?: string }): IncidentQuestion => ({
    where: parseOrThrow(asked.query ?? ''),
    window: asked.from === undefined && asked.to === undefined ? null : readWindow(asked.from, asked.to, ports.now()),
  });
  return [
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/incidents',
      summary: 'Incidents by KQL over their own fields, newest first; all of them without a window.',
      query: closed({ ...WindowQuery, ...PageQuery }),
      answer: listOf(IncidentSchema),
      handle: async ({ query }) => {
        const { limit = 100, after } = query;
        const { items, next, total } = await ports.list(read(query), { limit, ...(after === undefined ? {} : { after }) });
        return { body: { items: items.map(incidentJson), next, total } };
      },
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/incidents/count',
      summary: 'How many incidents.',
      query: closed(WindowQuery),
      answer: Type.Object({ count: Count }),
      handle: async ({ query }) => ({ body: { count: await ports.count(read(query)) } }),
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/incidents/top',
      summary: 'The most frequent values of a field.',
      query: closed({ ...WindowQuery, field: Type.String({ pattern: '^[A-Za-z]{1,40}$' }), limit: PageQuery.limit }),
      answer: Type.Object({ buckets: Type.Array(Type.Object({ key: Type.String(), count: Count })) }),
      handle: async ({ query }) => ({ body: { buckets: [...(await ports.top(read(query), query.field, query.limit ?? 10))] } }),
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/incidents/:id',
      summary: 'One incident, by id or number; its ETag is the version that a change names.',
      params: OneId,
      answer: IncidentSchema,
      handle: async ({ params }) => {
        const view = await ports.get(params.id);
        return { body: incidentJson(view), version: view.version };
      },
    }),
    route({
      ...shape,
      method: 'GET',
      path: '/api/v1/incidents/:id/explain',
      summary: 'The chain of an incident: why its alerts stand together, and each down to the raw lines.',
      params: OneId,
      answer: Type.Object({
        id: Id,
        number: Type.String(),
        title: Type.String(),
        severity: Type.String(),
        why: Type.Array(Type.String()),
        alerts: Type.Array(ports.chain.schema),
      }),
      handle: async ({ params }) => {
        const { incident, alerts } = await ports.explain(params.id);
        return {
          body: {
            id: incident.id,
            number: `INC-${incident.number}`,
            title: incident.title,
            severity: incident.severity,
            why: [...incident.why],
            alerts: alerts.map((chain) => ports.chain.json(chain) as Record<string, unknown>),
          },
        };
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/incidents',
      tag: 'incident',
      permission: 'incident.write',
      summary: 'Declare an incident from alerts; those that stood in another leave it.',
      body: closed({
        title: Type.String({ minLength: 1, maxLength: 200 }),
        reason: Type.String({ minLength: 1, maxLength: 4000 }),
        alerts: Type.Array(Id, { minItems: 1, maxItems: 1000 }),
      }),
      status: 201,
      creates: true,
      answer: IncidentSchema,
      handle: async ({ body, actor, from }) => {
        const view = await ports.declare(actor, body, from);
        return { body: incidentJson(view), version: view.version };
      },
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/incidents/:id',
      tag: 'incident',
      permission: 'incident.write',
      summary: 'Own, move on, merge, dismiss or close with a verdict; put alerts in or take them out.',
      params: OneId,
      body: closed({
        state: Type.Optional(Type.Enum([...INCIDENT_STATES])),
        verdict: Type.Optional(Type.Enum([...VERDICTS])),
        reason: Type.Optional(Type.String({ maxLength: 4000 })),
        owner: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()])),
        add: AlertIds,
        remove: AlertIds,
        mergedInto: Type.Optional(Id),
      }),
      answer: IncidentSchema,
      ifMatch: true,
      handle: async ({ params, body, actor, ifVersion, from }) => {
        const view = await ports.change(actor, params.id, body as IncidentChange, ifVersion, from);
        return { body: incidentJson(view), version: view.version };
      },
    }),
  ];
};
