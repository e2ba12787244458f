// SPDX-License-Identifier: Apache-2.0
/** The console's types are those of the API as it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeApi, TYPES_FILE, typeOf, typesOf } from './support/openapi-types.ts';
import { ROOT } from './support/repository.ts';

describe('the types of the console', () => {
  test('are current', () => {
    expect(readFileSync(join(ROOT, TYPES_FILE), 'utf8'), 'run node bin/vigil.js --script test/support/openapi-types.ts').toBe(
      typesOf(describeApi()),
    );
  });

  test('follow the schema', () => {
    expect(
      typeOf({
        type: 'object',
        required: ['a'],
        properties: { a: { type: 'integer' }, 'b-c': { anyOf: [{ type: 'string' }, { type: 'null' }] } },
      }),
    ).toBe("{ readonly a: number; readonly 'b-c'?: string | null }");
    expect(typeOf({ type: 'array', items: { enum: ['x', 'y'] } })).toBe("readonly ('x' | 'y')[]");
    expect(typeOf({ type: 'object', patternProperties: { '^.*$': {} } })).toBe('Readonly<Record<string, unknown>>');
  });
});
