// SPDX-License-Identifier: Apache-2.0
/**
 * The grammar of conditions.
 * Input: conditions over named identifiers. Output: truth for chosen identifiers, refusals with a code.
 */
import { describe, expect, it } from 'vitest';
import { Refusal } from '../problem.ts';
import type { Node } from './ast.ts';
import { parseCondition } from './condition.ts';

const NAMES = ['selection', 'selection_a', 'selection_b', 'filter_x', 'keywords', '_hidden', 'other'];
const leaf = (name: string): Node => ({ kind: 'item', item: { field: name, values: [], all: false } });
const identifiers = new Map(NAMES.map((name) => [name, leaf(name)]));

const holds = (node: Node, on: ReadonlySet<string>): boolean => {
  switch (node.kind) {
    case 'and':
      return node.of.every((n) => holds(n, on));
    case 'or':
      return node.of.some((n) => holds(n, on));
    case 'some':
      return node.of.filter((n) => holds(n, on)).length >= node.n;
    case 'not':
      return !holds(node.of, on);
    case 'item':
      return on.has(node.item.field as string);
  }
};

const truth = (text: string, ...on: string[]): boolean => holds(parseCondition(text, identifiers, []).node, new Set(on));
const codeOf = (text: string): string => {
  try {
    parseCondition(text, identifiers, []);
    return 'read';
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : 'thrown';
  }
};

describe('parseCondition', () => {
  it('binds not before and before or', () => {
    expect(truth('selection or keywords and other', 'selection')).toBe(true);
    expect(truth('(selection or keywords) and other', 'selection')).toBe(false);
    expect(truth('not selection and keywords', 'keywords')).toBe(true);
    expect(truth('not (selection and keywords)', 'keywords')).toBe(true);
    expect(truth('not not selection', 'selection')).toBe(true);
  });

  it('takes keywords in any case', () => {
    expect(truth('selection AND NOT keywords', 'selection')).toBe(true);
    expect(truth('1 OF selection_* Or other', 'selection_b')).toBe(true);
  });

  it('counts with of over patterns', () => {
    expect(truth('1 of selection_*', 'selection_a')).toBe(true);
    expect(truth('1 of selection_*', 'selection')).toBe(false);
    expect(truth('all of selection_*', 'selection_a')).toBe(false);
    expect(truth('all of selection_*', 'selection_a', 'selection_b')).toBe(true);
    expect(truth('2 of selection*', 'selection', 'selection_b')).toBe(true);
    expect(truth('2 of selection*', 'selection')).toBe(false);
    expect(truth('any of *_x', 'filter_x')).toBe(true);
    expect(truth('1 of sel*_b', 'selection_b')).toBe(true);
    expect(truth('selection and not 1 of filter_*', 'selection', 'filter_x')).toBe(false);
  });

  it('leaves identifiers that begin with an underscore out of them', () => {
    expect(truth('1 of them', '_hidden')).toBe(false);
    expect(truth('all of them', ...NAMES.filter((n) => n !== '_hidden'))).toBe(true);
    expect(truth('_hidden', '_hidden')).toBe(true);
  });

  it.each([
    ['', 'CONDITION_SYNTAX'],
    ['selection and', 'CONDITION_SYNTAX'],
    ['selection keywords', 'CONDITION_SYNTAX'],
    ['(selection', 'CONDITION_SYNTAX'],
    ['selection)', 'CONDITION_SYNTAX'],
    ['or selection', 'CONDITION_SYNTAX'],
    ['some of selection*', 'CONDITION_SYNTAX'],
    ['9 of selection*', 'CONDITION_SYNTAX'],
    ['nothing', 'CONDITION_IDENTIFIER'],
    ['1 of nothing_*', 'CONDITION_IDENTIFIER'],
    ['selection | count() by user > 5', 'CONDITION_AGGREGATION'],
    [`${'not ('.repeat(200)}selection${')'.repeat(200)}`, 'CONDITION_SYNTAX'],
  ])('refuses %s with %s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });
});
