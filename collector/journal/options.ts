// SPDX-License-Identifier: Apache-2.0
/**
 * What a journal is opened with, and what it says of itself.
 * Input: the collector's config. Output: shapes for journal, health and metrics.
 */
import type { Clock } from '../../core/clock.ts';
import type { Files } from '../../core/files.ts';
import type { Ms } from '../../core/units.ts';
import type { JournalDamage } from './recover.ts';

export interface JournalOptions {
  /** Made where it is absent, with mode 0700. */
  readonly dir: string;
  /** Name of this collector, part of every position. */
  readonly collector: string;
  readonly clock: Clock;
  /** A segment is closed when it is larger; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Bytes that may wait for the disk before `append` refuses; default 64 MiB. */
  readonly waitingLimitBytes?: number;
  /** Streams whose last block is older and gone are forgotten; default 90 days. */
  readonly headKeepMs?: Ms;
  /** The system's, unless a test gives others. */
  readonly files?: Files;
}

export interface JournalReport {
  /** `kept`, or why there is a new incarnation. */
  readonly incarnation: 'kept' | 'first' | 'file-missing' | 'unfinished';
  readonly cutBytes: number;
  readonly damage: readonly JournalDamage[];
}

export interface JournalStatus {
  readonly segments: number;
  readonly bytes: number;
  readonly streams: number;
  readonly first: number;
  readonly end: number;
  readonly commits: number;
  readonly blocks: number;
  /** Longest write and fsync since the status before, in ms. */
  readonly slowestCommitMs: number;
}
