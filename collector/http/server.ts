// SPDX-License-Identifier: Apache-2.0
/**
 * The console's listener: limits, headers, every declared route, the API's description, the console's files.
 * Input: one object of ports. Output: a fastify server that is not listening yet, and what closes with it.
 */
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https';
import cookie from '@fastify/cookie';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { Type } from 'typebox';
import type { Clock } from '../../core/clock.ts';
import { type CodedError, coreFault, toError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type AlertChain, AlertChainSchema, type AlertPorts, alertRoutes, chainJson } from '../alert/routes.ts';
import { addressKey } from '../auth/limit.ts';
import { type AuthPorts, authRoutes } from '../auth/routes.ts';
import { type CommentPorts, commentRoutes } from '../comment/routes.ts';
import { fault } from '../errors.ts';
import { type FleetPorts, fleetRoutes } from '../fleet/routes.ts';
import { type IncidentPorts, incidentRoutes } from '../incident/routes.ts';
import { controlRoutes } from '../isms/control-routes.ts';
import type { ControlPorts } from '../isms/control-view.ts';
import { type RiskPorts, riskRoutes } from '../isms/risk-routes.ts';
import type { Actor } from '../model/permission.ts';
import { type QueryPorts, queryRoutes } from '../query/routes.ts';
import { type ScorePorts, scoreRoutes } from '../score/routes.ts';
import { codedOf, PROBLEM_TYPE, problemOf } from './errors.ts';
import { checkHost, securityHeaders } from './headers.ts';
import { healthRoutes, type StatusPorts } from './health.ts';
import { openIdempotency } from './idempotency.ts';
import { type Bucket, checkJsonDepth, openRateLimit, takeOrRefuse } from './limits.ts';
import { type Figure, type Metrics, openMetrics } from './metrics.ts';
import { openApiOf } from './openapi.ts';
import { cameBy, checkDeclared, type Identity } from './permission.ts';
import { openRefusals } from './refused.ts';
import { askedOf, type Door, fromOf, openRoutes } from './register.ts';
import { publicRoute, type Route, type StreamRoute } from './route.ts';
import { openStreams, type StreamLimits } from './sse.ts';
import type { Site, SiteFile } from './static.ts';

export interface ConsoleParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  /** Certificate and key of the console; plain HTTP without, for loopback only. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key'>;
  /** Host names this listener is called by, without port, lower-case; `localhost`, `127.0.0.1` and `[::1]` on loopback. */
  readonly hosts: readonly string[];
  readonly identity: Identity;
  readonly localOwner: Actor;
  readonly site: Site;
  readonly status: StatusPorts;
  readonly figures: () => readonly Figure[];
  readonly query: QueryPorts;
  readonly alerts: AlertPorts;
  readonly incidents: Omit<IncidentPorts<AlertChain>, 'chain'>;
  readonly comments: CommentPorts;
  readonly scores: ScorePorts;
  readonly controls: ControlPorts;
  readonly risks: RiskPorts;
  readonly fleet: FleetPorts;
  readonly auth: AuthPorts;
  /** Takes what is to be called when somebody may have lost a right. */
  readonly onAccess?: (listener: () => void) => void;
  /** Routes of other folders. */
  readonly more?: readonly (Route | StreamRoute)[];
  readonly limits?: Partial<ConsoleLimits>;
}

export interface ConsoleLimits {
  /** Requests of one address, whatever they are. */
  readonly requests: Bucket;
  /** Credentials of one address that turned out wrong or are being verified. */
  readonly credentials: Bucket;
  readonly streams: StreamLimits;
  readonly bodyBytes: number;
}

export const CONSOLE_LIMITS = {
  requests: { burst: 600, perSecond: 100 },
  credentials: { burst: 60, perSecond: 1 },
  bodyBytes: 1_048_576,
} as const satisfies Partial<ConsoleLimits>;

/** Every route that the parts give, in one list. */
export const routesOf = (parts: RouteParts): readonly (Route | StreamRoute)[] => [
  ...queryRoutes(parts.query),
  ...alertRoutes(parts.alerts),
  ...incidentRoutes<AlertChain>({ ...parts.incidents, chain: { schema: AlertChainSchema, json: chainJson } }),
  ...commentRoutes(parts.comments),
  ...scoreRoutes(parts.scores),
  ...controlRoutes(parts.controls),
  ...riskRoutes(parts.risks),
  ...fleetRoutes(parts.fleet),
  ...authRoutes(parts.auth),
  ...(parts.more ?? []),
];

type RouteParts = Pick<
  ConsoleParts,
  'query' | 'alerts' | 'incidents' | 'comments' | 'scores' | 'controls' | 'risks' | 'fleet' | 'auth' | 'more'
>;

/** Those and the routes about the collector itself: what the description describes. */
export const declaredRoutes = (
  parts: RouteParts & Pick<ConsoleParts, 'status' | 'identity'>,
  metrics: Metrics,
): readonly (Route | StreamRoute)[] => [
  ...healthRoutes(parts.status, metrics, (actor) => parts.identity.permits(actor, 'status.read')),
  ...routesOf(parts),
];

/** Sockets of each server's control socket, for `openControl`. */
const controls = new WeakMap<FastifyInstance, WeakSet<object>>();

/** The set of sockets whose requests a server takes as the local owner's. */
export const controlSockets = (app: FastifyInstance): WeakSet<object> => controls.get(app) ?? new WeakSet();

/**
 * Makes the server; `await app.ready()` before the control socket is opened.
 * @throws CodedError ROUTE_BAD when a route declares no permission.
 */
export const makeConsoleServer = (parts: ConsoleParts): FastifyInstance => {
  const { clock, log } = parts;
  const secure = parts.tls !== undefined;
  const limits = { ...CONSOLE_LIMITS, ...parts.limits };
  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (handler) => listener(handler, parts.tls),
    bodyLimit: limits.bodyBytes,
    handlerTimeout: 120_000,
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    trustProxy: false,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    requestIdHeader: false,
    exposeHeadRoutes: true,
    return503OnClosing: true,
    // What the router cannot read meets no hook: it is answered here like everything else.
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders(secure)).header('cache-control', 'no-store');
      return sendProblem(error, request, reply, log);
    },
  });
  const control = new WeakSet<object>();
  controls.set(app, control);
  const door: Door = {
    identity: parts.identity,
    localOwner: parts.localOwner,
    control,
    credentials: openRateLimit(limits.credentials, clock),
    idempotency: openIdempotency(clock),
    streams: openStreams(clock, parts.limits?.streams),
    secure,
  };
  parts.onAccess?.(() => door.streams.recheck());
  const metrics = openMetrics(parts.figures);
  const requests = openRateLimit(limits.requests, clock);

  guard(app, parts, door, requests);
  readJson(app);
  const refusals = openRefusals({ audit: parts.auth.audit, clock, log });
  answerFaults(app, log, (error, request) => refusals.note(error, askedOf(request, door)));

  // Whatever opens a route later, by whatever plugin, must have said who may use it.
  app.addHook('onRoute', ({ method, url, config }) =>
    checkDeclared(`${String(method)} ${url}`, (config as { permission?: unknown } | undefined)?.permission),
  );
  app.addHook('onResponse', (request, reply, done) => {
    metrics.observe(request.method, request.routeOptions.url ?? '(none)', reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  app.addHook('preClose', (done) => {
    door.streams.close();
    done();
  });
  app.addHook('onClose', () => refusals.close());

  const declared = declaredRoutes(parts, metrics);
  app.register(cookie);
  app.register(async (inner) => {
    openRoutes(inner, [...declared, description(declared, parts.version)], door);
    serveSite(inner, parts.site);
  });
  return app;
};

const listener = (handler: (request: never, response: never) => void, tls: ConsoleParts['tls']): Server => {
  const options = {
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16_384,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createHttpServer(options, handler as never)
      : (createHttpsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, handler as never) as unknown as Server);
  // A server of our own making takes none of these from fastify's options.
  server.timeout = 130_000;
  server.keepAliveTimeout = 30_000;
  server.maxRequestsPerSocket = 10_000;
  server.maxConnections = 2_000;
  return server;
};

const guard = (app: FastifyInstance, parts: ConsoleParts, door: Door, requests: ReturnType<typeof openRateLimit>): void => {
  const fixed = securityHeaders(door.secure);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(fixed).header('cache-control', 'no-store');
    try {
      if (!cameBy(request.raw, door.control)) {
        takeOrRefuse(requests, addressKey(fromOf(request, door)));
        checkHost(request.headers, parts.hosts);
      }
      done();
    } catch (error) {
      done(toError(error));
    }
  });
};

const readJson = (app: FastifyInstance): void => {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    if (bytes.length === 0) return done(null, undefined);
    try {
      checkJsonDepth(bytes);
    } catch (error) {
      return done(toError(error));
    }
    return parse(request, bytes.toString('utf8'), (error, value) =>
      error === null
        ? done(null, value)
        : done(coreFault('JSON_BAD', { reason: 'it is not well-formed, or holds __proto__ or constructor' }, error)),
    );
  });
};

const answerFaults = (app: FastifyInstance, log: Log, onRefused: (error: CodedError, request: FastifyRequest) => void): void => {
  app.setErrorHandler((thrown, request, reply) => {
    const error = codedOf(thrown, request.routeOptions.bodyLimit);
    onRefused(error, request);
    return sendProblem(error, request, reply, log);
  });
};

const sendProblem = (thrown: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply => {
  const error = codedOf(thrown, request.routeOptions.bodyLimit);
  const problem = problemOf(error, String(request.id));
  if (error.status >= 500)
    log.error(
      { event: 'http.fault', request: request.id, route: request.routeOptions.url, code: error.code, err: error },
      'a request met a fault',
    );
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
};

const description = (declared: readonly (Route | StreamRoute)[], version: string): Route => {
  let text = '';
  const self: Route = publicRoute({
    method: 'GET',
    path: '/api/v1/openapi.json',
    tag: 'status',
    summary: 'This description.',
    answer: Type.Unknown(),
    handle: async () => ({ body: text, type: 'application/json' }),
  });
  text = JSON.stringify(openApiOf([...declared, self], version));
  return self;
};

const serveSite = (app: FastifyInstance, site: Site): void => {
  // Every path that no route has: a file of the console, or the page itself, whose own router takes it from there.
  app.setNotFoundHandler({}, (request, reply) => {
    const path = pathOf(request);
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !/^\/(api|agent|metrics|health|ready)(\/|$)/.test(path);
    const file = isPage ? site.find(path) : null;
    if (file === null) throw fault('NO_SUCH_ROUTE', { path: path.replace(/[^\w./-]/g, '?').slice(0, 200) });
    reply.headers({
      'content-type': file.type,
      etag: file.etag,
      vary: 'accept-encoding',
      'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.code(200).send(encoded(request, file, (name) => reply.header('content-encoding', name)));
  });
};

const encoded = (request: FastifyRequest, file: SiteFile, mark: (name: string) => unknown): Buffer => {
  if (file.gzip === null || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return file.bytes;
  mark('gzip');
  return file.gzip;
};

const pathOf = (request: FastifyRequest): string => request.url.split(/[?#]/, 1)[0] ?? '/';
