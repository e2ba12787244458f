// SPDX-License-Identifier: Apache-2.0
/**
 * The signals table: the truth that every window is a question to (river.md S2, S3). A port, in local SQLite with either engine.
 * Input: correlate adds a page's rows before it judges. Output: bounded answers by event time.
 */
import type { SignalId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Signal } from './signal.ts';

export interface SignalRow {
  /** Id of the correlation, or of the rule itself for a plain rule. */
  readonly correlation: string;
  /** Id of the rule that matched, or of the chained correlation. */
  readonly rule: string;
  /** Values of group-by joined by U+001F; empty when there is none. Replays begin with U+001E (S5). */
  readonly group: string;
  readonly time: UnixMs;
  /** What value_* types read; for temporal types the rule again, so that it is found by it. */
  readonly value?: string;
  readonly signal: SignalId;
}

export interface SignalRange {
  readonly correlation: string;
  readonly group: string;
  readonly rule?: string;
  /** Only rows with this value; indexed. */
  readonly value?: string;
  /** Both inclusive, event time. */
  readonly from: UnixMs;
  readonly to: UnixMs;
}

/**
 * MUST answer with everything added before, the same transaction included.
 * MUST keep a row once, however often it is added (correlation, rule, group, signal).
 * MUST order by time, then by signal id.
 */
export interface SignalTable {
  /** Keeps signals and their rows until they expire. `texts`: the signals as JSON, where they are at hand. */
  add(signals: readonly Signal[], rows: readonly SignalRow[], texts?: readonly string[]): void;
  /** At most `limit` rows, oldest first, or newest first. */
  range(range: SignalRange, limit: number, order?: 'oldest' | 'newest'): readonly SignalRow[];
  /** How many rows, counted up to `limit`. */
  count(range: SignalRange, limit: number): number;
  /** How many distinct values, counted up to `limit`. */
  distinct(range: SignalRange, limit: number): number;
  /** The signals themselves; ids that are gone are left out. */
  get(ids: readonly SignalId[]): readonly Signal[];
  /** Raises the event time that a name (a stream, a due list) has reached. MUST never lower it. */
  raise(name: string, to: UnixMs): void;
  /** What every name with this prefix has reached. */
  reached(prefix: string): ReadonlyMap<string, UnixMs>;
  /** Removes what arrived before the time. MUST leave newer rows alone. */
  expire(arrivedBefore: UnixMs): number;
}
