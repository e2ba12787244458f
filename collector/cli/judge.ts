// SPDX-License-Identifier: Apache-2.0
/**
 * The river's last three steps over a database in memory, for the offline tools: the code that judges pages in a running collector.
 * Input: pages of signals in any order. Output: the alerts and incidents that stand after them.
 */
import { DatabaseSync } from 'node:sqlite';
import type { AlertId } from '../../core/ids.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { type AlertStep, groupAlerts } from '../alert/group.ts';
import { type Correlator, makeCorrelator } from '../correlate/correlate.ts';
import { groupIncidents, type IncidentStep } from '../incident/group.ts';
import type { Alert } from '../model/alert.ts';
import type { Entity } from '../model/entity.ts';
import type { Incident, IncidentWork } from '../model/incident.ts';
import type { Page } from '../model/page.ts';
import type { RuleSet } from '../model/rule.ts';
import type { Satisfied } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { SignalTable } from '../model/signals.ts';
import { openAlerts } from '../store/embedded/alerts.ts';
import { openSignals } from '../store/embedded/signals.ts';
import type { Collection, Collections, Write } from '../store/store.ts';

/** Correlations alone, for `vigil detect --correlate`. */
export const offlineCorrelator = (
  rules: RuleSet,
): { judge(signals: readonly Signal[]): readonly Satisfied[]; end(): readonly Satisfied[] } => {
  const table = openSignals(new DatabaseSync(':memory:'));
  const correlator = makeCorrelator(rules);
  const streams = new Map<string, UnixMs>();
  const correlations = (found: readonly Satisfied[]) => found.filter(({ rule }) => rules.rules.get(rule)?.kind === 'correlation');
  return {
    judge: (signals) => {
      for (const { stream, time } of signals) streams.set(stream, Math.max(streams.get(stream) ?? 0, time) as UnixMs);
      return correlations(correlator.judge({ signals, watermarks: Object.fromEntries(streams) }, table).satisfied);
    },
    end: () => {
      const watermarks = Object.fromEntries([...streams.keys()].map((stream) => [stream, unixMs(Number.MAX_SAFE_INTEGER)]));
      return correlations(correlator.judge({ signals: [], watermarks }, table).satisfied);
    },
  };
};

export interface OfflineJudge {
  readonly refused: Correlator['refused'];
  readonly table: SignalTable;
  judge(page: Pick<Page, 'signals' | 'watermarks'>): { readonly alerts: AlertStep; readonly incidents: IncidentStep };
  /** Judges what waited for the watermark: nothing more will come. */
  finish(): void;
  /** What a person says, as the commands would write it. */
  say(incident: string, work: IncidentWork): void;
  /** Live alerts, by first, then id. */
  alerts(): readonly Alert[];
  alert(id: AlertId): Alert | undefined;
  /** Incidents that stand, by number. */
  incidents(): readonly Incident[];
  close(): void;
}

export const openJudge = (rules: RuleSet, nameOf: (entity: Entity) => string | null = () => null, file = ':memory:'): OfflineJudge => {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const documents = new Map<string, unknown>();
  const read = <C extends Collection>(collection: C, id: string): Collections[C] | null =>
    (documents.get(`${collection} ${id}`) as Collections[C] | undefined) ?? null;
  const table = openSignals(db);
  const index = openAlerts(db, read);
  const correlator = makeCorrelator(rules);
  const streams = new Set<string>();
  let numbers = 0;
  const apply = (writes: readonly Write[]): void => {
    for (const { collection, id, value } of writes) {
      documents.set(`${collection} ${id}`, value);
      index.note(collection, id, value);
    }
  };
  const judge = (page: Pick<Page, 'signals' | 'watermarks'>): { alerts: AlertStep; incidents: IncidentStep } => {
    for (const stream of Object.keys(page.watermarks)) streams.add(stream);
    for (const { stream } of page.signals) streams.add(stream);
    db.exec('BEGIN');
    const alerts = groupAlerts(correlator.judge(page, table), { rules, table, reader: index, nameOf });
    apply(alerts.writes);
    const touched = [...alerts.opened, ...alerts.changed, ...alerts.merged];
    const incidents = groupIncidents(touched, { reader: index, nameOf, nextNumber: () => ++numbers });
    apply(incidents.writes);
    db.exec('COMMIT');
    return { alerts, incidents };
  };
  const all = <T>(collection: Collection): T[] =>
    [...documents].filter(([key]) => key.startsWith(`${collection} `)).map(([, value]) => value as T);
  return {
    refused: correlator.refused,
    table,
    judge,
    finish: () => {
      const end = unixMs(Number.MAX_SAFE_INTEGER);
      const watermarks: Record<string, UnixMs> = {};
      for (const stream of streams) watermarks[stream] = end;
      judge({ signals: [], watermarks });
    },
    say: (incident, work) => apply([{ collection: 'incidentWork', id: incident, value: work }]),
    alerts: () =>
      all<Alert>('alert')
        .filter(({ status }) => status === 'live')
        .sort((a, b) => a.first - b.first || (a.id < b.id ? -1 : 1)),
    alert: (id) => read('alert', id) ?? undefined,
    incidents: () =>
      all<Incident>('incident')
        .filter(({ mergedInto }) => mergedInto === undefined)
        .sort((a, b) => a.number - b.number),
    close: () => db.close(),
  };
};
