// SPDX-License-Identifier: Apache-2.0
/**
 * A line as it was found, with the words of the query marked. Text only: nothing of a line ever becomes markup.
 * Input: the line, the words. Output: text and marks.
 */
import type { ReactNode } from 'react';
import { markedPieces } from './kql.ts';
import { shown } from './shown.ts';

/** A line of a megabyte is shown up to here; the rest is in the event as JSON. */
const MAX_SHOWN = 16_384;

export const Marked = ({ line, words }: { readonly line: string; readonly words: readonly string[] }): ReactNode =>
  markedPieces(shown(line.slice(0, MAX_SHOWN)), words).map((piece, i) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name
    i % 2 === 1 ? <mark key={i}>{piece}</mark> : piece,
  );
