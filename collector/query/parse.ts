// SPDX-License-Identifier: Apache-2.0
/**
 * Recursive-descent parser of KQL: not before and before or, no implicit operator, value groups, ranges, exists.
 * Input: tokens of lex. Output: the tree, or one problem with its position and what was expected there.
 */
import { fault } from '../errors.ts';
import type { Literal, Node, ParsedQuery, QueryProblem } from './ast.ts';
import { lex, type Token } from './lex.ts';

/** Deepest nesting of parentheses taken. */
export const MAX_DEPTH = 64;
/** Most conditions taken in one query. */
export const MAX_CONDITIONS = 1024;

/** What can stand at a place. `bare` is a value without a field. */
export type Place =
  | { readonly kind: 'operand' }
  | { readonly kind: 'operator'; readonly field: Literal }
  | { readonly kind: 'value'; readonly field: Literal; readonly group: boolean; readonly range: boolean }
  | { readonly kind: 'conjunction'; readonly group: boolean; readonly depth: number };

/** Is told every place the parser passes, with the token that stands there. */
export type Watch = (place: Place, token: Token) => void;

class Stop extends Error {
  readonly problem: QueryProblem;
  constructor(at: number, message: string, expected: readonly string[]) {
    super(message);
    this.problem = { at, message, expected };
  }
}

const OPERAND = ['a field', 'a value', 'not', '('];
const VALUE = ['a value', '('];
const RANGES = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const;

/** Reads a query; white space alone matches everything. Never throws. */
export const parse = (text: string): ParsedQuery => {
  const lexed = lex(text);
  if (lexed.kind === 'failed') return lexed;
  return parseTokens(lexed.tokens);
};

/**
 * Reads a query that must be right.
 * @throws CodedError QUERY_MALFORMED with `at`, `reason` and `expected`.
 */
export const parseOrThrow = (text: string): Node => {
  const parsed = parse(text);
  if (parsed.kind === 'ok') return parsed.node;
  const { at, message, expected } = parsed.problem;
  throw fault('QUERY_MALFORMED', {
    at,
    reason: message,
    expected: expected.map((one) => (/^\W+$/.test(one) ? `"${one}"` : one)).join(' or '),
  });
};

/** Reads tokens that end with `end`; `watch` sees each place on the way. */
export const parseTokens = (tokens: readonly Token[], watch: Watch = () => undefined): ParsedQuery => {
  let next = 0;
  let depth = 0;
  let conditions = 0;

  const peek = (): Token => tokens[next] as Token;
  const take = (): Token => tokens[next++] as Token;
  const sign = (token: Token): string | null => (token.kind === 'sign' ? token.sign : null);

  const nest = <T>(open: Token, inner: () => T): T => {
    if (++depth > MAX_DEPTH) throw new Stop(open.at, `parentheses are nested deeper than ${MAX_DEPTH}`, ['a flatter query']);
    const value = inner();
    depth--;
    return value;
  };
  const count = (at: number): void => {
    if (++conditions > MAX_CONDITIONS) throw new Stop(at, `there are more than ${MAX_CONDITIONS} conditions`, ['a shorter query']);
  };

  const list = (kind: 'and' | 'or', group: boolean, one: () => Node): Node => {
    const of = [one()];
    for (;;) {
      watch({ kind: 'conjunction', group, depth }, peek());
      if (peek().kind !== kind) break;
      take();
      of.push(one());
    }
    return of.length === 1 ? (of[0] as Node) : { kind, of };
  };

  const or = (group: boolean, operand: () => Node): Node => {
    const negated = (): Node => {
      if (peek().kind !== 'not') return operand();
      take();
      if (peek().kind === 'not') throw new Stop(peek().at, 'not cannot stand twice; write not (not …)', ['a field', 'a value', '(']);
      return { kind: 'not', of: operand() };
    };
    return list('or', group, () => list('and', group, negated));
  };

  const close = (open: Token): void => {
    if (sign(peek()) !== ')') throw unexpected(peek(), ['and', 'or', ')'], `the parenthesis opened at character ${open.at} is not closed`);
    take();
  };

  const operand = (): Node => {
    const token = peek();
    watch({ kind: 'operand' }, token);
    if (sign(token) === '(') {
      take();
      return nest(token, () => {
        const node = or(false, operand);
        close(token);
        return node;
      });
    }
    if (token.kind !== 'literal') throw unexpected(token, OPERAND);
    take();
    const field = token.literal;
    watch({ kind: 'operator', field }, peek());
    const operator = sign(peek());
    if (operator === ':') return afterColon(field);
    if (operator !== null && operator in RANGES) {
      take();
      const value = peek();
      watch({ kind: 'value', field, group: false, range: true }, value);
      if (value.kind !== 'literal') throw unexpected(value, ['a value']);
      take();
      count(token.at);
      return { kind: 'range', field, op: RANGES[operator as keyof typeof RANGES], value: value.literal };
    }
    count(token.at);
    return isAny(field) ? { kind: 'all' } : { kind: 'is', field: null, value: field };
  };

  const afterColon = (field: Literal): Node => {
    take();
    watch({ kind: 'value', field, group: false, range: false }, peek());
    return values(field);
  };

  const values = (field: Literal): Node => {
    const token = peek();
    if (sign(token) === '{') throw new Stop(token.at, 'nested queries (path: { … }) are not supported', VALUE);
    if (sign(token) === '(') {
      take();
      return nest(token, () => {
        const node = or(true, () => {
          watch({ kind: 'value', field, group: true, range: false }, peek());
          return values(field);
        });
        close(token);
        return node;
      });
    }
    if (token.kind !== 'literal') throw unexpected(token, VALUE);
    take();
    count(token.at);
    if (!isAny(token.literal)) return { kind: 'is', field: isAny(field) ? null : field, value: token.literal };
    return isAny(field) ? { kind: 'all' } : { kind: 'exists', field };
  };

  try {
    if (peek().kind === 'end') {
      watch({ kind: 'operand' }, peek());
      return { kind: 'ok', node: { kind: 'all' } };
    }
    const node = or(false, operand);
    if (peek().kind !== 'end') throw unexpected(peek(), ['and', 'or', 'the end']);
    return { kind: 'ok', node };
  } catch (error) {
    if (error instanceof Stop) return { kind: 'failed', problem: error.problem };
    throw error;
  }
};

/** True for an unquoted lone `*`. */
const isAny = (literal: Literal): boolean => literal.text === '*' && !literal.quoted && literal.escaped === undefined;

const unexpected = (token: Token, expected: readonly string[], atEnd = 'the query ends too early'): Stop => {
  if (token.kind === 'end') return new Stop(token.at, atEnd, expected);
  if (token.kind === 'literal') return new Stop(token.at, 'a value stands where none can', expected);
  if (token.kind !== 'sign')
    return new Stop(token.at, `${token.kind} stands where it joins nothing; put the word in quotes if it is meant`, expected);
  if (token.sign === ':' || token.sign === '{' || token.sign === '}')
    return new Stop(token.at, `${token.sign} cannot stand here; a value that holds one needs quotes`, expected);
  return new Stop(token.at, `${token.sign} cannot stand here`, expected);
};
