// SPDX-License-Identifier: Apache-2.0
/**
 * Sigma strings: `*` and `?` with their escapes, and the matching of what remains when no plain string operation fits.
 * Input: values of a detection. Output: parts for the modifiers, matchers over a text.
 */

/** Any run of characters, also none. */
export const ANY = 0;
/** Exactly one character. */
export const ONE = 1;
export type Part = string | typeof ANY | typeof ONE;
export type Parts = readonly Part[];

/**
 * Reads a Sigma string. `\*`, `\?` and `\\` are the character itself, a lone backslash is itself:
 * `\\*` is a backslash and a wildcard, `\\\*` a backslash and a star, `\\\\` two backslashes.
 */
export const parseParts = (text: string): Parts => {
  const parts: Part[] = [];
  let run = '';
  const flush = (): void => {
    if (run !== '') parts.push(run);
    run = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\\') {
      const next = text[i + 1];
      if (next === '*' || next === '?' || next === '\\') i++;
      run += next === '*' || next === '?' ? next : '\\';
    } else if (c === '*' || c === '?') {
      flush();
      parts.push(c === '*' ? ANY : ONE);
    } else run += c;
  }
  flush();
  return tidy(parts);
};

/** Neighbouring texts joined, neighbouring `*` made one. */
export const tidy = (parts: Parts): Parts => {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (typeof part === 'string' && typeof last === 'string') out[out.length - 1] = last + part;
    else if (part !== '' && !(part === ANY && last === ANY)) out.push(part);
  }
  return out;
};

/** The text of parts without wildcards; null where there is one. */
export const plainText = (parts: Parts): string | null => (parts.every((p) => typeof p === 'string') ? parts.join('') : null);

export const foldParts = (parts: Parts): Parts => parts.map((p) => (typeof p === 'string' ? p.toLowerCase() : p));

/** The parts as a rule would write them, for people. */
export const showParts = (parts: Parts): string => parts.map((p) => (p === ANY ? '*' : p === ONE ? '?' : p)).join('');

interface Segment {
  /** Texts and single wildcards between two `*`. */
  readonly parts: Parts;
  readonly length: number;
}

const lengthOf = (parts: Parts): number => parts.reduce<number>((n, p) => n + (typeof p === 'string' ? p.length : 1), 0);

const matchesAt = (segment: Segment, text: string, at: number): boolean => {
  let i = at;
  for (const part of segment.parts) {
    if (typeof part === 'string') {
      if (!text.startsWith(part, i)) return false;
      i += part.length;
    } else if (i++ >= text.length) return false;
  }
  return true;
};

const findFrom = (segment: Segment, text: string, from: number): number => {
  const first = segment.parts[0];
  for (let at = from; at + segment.length <= text.length; at++) {
    if (typeof first === 'string') {
      at = text.indexOf(first, at);
      if (at < 0 || at + segment.length > text.length) return -1;
    }
    if (matchesAt(segment, text, at)) return at;
  }
  return -1;
};

/** Matches the whole text. Time is at most the product of text and pattern length; the leftmost place of each segment is enough. */
export const matcherOf = (parts: Parts): ((text: string) => boolean) => {
  const segments: Segment[] = [];
  let current: Part[] = [];
  for (const part of [...parts, ANY] as Parts) {
    if (part === ANY) {
      segments.push({ parts: current, length: lengthOf(current) });
      current = [];
    } else current.push(part);
  }
  const head = segments[0] as Segment;
  const tail = segments.at(-1) as Segment;
  if (segments.length === 1) return (text) => text.length === head.length && matchesAt(head, text, 0);
  const middle = segments.slice(1, -1).filter((s) => s.length > 0);
  return (text) => {
    if (text.length < head.length + tail.length || !matchesAt(head, text, 0)) return false;
    const end = text.length - tail.length;
    let at = head.length;
    for (const segment of middle) {
      const found = findFrom(segment, text, at);
      if (found < 0) return false;
      at = found + segment.length;
    }
    return at <= end && matchesAt(tail, text, end);
  };
};
