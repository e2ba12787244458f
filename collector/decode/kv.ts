// SPDX-License-Identifier: Apache-2.0
/**
 * `key=value` texts: bare values, double and single quotes, in the order they stand.
 * Input: text. Output: calls of a visitor, at most as many as allowed; linear in the text.
 */

/** Visits each pair from a place. `quote` is the quote's character code, 0 for a bare value. A visitor that answers false ends it. */
export const eachPair = (
  text: string,
  from: number,
  limit: number,
  visit: (key: string, value: string, quote: number) => boolean | undefined,
): void => {
  let p = from;
  for (let pairs = 0; pairs < limit && p < text.length; pairs++) {
    while (p < text.length && isGap(text.charCodeAt(p))) p++;
    const start = p;
    while (p < text.length && text.charCodeAt(p) !== 61 && !isGap(text.charCodeAt(p))) p++;
    if (text.charCodeAt(p) !== 61) {
      // A word without a value.
      continue;
    }
    const key = text.slice(start, p++);
    const quote = text.charCodeAt(p);
    if (quote === 34 || quote === 39) {
      let end = p + 1;
      while (end < text.length && text.charCodeAt(end) !== quote) end += quote === 34 && text.charCodeAt(end) === 92 ? 2 : 1;
      if (visit(key, text.slice(p + 1, end), quote) === false) return;
      p = end + 1;
    } else {
      const begin = p;
      while (p < text.length && !isGap(text.charCodeAt(p))) p++;
      if (visit(key, text.slice(begin, p), 0) === false) return;
    }
  }
};

/** Blank, tab, and the group separator before auditd's enriched fields. */
const isGap = (code: number): boolean => code === 32 || code === 9 || code === 29;
