// SPDX-License-Identifier: Apache-2.0
/**
 * From satisfied windows to alerts (S5): which alert an episode is, and what that alert says, recomputed from the signals table (C3).
 * Input: satisfied windows of a page, live alerts, the table. Output: writes; alerts that are new, changed or merged.
 */
import type { UnixMs } from '../../core/units.ts';
import { type Alert, alertId } from '../model/alert.ts';
import type { AlertReader } from '../model/alerts.ts';
import type { Entity } from '../model/entity.ts';
import { parseEntity } from '../model/entity.ts';
import { levelRank, type Rule, type RuleSet, techniquesOf } from '../model/rule.ts';
import type { Judged, MemberKey, Pair, Satisfied } from '../model/satisfied.ts';
import type { Signal } from '../model/signal.ts';
import type { SignalTable } from '../model/signals.ts';
import type { Write } from '../store/store.ts';
import { type Episode, episodesOf, rearmOf } from './episode.ts';
import { tacticsOf } from './tactics.ts';
import { reasonsOf } from './why.ts';

/** Signals an alert names at most: half the oldest, half the newest (S4). */
export const SAMPLE = 100;
/** Signals an alert counts at most; beyond that the number means "at least". */
export const COUNT_LIMIT = 1_000_000;

export interface AlertParts {
  readonly rules: RuleSet;
  readonly table: SignalTable;
  readonly reader: AlertReader;
  /** Name of an entity for people; null when there is none but its id. */
  readonly nameOf: (entity: Entity) => string | null;
}

export interface AlertStep {
  readonly writes: readonly Write[];
  /** Alerts that were not there before. Backlog and replay notify nobody (S8). */
  readonly opened: readonly Alert[];
  /** Alerts that were there and say something new. */
  readonly changed: readonly Alert[];
  /** Alerts that became part of another; they keep their history. */
  readonly merged: readonly Alert[];
}

/** Groups what a page was judged to bring. Doing it again with the same page changes nothing. */
export const groupAlerts = (judged: Judged, parts: AlertParts): AlertStep => {
  const step = { writes: [] as Write[], opened: [] as Alert[], changed: [] as Alert[], merged: [] as Alert[] };
  for (const { pair, members, windows, times } of byPair(judged)) {
    const rearmMs = rearmOf(parts.rules.rules.get(pair.rule));
    const touched = new Map<string, Alert>();
    for (const { from, to } of reaches(windows, times, rearmMs))
      for (const alert of parts.reader.touching(pair, from, to)) touched.set(alert.id, alert);
    let n = -1;
    for (const episode of episodesOf(windows, times, [...touched.values()], rearmMs)) {
      const [kept, ...others] = episode.alerts;
      if (!kept) n = n < 0 ? parts.reader.lastNumber(pair) + 1 : n + 1;
      const alert = recompute(episode, pair, members, kept?.n ?? n, parts);
      if (!kept) step.opened.push(alert);
      else if (others.length > 0 || !same(alert, kept)) step.changed.push(alert);
      else continue;
      step.writes.push({ collection: 'alert', id: alert.id, value: alert });
      for (const other of others) {
        const value: Alert = { ...other, status: 'merged', mergedInto: alert.id };
        step.merged.push(value);
        step.writes.push({ collection: 'alert', id: value.id, value });
      }
    }
  }
  return step;
};

/** Spans in which live alerts matter: around windows as far as the gap, at lone signals only where they are; joined, so that each is asked once. */
const reaches = (windows: readonly Satisfied[], times: readonly UnixMs[], rearmMs: number): readonly { from: UnixMs; to: UnixMs }[] => {
  const spans = [
    ...windows.map(({ from, to }) => ({ from: from - rearmMs, to: to + rearmMs })),
    ...times.map((time) => ({ from: time, to: time })),
  ];
  const out: { from: UnixMs; to: UnixMs }[] = [];
  for (const { from, to } of spans.sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && from - last.to <= rearmMs) last.to = Math.max(last.to, to) as UnixMs;
    else out.push({ from: from as UnixMs, to: to as UnixMs });
  }
  return out;
};

interface PairWork {
  readonly pair: Pair;
  readonly members: MemberKey;
  readonly windows: Satisfied[];
  readonly times: UnixMs[];
}

const byPair = ({ satisfied, arrived }: Judged): Iterable<PairWork> => {
  const pairs = new Map<string, PairWork>();
  const workOf = ({ rule, entity, replay, members }: Pair & { readonly members: MemberKey }): PairWork => {
    const key = `${rule}\0${entity}\0${replay}`;
    let work = pairs.get(key);
    if (!work) pairs.set(key, (work = { pair: { rule, entity, replay }, members, windows: [], times: [] }));
    return work;
  };
  for (const window of satisfied) workOf(window).windows.push(window);
  for (const one of arrived) {
    const { times } = workOf(one);
    for (const time of one.times) times.push(time);
  }
  return pairs.values();
};

/** What the alert says, from the set of its signals and from what was decided when they came. */
const recompute = (episode: Episode, pair: Pair, members: MemberKey, n: number, parts: AlertParts): Alert => {
  const { first, last, windows, alerts } = episode;
  const rule = parts.rules.rules.get(pair.rule);
  const range = { ...members, from: first, to: last };
  const count = parts.table.count(range, COUNT_LIMIT);
  const signals = sampleOf(range, count, parts.table);
  const entities = [...new Set(signals.flatMap((signal) => signal.entities))].filter((entity) => entity !== pair.entity).sort();
  const kept = alerts[0];
  return {
    id: alertId(pair.rule, pair.entity, n, pair.replay),
    rule: pair.rule,
    title: rule?.title ?? kept?.title ?? pair.rule,
    level: rule?.level ?? kept?.level ?? 'medium',
    entity: pair.entity,
    entityName: parts.nameOf(pair.entity) ?? parseEntity(pair.entity)?.id ?? pair.entity,
    entities: [pair.entity, ...entities].slice(0, SAMPLE),
    n,
    count,
    first,
    last,
    detected: [...windows, ...alerts].reduce((first, one) => Math.min(first, one.detected), Number.MAX_SAFE_INTEGER) as UnixMs,
    sample: [...new Set(signals.map(({ event }) => event))],
    members: signals.map(({ id }) => id),
    tactics: tacticsOf(rule?.tags ?? []),
    techniques: techniquesOf(rule?.tags ?? []),
    why: reasonsOf(rule, { count, first, last, signals, titleOf: (id) => parts.rules.rules.get(id)?.title ?? id }),
    // Said of the alert as it was found: signals that join later neither make an alert late nor mend it.
    late: alerts.length > 0 ? alerts.every(({ late }) => late) : windows.every(({ late }) => late),
    backlog:
      windows.every(({ backlog }) => backlog) && alerts.every(({ backlog }) => backlog) && signals.every(({ backlog }) => backlog === true),
    replay: pair.replay,
    ...(opens(rule) ? { opens: true } : {}),
    status: 'live',
    ...(kept?.incident === undefined ? {} : { incident: kept.incident }),
  };
};

const opens = (rule: Rule | undefined): boolean =>
  rule !== undefined && (levelRank(rule.level) >= levelRank('high') || (rule.kind === 'correlation' && rule.incident));

const sampleOf = (range: Parameters<SignalTable['range']>[0], count: number, table: SignalTable): readonly Signal[] => {
  if (count <= SAMPLE) return table.get(table.range(range, SAMPLE).map(({ signal }) => signal));
  const oldest = table.range(range, SAMPLE / 2, 'oldest');
  const newest = [...table.range(range, SAMPLE / 2, 'newest')].reverse();
  return table.get([...oldest, ...newest].map(({ signal }) => signal));
};

const same = (a: Alert, b: Alert): boolean => JSON.stringify(a) === JSON.stringify(b);
