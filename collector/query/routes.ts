// SPDX-License-Identifier: Apache-2.0
/**
 * Search over events by KQL: rows, a number, values, time, fields, one event, completion, live tail.
 * Input: query, window, the reading side of the event store. Output: JSON with what the answer covers (P4).
 */
import { type Static, type TSchema, Type } from 'typebox';
import { nearest } from '../../core/config.ts';
import { ECS, ECS_FIELDS, type EcsField, isEcsField } from '../../core/ecs.ts';
import { isCoded } from '../../core/errors.ts';
import { isoTime, type UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import {
  Count,
  closed,
  PageQuery,
  pageOf,
  type Reply,
  type Route,
  route,
  type StreamRoute,
  streamRoute,
  Time,
  WindowQuery,
} from '../http/route.ts';
import { type Event, eventToJson } from '../model/event.ts';
import type { JournalPosition } from '../model/page.ts';
import type { Node } from './ast.ts';
import { complete, type ValuePlace, valueSuggestions } from './complete.ts';
import { unknownFields } from './field.ts';
import { parseOrThrow } from './parse.ts';
import { toPredicate } from './to-predicate.ts';
import { readWindow } from './window.ts';

interface EventQuery {
  readonly where: Node;
  readonly from: UnixMs;
  readonly to: UnixMs;
}
interface SearchState {
  readonly position: JournalPosition | null;
  readonly lagMs: number;
}

/** The reading side of the event store (store/store.ts fits it). */
export interface EventReader {
  search(
    query: EventQuery,
    options: { readonly limit: number; readonly after?: string; readonly order?: 'newest' | 'oldest' },
  ): Promise<{ readonly events: readonly Event[]; readonly next: string | null; readonly state: SearchState }>;
  get(ids: readonly string[]): Promise<readonly Event[]>;
  count(query: EventQuery): Promise<{ readonly count: number; readonly state: SearchState }>;
  top(query: EventQuery, field: EcsField, limit: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  histogram(query: EventQuery, buckets: number): Promise<readonly { readonly key: string; readonly count: number }[]>;
  fields(query: EventQuery): Promise<readonly { readonly field: EcsField; readonly count: number }[]>;
}

export interface QueryPorts {
  readonly events: EventReader;
  /** What `now` is in queries: the clock's, or the demo's. */
  readonly now: () => UnixMs;
  /** Calls back with events as they are decoded; answers what ends it. Absent: no live tail. */
  readonly tail?: (listener: (event: Event) => void) => () => void;
}

const Unknown = Type.Array(Type.Object({ field: Type.String(), nearest: Type.String(), at: Count }), {
  description: 'names that are no field of Vigil; they were looked for among the extra fields',
});
const State = Type.Object({
  lagMs: Type.Number({ description: 'how far the answer is behind what is acknowledged; 0 when it saw everything' }),
  position: Type.Union([Type.Object({ collector: Type.String(), incarnation: Type.String(), offset: Count }), Type.Null()]),
});
const EventSchema = Type.Record(Type.String(), Type.Unknown(), { description: 'ECS field names to values; times as ISO 8601' });
const Buckets = Type.Array(Type.Object({ key: Type.String(), count: Count }));

const Searched = closed({ ...WindowQuery, ...PageQuery, order: Type.Optional(Type.Enum(['newest', 'oldest'])) });
const Counted = closed(WindowQuery);
const Topped = closed({ ...WindowQuery, field: Type.String({ maxLength: 128 }), limit: PageQuery.limit });
const Histogrammed = closed({ ...WindowQuery, buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) });
const Completed = closed({ query: Type.String({ maxLength: 16_384 }), cursor: Type.Integer({ minimum: 0, maximum: 16_384 }) });

/** A question that may stand in the address or, when it is long, in a body. */
const both = <Q extends ReturnType<typeof closed>, A extends TSchema>(
  what: string,
  summary: string,
  asked: Q,
  answer: A,
  run: (question: Static<Q>) => Promise<Static<A>>,
): readonly Route[] => {
  const shape = { path: `/api/v1/events/${what}`, tag: 'query', permission: 'event.read', answer } as const;
  const reply = async (question: unknown): Promise<Reply<Static<A>>> => ({ body: await run(question as Static<Q>) });
  return [
    route({ ...shape, method: 'GET', summary, query: asked, handle: ({ query }) => reply(query) }),
    route({
      ...shape,
      method: 'POST',
      summary: `${summary} The question stands in the body.`,
      body: asked,
      handle: ({ body }) => reply(body),
    }),
  ];
};

export const queryRoutes = ({ events, now, tail }: QueryPorts): readonly (Route | StreamRoute)[] => {
  const read = (asked: { readonly query?: string; readonly from?: string; readonly to?: string }): EventQuery => ({
    where: parseOrThrow(asked.query ?? ''),
    ...readWindow(asked.from, asked.to, now()),
  });
  const unknown = (where: Node): Static<typeof Unknown> => unknownFields(where).map((one) => ({ ...one }));

  return [
    ...both(
      'search',
      'Events, newest first.',
      Searched,
      Type.Intersect([pageOf(EventSchema), Type.Object({ state: State, unknown: Unknown })]),
      async (asked) => {
        const query = read(asked);
        const { limit = 100, after, order } = asked;
        const page = await events.search(query, {
          limit,
          ...(after === undefined ? {} : { after }),
          ...(order === undefined ? {} : { order }),
        });
        return { items: page.events.map(eventToJson), next: page.next, state: page.state, unknown: unknown(query.where) };
      },
    ),
    ...both('count', 'How many events.', Counted, Type.Object({ count: Count, state: State, unknown: Unknown }), async (asked) => {
      const query = read(asked);
      return { ...(await events.count(query)), unknown: unknown(query.where) };
    }),
    ...both('top', 'The most frequent values of a field.', Topped, Type.Object({ buckets: Buckets }), async (asked) => ({
      buckets: [...(await events.top(read(asked), fieldOf(asked.field), asked.limit ?? 10))],
    })),
    ...both(
      'histogram',
      'Events over time, in equal steps.',
      Histogrammed,
      Type.Object({ buckets: Buckets, from: Time, to: Time }),
      async (asked) => {
        const query = read(asked);
        return { buckets: [...(await events.histogram(query, asked.buckets ?? 60))], from: isoTime(query.from), to: isoTime(query.to) };
      },
    ),
    ...both(
      'fields',
      'Which fields occur, with how many events.',
      Counted,
      Type.Object({ fields: Type.Array(Type.Object({ field: Type.String(), type: Type.String(), meaning: Type.String(), count: Count })) }),
      async (asked) => ({
        fields: (await events.fields(read(asked))).map(({ field, count }) => ({
          field,
          type: ECS[field].type,
          meaning: ECS[field].meaning,
          count,
        })),
      }),
    ),
    ...both(
      'complete',
      'What can stand at the cursor of a query.',
      Completed,
      Type.Object({
        suggestions: Type.Array(
          Type.Object({
            kind: Type.Enum(['field', 'operator', 'value', 'conjunction']),
            text: Type.String(),
            from: Count,
            to: Count,
            meaning: Type.Optional(Type.String()),
          }),
        ),
      }),
      async ({ query, cursor }) => {
        const { suggestions, value } = complete(query, cursor);
        const values = value === null ? [] : valueSuggestions(value, await valuesFor(events, value, now()));
        return { suggestions: [...suggestions, ...values].map((one) => ({ ...one })) };
      },
    ),
    route({
      method: 'GET',
      path: '/api/v1/events/:id',
      tag: 'query',
      summary: 'One event.',
      permission: 'event.read',
      params: closed({ id: Type.String({ pattern: '^evt_[A-Za-z0-9_-]{16,32}$' }) }),
      answer: EventSchema,
      handle: async ({ params: { id } }) => {
        const [event] = await events.get([id]);
        if (event === undefined) throw fault('NOT_FOUND', { what: 'event', id });
        return { body: eventToJson(event) };
      },
    }),
    ...(tail === undefined ? [] : [tailRoute(tail, now)]),
  ];
};

const tailRoute = (tail: NonNullable<QueryPorts['tail']>, now: () => UnixMs): StreamRoute =>
  streamRoute({
    path: '/api/v1/events/tail',
    tag: 'query',
    summary: 'Events as they arrive, as server-sent events.',
    permission: 'event.read',
    query: closed({ query: WindowQuery.query }),
    open: async ({ query }, send) => {
      const matches = toPredicate(parseOrThrow(query.query ?? ''), { now: now() });
      return tail((event) => {
        if (matches(event)) send('event', eventToJson(event), event['event.id']);
      });
    },
  });

const fieldOf = (name: string): EcsField => {
  if (isEcsField(name) && name !== 'vigil.extra') return name;
  throw fault('QUERY_UNKNOWN_FIELD', { field: name, nearest: nearest(name, ECS_FIELDS) });
};

const VALUES = 10;

/** Frequent values of the last day that begin with what is written. */
const valuesFor = async (events: EventReader, place: ValuePlace, now: UnixMs): Promise<readonly string[]> => {
  const { field, prefix } = place;
  if (!isEcsField(field) || field === 'vigil.extra') return [];
  const { type } = ECS[field];
  if (type !== 'keyword' && type !== 'keywords' && type !== 'ip') return [];
  const name = { text: field, quoted: true, at: 0 };
  const stars = [...prefix.matchAll(/\*/g)].map((star) => star.index);
  const where: Node =
    prefix === ''
      ? { kind: 'exists', field: name }
      : { kind: 'is', field: name, value: { text: `${prefix}*`, quoted: false, escaped: stars, at: 0 } };
  try {
    const found = await events.top({ where, ...readWindow(undefined, undefined, now) }, field, VALUES);
    const wanted = prefix.toLowerCase();
    // A list field gives all values of the matching events; only those that begin so fit here.
    return found.map(({ key }) => key).filter((key) => key.toLowerCase().startsWith(wanted));
  } catch (error) {
    // A store that is busy must not stop somebody from typing.
    if (isCoded(error) && error.status === 503) return [];
    throw error;
  }
};
