// SPDX-License-Identifier: Apache-2.0
/**
 * Makes the console's types from the API's own description, so that the console cannot expect what the API does not answer.
 * Input: every declared route. Output: `dashboards/console/src/api/schema.ts`; run as a program it writes the file, a test compares.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { backupRoutes } from '../../collector/backup/routes.ts';
import { factRoutes } from '../../collector/facts/routes.ts';
import { hostRoutes } from '../../collector/fleet/host-routes.ts';
import { openMetrics } from '../../collector/http/metrics.ts';
import { type OpenApi, openApiOf } from '../../collector/http/openapi.ts';
import { type ConsoleParts, declaredRoutes } from '../../collector/http/server.ts';
import { reportRoutes } from '../../collector/report/routes.ts';
import { ROOT } from './repository.ts';

/** Where the console keeps them. */
export const TYPES_FILE = 'dashboards/console/src/api/schema.ts';

type Schema = Readonly<Record<string, unknown>>;
type Operation = Readonly<Record<string, unknown>>;

/** The description, from routes whose handlers are never called. */
export const describeApi = (): OpenApi => {
  const nothing = {
    query: {},
    alerts: {},
    incidents: {},
    scores: {},
    controls: {},
    risks: {},
    fleet: { parts: {} },
    auth: { logins: {}, users: {}, tokens: {}, audit: {} },
    comments: {},
    status: {},
    more: [...factRoutes({} as never), ...hostRoutes({} as never), ...reportRoutes({} as never), ...backupRoutes({} as never)],
  };
  return openApiOf(
    declaredRoutes(
      nothing as unknown as ConsoleParts,
      openMetrics(() => []),
    ),
    '0.0.0',
  );
};

const HEAD = `// SPDX-License-Identifier: Apache-2.0
/**
 * What the API takes and answers, by operation. Made from /api/v1/openapi.json: \`node bin/vigil.js --script test/support/openapi-types.ts\`.
 * Input: the schemas that validate in the collector. Output: types for calls.ts; never changed by hand.
 */
`;

/** The text of the types of a description. */
export const typesOf = (document: OpenApi): string => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation: operation as Operation })),
  );
  const table = (name: string, of: (operation: Operation) => string | null): string => {
    const lines = operations.flatMap(({ name: key, operation }) => {
      const type = of(operation);
      return type === null ? [] : [`  readonly '${key}': ${type};`];
    });
    return `// biome-ignore format: one operation a line\nexport interface ${name} {\n${lines.join('\n')}\n}\n`;
  };
  return [
    HEAD,
    table('Answers', answerOf),
    table('Bodies', (operation) => jsonOf(operation['requestBody'])),
    table('Queries', queryOf),
    'export type AnswerOf<K extends keyof Answers> = Answers[K];',
    'export type BodyOf<K extends keyof Bodies> = Bodies[K];',
    'export type QueryOf<K extends keyof Queries> = Queries[K];\n',
  ].join('\n');
};

const answerOf = (operation: Operation): string | null => {
  const responses = operation['responses'] as Readonly<Record<string, unknown>>;
  const status = Object.keys(responses).find((code) => code.startsWith('2'));
  return status === undefined ? null : status === '204' ? 'null' : jsonOf(responses[status]);
};

const jsonOf = (part: unknown): string | null => {
  const content = (part as { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> } | undefined)?.content;
  const json = content?.['application/json'];
  return json === undefined ? null : typeOf(json.schema);
};

const queryOf = (operation: Operation): string | null => {
  const parameters = (
    operation['parameters'] as readonly {
      readonly name: string;
      readonly in: string;
      readonly required: boolean;
      readonly schema: Schema;
    }[]
  ).filter((one) => one.in === 'query');
  if (parameters.length === 0) return null;
  return object(parameters.map(({ name, required, schema }) => [name, schema, required] as const));
};

/** The type of a JSON schema, as far as our schemas go. */
export const typeOf = (schema: Schema): string => {
  if (Array.isArray(schema['enum'])) return schema['enum'].map(quote).join(' | ');
  if ('const' in schema) return quote(schema['const']);
  if (Array.isArray(schema['anyOf'])) return schema['anyOf'].map((one) => typeOf(one as Schema)).join(' | ');
  if (Array.isArray(schema['allOf'])) return schema['allOf'].map((one) => typeOf(one as Schema)).join(' & ');
  switch (schema['type']) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return listOf(typeOf(schema['items'] as Schema));
    case 'object':
      return objectOf(schema);
    default:
      return 'unknown';
  }
};

const listOf = (item: string): string => (/^[\w.]+$/.test(item) || item.startsWith('{') ? `readonly ${item}[]` : `readonly (${item})[]`);

const objectOf = (schema: Schema): string => {
  const patterns = Object.values((schema['patternProperties'] ?? {}) as Readonly<Record<string, Schema>>);
  if (patterns[0] !== undefined) return `Readonly<Record<string, ${typeOf(patterns[0])}>>`;
  const required = (schema['required'] ?? []) as readonly string[];
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  return object(properties.map(([name, inner]) => [name, inner, required.includes(name)] as const));
};

const object = (fields: readonly (readonly [name: string, schema: Schema, required: boolean])[]): string =>
  `{ ${fields.map(([name, schema, required]) => `readonly ${/^[A-Za-z_]\w*$/.test(name) ? name : quote(name)}${required ? '' : '?'}: ${typeOf(schema)}`).join('; ')} }`;

const quote = (value: unknown): string => (typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : JSON.stringify(value));

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(join(ROOT, TYPES_FILE), typesOf(describeApi()));
