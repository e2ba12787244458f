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
import { judgeDue } from './due.ts';
import { judgeArrivals } from './judge.ts';
import { lateness } from './late.ts';
import { type Correlation, makePlan, type Refusal } from './plan.ts';
import { type Arrival, pairRows, rowsOf } from './rows.ts';
import { raiseWatermarks, readWatermarks } from './watermark.ts';
import { type Found, joined } from './window.ts';

export interface Correlator {
  /** Correlations that cannot be run, with the reason. */
  readonly refused: readonly Refusal[];
  /**
   * Adds the page to the table and judges it, inside the caller's transaction (C1).
   * Windows of one pair are joined where they overlap; the order is by correlation, then group, then time.
   */
  judge(page: Pick<Page, 'signals' | 'watermarks'>, table: SignalTable): Judged;
}

/** Groups of one correlation that got signals from this page. */
interface Batch {
  readonly correlation: Correlation;
  readonly group: string;
  readonly entity: Entity;
  readonly arrivals: Arrival[];
}

/** Makes the correlator of one rule set; it keeps nothing between pages. */
export const makeCorrelator = (set: RuleSet): Correlator => {
  const plan = makePlan(set);
  const judge = (page: Pick<Page, 'signals' | 'watermarks'>, table: SignalTable): Judged => {
    const isLate = lateness(readWatermarks(table));
    raiseWatermarks(table, page.watermarks);
    const out: Satisfied[] = [];
    const arrived: Arrived[] = [];
    const batches = new Map<string, Map<string, Batch>>();
    const take = (signals: readonly Signal[]): void => {
      const rows: SignalRow[] = [];
      const plain = new Map<string, { readonly entity: Entity; readonly signals: Signal[] }>();
      for (const signal of signals) {
        const made = rowsOf(plan, signal);
        rows.push(...made.rows);
        for (const arrival of made.arrivals) batchOf(batches, arrival).arrivals.push(arrival);
        if (!made.plain) continue;
        const key = `${signal.rule} ${made.plain.group}`;
        const known = plain.get(key);
        if (known) known.signals.push(signal);
        else plain.set(key, { entity: made.plain.entity, signals: [signal] });
      }
      // The page's own signals stand in the table before anything is judged (S2).
      table.add(signals, rows);
      for (const { entity, signals: own } of plain.values()) {
        const { rule } = own[0]!;
        const replay = own[0]!.replay === true;
        const group = (replay ? REPLAY_MARK : '') + entity;
        for (const window of joined(own.map(({ time }) => ({ from: time, to: time }))))
          out.push({
            rule,
            entity,
            replay,
            group,
            ...window,
            members: { correlation: rule, group },
            ...circumstances(own, window.from, window.to, (s) => isLate(s, 0)),
          });
      }
    };
    take(page.signals);
    for (const correlation of plan.order) {
      const { rule } = correlation;
      const own = [...(batches.get(rule.id)?.values() ?? [])];
      if (rule.alerts) for (const batch of own) arrived.push({ ...pairOf(batch), times: batch.arrivals.map(({ time }) => time) });
      const found: readonly { readonly batch: Batch; readonly found: Found }[] =
        correlation.threshold === null
          ? judgeDue(correlation, own, Object.keys(page.watermarks), table)
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
        const signals = batch.arrivals.map(({ signal }) => signal);
        if (rule.alerts)
          for (const window of one.windows)
            out.push({
              ...pairOf(batch),
              ...window,
              ...circumstances(signals, window.from, window.to, (s) => isLate(s, rule.timespanMs)),
            });
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

/** When and how the arriving signals of a window came; those nearest to it where none lies inside. */
const circumstances = (
  signals: readonly Signal[],
  from: UnixMs,
  to: UnixMs,
  isLate: (signal: Signal) => boolean,
): Pick<Satisfied, 'detected' | 'late' | 'backlog'> => {
  const inside = signals.filter(({ time }) => time >= from && time <= to);
  const own = inside.length > 0 ? inside : signals;
  return {
    detected: Math.max(...own.map(({ ingested }) => ingested)) as UnixMs,
    late: own.every(isLate),
    backlog: own.every(({ backlog }) => backlog === true),
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
