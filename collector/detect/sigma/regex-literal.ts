// SPDX-License-Identifier: Apache-2.0
/**
 * What a text must hold for a regular expression to match: one of a few literals, for the index.
 * Input: the source of a pattern that compiles. Output: lower-case literals; empty where nothing can be said.
 */

const MAX_SET = 64;
const MIN_LENGTH = 2;

type Literals = readonly string[] | null;

/** One of these stands in every match. `folded`: the pattern ignores case by RE2's rules, where s also means U+017F. */
export const requiredLiterals = (source: string, folded: boolean): readonly string[] => {
  // POSIX classes and quoted runs are read by RE2 alone.
  if (/\[:|\\[QEpPx0ukg]/.test(source)) return [];
  const reader = { at: 0, source, folded };
  const found = alternatives(reader, 0);
  return reader.at !== source.length || found === null ? [] : [...new Set(found.map((text) => text.toLowerCase()))];
};

interface Reader {
  at: number;
  readonly source: string;
  readonly folded: boolean;
}

/** Better: its shortest literal is longer; then it has fewer. */
const better = (a: Literals, b: Literals): Literals => {
  if (a === null || b === null) return a ?? b;
  const shortest = (set: readonly string[]): number => Math.min(...set.map((t) => t.length));
  const difference = shortest(a) - shortest(b);
  return difference > 0 || (difference === 0 && a.length <= b.length) ? a : b;
};

const alternatives = (reader: Reader, depth: number): Literals => {
  let all: string[] | null = [];
  for (;;) {
    const one = sequence(reader, depth);
    if (one === null || all === null || all.length + one.length > MAX_SET) all = null;
    else all.push(...one);
    if (reader.source[reader.at] !== '|') return all;
    reader.at++;
  }
};

const sequence = (reader: Reader, depth: number): Literals => {
  let best: Literals = null;
  let run = '';
  const end = (): void => {
    if (run.length >= MIN_LENGTH) best = better(best, [run]);
    run = '';
  };
  while (reader.at < reader.source.length) {
    const c = reader.source[reader.at] as string;
    if (c === '|' || c === ')') break;
    const plain = plainCharacter(reader);
    if (plain !== null) {
      const { least, exact } = quantifier(reader);
      if (least === 0) end();
      else {
        run += plain;
        if (!exact) end();
      }
      continue;
    }
    end();
    if (c === '(') {
      if (depth > 32) return null;
      reader.at++;
      if (reader.source.startsWith('?', reader.at)) reader.at = groupHead(reader);
      const inner = alternatives(reader, depth + 1);
      reader.at++;
      if (quantifier(reader).least > 0) best = better(best, inner);
    } else {
      skipOne(reader);
      quantifier(reader);
    }
  }
  end();
  return best;
};

/** The next character where it stands for itself; null, without moving, for anything else. */
const plainCharacter = (reader: Reader): string | null => {
  let c = reader.source[reader.at] as string;
  let length = 1;
  if (c === '\\') {
    c = reader.source[reader.at + 1] ?? '';
    if (c === '' || /\w/.test(c)) return null;
    length = 2;
  } else if ('.^$[(+*?{'.includes(c)) return null;
  if (c > '\x7f' || (reader.folded && (c === 's' || c === 'S'))) return null;
  reader.at += length;
  return c;
};

/** How often at least what stands before must come, and whether exactly once. */
const quantifier = (reader: Reader): { readonly least: number; readonly exact: boolean } => {
  const match = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})[?+]?/.exec(reader.source.slice(reader.at, reader.at + 24));
  if (!match) return { least: 1, exact: true };
  reader.at += match[0].length;
  const first = match[0][0];
  if (first === '{') return { least: Number(match[1]), exact: false };
  return { least: first === '+' ? 1 : 0, exact: false };
};

/** Behind `(?:`, `(?<name>`, `(?P<name>`. Flags change what follows: the end of the pattern is given, and nothing is said of it. */
const groupHead = (reader: Reader): number => {
  const match = /^\?(?:P?<\w+>|:)/.exec(reader.source.slice(reader.at, reader.at + 80));
  return match ? reader.at + match[0].length : reader.source.length;
};

/** Passes over a class, an escape or a single sign. */
const skipOne = (reader: Reader): void => {
  const { source } = reader;
  const c = source[reader.at++];
  if (c === '\\') reader.at++;
  if (c !== '[') return;
  if (source[reader.at] === '^') reader.at++;
  if (source[reader.at] === ']') reader.at++;
  while (reader.at < source.length && source[reader.at] !== ']') reader.at += source[reader.at] === '\\' ? 2 : 1;
  reader.at++;
};
