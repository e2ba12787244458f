// SPDX-License-Identifier: Apache-2.0
/**
 * The page: all signals of one journal range, made once, also when empty (river.md J3, J4).
 * Input: detect. Output: correlate, on the one active node.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Signal } from './signal.ts';

/** A place in a journal (J1). */
export interface JournalPosition {
  readonly collector: string;
  readonly incarnation: string;
  readonly offset: number;
}

/** A journal range: from inclusive to exclusive, in offsets of one incarnation (P5). */
export interface JournalRange {
  readonly collector: string;
  readonly incarnation: string;
  readonly from: number;
  readonly to: number;
}

export interface Page extends JournalRange {
  /** Counts from 1 without holes for each incarnation. */
  readonly n: number;
  /** Event time that each live stream has reached in this range. */
  readonly watermarks: Readonly<Record<string, UnixMs>>;
  readonly signals: readonly Signal[];
  /** Each signal as JSON, where it came so: it is stored as it is. */
  readonly texts?: readonly string[];
}

/** A page between two threads: bytes move at once, where objects would be copied one by one. */
export interface PackedPage extends Omit<Page, 'signals' | 'texts'> {
  /** Signals as JSON, one a line. */
  readonly lines: Uint8Array;
}

export const unpackPage = ({ lines, ...rest }: PackedPage): Page => {
  const texts = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength).toString('utf8').split('\n').slice(0, -1);
  return { ...rest, signals: JSON.parse(`[${texts.join()}]`) as Signal[], texts };
};

/** The page as JSON, without making its signals' texts again. */
export const pageText = ({ texts, ...page }: Page): string =>
  texts === undefined
    ? JSON.stringify(page)
    : `${JSON.stringify({ ...page, signals: undefined }).slice(0, -1)},"signals":[${texts.join()}]}`;
