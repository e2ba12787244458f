// SPDX-License-Identifier: Apache-2.0
/**
 * Cuts a KQL text into tokens with positions. `and`, `or` count with white space on both sides, `not` with white space behind it.
 * Input: query text of at most MAX_QUERY_CHARACTERS. Output: tokens for parse and complete, or the first place that cannot be read.
 */
import type { Literal, QueryProblem } from './ast.ts';

/** Longest query taken, in UTF-16 units; a LIKE pattern made from it stays under SQLite's 50,000 bytes. */
export const MAX_QUERY_CHARACTERS = 16_384;

export type Sign = '(' | ')' | ':' | '{' | '}' | '<' | '<=' | '>' | '>=';

interface Span {
  readonly at: number;
  /** Offset behind the last character that belongs to it. */
  readonly end: number;
}

export type Token =
  | (Span & { readonly kind: 'sign'; readonly sign: Sign })
  | (Span & { readonly kind: 'and' | 'or' | 'not' | 'end' })
  | (Span & { readonly kind: 'literal'; readonly literal: Literal });

export type Lexed =
  | { readonly kind: 'ok'; readonly tokens: readonly Token[] }
  | { readonly kind: 'failed'; readonly problem: QueryProblem };

const SPACE = /\s/;
const SPECIAL = /[():<>"{}]/;
const KEYWORD = /(and|or|not)(?=\s)/iy;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** True for every character that separates words, the no-break space included. */
export const isSpace = (character: string | undefined): boolean => character !== undefined && SPACE.test(character);

/** Tokens of the whole text, the last one `end`. With `open`, a quoted text that is not closed ends at the end (for completion). */
export const lex = (text: string, open = false): Lexed => {
  if (text.length > MAX_QUERY_CHARACTERS)
    return fail(MAX_QUERY_CHARACTERS, `it is longer than ${MAX_QUERY_CHARACTERS} characters`, ['a shorter query']);
  const nul = text.indexOf('\0');
  if (nul >= 0) return fail(nul, 'a NUL character is not taken', ['text']);
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(text[at])) at++;
    if (at >= text.length) break;
    const keyword = keywordAt(text, at);
    if (keyword !== null) {
      tokens.push({ kind: keyword, at, end: at + keyword.length });
      at += keyword.length;
      continue;
    }
    const sign = signAt(text, at);
    if (sign !== null) {
      tokens.push({ kind: 'sign', sign, at, end: at + sign.length });
      at += sign.length;
      continue;
    }
    const read = text[at] === '"' ? quoted(text, at, open) : unquoted(text, at);
    if ('problem' in read) return { kind: 'failed', problem: read.problem };
    tokens.push(read);
    at = read.end;
  }
  tokens.push({ kind: 'end', at: text.length, end: text.length });
  return { kind: 'ok', tokens };
};

const fail = (at: number, message: string, expected: readonly string[]): { readonly kind: 'failed'; readonly problem: QueryProblem } => ({
  kind: 'failed',
  problem: { at, message, expected },
});

const keywordAt = (text: string, at: number): 'and' | 'or' | 'not' | null => {
  KEYWORD.lastIndex = at;
  const word = KEYWORD.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return null;
  const before = text[at - 1];
  if (word === 'not') return before === undefined || isSpace(before) || SPECIAL.test(before) ? 'not' : null;
  return isSpace(before) ? (word as 'and' | 'or') : null;
};

const signAt = (text: string, at: number): Sign | null => {
  const first = text[at] as string;
  if ((first === '<' || first === '>') && text[at + 1] === '=') return `${first}=` as Sign;
  return SPECIAL.test(first) && first !== '"' ? (first as Sign) : null;
};

type Read = Extract<Token, { kind: 'literal' }> | { readonly problem: QueryProblem };

const quoted = (text: string, start: number, open: boolean): Read => {
  let value = '';
  let at = start + 1;
  while (at < text.length) {
    const character = text[at] as string;
    if (character === '"') return literal(start, at + 1, value, true, []);
    if (character !== '\\') {
      value += character;
      at++;
      continue;
    }
    const read = escapeAt(text, at, '"\\');
    if (read === null) return { problem: badEscape(text, at) };
    value += read.text;
    at = read.end;
  }
  if (open) return literal(start, at, value, true, []);
  return { problem: { at: text.length, message: `the quote opened at character ${start} is not closed`, expected: ['"'] } };
};

const unquoted = (text: string, start: number): Read => {
  let value = '';
  const escaped: number[] = [];
  let at = start;
  // Trailing white space is not part of a literal; what was written by an escape is.
  let end = start;
  let kept = 0;
  while (at < text.length) {
    const character = text[at] as string;
    if (SPECIAL.test(character)) break;
    if (isSpace(character)) {
      let next = at;
      while (isSpace(text[next])) next++;
      if (keywordAt(text, next) !== null) break;
      value += text.slice(at, next);
      at = next;
      continue;
    }
    if (character === '\\') {
      const read = keywordEscape(text, at) ?? escapeAt(text, at, '\\():<>"*{}');
      if (read === null) return { problem: badEscape(text, at) };
      if (read.text === '*') escaped.push(value.length);
      value += read.text;
      at = read.end;
    } else {
      value += character;
      at++;
    }
    end = at;
    kept = value.length;
  }
  return literal(start, end, value.slice(0, kept), false, escaped);
};

// Stores hold well-formed text only, so half a surrogate pair becomes U+FFFD, one unit for one unit.
const literal = (at: number, end: number, raw: string, isQuoted: boolean, escaped: readonly number[]): Read => {
  const text = raw.toWellFormed();
  return {
    kind: 'literal',
    at,
    end,
    literal: escaped.length === 0 ? { text, quoted: isQuoted, at } : { text, quoted: isQuoted, escaped, at },
  };
};

interface Escape {
  readonly text: string;
  readonly end: number;
}

const escapeAt = (text: string, at: number, plain: string): Escape | null => {
  const next = text[at + 1];
  if (next === undefined) return null;
  if (plain.includes(next)) return { text: next, end: at + 2 };
  const white = ESCAPES[next];
  if (white !== undefined) return { text: white, end: at + 2 };
  const hex = next === 'u' ? /^[0-9a-f]{4}/i.exec(text.slice(at + 2, at + 6))?.[0] : undefined;
  return hex === undefined || hex === '0000' ? null : { text: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 6 };
};

const keywordEscape = (text: string, at: number): Escape | null => {
  const word = /^(and|or|not)(?![a-z0-9_])/i.exec(text.slice(at + 1, at + 5))?.[1];
  return word === undefined ? null : { text: word, end: at + 1 + word.length };
};

const badEscape = (text: string, at: number): QueryProblem => ({
  at,
  message: `\\${text[at + 1] ?? ''} is not an escape`,
  expected: ['\\\\', '\\"', '\\*', '\\(', '\\:', '\\t', '\\n', '\\uXXXX'],
});
