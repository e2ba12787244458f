// SPDX-License-Identifier: Apache-2.0
/**
 * Compiles a query into a function over events or documents in memory: live tail, suppression, and the oracle of the other targets.
 * Input: the tree of parse. Output: a predicate; all literals are prepared once.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Event } from '../model/event.ts';
import type { Node } from './ast.ts';
import type { FieldRef } from './field.ts';
import { compareText, fold, matchParts } from './fold.ts';
import { ipKey } from './ip.ts';
import { type NumberTest, type Op, type Resolved, resolve, type Test, type TextTest, type TimeTest } from './resolve.ts';

export interface PredicateOptions {
  /** What `now` in the query means; fixed when it is compiled. */
  readonly now: UnixMs;
}

type Check<T> = (of: T) => boolean;
type Values = (of: unknown) => readonly unknown[];

/**
 * True for events that the query matches.
 * @throws CodedError QUERY_BAD_VALUE.
 */
export const toPredicate = (node: Node, { now }: PredicateOptions): Check<Event> => build(resolve(node, { of: 'events', now }));

/**
 * True for documents of the state store (plain JSON values) that the query matches.
 * @throws CodedError QUERY_BAD_VALUE.
 */
export const toDocumentPredicate = (node: Node, { now }: PredicateOptions): Check<unknown> =>
  build(resolve(node, { of: 'documents', now }));

const build = (node: Resolved): Check<unknown> => {
  switch (node.kind) {
    case 'true':
      return () => true;
    case 'false':
      return () => false;
    case 'not': {
      const inner = build(node.of);
      return (of) => !inner(of);
    }
    case 'and': {
      const all = node.of.map(build);
      return (of) => all.every((check) => check(of));
    }
    case 'or': {
      const any = node.of.map(build);
      return (of) => any.some((check) => check(of));
    }
    case 'anywhere': {
      const check = textCheck(node.test, fold);
      return (of) => texts(of, (text) => check(text));
    }
    case 'test': {
      const values = reader(node.field);
      const check = valueCheck(node.test, node.field.kind === 'ecs' && node.field.exact);
      return (of) => values(of).some(check);
    }
  }
};

const reader = (field: FieldRef): Values => {
  switch (field.kind) {
    case 'ecs':
      return field.type === 'flattened' ? (of) => Object.values(record(at(of, field.name))) : (of) => present(at(of, field.name));
    case 'extra':
      return (of) => present(at(at(of, 'vigil.extra'), field.name));
    case 'inside':
      return (of) => present(at(at(of, field.name), field.key));
    case 'path':
      return (of) => field.path.reduce<readonly unknown[]>((found, key) => found.flatMap((value) => present(at(value, key))), [of]);
  }
};

const record = (value: unknown): object => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {});
const at = (of: unknown, key: string): unknown => {
  const from = record(of);
  return Object.hasOwn(from, key) ? (from as Record<string, unknown>)[key] : undefined;
};
const present = (value: unknown): readonly unknown[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value.filter((item) => item !== null) : [value];

const texts = (value: unknown, check: Check<string>): boolean => {
  if (typeof value === 'string') return check(value);
  return typeof value === 'object' && value !== null && Object.values(value).some((inner) => texts(inner, check));
};

const textCheck = (test: TextTest, fix: (text: string) => string): Check<string> => {
  switch (test.kind) {
    case 'equals':
      return (text) => fix(text) === test.text;
    case 'contains':
      return (text) => fix(text).includes(test.text);
    case 'like':
      return (text) => matchParts(fix(text), test.parts);
    case 'order': {
      const compared = ORDER[test.op];
      return (text) => compared(compareText(fix(text), test.text));
    }
  }
};

const ORDER: Readonly<Record<Op | 'eq', Check<number>>> = {
  gt: (n) => n > 0,
  gte: (n) => n >= 0,
  lt: (n) => n < 0,
  lte: (n) => n <= 0,
  eq: (n) => n === 0,
};

const numberCheck = (test: NumberTest | TimeTest): Check<number> => {
  if (test.kind === 'number') return (n) => ORDER[test.op](n - test.value);
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = test;
  return (n) => n >= from && n < to;
};

const valueCheck = (test: Test, exact: boolean): Check<unknown> => {
  switch (test.kind) {
    case 'exists':
      return () => true;
    case 'boolean':
      return (value) => value === test.value;
    case 'number':
    case 'time': {
      const check = numberCheck(test);
      return (value) => typeof value === 'number' && check(value);
    }
    case 'network':
      return (value) => {
        const key = typeof value === 'string' ? ipKey(value) : null;
        return key !== null && key >= test.network.from && key <= test.network.to;
      };
    case 'dynamic': {
      const text = test.text === undefined ? () => false : textCheck(test.text, fold);
      const number = test.number === undefined ? () => false : numberCheck(test.number);
      return (value) =>
        typeof value === 'string'
          ? text(value)
          : typeof value === 'number'
            ? number(value)
            : typeof value === 'boolean' && value === test.boolean;
    }
    default: {
      const check = textCheck(test, exact ? (text) => text : fold);
      return (value) => typeof value === 'string' && check(value);
    }
  }
};
