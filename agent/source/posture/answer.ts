// SPDX-License-Identifier: Apache-2.0
/**
 * What a probe answers, and how the answers of several are put together. What is not known never becomes a pass.
 * Input: answers. Output: one answer with what was found.
 */
import type { ProbeName, ProbeParams } from '../../../core/probe.ts';
import type { Tree } from './tree.ts';

export interface Answer {
  readonly result: 'pass' | 'fail' | 'unknown' | 'error';
  /** What was found, for people. */
  readonly actual: string;
  /** The things that are wrong, by name: paths, accounts. */
  readonly items: readonly string[];
}

/** One probe: reads the tree, never changes it, starts no process. */
export type Probe<N extends ProbeName> = (params: ProbeParams<N>, tree: Tree) => Answer;

/** Longest text of what was found. */
const ACTUAL_LIMIT = 400;

const short = (text: string): string => (text.length > ACTUAL_LIMIT ? `${text.slice(0, ACTUAL_LIMIT - 1)}…` : text);

export const pass = (actual: string): Answer => ({ result: 'pass', actual: short(actual), items: [] });
export const fail = (actual: string, items: readonly string[] = []): Answer => ({ result: 'fail', actual: short(actual), items });
export const unknown = (actual: string): Answer => ({ result: 'unknown', actual: short(actual), items: [] });

export const answer = (holds: boolean, actual: string, items: readonly string[] = []): Answer =>
  holds ? pass(actual) : fail(actual, items);

/** A few of many, for people. */
export const some = (items: readonly string[], most = 5): string =>
  items.length > most ? `${items.slice(0, most).join(', ')} and ${items.length - most} more` : items.join(', ');

const told = (answers: readonly Answer[]): string =>
  short([...new Set(answers.map(({ actual }) => actual).filter((one) => one !== ''))].join('; '));

const unsure = (answers: readonly Answer[]): Answer | undefined =>
  answers.find(({ result }) => result === 'error') ?? answers.find(({ result }) => result === 'unknown');

export const all = (answers: readonly Answer[]): Answer => {
  const failed = answers.filter(({ result }) => result === 'fail');
  if (failed.length > 0) return { result: 'fail', actual: told(failed), items: failed.flatMap(({ items }) => items) };
  return unsure(answers) ?? pass(told(answers));
};

export const any = (answers: readonly Answer[]): Answer => {
  const passed = answers.filter(({ result }) => result === 'pass');
  if (passed.length > 0) return pass(told(passed));
  return unsure(answers) ?? { result: 'fail', actual: told(answers), items: answers.flatMap(({ items }) => items) };
};

export const none = (answers: readonly Answer[]): Answer => {
  const passed = answers.filter(({ result }) => result === 'pass');
  if (passed.length > 0) return fail(told(passed));
  return unsure(answers) ?? pass(told(answers));
};
