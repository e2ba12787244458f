// SPDX-License-Identifier: Apache-2.0
/**
 * The condition of a detection: and, or, not, parentheses, `1 of`, `all of`, `N of`, `them`, patterns.
 * Input: the text and the search identifiers. Output: one tree over them, and which identifiers it used.
 */

import { type Path, Refusal } from '../problem.ts';
import { and, type Node, not, or } from './ast.ts';

const MAX_DEPTH = 64;
const MAX_LENGTH = 8192;
const TOKEN = /\s*([()]|[^\s()]+)/y;

export interface ConditionTree {
  readonly node: Node;
  readonly used: ReadonlySet<string>;
}

/**
 * Reads a condition. Binding, weakest first: or, and, not, of, parentheses.
 * @throws Refusal CONDITION_SYNTAX, CONDITION_IDENTIFIER, CONDITION_AGGREGATION.
 */
export const parseCondition = (text: string, identifiers: ReadonlyMap<string, Node>, path: Path): ConditionTree => {
  const used = new Set<string>();
  const fail = (detail: string): Refusal => new Refusal('CONDITION_SYNTAX', path, detail);
  if (text.length > MAX_LENGTH) throw fail(`longer than ${MAX_LENGTH} characters`);
  if (/\|/.test(text) || /\bnear\b/.test(text)) throw new Refusal('CONDITION_AGGREGATION', path, `"${text}"`);
  const tokens = tokenize(text);
  if (tokens.length === 0) throw fail('it is empty');
  let at = 0;
  const word = (): string | undefined => tokens[at]?.toLowerCase();

  const either = (depth: number): Node => {
    const of = [both(depth)];
    while (word() === 'or') {
      at++;
      of.push(both(depth));
    }
    return or(of);
  };
  const both = (depth: number): Node => {
    const of = [negated(depth)];
    while (word() === 'and') {
      at++;
      of.push(negated(depth));
    }
    return and(of);
  };
  const negated = (depth: number): Node => {
    if (depth > MAX_DEPTH) throw fail(`nested deeper than ${MAX_DEPTH} levels`);
    if (word() !== 'not') return primary(depth);
    at++;
    return not(negated(depth + 1));
  };
  const primary = (depth: number): Node => {
    const token = tokens[at];
    if (token === undefined) throw fail('it ends where a search identifier is expected');
    if (token === '(') {
      at++;
      const inner = either(depth + 1);
      if (tokens[at] !== ')') throw fail('a parenthesis is not closed');
      at++;
      return inner;
    }
    if (token === ')' || ['and', 'or', 'of'].includes(token.toLowerCase()))
      throw fail(`"${token}" stands where a search identifier is expected`);
    if (tokens[at + 1]?.toLowerCase() === 'of') return quantified(token.toLowerCase());
    at++;
    const node = identifiers.get(token);
    if (!node) throw new Refusal('CONDITION_IDENTIFIER', path, `"${token}"`);
    used.add(token);
    return node;
  };
  const quantified = (quantity: string): Node => {
    if (!/^(all|any|[1-9]\d{0,3})$/.test(quantity)) throw fail(`"${quantity} of" is not a quantity`);
    const pattern = tokens[at + 2];
    if (pattern === undefined || pattern === '(' || pattern === ')') throw fail(`"${quantity} of" names nothing`);
    at += 3;
    const names = [...identifiers.keys()].filter(pattern.toLowerCase() === 'them' ? (name) => !name.startsWith('_') : patternTest(pattern));
    if (names.length === 0) throw new Refusal('CONDITION_IDENTIFIER', path, `nothing is named like "${pattern}"`);
    for (const name of names) used.add(name);
    const of = names.map((name) => identifiers.get(name) as Node);
    if (quantity === 'all') return and(of);
    const n = quantity === 'any' ? 1 : Number(quantity);
    if (n > of.length) throw fail(`${n} of "${pattern}" is more than the ${of.length} that there are`);
    return n === 1 ? or(of) : n === of.length ? and(of) : { kind: 'some', n, of };
  };

  const node = either(0);
  if (at < tokens.length) throw fail(`"${tokens[at]}" stands where and, or or the end is expected`);
  return { node, used };
};

const tokenize = (text: string): readonly string[] => {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1] as string);
  return tokens;
};

// A pattern holds texts between stars; each is looked for after the one before, so time stays linear in names.
const patternTest = (pattern: string): ((name: string) => boolean) => {
  if (!pattern.includes('*')) return (name) => name === pattern;
  const pieces = pattern.split('*');
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const piece of pieces.slice(1, -1)) {
      const found = name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= name.length - last.length;
  };
};
