// SPDX-License-Identifier: Apache-2.0
/**
 * Trees to closures: no generated code, cheap tests first, lower case made once for each field and event.
 * Input: the tree of a rule and the slots of a rule set. Output: a predicate over a subject.
 */

import type { Item, Node, OrderOperator, Test, TextOperator } from './ast.ts';
import { Automaton, isAscii } from './automaton.ts';
import { matcherOf } from './pattern.ts';
import { isoWeek } from './time.ts';

/** An event as the engine sees it: one place for each field that any rule reads. Reused from event to event. */
export interface Subject {
  /** Value by slot: text, number, boolean, null, list of those, or undefined. */
  readonly raw: unknown[];
  /** Lower-case text by slot, made on first use; see `lowOf`. */
  readonly low: (string | undefined)[];
  /** Slots that hold a value, and how good the source of each is. */
  readonly filled: number[];
  readonly ranks: Uint8Array;
  /** The whole event as text, made on first use. */
  words: string | undefined;
  wordsLow: string | undefined;
  makeWords: () => string;
}

export type Predicate = (subject: Subject) => boolean;

/** Slot of a field name; the same name gives the same slot. */
export type SlotOf = (field: string) => number;

/** The value of a slot as lower-case text. Only for slots that hold one text, number or boolean. */
export const lowOf = (subject: Subject, slot: number): string => (subject.low[slot] ??= textOf(subject.raw[slot]).toLowerCase());

export const wordsOf = (subject: Subject): string => (subject.words ??= subject.makeWords());
export const wordsLowOf = (subject: Subject): string => (subject.wordsLow ??= wordsOf(subject).toLowerCase());

export const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);

/** A test of one value: `low` is its text in lower case. */
type ValueTest = (low: string, value: unknown) => boolean;

interface Costed {
  readonly predicate: Predicate;
  /** Rough, to order the children of AND and OR. */
  readonly cost: number;
}

export const compileNode = (node: Node, slotOf: SlotOf): Predicate => compile(node, slotOf).predicate;

const compile = (node: Node, slotOf: SlotOf): Costed => {
  if (node.kind === 'item') return compileItem(node.item, slotOf);
  if (node.kind === 'not') {
    const inner = compile(node.of, slotOf);
    return { predicate: (s) => !inner.predicate(s), cost: inner.cost };
  }
  const children = node.of.map((child) => compile(child, slotOf)).sort((a, b) => a.cost - b.cost);
  const tests = children.map((c) => c.predicate);
  const cost = children.reduce((sum, c) => sum + c.cost, 0);
  if (node.kind === 'and') return { predicate: every(tests), cost };
  if (node.kind === 'or') return { predicate: some(tests), cost };
  const { n } = node;
  const predicate: Predicate = (s) => {
    let found = 0;
    for (const test of tests) if (test(s) && ++found >= n) return true;
    return false;
  };
  return { predicate, cost };
};

const every = (tests: readonly Predicate[]): Predicate => {
  const [a, b] = tests as [Predicate, Predicate];
  if (tests.length === 1) return a;
  if (tests.length === 2) return (s) => a(s) && b(s);
  return (s) => {
    for (let i = 0; i < tests.length; i++) if (!(tests[i] as Predicate)(s)) return false;
    return true;
  };
};

const some = (tests: readonly Predicate[]): Predicate => {
  const [a, b] = tests as [Predicate, Predicate];
  if (tests.length === 1) return a;
  if (tests.length === 2) return (s) => a(s) || b(s);
  return (s) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as Predicate)(s)) return true;
    return false;
  };
};

const COSTS: Readonly<Record<TextOperator, number>> = { equals: 1, startswith: 1, endswith: 1, contains: 4, like: 10 };

const compileItem = (item: Item, slotOf: SlotOf): Costed => {
  if (item.field === null) return compileKeywords(item);
  const slot = slotOf(item.field);
  const groups = item.all ? item.values : [item.values.flat()];
  const parts = groups.map((tests) => compileTests(tests, slot, slotOf));
  return { predicate: every(parts.map((p) => p.predicate)), cost: parts.reduce((sum, p) => sum + p.cost, 0) };
};

/** Any of the tests on the field. */
const compileTests = (tests: readonly Test[], slot: number, slotOf: SlotOf): Costed => {
  const predicates: Predicate[] = [];
  const values: Test[] = [];
  let cost = 0;
  for (const test of tests) {
    if (test.kind === 'null') {
      predicates.push((s) => hasNoValue(s.raw[slot]));
      cost += 1;
    } else if (test.kind === 'exists') {
      const wanted = test.value;
      predicates.push((s) => (s.raw[slot] !== undefined) === wanted);
      cost += 1;
    } else if (test.kind === 'fieldref') {
      predicates.push(compareFields(slot, slotOf(test.field), test.op, test.cased));
      cost += 6;
    } else values.push(test);
  }
  if (values.length > 0) {
    const { test, cost: more } = valueTests(values);
    cost += more;
    predicates.push((s) => {
      const raw = s.raw[slot];
      if (typeof raw === 'string') return test(lowOf(s, slot), raw);
      if (raw === undefined || raw === null) return false;
      if (Array.isArray(raw)) return anyMember(raw, test);
      return test(lowOf(s, slot), raw);
    });
  }
  return { predicate: some(predicates), cost };
};

const hasNoValue = (raw: unknown): boolean => raw === undefined || raw === null || (Array.isArray(raw) && raw.length === 0);

const anyMember = (members: readonly unknown[], test: ValueTest): boolean => {
  for (const member of members) {
    if (member !== null && member !== undefined && test(textOf(member).toLowerCase(), member)) return true;
  }
  return false;
};

/** One test for many values: sets for equality, one automaton for long lists of substrings, the rest one by one. */
const valueTests = (tests: readonly Test[]): { readonly test: ValueTest; readonly cost: number } => {
  const equal = new Set<string>();
  const contained: string[] = [];
  const rest: { readonly test: ValueTest; readonly cost: number }[] = [];
  for (const test of tests) {
    if (test.kind === 'text' && !test.cased && test.op === 'equals') equal.add(test.text);
    else if (test.kind === 'text' && !test.cased && test.op === 'contains') contained.push(test.text);
    else rest.push({ test: valueTest(test), cost: costOf(test) });
  }
  if (equal.size === 1) {
    const [only] = equal as Iterable<string> as [string];
    rest.push({ test: (low) => low === only, cost: 1 });
  } else if (equal.size > 1) rest.push({ test: (low) => equal.has(low), cost: 2 });
  const ascii = contained.filter(isAscii);
  if (ascii.length >= 24) {
    const automaton = new Automaton(ascii.map((text, i) => ({ text, anchor: 'none', payload: i })));
    rest.push({ test: (low) => automaton.finds(low), cost: 24 });
  }
  for (const text of ascii.length >= 24 ? contained.filter((t) => !isAscii(t)) : contained)
    rest.push({ test: (low) => low.includes(text), cost: 4 });
  rest.sort((a, b) => a.cost - b.cost);
  const all = rest.map((r) => r.test);
  const cost = rest.reduce((sum, r) => sum + r.cost, 0);
  const [first] = all as [ValueTest];
  if (all.length === 1) return { test: first, cost };
  return {
    cost,
    test: (low, value) => {
      for (let i = 0; i < all.length; i++) if ((all[i] as ValueTest)(low, value)) return true;
      return false;
    },
  };
};

const costOf = (test: Test): number =>
  test.kind === 'text' ? COSTS[test.op] + (test.cased ? 1 : 0) : test.kind === 'regex' ? 60 : test.kind === 'cidr' ? 15 : 3;

/** One test as a closure. */
export const valueTest = (test: Test): ValueTest => {
  switch (test.kind) {
    case 'text':
      return textTest(test);
    case 'number':
      return test.op === 'eq' ? numberEquals(test.value) : (_low, value) => compare(numberOf(value), test.op, test.value);
    case 'time':
      return (_low, value) => compare(timePart(value, test.unit), test.op, test.value);
    case 'regex':
      return (_low, value) => test.regex.test(textOf(value));
    case 'cidr':
      return (_low, value) => test.contains(textOf(value));
    default:
      return () => false;
  }
};

const textTest = ({ op, text, parts, cased }: Extract<Test, { kind: 'text' }>): ValueTest => {
  if (op === 'like') {
    const matches = matcherOf(parts);
    return cased ? (_low, value) => matches(textOf(value)) : (low) => matches(low);
  }
  if (cased) return (_low, value) => compareText(textOf(value), op, text);
  if (op === 'equals') return (low) => low === text;
  if (op === 'contains') return (low) => low.includes(text);
  return op === 'startswith' ? (low) => low.startsWith(text) : (low) => low.endsWith(text);
};

const compareText = (value: string, op: TextOperator, text: string): boolean =>
  op === 'equals'
    ? value === text
    : op === 'contains'
      ? value.includes(text)
      : op === 'startswith'
        ? value.startsWith(text)
        : value.endsWith(text);

const NUMERIC = /^ *[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)? *$/i;

/** A number, or a text that is one in decimal; NaN for anything else. */
export const numberOf = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && value.length < 64 && NUMERIC.test(value) ? Number(value) : Number.NaN;

const numberEquals = (wanted: number): ValueTest => {
  const text = String(wanted).toLowerCase();
  return (low, value) => low === text || numberOf(value) === wanted;
};

const compare = (value: number, op: OrderOperator, wanted: number): boolean =>
  op === 'eq'
    ? value === wanted
    : op === 'lt'
      ? value < wanted
      : op === 'lte'
        ? value <= wanted
        : op === 'gt'
          ? value > wanted
          : value >= wanted;

/** Part of a time in UTC; the time is milliseconds, or a text with date. NaN for anything else. */
const timePart = (value: unknown, unit: Extract<Test, { kind: 'time' }>['unit']): number => {
  const at = typeof value === 'number' ? value : typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? utc(value) : Number.NaN;
  if (!Number.isFinite(at)) return Number.NaN;
  const date = new Date(at);
  if (unit === 'minute') return date.getUTCMinutes();
  if (unit === 'hour') return date.getUTCHours();
  if (unit === 'day') return date.getUTCDate();
  if (unit === 'month') return date.getUTCMonth() + 1;
  return unit === 'year' ? date.getUTCFullYear() : isoWeek(date);
};

// A stamp without zone counts as UTC, not as the zone of this machine.
const utc = (text: string): number =>
  Date.parse(/(?:z|[-+]\d\d:?\d\d)$/i.test(text) || text.length <= 10 ? text : `${text.replace(' ', 'T')}Z`);

const compareFields = (slot: number, other: number, op: TextOperator, cased: boolean): Predicate => {
  const members = (raw: unknown): readonly unknown[] => (Array.isArray(raw) ? raw : raw === undefined || raw === null ? [] : [raw]);
  const fold = (value: unknown): string => (cased ? textOf(value) : textOf(value).toLowerCase());
  return (s) => members(s.raw[slot]).some((a) => members(s.raw[other]).some((b) => compareText(fold(a), op, fold(b))));
};

const compileKeywords = (item: Item): Costed => {
  const groups = item.all ? item.values : [item.values.flat()];
  const parts = groups.map((tests) => valueTests(tests.filter((t) => t.kind !== 'null' && t.kind !== 'exists')));
  const predicates = parts.map<Predicate>(
    ({ test }) =>
      (s) =>
        test(wordsLowOf(s), wordsOf(s)),
  );
  return { predicate: every(predicates), cost: 20 + parts.reduce((sum, p) => sum + p.cost * 3, 0) };
};
