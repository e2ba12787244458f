// SPDX-License-Identifier: Apache-2.0
/**
 * Correlating: a page's signals become rows, and every window they can have satisfied is judged against the table, which is the only memory.
 * Input: pages in the order of their commit, the signals table. Output: satisfied windows, and whose signals came. A page done twice gives the same.
 */
import { hashId, type SignalId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from '../model/entity.ts';
import type { Page } from '../model/page.ts';
import type { RuleSet } from '../model/rule.ts';
import { type Arrived, type Judged, REPLAY_MARK, type Satisfied } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { SignalRow, SignalTable } from '../model/signals.ts';
import { judgeAbsence } from './absence.ts';
import { judgeDue } from './due.ts';
import { judgeArrivals } from './judge.ts';
import { lateness } from './late.ts';
import { type Correlation, makePlan, type Refusal } from './plan.ts';
import { type Arrival, type PlainArrival, pairRows, rowsOf } from './rows.ts';
import { lowestLive, makeWatermarks } from './watermark.ts';
import type { Found, Span } from './window.ts';

export interface Correlator {
  /** Correlations that cannot be run, with the reason. */
  readonly refused: readonly Refusal[];
  /**
   * Adds the page to the table and judges it, inside the caller's transaction (C1).
   * Windows of one pair are joined where they overlap; the order is by correlation, then group, then time.
   */
  judge(page: Pick<Page, 'signals' | 'watermarks' | 'texts'>, table: SignalTable): Judged;
}

/** Groups of one correlation that got signals from this page. */
interface Batch {
  readonly correlation: Correlation;
  readonly group: string;
  readonly entity: Entity;
  readonly arrivals: Arrival[];
}

/** Makes the correlator of one rule set. It keeps nothing between pages but a copy of the watermarks that stand in the table. */
export const makeCorrelator = (set: RuleSet): Correlator => {
  const plan = makePlan(set);
  const watermarks = makeWatermarks();
  const judge = (page: Pick<Page, 'signals' | 'watermarks' | 'texts'>, table: SignalTable): Judged => {
    const isLate = lateness(lowestLive(watermarks.of(table)));
    watermarks.raise(table, page.watermarks);
    const out: Satisfied[] = [];
    const arrived: Arrived[] = [];
    const batches = new Map<string, Map<string, Batch>>();
    const take = (signals: readonly Signal[], texts?: readonly string[]): void => {
      const rows: SignalRow[] = [];
      const plain: PlainArrival[] = [];
      for (const signal of signals) {
        const made = rowsOf(plan, signal);
        rows.push(...made.rows);
        for (const arrival of made.arrivals) batchOf(batches, arrival).arrivals.push(arrival);
        if (made.plain) plain.push(made.plain);
      }
      // The page's own signals stand in the table before anything is judged (S2).
      table.add(signals, rows, texts);
      for (const { entity, group, signal } of plain) {
        const { rule, time, ingested } = signal;
        out.push({
          rule,
          entity,
          replay: signal.replay === true,
          group,
          from: time,
          to: time,
          members: { correlation: rule, group },
          detected: ingested,
          late: isLate(signal, 0),
          backlog: signal.backlog === true,
        });
      }
    };
    take(page.signals, page.texts);
    for (const correlation of plan.order) {
      const { rule } = correlation;
      const own = [...(batches.get(rule.id)?.values() ?? [])];
      if (rule.alerts) for (const batch of own) arrived.push({ ...pairOf(batch), times: batch.arrivals.map(({ time }) => time) });
      const found: readonly { readonly batch: Batch; readonly found: Found }[] =
        correlation.threshold === null
          ? (rule.type === 'absence' ? judgeAbsence : judgeDue)(correlation, own, Object.keys(page.watermarks), watermarks.of(table), table)
          : own.map((batch) => ({
              batch,
              found: judgeArrivals(
                correlation,
                batch.group,
                batch.arrivals.map(({ time }) => time),
                table,
              ),
            }));
      const chained: Signal[] = [];
      for (const { batch, found: one } of found) {
        if (rule.alerts && one.windows.length > 0) {
          // That nothing followed can be told only when the window is over.
          const waitMs = rule.type === 'absence' ? rule.timespanMs : 0;
          const circumstances = circumstancesOf(batch.arrivals, (signal) => isLate(signal, rule.timespanMs), waitMs);
          for (const window of one.windows) out.push({ ...pairOf(batch), ...window, ...circumstances(window) });
        }
        if (correlation.chained) for (const end of one.ends) chained.push(chainedSignal(batch, end, table));
      }
      if (chained.length > 0) take(chained);
    }
    return { satisfied: out, arrived };
  };
  return { refused: plan.refused, judge };
};

const batchOf = (batches: Map<string, Map<string, Batch>>, arrival: Arrival): Batch => {
  const { correlation, group, entity } = arrival;
  let groups = batches.get(correlation.rule.id);
  if (!groups) batches.set(correlation.rule.id, (groups = new Map()));
  let batch = groups.get(group);
  if (!batch) groups.set(group, (batch = { correlation, group, entity, arrivals: [] }));
  return batch;
};

const pairOf = ({ correlation, group, entity }: Batch): Pick<Satisfied, 'rule' | 'entity' | 'replay' | 'group' | 'members'> => {
  const replay = group.startsWith(REPLAY_MARK);
  const { rule, groupIsPair } = correlation;
  const members = groupIsPair
    ? { correlation: rule.id, group }
    : { correlation: pairRows(rule.id), group: (replay ? REPLAY_MARK : '') + entity };
  return { rule: rule.id, entity, replay, group, members };
};

/** When and how the arriving signals of each window came; those of the whole batch where none lies inside. */
const circumstancesOf = (
  arrivals: readonly Arrival[],
  isLate: (signal: Signal) => boolean,
  waitMs: number,
): ((window: Span) => Pick<Satisfied, 'detected' | 'late' | 'backlog'>) => {
  const sorted = arrivals.map(({ signal }) => signal).sort((a, b) => a.time - b.time);
  const told = (own: readonly Signal[]): Pick<Satisfied, 'detected' | 'late' | 'backlog'> => ({
    detected: (own.reduce((latest, { ingested }) => Math.max(latest, ingested), 0) + waitMs) as UnixMs,
    late: own.every(isLate),
    backlog: own.every(({ backlog }) => backlog === true),
  });
  // Windows come oldest first and do not overlap, so each signal is looked at once.
  let next = 0;
  return ({ from, to }) => {
    while (next < sorted.length && sorted[next]!.time < from) next++;
    const inside: Signal[] = [];
    while (next < sorted.length && sorted[next]!.time <= to) inside.push(sorted[next++]!);
    return told(inside.length > 0 ? inside : sorted);
  };
};

/** A satisfied window as a signal for other correlations: one for each group and time at which a window ends, whatever the order of arrival. */
const chainedSignal = (batch: Batch, end: UnixMs, table: SignalTable): Signal => {
  const { correlation, group, entity, arrivals } = batch;
  const { rule } = correlation;
  const row = table.range({ correlation: rule.id, group, from: end, to: end }, 1)[0];
  const last = (row && table.get([row.signal])[0]) ?? arrivals[0]!.signal;
  const id: SignalId = hashId('sig', rule.id, group, end);
  const values = group.replace(REPLAY_MARK, '').split('\u001f');
  return {
    id,
    rule: rule.id,
    event: last.event,
    time: end,
    ingested: last.ingested,
    ...(arrivals.every(({ signal }) => signal.backlog) ? { backlog: true } : {}),
    ...(group.startsWith(REPLAY_MARK) ? { replay: true } : {}),
    level: rule.level,
    entities: [entity, ...last.entities.filter((one) => one !== entity)],
    fields: Object.fromEntries(rule.groupBy.map((field, i) => [field, values[i] ?? ''])),
    why: [`${rule.title}, at ${new Date(end).toISOString()}`],
    stream: last.stream,
  };
};
