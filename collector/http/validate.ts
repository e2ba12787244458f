// SPDX-License-Identifier: Apache-2.0
/**
 * Checks parameters, query and body against their schemas; nothing is dropped or bent to fit.
 * Input: a schema and a value; texts of a query are read as the number or boolean the schema asks for. Output: the value, or what is wrong with it.
 */
import type { TObject, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

export type Checked = { readonly value: unknown } | { readonly error: Error };

/** Makes the check of one schema, once. `texts` for parameters and query, whose values all arrive as text. */
export const makeCheck = (schema: TSchema, where: string, texts: boolean): ((value: unknown) => Checked) => {
  const validator = Compile(schema);
  const properties = texts ? ((schema as TObject).properties as Record<string, TSchema>) : {};
  return (given) => {
    const value = texts ? readTexts(given as Readonly<Record<string, unknown>>, properties) : given;
    if (validator.Check(value)) return { value };
    return { error: new BadInput(sentence(where, validator.Errors(value))) };
  };
};

/** A request that does not fit its schema. */
export class BadInput extends Error {
  readonly statusCode = 400;
}

const readTexts = (given: Readonly<Record<string, unknown>>, properties: Readonly<Record<string, TSchema>>): Record<string, unknown> => {
  // Without a prototype, `__proto__` is a name like any other, and refused as one that is not known.
  const out: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(given ?? {})) {
    const schema = Object.hasOwn(properties, name) ? (properties[name] as { readonly type?: unknown }) : {};
    const value = given[name];
    if (typeof value !== 'string') out[name] = value;
    else if ((schema.type === 'integer' || schema.type === 'number') && /^-?\d{1,16}(\.\d{1,16})?$/.test(value)) out[name] = Number(value);
    else if (schema.type === 'boolean' && (value === 'true' || value === 'false')) out[name] = value === 'true';
    else out[name] = value;
  }
  return out;
};

interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

// The deepest place says most; of several faults there, the first.
const sentence = (where: string, faults: readonly Fault[]): string => {
  const extra = faults.find(({ keyword }) => keyword === 'additionalProperties');
  const names =
    extra === undefined ? [] : ((extra.params as { readonly additionalProperties?: readonly string[] }).additionalProperties ?? []);
  if (extra !== undefined && names.length > 0)
    return `${where}${dots(extra.instancePath)} holds ${names.slice(0, 3).join(', ')}, which is not known there`;
  const worst = [...faults].sort((a, b) => b.instancePath.length - a.instancePath.length)[0];
  if (worst === undefined) return `${where} does not fit`;
  const allowed = (worst.params as { readonly allowedValues?: readonly unknown[] }).allowedValues;
  return `${where}${dots(worst.instancePath)} ${allowed === undefined ? worst.message : `must be one of ${allowed.join(', ')}`}`;
};

const dots = (pointer: string): string => pointer.replaceAll('/', '.');
