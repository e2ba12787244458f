// SPDX-License-Identifier: Apache-2.0
/**
 * Why a rule matched: which literal stood in which field. Made only for matches.
 * Input: the rule's tree and the subject that matched. Output: short sentences for signals, at most eight.
 */
import { isEcsField } from '../../core/ecs.ts';
import type { Node, Test } from './sigma/ast.ts';
import { compileNode, lowOf, type SlotOf, type Subject, textOf, valueTest, wordsLowOf, wordsOf } from './sigma/compile.ts';
import { showParts } from './sigma/pattern.ts';
import { candidatesOf } from './taxonomy.ts';

const MAX_REASONS = 8;
const MAX_LENGTH = 200;

/** Reasons in the order of the rule. Negations say nothing: what was not there is no reason a person can look at. */
export const explain = (node: Node, subject: Subject, slotOf: SlotOf): readonly string[] => {
  const reasons: string[] = [];
  walk(node, subject, slotOf, reasons);
  return [...new Set(reasons)].slice(0, MAX_REASONS);
};

const walk = (node: Node, subject: Subject, slotOf: SlotOf, out: string[]): void => {
  if (out.length >= MAX_REASONS || node.kind === 'not') return;
  if (node.kind === 'and') for (const child of node.of) walk(child, subject, slotOf, out);
  else if (node.kind === 'or' || node.kind === 'some') {
    for (const child of node.of) {
      if (!compileNode(child, slotOf)(subject)) continue;
      walk(child, subject, slotOf, out);
      if (node.kind === 'or') return;
    }
  } else {
    const { field, values, all } = node.item;
    for (const tests of values) {
      const hit = tests.find((test) => holds(test, field, subject, slotOf));
      if (!hit) continue;
      out.push(clip(sentence(hit, field, subject, slotOf)));
      if (!all) return;
    }
  }
};

const holds = (test: Test, field: string | null, subject: Subject, slotOf: SlotOf): boolean =>
  field === null
    ? valueTest(test)(wordsLowOf(subject), wordsOf(subject))
    : compileNode({ kind: 'item', item: { field, values: [[test]], all: false } }, slotOf)(subject);

/** The ECS name where the field has one: those stand in the event that people look at. */
const nameOf = (field: string): string => (isEcsField(field) ? field : (candidatesOf(field).find(isEcsField) ?? field));

const sentence = (test: Test, field: string | null, subject: Subject, slotOf: SlotOf): string => {
  const name = field === null ? 'line' : nameOf(field);
  if (test.kind === 'text') {
    const text = test.op === 'like' ? showParts(test.parts) : test.text;
    const verb = { equals: '=', contains: 'contains', startswith: 'starts with', endswith: 'ends with', like: 'is like' }[test.op];
    if (test.op === 'equals') return `${name} = ${shown(subject, field, slotOf) ?? text}`;
    return `${name} ${field === null && test.op === 'like' ? 'has' : verb} "${field === null ? text.replace(/^\*|\*$/g, '') : text}"`;
  }
  if (test.kind === 'number') return test.op === 'eq' ? `${name} = ${test.value}` : `${name} ${test.op} ${test.value}`;
  if (test.kind === 'time') return `${test.unit} of ${name} ${test.op === 'eq' ? '=' : test.op} ${test.value}`;
  if (test.kind === 'regex') return `${name} matches /${test.regex.source}/${test.regex.flags}`;
  if (test.kind === 'cidr') return `${name} in ${test.text}`;
  if (test.kind === 'fieldref') return `${name} ${test.op === 'equals' ? '=' : test.op} ${test.field}`;
  return test.kind === 'null' ? `${name} has no value` : `${name} ${test.value ? 'is there' : 'is not there'}`;
};

const shown = (subject: Subject, field: string | null, slotOf: SlotOf): string | null => {
  const raw = field === null ? null : subject.raw[slotOf(field)];
  return raw === null || Array.isArray(raw) ? null : lowOf(subject, slotOf(field as string)) === '' ? '""' : textOf(raw);
};

const clip = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);
