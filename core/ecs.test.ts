// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ECS, ECS_FIELDS, type FieldType, isEcsField } from './ecs.ts';

const file = join(process.env['VIGIL_DATA'] ?? '../shared/data', 'catalogues', 'ecs', 'fields.csv');

/** Types of the catalogue that one of ours stands for. */
const STANDS_FOR: Readonly<Record<FieldType, readonly string[]>> = {
  keyword: ['keyword', 'constant_keyword', 'wildcard'],
  keywords: ['keyword', 'ip'],
  text: ['text', 'match_only_text'],
  long: ['long', 'integer', 'unsigned_long'],
  double: ['float', 'scaled_float'],
  date: ['date'],
  ip: ['ip'],
  boolean: ['boolean'],
  flattened: ['flattened', 'object'],
};

/** Name and type of each row; a quoted cell may hold commas, but never stands before the type. */
const catalogue = (): ReadonlyMap<string, string> =>
  new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
      .map((cells) => [cells[3] ?? '', cells[4] ?? '']),
  );

describe('the field table', () => {
  it('has only names of ECS, with its types, and our own under vigil', (context) => {
    if (!existsSync(file)) return context.skip(`${file} is absent`);
    const known = catalogue();
    const own = ECS_FIELDS.filter((name) => !name.startsWith('vigil.'));
    expect(own.filter((name) => !known.has(name))).toEqual([]);
    expect(own.filter((name) => !STANDS_FOR[ECS[name].type].includes(known.get(name) ?? ''))).toEqual([]);
  });

  it('says what each field means', () => {
    for (const name of ECS_FIELDS) expect(ECS[name].meaning, name).toMatch(/^\S.{5,}[.…]?$/);
  });

  it('knows no name of an object’s own machinery', () => {
    for (const name of ['__proto__', 'constructor', 'toString', '']) expect(isEcsField(name)).toBe(false);
  });
});
