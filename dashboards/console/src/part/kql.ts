// SPDX-License-Identifier: Apache-2.0
/**
 * A query as it is shown: its pieces for colour, the words to mark in lines, terms to add. The collector alone judges what a query means.
 * Input: query text. Output: pieces that join to the same text; words; text.
 */

export interface Piece {
  readonly text: string;
  readonly kind: 'field' | 'word' | 'sign' | 'value' | 'space';
  readonly at: number;
}

const PIECE = /\s+|"(?:[^"\\]|\\.)*"?|[():<>={}]+|(?:[^\s():<>="{}\\]|\\.?)+/gs;

/** Pieces in order; joined they are the text. */
export const piecesOf = (text: string): readonly Piece[] =>
  [...text.matchAll(PIECE)].map(({ 0: piece, index: at }) => {
    const kind = /^\s/.test(piece)
      ? 'space'
      : /^[():<>={}]/.test(piece)
        ? 'sign'
        : /^(and|or|not)$/i.test(piece)
          ? 'word'
          : /^\s*[:<>]/.test(text.slice(at + piece.length))
            ? 'field'
            : 'value';
    return { text: piece, kind, at };
  });

/** Words of a query that can stand in a line as they are: no ranges, nothing that is excluded. Lower case. */
export const wordsOf = (text: string): readonly string[] => {
  const words = new Set<string>();
  let not = false;
  let range = false;
  for (const { text: piece, kind } of piecesOf(text)) {
    if (kind === 'word') not = piece.toLowerCase() === 'not';
    else if (kind === 'sign') range = /[<>]/.test(piece);
    else if (kind === 'value') {
      if (!not && !range)
        for (const part of piece.replace(/^"|"$/g, '').split('*')) {
          const word = part.replace(/\\(.)/g, '$1').toLowerCase();
          if (word.length > 2) words.add(word);
        }
      range = false;
    }
  }
  return [...words];
};

/** The line cut at the words: odd pieces are matches. */
export const markedPieces = (line: string, words: readonly string[]): readonly string[] => {
  if (words.length === 0) return [line];
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return line.split(new RegExp(`(${pattern})`, 'gi'));
};

const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** A value as KQL writes it. */
export const literalOf = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : quoted(String(value));

/** The query with one more term. */
export const withTerm = (query: string, term: string): string =>
  query.trim() === '' ? term : `${/\bor\b/i.test(query) ? `(${query})` : query} and ${term}`;
