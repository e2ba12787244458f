// SPDX-License-Identifier: Apache-2.0
/**
 * Which tables and blocks a query must read: those of its window that its filters do not rule out, in order of time, found as they are asked for.
 * Input: a snapshot, a window, a test of blocks. Output: units, and the picks that read them.
 */
import { join } from 'node:path';
import { skipPath } from './files.ts';
import type { Block, StoredFile } from './manifest.ts';
import type { BlockTest } from './need.ts';
import { keepBlocks } from './skip.ts';
import { type FromOptions, type HotTable, isFile, type Pick, rowRanges, type Snapshot, type Source } from './sources.ts';

/** A hot table, or one block of a file. */
export interface Unit {
  readonly source: Source;
  readonly block: Block | HotTable;
}

export interface Window {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Filters of a file are read when its first unit is reached. */
export function* unitsOf(
  snapshot: Snapshot,
  window: Window,
  test: BlockTest | null,
  options: FromOptions,
  order: 'newest' | 'oldest' = 'newest',
): Generator<Unit> {
  const inWindow = ({ minTime, maxTime }: Block | HotTable): boolean => maxTime >= window.from && minTime < window.to;
  const units: Unit[] = [
    ...snapshot.tables.map((table): Unit => ({ source: table, block: table })),
    ...snapshot.files.flatMap((file) => file.blocks.map((block): Unit => ({ source: file, block }))),
  ].filter(({ block }) => inWindow(block));
  units.sort((a, b) => (order === 'newest' ? b.block.maxTime - a.block.maxTime : a.block.minTime - b.block.minTime));
  const kept = new Map<StoredFile, readonly boolean[]>();
  for (const unit of units) {
    const { source, block } = unit;
    if (test !== null && isFile(source)) {
      let keep = kept.get(source);
      if (keep === undefined)
        kept.set(source, (keep = keepBlocks(skipPath(join(options.filesDir, source.path)), source.blocks.length, test)));
      if (keep[source.blocks.indexOf(block as Block)] === false) continue;
    }
    yield unit;
  }
}

/** Cuts units into steps: the first of some rows, each next twice as many, so that a search can stop early. */
export function* inSteps(units: Iterable<Unit>, firstRows: number): Generator<readonly Unit[]> {
  let step: Unit[] = [];
  let rows = 0;
  let wanted = firstRows;
  for (const unit of units) {
    step.push(unit);
    rows += unit.block.rows;
    if (rows < wanted) continue;
    yield step;
    step = [];
    rows = 0;
    wanted *= 2;
  }
  if (step.length > 0) yield step;
}

/** What to read for these units. */
export const picksOf = (units: Iterable<Unit>): readonly Pick[] => {
  const blocks = new Map<Source, Block[]>();
  for (const { source, block } of units) {
    const list = blocks.get(source);
    if (list === undefined) blocks.set(source, [block as Block]);
    else list.push(block as Block);
  }
  return [...blocks].map(([source, list]) => ({
    source,
    rows: !isFile(source) || list.length === source.blocks.length ? null : rowRanges(list),
  }));
};
