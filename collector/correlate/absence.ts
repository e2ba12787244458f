// SPDX-License-Identifier: Apache-2.0
/**
 * absence: a signal of the first rule, and none of the second within the timespan, judged when everything that could have brought it was heard
 * that far (S3). A stream that is silent makes it unknown, which is no answer yet.
 * Input: due rows of the table, watermarks, both durable. Output: satisfied windows, each the signal that was left alone.
 */
import type { UnixMs } from '../../core/units.ts';
import { REPLAY_MARK } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { SignalRow, SignalTable } from '../model/signals.ts';
import { DUE_ROWS, type DueBatch, type DueFound } from './due.ts';
import { entityOfGroup, valuesOfGroup } from './pair.ts';
import type { Correlation } from './plan.ts';
import { type Arrival, dueGroup, dueRows, heldRows } from './rows.ts';
import { lowestLive } from './watermark.ts';
import { windowEnd } from './window.ts';

/** Agent of a stream's name, which is `agent stream`. */
const agentOf = (stream: string): string => stream.slice(0, stream.indexOf(' ') + 1);

/**
 * Event time up to which everything was heard that can follow a signal of this stream: what is live, the stream itself however far it is
 * behind, and the live streams of its agent among themselves. Null where the stream was never heard.
 */
export const heardUpTo = (stream: string, watermarks: ReadonlyMap<string, UnixMs>): UnixMs | null => {
  const own = watermarks.get(stream);
  const live = lowestLive(watermarks);
  if (own === undefined || live === null) return null;
  const agent = agentOf(stream);
  const beside = agent === '' ? null : lowestLive(new Map([...watermarks].filter(([name]) => name.startsWith(agent))));
  return Math.min(own, live, beside ?? own) as UnixMs;
};

/** Due rows of absence stand at the last millisecond of their window; their value is the group. */
export const judgeAbsence = (
  correlation: Correlation,
  arrived: readonly DueBatch[],
  streams: readonly string[],
  watermarks: ReadonlyMap<string, UnixMs>,
  table: SignalTable,
): readonly DueFound[] => {
  const { rule } = correlation;
  const [awaited] = rule.rules.slice(1);
  const alone = new Map<string, Signal[]>();
  const reached = new Map<string, UnixMs | null>();
  const heard = (stream: string): UnixMs | null => {
    let time = reached.get(stream);
    if (time === undefined) reached.set(stream, (time = heardUpTo(stream, watermarks)));
    return time;
  };
  const judge = (group: string, signal: Signal): void => {
    const end = windowEnd(signal.time, rule.timespanMs);
    // Of one millisecond nothing says which came first: it counts as following, unless the rule waits for itself.
    const from = (awaited === rule.rules[0] ? signal.time + 1 : signal.time) as UnixMs;
    if (table.count({ correlation: rule.id, group, ...(awaited === undefined ? {} : { value: awaited }), from, to: end }, 1) > 0) return;
    const list = alone.get(group);
    if (list) list.push(signal);
    else alone.set(group, [signal]);
  };
  /** Judges what is heard far enough; puts aside what only a silent stream could tell. */
  const settle = (group: string, signal: Signal): void => {
    const end = windowEnd(signal.time, rule.timespanMs);
    if (signal.replay || end < (heard(signal.stream) ?? Number.NEGATIVE_INFINITY)) {
      judge(group, signal);
      return;
    }
    table.add(
      [],
      [{ correlation: heldRows(rule.id), rule: signal.rule, group: signal.stream, time: end, value: group, signal: signal.id }],
    );
    table.raise(`held:${rule.id}:${signal.stream}`, end);
  };
  const settleRows = (rows: readonly SignalRow[], each: (group: string, signal: Signal) => void): void => {
    const signals = new Map(table.get(rows.map((row) => row.signal)).map((signal) => [signal.id, signal]));
    for (const { signal, value } of rows) {
      const found = signals.get(signal);
      if (found) each(value ?? '', found);
    }
  };
  /** Takes the rows of a list up to a time, once: what is behind the cursor was taken. */
  const take = (correlationRows: string, list: string, cursor: string, from: UnixMs, upTo: UnixMs, each: typeof settle): void => {
    if (from > upTo) return;
    const rows = table.range({ correlation: correlationRows, group: list, from, to: upTo }, DUE_ROWS);
    settleRows(rows, each);
    // A full answer may have cut off rows of its last millisecond: that one is asked for again.
    const cut = rows.length === DUE_ROWS && rows[0]!.time < rows.at(-1)!.time;
    table.raise(cursor, cut ? ((rows.at(-1)!.time - 1) as UnixMs) : upTo);
  };
  const cursorName = (list: string): string => `due:${rule.id}:${list}`;
  const cursors = table.reached(cursorName(''));
  // A first signal that came behind the cursor is not on the way any more: it is judged now, or put aside now.
  for (const { group, arrivals } of arrived)
    for (const { signal } of arrivals) {
      if (signal.rule !== rule.rules[0]) continue;
      const cursor = cursors.get(cursorName(dueGroup(signal.stream, signal.replay === true)));
      if (cursor !== undefined && windowEnd(signal.time, rule.timespanMs) <= cursor) settle(group, signal);
    }
  const lists = new Map<string, UnixMs | null>([['', lowestLive(watermarks)]]);
  for (const stream of streams) lists.set(dueGroup(stream, true), watermarks.get(stream) ?? null);
  for (const [list, watermark] of lists)
    if (watermark !== null)
      take(dueRows(rule.id), list, cursorName(list), next(cursors.get(cursorName(list))), (watermark - 1) as UnixMs, settle);
  // What a silent stream holds, once it speaks again.
  const prefix = `held:${rule.id}:`;
  const taken = table.reached(`taken:${rule.id}:`);
  for (const [name, latest] of table.reached(prefix)) {
    const stream = name.slice(prefix.length);
    const from = next(taken.get(`taken:${rule.id}:${stream}`));
    const time = heard(stream);
    if (time !== null && from <= latest) take(heldRows(rule.id), stream, `taken:${rule.id}:${stream}`, from, (time - 1) as UnixMs, judge);
  }
  return [...alone].map(([group, signals]) => found(correlation, group, signals));
};

const next = (cursor: UnixMs | undefined): UnixMs => ((cursor ?? Number.MIN_SAFE_INTEGER) + 1) as UnixMs;

const found = (correlation: Correlation, group: string, signals: readonly Signal[]): DueFound => {
  const entity = entityOfGroup(correlation.rule, valuesOfGroup(group.replace(REPLAY_MARK, '')));
  const arrivals = signals.map((signal): Arrival => ({ correlation, group, entity, time: signal.time, value: signal.rule, signal }));
  const times = [...new Set(signals.map(({ time }) => time))].sort((a, b) => a - b);
  return {
    batch: { correlation, group, entity, arrivals },
    found: { windows: times.map((time) => ({ from: time, to: time })), ends: times },
  };
};
