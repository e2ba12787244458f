// SPDX-License-Identifier: Apache-2.0
/**
 * The headline and the two sentences under it: the first rule that applies wins, so the worst true thing is what the page says first.
 * Input: the week's figures. Output: at most ten words, and a standfirst. Pure.
 */
import { levelRank } from '../model/rule.ts';
import type { IncidentFigure } from './section/incidents.ts';
import type { WeeklyFigures } from './weekly.ts';
import { capital, count, listed, many, span, spelt, speltMany, type Times, target } from './words.ts';

export interface Lead {
  readonly headline: string;
  readonly standfirst: string;
}

/** Names in a headline are short and one word, or not named: they are others' text. */
const NAME = /^[\p{L}\p{N}._-]{1,24}$/u;
const GRAVE = levelRank('high');
const INNOCENT: ReadonlySet<string> = new Set(['benign', 'false-positive', 'duplicate']);

type Rule = (figures: WeeklyFigures, times: Times) => Lead | null;

/** High or critical, and not found to be something else. */
export const isGrave = ({ severity, verdict }: Pick<IncidentFigure, 'severity' | 'verdict'>): boolean =>
  levelRank(severity) >= GRAVE && !INNOCENT.has(verdict ?? '');

/** What the week's worst incident is; null where none is grave and real. */
export const worstOf = ({ incidents }: WeeklyFigures): IncidentFigure | null =>
  [...incidents.incidents]
    .filter(isGrave)
    .sort(
      (a, b) =>
        levelRank(b.severity) - levelRank(a.severity) || Number(b.open) - Number(a.open) || b.alerts - a.alerts || a.number - b.number,
    )[0] ?? null;

const placeOf = ({ hosts }: IncidentFigure): string => {
  const [host] = hosts;
  if (hosts.length === 1 && host !== undefined && NAME.test(host)) return ` on ${host}`;
  return hosts.length > 1 ? ` across ${spelt(hosts.length)} hosts` : '';
};

/** `5 h 07 min` as a headline says it: `five hours`. */
const roughly = (spanMs: number): string => {
  const [minutes, hours, days] = [spanMs / 60_000, spanMs / 3_600_000, spanMs / 86_400_000];
  if (hours >= 48) return speltMany(Math.floor(days), 'day');
  if (hours >= 1) return speltMany(Math.floor(hours), 'hour');
  return minutes >= 1 ? speltMany(Math.floor(minutes), 'minute') : 'seconds';
};

const endingOf = (one: IncidentFigure): string => {
  const clock = (step: string) => one.clocks.find((clock) => clock.step === step);
  const acknowledge = clock('acknowledge');
  if (!one.acknowledged) return 'and nobody has answered';
  if (acknowledge?.met === false && acknowledge.spanMs !== null) return `${roughly(acknowledge.spanMs)} unanswered`;
  if (one.open) return 'still open';
  const resolve = clock('resolve');
  return resolve?.spanMs === null || resolve?.spanMs === undefined ? 'closed' : `closed in ${roughly(resolve.spanMs)}`;
};

const byIncident: Rule = (figures, times) => {
  const worst = worstOf(figures);
  if (worst === null) return null;
  const grave = figures.incidents.incidents.filter(isGrave);
  const ending = endingOf(worst);
  const headline =
    grave.length === 1
      ? `One ${worst.severity} incident${placeOf(worst)}, ${ending}`
      : `${capital(spelt(grave.length))} grave incidents, the worst ${ending.replace('and nobody has answered', 'not answered yet')}`;
  return { headline, standfirst: incidentSentences(worst, times) };
};

const incidentSentences = (one: IncidentFigure, times: Times): string => {
  const clock = (step: string) => one.clocks.find((clock) => clock.step === step);
  const [detect, acknowledge, resolve] = [clock('detect'), clock('acknowledge'), clock('resolve')];
  const place = one.hosts.length === 0 ? '' : ` on ${listed(one.hosts.map(quiet))}`;
  const noticed =
    one.carriedIn || detect?.spanMs === null || detect?.spanMs === undefined || detect.running
      ? ''
      : ` and was noticed ${detect.spanMs < 1000 ? 'at once' : `after ${span(detect.spanMs)}`}`;
  const against = acknowledge?.targetMs ? `, against a target of ${target(acknowledge.targetMs)}` : '';
  const answered = !one.acknowledged
    ? `Nobody had taken note of it when the week ended${against}.`
    : `A person took note of it ${acknowledge?.spanMs === null || acknowledge?.spanMs === undefined ? 'later' : `${span(acknowledge.spanMs)} later`}${acknowledge?.met === false ? against : ''}`;
  const ended = !one.acknowledged
    ? ''
    : one.open
      ? `, and it was ${one.state} when the week ended.`
      : `, and it was ${one.state}${resolve?.spanMs ? ` after ${span(resolve.spanMs)}` : ''}.`;
  return `INC-${one.number}, “${quiet(one.title)}”, began${place} ${one.carriedIn ? `before this week, at ${times.moment(one.first)}` : `on ${times.weekday(one.first)} at ${times.moment(one.first).slice(-5)}`}${noticed}. ${answered}${ended}`;
};

/** Others' text in a sentence: one line, not too long. */
const quiet = (text: string): string => {
  const one = text.replace(/\s+/g, ' ').trim();
  return one.length > 90 ? `${one.slice(0, 89)}…` : one;
};

const byNothing: Rule = ({ coverage }) =>
  coverage.records > 0
    ? null
    : {
        headline: 'Nothing was heard this week, so nothing is known',
        standfirst:
          coverage.expected === 0
            ? 'No host is enrolled. What follows says what would be measured, and how to begin.'
            : `None of ${speltMany(coverage.expected, 'expected host')} sent a record. That is not a quiet week; it is an unseen one.`,
      };

const byLoss: Rule = ({ coverage }) =>
  coverage.lost + coverage.holes === 0
    ? null
    : {
        headline: 'No grave incident, but records were lost',
        standfirst:
          coverage.lost === 0
            ? 'A part of what agents sent cannot be read any more, and how many records it held is not known.'
            : `${capital(many(coverage.lost, 'record'))} of ${many(coverage.records + coverage.lost, 'record')} did not arrive. What they said cannot be known any more.`,
      };

const bySilence: Rule = ({ coverage }) =>
  coverage.silent.length === 0
    ? null
    : {
        headline: `${capital(spelt(coverage.silent.length))} of ${speltMany(coverage.expected, 'host')} ${coverage.silent.length === 1 ? 'has' : 'have'} fallen silent`,
        standfirst: `${listed(coverage.silent.map(quiet))} ${coverage.silent.length === 1 ? 'sends' : 'send'} nothing. Records wait on the host as long as its agent runs; what happens there meanwhile is not seen.`,
      };

const bySettings: Rule = ({ settings, before }) => {
  const more = settings.all.fail - before.settings.all.fail;
  // Nothing to compare with where no answer was in date a week before.
  if (before.settings.all.expected === before.settings.all.unknown || more <= 0) return null;
  return {
    headline: `No grave incident, but ${speltMany(more, 'more check')} ${more === 1 ? 'fails' : 'fail'}`,
    standfirst: `${capital(many(settings.all.fail, 'check'))} of ${count(settings.all.expected - settings.all.unknown)} that were answered ${settings.all.fail === 1 ? 'fails' : 'fail'}, against ${count(before.settings.all.fail)} a week before.`,
  };
};

const byIncidentsOfLittle: Rule = ({ incidents, coverage }) =>
  incidents.open + incidents.alertsOpen === 0
    ? null
    : {
        headline:
          incidents.open > 0
            ? `No grave incident; ${speltMany(incidents.open, 'lesser one', 'lesser ones')} still open`
            : `No incident; ${speltMany(incidents.alertsOpen, 'alert')} ${incidents.alertsOpen === 1 ? 'waits' : 'wait'} for a verdict`,
        standfirst: `${capital(many(coverage.records, 'record'))} raised ${many(incidents.alerts, 'alert')}. ${incidents.untouched === 0 ? 'Somebody has looked at each of them.' : `Nobody has looked at ${incidents.untouched === incidents.alerts ? 'any of them' : `${count(incidents.untouched)} of them`} yet.`}`,
      };

const byQuiet: Rule = ({ coverage }) => {
  const all = coverage.expected > 0 && coverage.heard === coverage.expected && coverage.rules.blind.length === 0;
  return {
    headline: all ? 'A quiet week, and every host was heard' : 'A quiet week, as far as we could see',
    standfirst: `${capital(many(coverage.records, 'record'))} from ${many(coverage.heard, 'host')} were looked at and raised no incident that needs a person. ${coverage.heard < coverage.expected ? `${capital(spelt(coverage.expected - coverage.heard))} expected ${coverage.expected - coverage.heard === 1 ? 'host was' : 'hosts were'} not heard.` : 'Section 10 says what could not be seen.'}`,
  };
};

const RULES: readonly Rule[] = [byIncident, byNothing, byLoss, bySilence, bySettings, byIncidentsOfLittle, byQuiet];

export const leadOf = (figures: WeeklyFigures, times: Times): Lead => {
  for (const rule of RULES) {
    const lead = rule(figures, times);
    if (lead !== null) return lead;
  }
  throw new Error('the last rule always applies');
};
