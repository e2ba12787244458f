// SPDX-License-Identifier: Apache-2.0
/**
 * Which rows a signal adds to the table: one for its own plain rule, one for each correlation that reads it (S2).
 * Input: a signal and the plan. Output: rows, and for each the window that has to be judged.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Entity } from '../model/entity.ts';
import type { CorrelationType } from '../model/rule.ts';
import { GROUP_SEPARATOR, REPLAY_MARK } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { SignalRow } from '../model/signals.ts';
import { entityOfGroup, entityOfSignal, groupValue } from './pair.ts';
import type { Correlation, Plan, Reader } from './plan.ts';
import { windowEnd } from './window.ts';

/** A signal that arrived in a group of a correlation. */
export interface Arrival {
  readonly correlation: Correlation;
  readonly group: string;
  readonly entity: Entity;
  readonly time: UnixMs;
  readonly value: string | undefined;
  readonly signal: Signal;
}

/** A signal of a rule that alerts by itself. */
export interface PlainArrival {
  readonly entity: Entity;
  readonly group: string;
  readonly signal: Signal;
}

export interface SignalRows {
  readonly rows: readonly SignalRow[];
  readonly arrivals: readonly Arrival[];
  readonly plain: PlainArrival | null;
}

/** Rows of all signals of a pair whose groups are finer than the pair (S5). */
export const pairRows = (correlation: string): string => `${correlation}${GROUP_SEPARATOR}pair`;
/** Rows of windows that wait for the watermark; their value is the group (S3). */
export const dueRows = (correlation: string): string => `${correlation}${GROUP_SEPARATOR}due`;
/** Windows of absence that were passed while their own stream was silent, by stream; their value is the group. */
export const heldRows = (correlation: string): string => `${correlation}${GROUP_SEPARATOR}held`;
/** Replays wait for their own stream, everything else for the lowest live one. */
export const dueGroup = (stream: string, replay: boolean): string => (replay ? `${REPLAY_MARK}${stream}` : '');

export const rowsOf = (plan: Plan, signal: Signal): SignalRows => {
  const rows: SignalRow[] = [];
  const arrivals: Arrival[] = [];
  const mark = signal.replay ? REPLAY_MARK : '';
  let own: PlainArrival | null = null;
  const plain = plan.plain.get(signal.rule);
  if (plain) {
    const entity = entityOfSignal(plain, signal);
    own = { entity, group: mark + entity, signal };
    rows.push({ correlation: signal.rule, rule: signal.rule, group: own.group, time: signal.time, signal: signal.id });
  }
  for (const reader of plan.readers.get(signal.rule) ?? []) {
    const arrival = arrivalOf(reader, signal, mark);
    if (!arrival) continue;
    arrivals.push(arrival);
    const { rule } = reader.correlation;
    const base = { rule: signal.rule, time: signal.time, signal: signal.id };
    rows.push({ ...base, correlation: rule.id, group: arrival.group, ...(arrival.value === undefined ? {} : { value: arrival.value }) });
    if (!reader.correlation.groupIsPair && rule.alerts)
      rows.push({ ...base, correlation: pairRows(rule.id), group: mark + arrival.entity });
    const due = { ...base, correlation: dueRows(rule.id), group: dueGroup(signal.stream, signal.replay === true), value: arrival.group };
    if (rule.type === 'absence') {
      // Only the first rule opens a window, and it is due when that ends.
      if (signal.rule === rule.rules[0]) rows.push({ ...due, time: windowEnd(signal.time, rule.timespanMs) });
    } else if (reader.correlation.threshold === null) rows.push(due);
  }
  return { rows, arrivals, plain: own };
};

/** Types whose rows have their rule for a value, so that they are found by it. */
const BY_RULE: ReadonlySet<CorrelationType> = new Set(['temporal', 'temporal_ordered', 'absence']);

// A signal without a value for every field of the group, or without the value that is read, takes no part.
const arrivalOf = (reader: Reader, signal: Signal, mark: string): Arrival | null => {
  const { correlation } = reader;
  const values: string[] = [];
  for (const field of reader.groupFields) {
    const value = groupValue(signal, field);
    if (value === undefined || value === '') return null;
    values.push(value);
  }
  const temporal = BY_RULE.has(correlation.rule.type);
  const value = temporal ? signal.rule : reader.valueField === null ? undefined : groupValue(signal, reader.valueField);
  if ((reader.valueField !== null || temporal) && (value === undefined || value === '')) return null;
  return {
    correlation,
    group: mark + values.join(GROUP_SEPARATOR),
    entity: entityOfGroup(correlation.rule, values),
    time: signal.time,
    value: correlation.rule.type === 'event_count' ? undefined : value,
    signal,
  };
};
