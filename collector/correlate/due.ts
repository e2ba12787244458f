// SPDX-License-Identifier: Apache-2.0
/**
 * Windows that wait: conditions which more signals may undo (lt, lte, eq, neq, means) are judged when the watermark has passed them (S3).
 * Input: due rows of the table and how far they were judged, both durable. Output: satisfied windows, each judged once, or again when a late signal comes.
 */
import type { UnixMs } from '../../core/units.ts';
import type { SignalTable } from '../model/signals.ts';
import { judgePassed } from './judge.ts';
import { entityOfGroup, valuesOfGroup } from './pair.ts';
import type { Correlation } from './plan.ts';
import { type Arrival, dueGroup, dueRows } from './rows.ts';
import { lowestLive } from './watermark.ts';
import { type Found, windowEnd } from './window.ts';

/** Waiting windows that one page judges at most; the rest stays due. */
export const DUE_ROWS = 10_000;

/** A group that waited, or that got signals. */
export interface DueBatch {
  readonly correlation: Correlation;
  readonly group: string;
  readonly entity: ReturnType<typeof entityOfGroup>;
  readonly arrivals: Arrival[];
}

/** What was found of one group. */
export interface DueFound {
  readonly batch: DueBatch;
  readonly found: Found;
}

export const judgeDue = (
  correlation: Correlation,
  arrived: readonly DueBatch[],
  streams: readonly string[],
  watermarks: ReadonlyMap<string, UnixMs>,
  table: SignalTable,
): readonly DueFound[] => {
  const { rule } = correlation;
  const ends = new Map<string, UnixMs[]>();
  const note = (group: string, time: UnixMs): void => {
    const list = ends.get(group);
    if (list) list.push(time);
    else ends.set(group, [time]);
  };
  const cursorName = (list: string): string => `due:${rule.id}:${list}`;
  const cursors = table.reached(`due:${rule.id}:`);
  // Signals that came behind the cursor: every window they lie in has been judged, and is judged again.
  for (const { group, arrivals } of arrived)
    for (const { time, signal } of arrivals) {
      const cursor = cursors.get(cursorName(dueGroup(signal.stream, signal.replay === true)));
      if (cursor === undefined || time > cursor) continue;
      const to = Math.min(cursor, windowEnd(time, rule.timespanMs)) as UnixMs;
      for (const row of table.range({ correlation: rule.id, group, from: time, to }, DUE_ROWS)) note(group, row.time);
    }
  const lists = new Map<string, UnixMs | null>([['', lowestLive(watermarks)]]);
  for (const stream of streams) lists.set(dueGroup(stream, true), watermarks.get(stream) ?? null);
  for (const [list, watermark] of lists) {
    if (watermark === null) continue;
    const from = ((cursors.get(cursorName(list)) ?? Number.MIN_SAFE_INTEGER) + 1) as UnixMs;
    const to = (watermark - 1) as UnixMs;
    if (from > to) continue;
    const rows = table.range({ correlation: dueRows(rule.id), group: list, from, to }, DUE_ROWS);
    for (const row of rows) note(row.value ?? '', row.time);
    // A full answer may have cut off rows of its last millisecond: that one is asked for again.
    const cut = rows.length === DUE_ROWS && rows[0]!.time < rows.at(-1)!.time;
    table.raise(cursorName(list), cut ? ((rows.at(-1)!.time - 1) as UnixMs) : to);
  }
  return [...ends]
    .map(([group, times]) => ({
      batch: arrived.find((one) => one.group === group) ?? dueBatch(correlation, group, times, table),
      found: judgePassed(rule, group, times, table),
    }))
    .filter(({ batch }) => batch.arrivals.length > 0);
};

const dueBatch = (correlation: Correlation, group: string, times: readonly UnixMs[], table: SignalTable): DueBatch => {
  const { rule } = correlation;
  const entity = entityOfGroup(rule, valuesOfGroup(group));
  const rows = times.flatMap((time) => table.range({ correlation: rule.id, group, from: time, to: time }, 1));
  const arrivals = table
    .get(rows.map((row) => row.signal))
    .map((signal): Arrival => ({ correlation, group, entity, time: signal.time, value: undefined, signal }));
  return { correlation, group, entity, arrivals };
};
