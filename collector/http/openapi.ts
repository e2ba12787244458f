// SPDX-License-Identifier: Apache-2.0
/**
 * The API's own description, OpenAPI 3.1, made from the schemas that validate: it cannot say other than what is.
 * Input: the declared routes. Output: the document at /api/v1/openapi.json, from which the console's types are made.
 */
import type { TObject, TSchema } from 'typebox';
import { ProblemSchema } from './errors.ts';
import type { Route, StreamRoute } from './route.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly [key: string]: unknown;
}

/** The document of a set of routes, in the order of their paths. */
export const openApiOf = (routes: readonly (Route | StreamRoute)[], version: string): OpenApi => {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of [...routes].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: 'handle' in route ? operation(route) : stream(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Vigil', version, description: 'An information security management system that measures instead of asking.' },
    paths,
    components: {
      schemas: { Problem: plain(ProblemSchema) },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-vigil' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  };
};

const operation = (route: Route): Json => {
  const status = route.answer === null ? '204' : String(route.status ?? 200);
  const ok: Json = {
    description: route.answer === null ? 'Done.' : 'The answer.',
    ...(route.answer === null ? {} : { content: { 'application/json': { schema: plain(route.answer) } } }),
  };
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [route.tag],
    ...(route.permission === 'public'
      ? { security: [] }
      : { security: [{ session: [] }, { token: [] }], 'x-permission': route.permission }),
    parameters: [...parameters('path', route.params), ...parameters('query', route.query), ...headers(route)],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: plain(route.body) } } } }),
    responses: {
      [status]: ok,
      default: {
        description: 'A problem, with its code.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
};

const stream = (route: StreamRoute): Json => ({
  operationId: operationId(route),
  summary: route.summary,
  tags: [route.tag],
  security: [{ session: [] }, { token: [] }],
  'x-permission': route.permission,
  parameters: parameters('query', route.query),
  responses: { '200': { description: 'Server-sent events.', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
});

const parameters = (place: 'path' | 'query', schema: TObject | undefined): readonly Json[] =>
  Object.entries(schema?.properties ?? {}).map(([name, inner]) => ({
    name,
    in: place,
    required: place === 'path' || ((schema?.required ?? []) as readonly string[]).includes(name),
    schema: plain(inner as TSchema),
  }));

const headers = (route: Route): readonly Json[] => [
  ...(route.ifMatch ? [{ name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } }] : []),
  ...(route.creates ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 128 } }] : []),
];

/** `get_alerts_id_explain`: unique, and stable as long as the path is. */
const operationId = ({ method, path }: Route | StreamRoute): string =>
  `${method.toLowerCase()}${path.replace(/^\/api\/v1/, '').replace(/\W+/g, '_')}`;

// A schema is JSON; the round trip takes off what the builder hides in it.
const plain = (schema: TSchema): Json => JSON.parse(JSON.stringify(schema)) as Json;
