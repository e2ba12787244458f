// SPDX-License-Identifier: Apache-2.0
/**
 * The one case folding of queries: lower case, code point by code point, as DuckDB's `lower` does it.
 * Input: text. Output: folded text, and the comparisons that every target of a query must agree on.
 */

/** Lower case without the two rules of JavaScript that look at neighbours (final sigma, dotted capital I). */
export const fold = (text: string): string => {
  const lower = text.toLowerCase();
  return /[ςσ]|\u0307/.test(lower) ? text.replaceAll('İ', 'i').replaceAll('Σ', 'σ').toLowerCase() : lower;
};

/** Order of the UTF-8 bytes, as both engines order text. */
export const compareText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A pattern cut at its wildcards: between two parts any text may stand. Case is the caller's matter. */
export const matchParts = (text: string, parts: readonly string[]): boolean => {
  const first = parts[0] as string;
  const last = parts[parts.length - 1] as string;
  if (parts.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  const limit = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > limit) return false;
    from = at + part.length;
  }
  return true;
};

/** The pattern for `LIKE … ESCAPE '\'`. */
export const likePattern = (parts: readonly string[]): string => parts.map((part) => part.replace(/[\\%_]/g, '\\$&')).join('%');

/** The pattern for `regexp_full_match(…, 's')`, which takes time linear in the text. */
export const regexPattern = (parts: readonly string[]): string =>
  parts.map((part) => part.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('.*');
