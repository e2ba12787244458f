// SPDX-License-Identifier: Apache-2.0
/**
 * Opens declared routes on the server: identity, permission, origin, schemas, then the handler.
 * Input: routes as data, the ports of identity. Output: fastify routes; answers with ETag, session cookie, problem details.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, onRequestAsyncHookHandler } from 'fastify';
import type { TSchema } from 'typebox';
import { addressKey } from '../auth/limit.ts';
import { fault } from '../errors.ts';
import type { Actor, Permission } from '../model/permission.ts';
import { checkOrigin, FRAMED_HEADERS } from './headers.ts';
import type { Idempotency } from './idempotency.ts';
import { type RateLimit, takeOrRefuse } from './limits.ts';
import { cameBy, checkDeclared, demand, type Identity, identify } from './permission.ts';
import type { Asked } from './refused.ts';
import type { Call, Reply, Route, StreamRoute } from './route.ts';
import type { Streams } from './sse.ts';
import { makeCheck } from './validate.ts';

export interface Door {
  readonly identity: Identity;
  /** Sockets of the control socket's server; requests on them act as the owner of the data folder. */
  readonly control: WeakSet<object>;
  readonly localOwner: Actor;
  /** Credentials being verified, by address. */
  readonly credentials: RateLimit;
  readonly idempotency: Idempotency;
  readonly streams: Streams;
  /** TLS, so that cookies are marked for it. */
  readonly secure: boolean;
}

/** The longest that a timer can be: streams end by themselves. */
const NO_END_MS = 2_147_483_647;

type AnyCall = Call<unknown, unknown, unknown, Actor | null>;

/** Name of the session cookie. Browsers tie the `__Host-` form to this host and TLS; plain loopback cannot use it. */
export const cookieName = (secure: boolean): string => (secure ? '__Host-vigil' : 'vigil');

/** The remote address of the real socket, or `local`. */
export const fromOf = (request: FastifyRequest, { control }: Pick<Door, 'control'>): string =>
  cameBy(request.raw, control) ? 'local' : (request.raw.socket.remoteAddress ?? 'unknown');

const actors = new WeakMap<FastifyRequest, Actor>();

/** What a request asked for, for the trail of refusals. */
export const askedOf = (request: FastifyRequest, door: Door): Asked => ({
  actor: actors.get(request) ?? null,
  withCredentials: request.headers.authorization !== undefined || request.cookies?.[cookieName(door.secure)] !== undefined,
  method: request.method,
  route: request.routeOptions.url ?? '(none)',
  path: request.url.split(/[?#]/, 1)[0] ?? '/',
  from: fromOf(request, door),
});

/** @throws CodedError ROUTE_BAD for a route without permission. */
export const openRoutes = (app: FastifyInstance, routes: readonly (Route | StreamRoute)[], door: Door): void => {
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    checkDeclared(name, route.permission);
    app.route({
      method: route.method,
      url: route.path,
      config: { permission: route.permission },
      schema: schemaOf(route),
      validatorCompiler: ({ schema, httpPart }) =>
        makeCheck(schema as TSchema, httpPart === 'querystring' ? 'query' : (httpPart ?? 'body'), httpPart !== 'body') as never,
      onRequest: admit(route.permission, door),
      ...('handle' in route
        ? { ...limitOf(route), handler: handlerOf(route, name, door) }
        : { handlerTimeout: NO_END_MS, handler: streamOf(route, door) }),
    });
  }
};

const limitOf = ({ bodyLimitBytes, timeoutMs }: Route): { readonly bodyLimit?: number; readonly handlerTimeout?: number } => ({
  ...(bodyLimitBytes === undefined ? {} : { bodyLimit: bodyLimitBytes }),
  ...(timeoutMs === undefined ? {} : { handlerTimeout: timeoutMs }),
});

const schemaOf = (route: Route | StreamRoute): FastifySchema => ({
  ...(route.query === undefined ? {} : { querystring: route.query }),
  ...('handle' in route
    ? {
        ...(route.params === undefined ? {} : { params: route.params }),
        ...(route.body === undefined ? {} : { body: route.body }),
        ...(route.answer === null ? {} : { response: { '2xx': route.answer } }),
      }
    : {}),
});

// Before the body is read: who may not, makes us parse nothing.
const admit =
  (permission: Permission | 'public', door: Door): onRequestAsyncHookHandler =>
  async (request) => {
    const local = cameBy(request.raw, door.control);
    const { authorization } = request.headers;
    const cookie = request.cookies[cookieName(door.secure)];
    if (!local) checkOrigin(request.method, request.headers, door.secure, authorization === undefined && cookie !== undefined);
    // A public route that changes something (login, logout) acts on what it is given, not on who asks.
    const asks = permission !== 'public' || request.method === 'GET';
    const actor = local
      ? door.localOwner
      : asks
        ? await identify({ cookie, authorization }, door.identity, door.credentials, addressKey(fromOf(request, door)))
        : null;
    if (actor !== null) actors.set(request, actor);
    if (permission !== 'public') demand(actor, permission, door.identity);
  };

const handlerOf = (route: Route, name: string, door: Door) => async (request: FastifyRequest, reply: FastifyReply) => {
  const call = callOf(request, reply, door);
  // Nothing travels while a long act runs: the connection must outlive it.
  if (route.timeoutMs !== undefined) request.raw.socket.setTimeout(route.timeoutMs);
  if (route.ifMatch && request.headers['if-match'] === undefined) throw fault('IF_MATCH_MISSING');
  const handle = (): Promise<Reply> => (route.handle as unknown as (call: AnyCall) => Promise<Reply>)(call);
  const key = route.creates ? request.headers['idempotency-key'] : undefined;
  const repeatable = typeof key === 'string' && key.length <= 128 && call.actor !== null;
  const address = addressKey(call.from);
  const counted = route.counted === true && call.from !== 'local';
  if (counted) takeOrRefuse(door.credentials, address);
  const answer = await (repeatable ? door.idempotency.once(`${call.actor.id} ${name} ${key}`, request.body, handle) : handle());
  if (counted) door.credentials.giveBack(address);
  return send(reply, answer, route, door.secure);
};

const streamOf = (route: StreamRoute, door: Door) => async (request: FastifyRequest, reply: FastifyReply) => {
  const call = callOf(request, reply, door);
  const local = cameBy(request.raw, door.control);
  /** Whether the one who asked still is who they were, and still may. */
  const may = async (): Promise<boolean> => {
    if (local) return true;
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const actor = bearer === undefined ? call.session && (await door.identity.session(call.session)) : await door.identity.token(bearer);
    return Boolean(actor && actor.role === call.actor?.role && door.identity.permits(actor, route.permission));
  };
  await door.streams.open(
    reply,
    String(call.actor?.id),
    (sendEvent) => (route.open as unknown as (call: AnyCall, send: typeof sendEvent) => Promise<() => void>)(call, sendEvent),
    may,
  );
  return reply;
};

const callOf = (request: FastifyRequest, reply: FastifyReply, door: Door): AnyCall => {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return {
    params: request.params,
    query: request.query,
    body: request.body,
    actor: actors.get(request) ?? null,
    from: fromOf(request, door),
    ifVersion: versionOf(request.headers['if-match']),
    session: request.cookies[cookieName(door.secure)],
    signal: gone.signal,
  };
};

// A version that cannot be ours is one that is not current: the change will be refused as such.
const versionOf = (header: string | undefined): number => Number(/^(?:W\/)?"(\d{1,15})"$/.exec(header ?? '')?.[1] ?? -1);

const send = (reply: FastifyReply, answer: Reply, route: Route, secure: boolean): unknown => {
  if (answer.version !== undefined) reply.header('etag', `"${answer.version}"`);
  if (answer.session !== undefined) {
    const options = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
    if (answer.session === null) reply.clearCookie(cookieName(secure), options);
    else reply.setCookie(cookieName(secure), answer.session.value, { ...options, expires: new Date(answer.session.expiresAt) });
  }
  if (route.answer === null) return reply.code(204).send();
  reply.code(answer.status ?? route.status ?? 200);
  if (answer.framed === true) reply.headers(FRAMED_HEADERS);
  if (answer.type !== undefined) reply.type(answer.type).serializer(String);
  return answer.body;
};
