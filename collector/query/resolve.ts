// SPDX-License-Identifier: Apache-2.0
/**
 * Gives a query its meaning, once for every target. Rules:
 * keyword: the whole value, case aside (ids with case); text: substring, case aside; `*` stands for any text; quoted: `*` is a star.
 * Without a field: substring of DEFAULT_FIELDS (documents: of any text in them). keywords: one item is enough. ip: address, CIDR, range.
 * date: the half-open range the literal names. long, double: numbers; boolean: true, false. keyword, text ranges: order of UTF-8, case aside.
 * Documents are typed by the value found: text as keyword, numbers as numbers or times. A missing value fails every test; `not` is IS NOT TRUE.
 * Input: the tree of parse, the time it is now. Output: typed tests for to-sql and to-predicate.
 */
import type { FieldType } from '../../core/ecs.ts';
import { isCoded } from '../../core/errors.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Literal, Node } from './ast.ts';
import { parseTime } from './date.ts';
import { DEFAULT_FIELDS, documentField, eventField, eventFields, type FieldRef, wildcardParts } from './field.ts';
import { fold } from './fold.ts';
import { canonicalIp, ipKey, type Network, parseNetwork } from './ip.ts';

export type Op = 'gt' | 'gte' | 'lt' | 'lte';

/** Texts are folded already, but those of exact fields. */
export type TextTest =
  | { readonly kind: 'equals'; readonly text: string }
  | { readonly kind: 'contains'; readonly text: string }
  /** Anchored at both ends, any text between the parts. */
  | { readonly kind: 'like'; readonly parts: readonly string[] }
  | { readonly kind: 'order'; readonly op: Op; readonly text: string };

export type NumberTest = { readonly kind: 'number'; readonly op: Op | 'eq'; readonly value: number };

/** From inclusive, to exclusive; absent ends are open. */
export type TimeTest = { readonly kind: 'time'; readonly from?: UnixMs; readonly to?: UnixMs };

export type Test =
  | TextTest
  | NumberTest
  | TimeTest
  | { readonly kind: 'exists' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'network'; readonly network: Network }
  /** Of a document: by the type of the value found. */
  | {
      readonly kind: 'dynamic';
      readonly text?: TextTest;
      readonly number?: NumberTest | TimeTest;
      readonly boolean?: boolean;
    };

export type Resolved =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Resolved[] }
  | { readonly kind: 'not'; readonly of: Resolved }
  | { readonly kind: 'test'; readonly field: FieldRef; readonly test: Test }
  /** Any text in a document contains this (folded). */
  | { readonly kind: 'anywhere'; readonly test: TextTest };

export interface Meaning {
  readonly of: 'events' | 'documents';
  readonly now: UnixMs;
}

/**
 * The typed form of a query.
 * @throws CodedError QUERY_BAD_VALUE when a value cannot be one of its field.
 */
export const resolve = (node: Node, meaning: Meaning): Resolved => {
  switch (node.kind) {
    case 'all':
      return { kind: 'true' };
    case 'and':
    case 'or':
      return { kind: node.kind, of: node.of.map((child) => resolve(child, meaning)) };
    case 'not':
      return { kind: 'not', of: resolve(node.of, meaning) };
    case 'is':
      if (node.field === null) return bare(node.value, meaning);
      return each(node.field, meaning, (ref) => isTest(ref, node.value, meaning.now));
    case 'exists':
      return each(node.field, meaning, () => ({ kind: 'exists' }));
    case 'range':
      return each(node.field, meaning, (ref) => rangeTest(ref, node.op, node.value, meaning.now));
  }
};

const bare = (value: Literal, { of }: Meaning): Resolved => {
  const test = containsTest(wildcardParts(value));
  if (of === 'documents') return { kind: 'anywhere', test };
  const tests: Resolved[] = DEFAULT_FIELDS.map((name) => ({ kind: 'test', field: eventField(name), test }));
  const network = parseNetwork(value.text);
  if (network) tests.push({ kind: 'test', field: eventField('source.ip'), test: { kind: 'network', network } });
  return { kind: 'or', of: tests };
};

// One field: a value that is none of it is an error. A pattern of fields: those that cannot hold the value are passed over.
const each = (field: Literal, { of }: Meaning, make: (ref: FieldRef) => Test | null): Resolved => {
  if (field.text === 'vigil.extra' && of === 'events') throw badValue(field.text, field, 'a map', 'vigil.extra.NAME: value');
  const refs = of === 'documents' ? [documentField(field)] : eventFields(field);
  const pattern = of === 'events' && wildcardParts(field).length > 1;
  const tests: Resolved[] = [];
  for (const ref of refs) {
    if (ref === null)
      throw fault('QUERY_BAD_VALUE', { value: field.text, field: 'a field', type: 'a path', expected: 'names joined by dots' });
    const test = pattern ? tryMake(make, ref) : make(ref);
    if (test !== null) tests.push({ kind: 'test', field: ref, test });
  }
  if (tests.length === 1) return tests[0] as Resolved;
  return tests.length === 0 ? { kind: 'false' } : { kind: 'or', of: tests };
};

const tryMake = (make: (ref: FieldRef) => Test | null, ref: FieldRef): Test | null => {
  try {
    return make(ref);
  } catch (error) {
    if (isCoded(error, 'QUERY_BAD_VALUE')) return null;
    throw error;
  }
};

const typeOf = (ref: FieldRef): FieldType | 'dynamic' => (ref.kind === 'ecs' ? ref.type : ref.kind === 'path' ? 'dynamic' : 'keyword');
const nameOf = (ref: FieldRef): string =>
  ref.kind === 'path' ? ref.path.join('.') : ref.kind === 'inside' ? `${ref.name}.${ref.key}` : ref.name;
const folder = (ref: FieldRef): ((text: string) => string) => (ref.kind === 'ecs' && ref.exact ? (text) => text : fold);

const badValue = (name: string, value: Literal, type: string, expected: string): Error =>
  fault('QUERY_BAD_VALUE', { value: JSON.stringify(value.text), field: name, type, expected });

const textTest = (parts: readonly string[], fix: (text: string) => string): TextTest =>
  parts.length === 1 ? { kind: 'equals', text: fix(parts[0] as string) } : { kind: 'like', parts: parts.map(fix) };

const containsTest = (parts: readonly string[]): TextTest =>
  parts.length === 1 ? { kind: 'contains', text: fold(parts[0] as string) } : { kind: 'like', parts: ['', ...parts.map(fold), ''] };

/** Wildcards of one value: more make a search slow and say nothing. */
const WILDCARDS = 64;

const isTest = (ref: FieldRef, value: Literal, now: UnixMs): Test => {
  const parts = wildcardParts(value);
  if (parts.length > WILDCARDS + 1) throw badValue(nameOf(ref), value, 'a text', `a value with at most ${WILDCARDS} wildcards`);
  const text = value.text;
  switch (typeOf(ref)) {
    case 'text':
      return containsTest(parts);
    case 'long':
    case 'double':
      return { kind: 'number', op: 'eq', value: numberOf(ref, value, parts) };
    case 'boolean':
      if (!/^(true|false)$/i.test(text)) throw badValue(nameOf(ref), value, 'a boolean', 'true or false');
      return { kind: 'boolean', value: text.toLowerCase() === 'true' };
    case 'date':
      return timeOf(ref, value, now);
    case 'ip': {
      const network = parseNetwork(text);
      if (network) return { kind: 'network', network };
      return parts.length > 1 ? textTest(parts, fold) : { kind: 'equals', text: canonicalIp(text) ?? fold(text) };
    }
    case 'dynamic':
      return dynamicIs(value, parts, now);
    case 'keyword':
    case 'keywords':
    case 'flattened':
      return textTest(parts, folder(ref));
  }
};

const dynamicIs = (value: Literal, parts: readonly string[], now: UnixMs): Test => {
  const text = textTest(parts, fold);
  const number = parts.length > 1 ? undefined : parseNumber(value.text);
  if (number !== undefined) return { kind: 'dynamic', text, number: { kind: 'number', op: 'eq', value: number } };
  const time = parts.length > 1 ? null : parseTime(value.text, now);
  if (time) return { kind: 'dynamic', text, number: { kind: 'time', ...time } };
  return /^(true|false)$/i.test(value.text)
    ? { kind: 'dynamic', text, boolean: value.text.toLowerCase() === 'true' }
    : { kind: 'dynamic', text };
};

const rangeTest = (ref: FieldRef, op: Op, value: Literal, now: UnixMs): Test => {
  const parts = wildcardParts(value);
  if (parts.length > 1) throw badValue(nameOf(ref), value, 'compared', 'a value without *');
  const type = typeOf(ref);
  if (type === 'long' || type === 'double') return { kind: 'number', op, value: numberOf(ref, value, parts) };
  if (type === 'boolean') throw badValue(nameOf(ref), value, 'a boolean', `${nameOf(ref)}: true`);
  if (type === 'date') return timeRange(op, timeOf(ref, value, now));
  if (type === 'ip') return addressRange(ref, op, value);
  const order: TextTest = { kind: 'order', op, text: folder(ref)(value.text) };
  if (type !== 'dynamic') return order;
  const number = parseNumber(value.text);
  if (number !== undefined) return { kind: 'dynamic', text: order, number: { kind: 'number', op, value: number } };
  const time = parseTime(value.text, now);
  if (time === null) return { kind: 'dynamic', text: order };
  const test = timeRange(op, time);
  // A stored text is not compared with date math.
  return value.text.startsWith('now') || value.text.includes('||')
    ? { kind: 'dynamic', number: test }
    : { kind: 'dynamic', text: order, number: test };
};

const timeOf = (ref: FieldRef, value: Literal, now: UnixMs): { readonly kind: 'time'; readonly from: UnixMs; readonly to: UnixMs } => {
  const range = wildcardParts(value).length > 1 ? null : parseTime(value.text, now);
  if (range === null) throw badValue(nameOf(ref), value, 'a time', '2026-11-24, "2026-11-24T09:14:02Z" or now-24h');
  return { kind: 'time', ...range };
};

// The literal is a range itself: after it is behind its end, up to it includes its end.
const timeRange = (op: Op, { from, to }: { readonly from: UnixMs; readonly to: UnixMs }): TimeTest =>
  op === 'gt'
    ? { kind: 'time', from: to }
    : op === 'gte'
      ? { kind: 'time', from }
      : op === 'lt'
        ? { kind: 'time', to: from }
        : { kind: 'time', to };

const FIRST = '0'.repeat(32);
const LAST = 'f'.repeat(32);
const EMPTY: Network = { from: LAST, to: FIRST };

const addressRange = (ref: FieldRef, op: Op, value: Literal): Test => {
  const key = ipKey(value.text);
  if (key === null)
    throw badValue(nameOf(ref), value, 'an address', 'an address; a network is written with a colon, source.ip: 10.0.0.0/8');
  const step = (by: bigint): string => (BigInt(`0x${key}`) + by).toString(16).padStart(32, '0');
  if ((op === 'gt' && key === LAST) || (op === 'lt' && key === FIRST)) return { kind: 'network', network: EMPTY };
  if (op === 'gt' || op === 'gte') return { kind: 'network', network: { from: op === 'gt' ? step(1n) : key, to: LAST } };
  return { kind: 'network', network: { from: FIRST, to: op === 'lt' ? step(-1n) : key } };
};

const numberOf = (ref: FieldRef, value: Literal, parts: readonly string[]): number => {
  const number = parts.length > 1 ? undefined : parseNumber(value.text);
  if (number === undefined) throw badValue(nameOf(ref), value, 'a number', 'a number such as 22 or 1.5');
  return number;
};

// Whole numbers beyond 2^53 would be compared as their neighbours, so they are none.
const parseNumber = (text: string): number | undefined => {
  if (!/^[+-]?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
};
