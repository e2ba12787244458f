// SPDX-License-Identifier: Apache-2.0
/**
 * Section 2: incidents that touch the week with their clocks, alerts by day and verdict.
 * Input: the week's alerts and incidents. Output: figures with the ids they rest on, and their section. Pure.
 */
import type { UnixMs } from '../../../core/units.ts';
import type { IncidentState } from '../../model/incident.ts';
import { LEVELS, type Level, levelRank } from '../../model/rule.ts';
import { type Block, bad, end, hatch, type Line, note, query, type Section, strong, table, wide } from '../document.ts';
import type { IncidentInput, Targets, WindowInput } from '../inputs.ts';
import { capital, count, listed, many, percentText, span, spelt, speltMany, type Times, target } from '../words.ts';
import { clocksOf, ENDED, type IncidentClock, reached, STEPS, type Step, type StepFigure, stateAt, stepFigure } from './clocks.ts';

export interface IncidentFigure {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly severity: Level;
  readonly first: UnixMs;
  readonly hosts: readonly string[];
  readonly techniques: readonly string[];
  readonly alerts: number;
  readonly carriedIn: boolean;
  readonly state: IncidentState;
  readonly open: boolean;
  /** A person took note of it. */
  readonly acknowledged: boolean;
  readonly owner: string | null;
  readonly verdict: string | null;
  readonly ended: UnixMs | null;
  readonly clocks: readonly IncidentClock[];
}

export interface IncidentFigures {
  readonly incidents: readonly IncidentFigure[];
  readonly opened: number;
  readonly carriedIn: number;
  readonly closed: number;
  readonly open: number;
  readonly steps: readonly StepFigure[];
  readonly alerts: number;
  readonly byLevel: Readonly<Record<Level, number>>;
  readonly byDay: readonly Readonly<Record<Level, number>>[];
  readonly verdicts: Readonly<Record<string, number>>;
  readonly alertsOpen: number;
  /** Alerts nobody had taken note of when the week ended. */
  readonly untouched: number;
}

const figureOf = (incident: IncidentInput, window: WindowInput, targets: Targets): IncidentFigure => {
  const state = stateAt(incident, window.to);
  return {
    id: incident.id,
    number: incident.number,
    title: incident.title,
    severity: incident.severity,
    first: incident.first,
    hosts: incident.hosts,
    techniques: incident.techniques,
    alerts: incident.alerts.length,
    carriedIn: incident.first < window.from,
    state,
    open: !ENDED.has(state),
    acknowledged: incident.moves.some(({ at }) => at < window.to),
    owner: incident.owner,
    verdict: ENDED.has(state) ? incident.verdict : null,
    ended: reached(incident, ENDED, window.to),
    clocks: clocksOf(incident, window, targets),
  };
};

const levels = (alerts: readonly { readonly level: Level }[]): Readonly<Record<Level, number>> =>
  Object.fromEntries(LEVELS.map((level) => [level, alerts.filter((one) => one.level === level).length])) as Record<Level, number>;

const isBefore = (at: UnixMs | undefined, to: UnixMs): boolean => at !== undefined && at < to;

export const incidentFigures = (window: WindowInput, targets: Targets): IncidentFigures => {
  const { from, to, days } = window;
  const incidents = window.incidents
    .filter((one) => one.first < to)
    .map((one) => figureOf(one, window, targets))
    .filter(({ state, ended, carriedIn }) => state !== 'merged' && (!carriedIn || ended === null || ended >= from))
    .sort((a, b) => a.number - b.number);
  const alerts = window.alerts.filter(({ first }) => first >= from && first < to);
  const closed = alerts.filter(({ closedAt }) => isBefore(closedAt, to));
  const verdicts: Record<string, number> = {};
  for (const { verdict } of closed) if (verdict !== undefined) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return {
    incidents,
    opened: incidents.filter(({ carriedIn }) => !carriedIn).length,
    carriedIn: incidents.filter(({ carriedIn }) => carriedIn).length,
    closed: incidents.filter(({ open }) => !open).length,
    open: incidents.filter(({ open }) => open).length,
    steps: STEPS.map((step) => stepFigure(step, incidents)),
    alerts: alerts.length,
    byLevel: levels(alerts),
    byDay: days.slice(0, 7).map((day, i) => levels(alerts.filter(({ first }) => first >= day && first < (days[i + 1] as UnixMs)))),
    verdicts,
    alertsOpen: alerts.length - closed.length,
    untouched: alerts.filter(({ acknowledgedAt, closedAt }) => !isBefore(acknowledgedAt, to) && !isBefore(closedAt, to)).length,
  };
};

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  'true-positive': 'true with impact',
  'true-positive-no-impact': 'true without impact',
  benign: 'benign',
  'false-positive': 'false',
  duplicate: 'duplicate',
  'insufficient-data': 'not decidable',
};

/** Clocks that fell due, and those of them that were met. */
export const clocksDue = ({ steps }: Pick<IncidentFigures, 'steps'>): { readonly met: number; readonly due: number } => ({
  met: steps.reduce((sum, { met }) => sum + met, 0),
  due: steps.reduce((sum, { due }) => sum + due, 0),
});

export const incidentSection = (figures: IncidentFigures, window: WindowInput, times: Times): Section => ({
  n: 2,
  title: 'Incidents',
  coverage: [
    many(figures.incidents.length, 'incident'),
    `${many(clocksDue(figures).due, 'clock')} due`,
    window.records.total === 0 ? 'no record heard' : `${many(window.records.total, 'record')} looked at`,
  ],
  takeaway: takeawayOf(figures, window),
  blocks: [...incidentBlocks(figures, window, times), ...alertBlocks(figures, window, times)],
});

const takeawayOf = (figures: IncidentFigures, { records }: WindowInput): string => {
  const { incidents, opened, carriedIn, closed, open } = figures;
  if (incidents.length === 0)
    return records.total === 0 ? 'Not known whether there was an incident: nothing was heard.' : 'No incident touched this week.';
  const { met, due } = clocksDue(figures);
  const parts = [
    `${spelt(opened)} opened`,
    ...(carriedIn > 0 ? [`${spelt(carriedIn)} carried in`] : []),
    `${spelt(closed)} closed`,
    `${spelt(open)} still open`,
  ];
  const missed = due - met;
  const clocks =
    due === 0
      ? 'No clock fell due.'
      : missed === 0
        ? `${due === 1 ? 'The one clock that fell due was' : `All ${spelt(due)} clocks that fell due were`} met.`
        : `${capital(spelt(missed))} of ${speltMany(due, 'clock')} ${missed === 1 ? 'was' : 'were'} missed.`;
  return `${capital(parts.join(', '))}. ${clocks}`;
};

const cell = (incident: IncidentFigure, step: Step): Line => {
  const clock = incident.clocks.find((one) => one.step === step);
  if (step === 'detect' && incident.carriedIn) return ['carried in'];
  if (clock === undefined || clock.spanMs === null) return [{ mark: 'unknown' }, ' not timed'];
  const text = clock.running ? `running, ${span(clock.spanMs)}` : span(clock.spanMs);
  return [clock.met === false ? bad(text) : text];
};

const incidentBlocks = (figures: IncidentFigures, { records }: WindowInput, times: Times): readonly Block[] => {
  const { incidents, steps } = figures;
  if (incidents.length === 0) return records.total === 0 ? [] : [note('None was open at any time of the week. ', query('incidents'))];
  const rows = [...incidents]
    .sort((a, b) => levelRank(b.severity) - levelRank(a.severity) || a.number - b.number)
    .map((one): readonly (Line | string)[] => [
      `INC-${one.number}`,
      [{ mark: one.severity }, ` ${one.title}`],
      cell(one, 'detect'),
      cell(one, 'acknowledge'),
      cell(one, 'resolve'),
      one.ended === null ? capital(one.state) : `${capital(one.state)} ${times.day(one.ended).slice(0, 3)}`,
    ]);
  const { met, due } = clocksDue(figures);
  const untimed = incidents.filter(({ clocks }) => clocks[0]?.spanMs === null);
  return [
    table(['', wide('What happened'), end('Detected in'), end('Acknowledged in'), end('Resolved in'), 'State'], rows),
    table(
      ['Plain hours', end('Median'), end('p90'), end('n'), end('In time'), wide('Missed')],
      steps.map((step) => [
        capital(step.step),
        step.medianMs === null ? 'none ended' : span(step.medianMs),
        step.p90Ms === null ? '' : span(step.p90Ms),
        count(step.n),
        step.step === 'detect' ? 'no target' : step.due === 0 ? 'none due' : `${count(step.met)} of ${count(step.due)}`,
        step.missed.map((one) => `INC-${one.number}, target ${target(one.targetMs)}${one.running ? ', still running' : ''}`).join('; '),
      ]),
    ),
    note(
      due === 0
        ? 'No clock with a target fell due. '
        : `${count(met)} of ${count(due)} clocks that fell due were met, ${percentText(met, due)}. `,
      'Detection runs from the first event, the other clocks from detection. ',
      untimed.length > 0
        ? `${listed(untimed.map(({ number }) => `INC-${number}`))} came from lines that were old when they were read, so detection is not timed. `
        : '',
      query('incidents'),
      ' ',
      query('clocks'),
    ),
  ];
};

const alertBlocks = (figures: IncidentFigures, window: WindowInput, times: Times): readonly Block[] => {
  const { alerts, alertsOpen, untouched } = figures;
  if (alerts === 0)
    return window.records.total === 0
      ? [hatch('No record of this week was heard, so no rule could look. Section 6 says which hosts were expected.')]
      : [note(`No rule raised an alert over ${many(window.records.total, 'record')}. `, query('alerts'))];
  const parts = [...LEVELS].reverse().filter((level) => figures.byLevel[level] > 0);
  const verdicts = Object.entries(figures.verdicts)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([verdict, n]) => `${count(n)} ${VERDICT_WORDS[verdict] ?? verdict}`);
  const closed = alerts - alertsOpen;
  return [
    {
      kind: 'days',
      caption: `${many(alerts, 'alert')}: ${parts.map((level) => `${count(figures.byLevel[level])} ${level}`).join(', ')}, by day of the first event`,
      days: figures.byDay.map((day, i) => ({
        label: times.day(window.days[i] as UnixMs).replace(/ \w+$/, ''),
        parts: [...LEVELS].reverse().map((level) => ({ state: level, n: day[level] })),
      })),
    },
    note(
      `When the week ended, ${closed === 0 ? 'none was' : `${count(closed)} ${closed === 1 ? 'was' : 'were'}`} closed${verdicts.length > 0 ? ` (${verdicts.join(', ')})` : ''} and `,
      strong(`${count(alertsOpen)} open`),
      untouched > 0
        ? `, ${untouched === alertsOpen ? (alertsOpen === 1 ? 'not looked at yet' : 'none of them looked at yet') : `${count(untouched)} of them not looked at yet`}. `
        : '. ',
      query('alerts'),
    ),
  ];
};
