// SPDX-License-Identifier: Apache-2.0
/**
 * Modifiers that make other values out of a value: base64, base64offset, UTF-16, windash, placeholders.
 * Input: the parts of a Sigma string. Output: the parts it becomes, several where it expands.
 */
import { type Part, type Parts, parseParts, tidy } from './pattern.ts';

/** What stands for a dash on a Windows command line. */
const DASHES = ['-', '/', '\u2013', '\u2014', '\u2015'] as const;
// A dash that opens a word: before it no word character, after it one.
const DASH = /\B[-/\u2013\u2014\u2015]\b/gu;
const MAX_DASHES = 4;

/** Every writing of the dashes that open a word; null where there are more than four, which would be over 3,000 values. */
export const windash = (parts: Parts): readonly Parts[] | null => {
  const text = parts.map((p) => (typeof p === 'string' ? p : '\0')).join('');
  const places = [...text.matchAll(DASH)].map((m) => m.index);
  if (places.length > MAX_DASHES) return null;
  let texts = [text];
  for (const at of places) texts = texts.flatMap((t) => DASHES.map((dash) => t.slice(0, at) + dash + t.slice(at + 1)));
  const wildcards = parts.filter((p) => typeof p !== 'string');
  return texts.map((t) => {
    let n = 0;
    const out: Part[] = [];
    for (const piece of t.split('\0')) {
      if (piece !== '') out.push(piece);
      const wildcard = wildcards[n++];
      if (wildcard !== undefined) out.push(wildcard);
    }
    return out;
  });
};

/** UTF-8 bytes of a text, or its bytes where an UTF-16 modifier made each character one byte. */
const bytesOf = (text: string, encoded: boolean): Buffer => Buffer.from(text, encoded ? 'latin1' : 'utf8');

export const base64 = (text: string, encoded: boolean): string => bytesOf(text, encoded).toString('base64');

/** The part of the encoding that stays the same at each of the three places a value can begin at. */
export const base64offset = (text: string, encoded: boolean): readonly string[] => {
  const bytes = bytesOf(text, encoded);
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const start = [0, 2, 3][offset] as number;
    const cut = [0, 3, 2][(bytes.length + offset) % 3] as number;
    return whole.slice(start, whole.length - cut);
  });
};

/** UTF-16 with each byte as one character (Latin-1). */
export const utf16 = (text: string, order: 'le' | 'be' | 'bom'): string => {
  const little = Buffer.from(text, 'utf16le');
  if (order === 'be') little.swap16();
  return (order === 'bom' ? '\xff\xfe' : '') + little.toString('latin1');
};

export type Placeholders = ReadonlyMap<string, readonly string[]>;

/** Replaces `%name%` by each of its values (`\%` is a percent sign); names the first placeholder that has none. */
export const expand = (text: string, known: Placeholders): readonly Parts[] | { readonly unresolved: string } => {
  let done: Part[][] = [[]];
  const add = (more: readonly Parts[]): void => {
    done = done.flatMap((parts) => more.map((m) => [...parts, ...m]));
  };
  const pieces = text.split(/((?<!\\)%[^%\s]+%)/);
  for (const [i, piece] of pieces.entries()) {
    if (i % 2 === 0) {
      if (piece !== '') add([parseParts(piece.replaceAll('\\%', '%'))]);
      continue;
    }
    const name = piece.slice(1, -1);
    const values = known.get(name) ?? known.get(name.toLowerCase());
    if (!values || values.length === 0) return { unresolved: name };
    add(values.map(parseParts));
    if (done.length > 10_000) return { unresolved: name };
  }
  return done.map(tidy);
};
