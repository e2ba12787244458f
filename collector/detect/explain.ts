// SPDX-License-Identifier: Apache-2.0
/**
 * Why a rule matched: which literal stood in which field. Made only for matches.
 * Input: the rule's tree and the subject that matched. Output: short sentences for signals, at most eight.
 */
import { isEcsField } from '../../core/ecs.ts';
import type { Item, Node, Test } from './sigma/ast.ts';
import { compileNode, lowOf, type Predicate, type SlotOf, type Subject, textOf, valueTest, wordsLowOf, wordsOf } from './sigma/compile.ts';
import { showParts } from './sigma/pattern.ts';
import { candidatesOf } from './taxonomy.ts';

const MAX_REASONS = 8;
const MAX_LENGTH = 200;

export type Explainer = (subject: Subject) => readonly string[];
/** Adds the reasons of one part of the tree, which is known to hold. */
type Teller = (subject: Subject, out: string[]) => void;

/**
 * Made once for each rule that matches. Reasons come in the order of the rule.
 * Negations say nothing: what was not there is no reason a person can look at.
 */
export const makeExplainer = (node: Node, slotOf: SlotOf): Explainer => {
  const tell = tellerOf(node, slotOf);
  return (subject) => {
    const out: string[] = [];
    tell(subject, out);
    return out.length < 2 ? out : [...new Set(out)].slice(0, MAX_REASONS);
  };
};

const tellerOf = (node: Node, slotOf: SlotOf): Teller => {
  if (node.kind === 'not') return () => {};
  if (node.kind === 'item') return itemTeller(node.item, slotOf);
  const tellers = node.of.map((child) => tellerOf(child, slotOf));
  if (node.kind === 'and') {
    return (subject, out) => {
      for (const tell of tellers) if (out.length < MAX_REASONS) tell(subject, out);
    };
  }
  const tests = node.of.map((child) => compileNode(child, slotOf));
  const one = node.kind === 'or';
  return (subject, out) => {
    for (const [i, test] of tests.entries()) {
      if (!test(subject)) continue;
      (tellers[i] as Teller)(subject, out);
      if (one || out.length >= MAX_REASONS) return;
    }
  };
};

const itemTeller = ({ field, values, all }: Item, slotOf: SlotOf): Teller => {
  const tests = values.map((group) => group.map((test) => ({ test, holds: holdsOf(test, field, slotOf) })));
  return (subject, out) => {
    for (const group of tests) {
      const hit = group.find(({ holds }) => holds(subject));
      if (!hit) continue;
      out.push(clip(sentence(hit.test, field, subject, slotOf)));
      if (!all) return;
    }
  };
};

const holdsOf = (test: Test, field: string | null, slotOf: SlotOf): Predicate => {
  if (field !== null) return compileNode({ kind: 'item', item: { field, values: [[test]], all: false } }, slotOf);
  const holds = valueTest(test);
  return (subject) => holds(wordsLowOf(subject), wordsOf(subject));
};

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
