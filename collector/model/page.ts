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
}
