// SPDX-License-Identifier: Apache-2.0
/**
 * Regular expressions of rules, in linear time or not at all: V8 where it can fall back to its non-backtracking engine, else RE2.
 * Input: a Sigma `re` value and its flags. Output: a test over at most 8 KiB, and literals of which every match holds one.
 */
import { setFlagsFromString } from 'node:v8';
import { RE2JS } from 're2js';
import { requiredLiterals } from './regex-literal.ts';

/** Longer inputs are cut here, so that one line cannot cost more than a bounded time. */
export const MAX_REGEX_INPUT = 8192;
const MAX_PATTERN = 4096;

export interface LinearRegex {
  readonly source: string;
  readonly flags: string;
  readonly engine: 'v8' | 're2';
  test(text: string): boolean;
  /** In lower case; every matching text holds one of them. Empty where none is known. */
  readonly literals: readonly string[];
}

export type RegexResult = { readonly ok: true; readonly regex: LinearRegex } | { readonly ok: false; readonly reason: string };

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

/** V8 says at load whether a pattern is free of what needs backtracking: the flag `l` compiles only then. */
const linearInV8 = (source: string, flags: string): boolean => {
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    new RegExp(source, `${flags}l`);
    return true;
  } catch {
    // Not a fault: the pattern needs backtracking, or this V8 has no such engine; RE2 takes it then.
    return false;
  } finally {
    setFlagsFromString('--no-enable-experimental-regexp-engine');
  }
};

/** Compiles a pattern. `flags` holds i, m, s; a leading `(?i)` counts as a flag. Lookaround and backreferences are refused. */
export const compileRegex = (pattern: string, flags: string): RegexResult => {
  if (pattern.length > MAX_PATTERN) return { ok: false, reason: `longer than ${MAX_PATTERN} characters` };
  const inline = /^\(\?([ims]+)\)/.exec(pattern);
  const source = inline ? pattern.slice(inline[0].length) : pattern;
  const all = [...new Set([...flags, ...(inline?.[1] ?? '')])].sort().join('');
  if (/\(\?(?:<?[=!])/.test(unescaped(source))) return { ok: false, reason: 'lookaround' };
  if (/\\[1-9]/.test(source.replace(/\\\\/g, ''))) return { ok: false, reason: 'backreference' };
  const cut = (test: (text: string) => boolean) => (text: string) =>
    test(text.length > MAX_REGEX_INPUT ? text.slice(0, MAX_REGEX_INPUT) : text);
  const spelt = all.includes('i') ? spellCase(source) : source;
  const native = all.replace('i', '');
  if (spelt !== null && commonSyntax(source) && linearInV8(spelt, native)) {
    const regex = new RegExp(spelt, native);
    return {
      ok: true,
      regex: { source, flags: all, engine: 'v8', literals: requiredLiterals(source, false), test: cut((text) => regex.test(text)) },
    };
  }
  try {
    let bits = 0;
    if (all.includes('i')) bits |= RE2JS.CASE_INSENSITIVE;
    if (all.includes('m')) bits |= RE2JS.MULTILINE;
    if (all.includes('s')) bits |= RE2JS.DOTALL;
    const regex = RE2JS.compile(source, bits);
    return {
      ok: true,
      regex: {
        source,
        flags: all,
        engine: 're2',
        literals: requiredLiterals(source, all.includes('i')),
        test: cut((text) => regex.test(text)),
      },
    };
  } catch (thrown) {
    return { ok: false, reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};

/** The pattern with each escape as one plain letter. */
const unescaped = (source: string): string => source.replace(/\\./gs, 'x');

/** True where V8 and PCRE read the pattern alike: no inline flags, no POSIX classes, no escapes of letters that JavaScript takes for themselves. */
const commonSyntax = (source: string): boolean =>
  !/\(\?(?!:)/.test(unescaped(source)) &&
  !/\[\^?\]|\[:\^?\w+:\]/.test(unescaped(source)) &&
  !/\\(?![bBdDsSwWntrfvx0\W])/.test(source.replace(/\\\\/g, ''));

/** The pattern with `a` written `[aA]`, so that V8's fallback stays possible (it does not work with the flag i). Null where that is not safe. */
const spellCase = (source: string): string | null => {
  let out = '';
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const c = source[i] as string;
    if (c === '\\') {
      if (source[i + 1] === 'x') return null;
      out += c + (source[++i] ?? '');
    } else if (inClass) {
      if (c === ']') inClass = false;
      if (source[i + 1] === '-' && source[i + 2] !== ']' && source[i + 2] !== undefined) {
        const range = classRange(c, source[i + 2] as string);
        if (range === null) return null;
        out += range;
        i += 2;
      } else out += bothCases(c);
    } else if (c === '[') {
      inClass = true;
      out += c;
      if (source[i + 1] === '^') out += source[++i];
    } else {
      const both = bothCases(c);
      out += both.length > 1 ? `[${both}]` : both;
    }
    if (c > '\x7f') return null;
  }
  return out;
};

const bothCases = (c: string): string => (/[a-z]/i.test(c) ? c.toLowerCase() + c.toUpperCase() : c);

const classRange = (from: string, to: string): string | null => {
  const range = `${from}-${to}`;
  if (/^[a-z]-[a-z]$/.test(range)) return range + range.toUpperCase();
  if (/^[A-Z]-[A-Z]$/.test(range)) return range + range.toLowerCase();
  return /^\d-\d$/.test(range) ? range : null;
};
