// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil alerts`: the alerts and incidents that the whole river would raise from these signals, without a collector.
 * Input: signals of decoded and matched lines. Output: one JSON line for each alert, then one for each incident, best first.
 */
import { type UnixMs, unixMs } from '../../core/units.ts';
import { scoreOf } from '../incident/severity.ts';
import type { Alert } from '../model/alert.ts';
import type { Entity } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import type { RuleSet } from '../model/rule.ts';
import type { Signal } from '../model/signal.ts';
import { openJudge } from './judge.ts';
import type { Terminal } from './terminal.ts';

/** Signals are judged in pages of so many, as in the river. */
const PAGE = 500;

export interface AlertsInput {
  readonly rules: RuleSet;
  /** In any order; windows are of event time. */
  readonly signals: AsyncIterable<Signal> | Iterable<Signal>;
  /** Name of an entity for people. */
  readonly nameOf?: (entity: Entity) => string | null;
}

export interface RaisedAlerts {
  readonly alerts: readonly Alert[];
  readonly incidents: readonly Incident[];
  /** Correlations that could not be run. */
  readonly refused: readonly { readonly rule: string; readonly message: string }[];
}

/** Judges all signals and says what stands in the end. */
export const raiseAlerts = async ({ rules, signals, nameOf }: AlertsInput): Promise<RaisedAlerts> => {
  const judge = openJudge(rules, nameOf);
  try {
    const reached: Record<string, UnixMs> = {};
    let page: Signal[] = [];
    const turn = (): void => {
      judge.judge({ signals: page, watermarks: { ...reached } });
      page = [];
    };
    for await (const signal of signals) {
      page.push(signal);
      reached[signal.stream] = unixMs(Math.max(reached[signal.stream] ?? 0, signal.time));
      if (page.length === PAGE) turn();
    }
    turn();
    judge.finish();
    return { alerts: judge.alerts(), incidents: judge.incidents(), refused: judge.refused };
  } finally {
    judge.close();
  }
};

/** Prints what `raiseAlerts` finds as NDJSON; what could not be run goes to stderr. */
export const runAlerts = async (input: AlertsInput, io: Pick<Terminal, 'out' | 'err'>): Promise<void> => {
  const { alerts, incidents, refused } = await raiseAlerts(input);
  for (const { rule, message } of refused) io.err(`rule ${rule} was not run: ${message}\n`);
  for (const alert of alerts) io.out(`${JSON.stringify(alertLine(alert))}\n`);
  const byId = new Map(alerts.map((alert) => [alert.id as string, alert]));
  const scored = incidents.map((incident) => ({ incident, score: scoreOf(incident.alerts.flatMap((id) => byId.get(id) ?? [])) }));
  scored.sort((a, b) => b.score - a.score || a.incident.first - b.incident.first || a.incident.number - b.incident.number);
  for (const { incident, score } of scored) io.out(`${JSON.stringify(incidentLine(incident, score))}\n`);
};

/** The line of `vigil alerts`. */
export const alertLine = (alert: Alert): Readonly<Record<string, unknown>> => ({
  alert: alert.id,
  rule: alert.rule,
  title: alert.title,
  level: alert.level,
  entity: alert.entity,
  entity_name: alert.entityName,
  count: alert.count,
  first: new Date(alert.first).toISOString(),
  last: new Date(alert.last).toISOString(),
  ...(alert.incident === undefined ? {} : { incident: alert.incident }),
  tactics: alert.tactics,
  techniques: alert.techniques,
  why: alert.why,
});

/** The line of `vigil incidents`. */
export const incidentLine = (
  incident: Pick<Incident, 'id' | 'title' | 'severity' | 'why' | 'entities' | 'first' | 'last'> & { readonly alerts: readonly string[] },
  score: number,
): Readonly<Record<string, unknown>> => ({
  incident: incident.id,
  title: incident.title,
  severity: incident.severity,
  score,
  why: incident.why,
  alerts: incident.alerts,
  entities: incident.entities,
  first: new Date(incident.first).toISOString(),
  last: new Date(incident.last).toISOString(),
});
