// SPDX-License-Identifier: Apache-2.0
/**
 * How a route is declared: data, not calls to a server, so that permission, schemas and documentation cannot be forgotten.
 * Input: each folder's `routes.ts`. Output: server.ts registers them, openapi.ts describes them.
 */
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { type Ms, ms } from '../../core/units.ts';
import type { Actor, Permission } from '../model/permission.ts';

/** What a handler is given; everything in it passed its schema. */
export interface Call<P = unknown, Q = unknown, B = unknown, A = Actor> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Who asks; null only on public routes. */
  readonly actor: A;
  /** Remote address of the real socket, `local` for the control socket. Never a header's word. */
  readonly from: string;
  /** Version from If-Match; always there on routes with `ifMatch`. */
  readonly ifVersion: number;
  /** Value of the session cookie the request came with. */
  readonly session: string | undefined;
  /** Aborts when the client went away. */
  readonly signal: AbortSignal;
}

export interface Reply<A = unknown> {
  readonly body: A;
  /** Version of what is answered: becomes the ETag. */
  readonly version?: number;
  /** Other than the declared one, e.g. 503. */
  readonly status?: number;
  /** Media type of a text that is not JSON. */
  readonly type?: string;
  /** A document that pages of ours show in a frame. */
  readonly framed?: boolean;
  /** A session to set as cookie, or null to take it away. */
  readonly session?: { readonly value: string; readonly expiresAt: number } | null;
}

interface Shape<P extends TObject, Q extends TObject, B extends TSchema, A extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/…`, parameters as `:name`. */
  readonly path: string;
  /** The folder it stands in. */
  readonly tag: string;
  /** One line for the documentation. */
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Null answers 204. */
  readonly answer: A | null;
  readonly status?: 200 | 201 | 202;
  /** The request must carry If-Match; without it 428. */
  readonly ifMatch?: true;
  /** A create that may be repeated with the same Idempotency-Key. */
  readonly creates?: true;
  /** Takes part in the count of credentials by address: counted before it runs, given back when it went well. */
  readonly counted?: true;
  /** Longest time to answer; 120 s by default. */
  readonly timeoutMs?: Ms;
  /** Largest body, in bytes; 1 MiB by default. */
  readonly bodyLimitBytes?: number;
}

/** A route whose types were checked where it was declared. */
export interface Route extends Shape<TObject, TObject, TSchema, TSchema> {
  readonly permission: Permission | 'public';
  readonly handle: (call: Call<never, never, never, never>) => Promise<Reply>;
}

/** Sends one event of a stream. Answers false when the client is too slow or gone: the stream is over. */
export type SendEvent = (event: string, data: unknown, id?: string) => boolean;

/** A stream of server-sent events. */
export interface StreamRoute {
  readonly method: 'GET';
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly query?: TObject;
  /** Opens the source; what it answers is called once when the stream ends. Throws coded errors before the first event. */
  readonly open: (call: Call<never, never, never>, send: SendEvent) => Promise<() => void>;
}

/** Declares a stream. */
export const streamRoute = <Q extends TObject = TObject>(
  spec: Omit<StreamRoute, 'open' | 'query' | 'method'> & {
    readonly query?: Q;
    readonly open: (call: Call<unknown, Static<Q>, unknown>, send: SendEvent) => Promise<() => void>;
  },
): StreamRoute => ({ ...spec, method: 'GET' }) as unknown as StreamRoute;

/** Declares a route that needs a permission. */
export const route = <A extends TSchema, P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema>(
  spec: Shape<P, Q, B, A> & {
    readonly permission: Permission;
    readonly handle: (call: Call<Static<P>, Static<Q>, Static<B>>) => Promise<Reply<Static<A> | null>>;
  },
): Route => spec as unknown as Route;

/** Declares a route that anyone may call. */
export const publicRoute = <A extends TSchema, P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema>(
  spec: Shape<P, Q, B, A> & {
    readonly handle: (call: Call<Static<P>, Static<Q>, Static<B>, Actor | null>) => Promise<Reply<Static<A> | null>>;
  },
): Route => ({ ...spec, permission: 'public' }) as unknown as Route;

// ─── Schemas that many routes share ────────────────────────────────────────────────────────────

/** An object that holds nothing else. */
export const closed = <T extends Record<string, TSchema>>(properties: T) => Type.Object(properties, { additionalProperties: false });

export const Time = Type.String({ description: 'ISO 8601 UTC', examples: ['2026-11-24T09:14:02.000Z'] });
export const Count = Type.Integer({ minimum: 0 });
export const Id = Type.String({ minLength: 1, maxLength: 128 });
export const OneId = closed({ id: Id });

/** What pages of a list have in common. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'rows of a page, 100 by default' })),
  after: Type.Optional(Type.String({ maxLength: 2048, description: '`next` of the page before' })),
};

/** KQL and a window of time. */
export const WindowQuery = {
  query: Type.Optional(Type.String({ maxLength: 16_384, description: 'KQL; everything when absent' })),
  from: Type.Optional(Type.String({ maxLength: 64, description: 'ISO 8601 or date math such as now-24h, inclusive' })),
  to: Type.Optional(Type.String({ maxLength: 64, description: 'the same, exclusive; now by default' })),
};

const SPANS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A span as people write it. */
export const Span = Type.String({ pattern: '^\\d{1,6}[smhdw]$', description: 'a span such as 90s, 4h or 30d' });

/** Milliseconds of a span that fits the schema. */
export const spanMs = (text: string): Ms => ms(Number(text.slice(0, -1)) * (SPANS[text.slice(-1)] ?? 0));

/** A page of items. `next` is null at the end. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) });

/** A page that knows how many there are in all. */
export const listOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]), total: Count });
