// SPDX-License-Identifier: Apache-2.0
/**
 * Section 1, the first page: it must stand alone for a reader who has two minutes.
 * Input: inputs and figures of the week, decisions that wait. Output: headline, story, posture with coverage, better and worse. Pure.
 */
import type { Decision, Front, Line } from './document.ts';
import { query, strong } from './document.ts';
import { leadOf, worstOf } from './headline.ts';
import type { ReportInputs } from './inputs.ts';
import { movementsOf } from './movement.ts';
import { measuredOf, postureChange } from './section/controls.ts';
import type { WeeklyFigures } from './weekly.ts';
import { capital, count, listed, many, percentText, points, share, spelt, speltMany, type Times } from './words.ts';

export const frontOf = (inputs: ReportInputs, figures: WeeklyFigures, decisions: readonly Decision[], times: Times): Front => {
  const { before } = inputs;
  const expected = new Set(figures.coverage.hosts.map(({ host }) => host));
  const heardBefore = before.records.byHost.filter(({ host, count: n }) => n > 0 && expected.has(host)).length;
  const { better, worse } = movementsOf(figures, heardBefore, before.records.total > 0, postureChange(figures.controls));
  return {
    ...leadOf(figures, times),
    story: storyOf(figures),
    posture: postureOf(figures, times),
    better,
    worse,
    compared: before.records.total > 0,
    decisions,
  };
};

const postureOf = ({ controls }: WeeklyFigures, times: Times): Front['posture'] => {
  const { now, lowest, line } = controls;
  const [measured, change] = [measuredOf(now), postureChange(controls)];
  const counts = { satisfied: now.satisfied, failing: now.failing, unmeasured: now.unknown + now.unmeasured };
  if (measured === 0) {
    const some = now.of === 0 ? 'No catalogue of controls is loaded' : `None of ${count(now.of)} controls is measured`;
    return { percent: null, line: [`${some}, so there is no posture to state. `, query('posture')], counts, points: [], note: '' };
  }
  const moved =
    change === null
      ? ''
      : change === 0
        ? ', as a week before'
        : `, ${change > 0 ? 'up' : 'down'} ${points(Math.abs(change)).replace('+ ', '')}`;
  return {
    percent: now.percent,
    line: [
      `of measured controls are satisfied: ${count(now.satisfied)} of ${count(measured)}${moved}. `,
      strong(`${count(measured)} of ${count(now.of)} are measured`),
      `, ${percentText(measured, now.of)}. `,
      query('posture'),
    ],
    counts,
    points: line,
    note:
      lowest?.figure.percent == null || now.percent === null || lowest.figure.percent >= now.percent
        ? ''
        : `Lowest in the week: ${share(lowest.figure.satisfied, measuredOf(lowest.figure))}, ${times.moment(lowest.at)}.`,
  };
};

const storyOf = (figures: WeeklyFigures): readonly Line[] => [
  ...incidentStory(figures),
  ...settingStory(figures),
  [...unseenStory(figures)],
];

const incidentStory = (figures: WeeklyFigures): readonly Line[] => {
  const { incidents, coverage } = figures;
  if (coverage.records === 0) return [];
  const worst = worstOf(figures);
  const others = incidents.incidents.filter(({ id }) => id !== worst?.id);
  const about =
    worst === null
      ? ''
      : `It rests on ${many(worst.alerts, 'alert')}${worst.techniques.length > 0 ? ` and shows ${many(worst.techniques.length, 'technique')} of ATT&CK` : ''}. `;
  const besides =
    others.length === 0
      ? worst === null
        ? 'No incident was opened. '
        : 'No other incident touched the week. '
      : `${worst === null ? '' : 'Besides it, '}${worst === null ? capital(speltMany(others.length, 'incident')) : speltMany(others.length, 'incident')} ${worst === null ? 'of lesser severity ' : ''}touched the week, ${spelt(others.filter(({ open }) => open).length)} of them still open. `;
  return [
    [
      about,
      besides,
      `In all, ${many(coverage.records, 'record')} raised ${many(incidents.alerts, 'alert')}`,
      incidents.alerts === 0
        ? '. '
        : `, of which ${incidents.alertsOpen === 0 ? 'none waits' : `${count(incidents.alertsOpen)} ${incidents.alertsOpen === 1 ? 'waits' : 'wait'}`} for a verdict. `,
      query('alerts'),
    ],
  ];
};

const settingStory = ({ settings, files }: WeeklyFigures): readonly Line[] => {
  const { all, failing } = settings;
  const answered = all.expected - all.unknown;
  if (answered === 0) return [];
  const first = failing[0];
  const worst = first === undefined ? '' : ` The gravest fail is “${first.title}” on ${listed(first.names, 2)}.`;
  const changed =
    files.unexplained > 0
      ? ` ${capital(speltMany(files.unexplained, 'change'))} of watched files ${files.unexplained === 1 ? 'has' : 'have'} no explanation.`
      : '';
  return [[`Of ${many(answered, 'answered check')}, ${percentText(all.pass, answered)} pass.${worst}${changed} `, query('checks')]];
};

const unseenStory = ({ coverage, settings, vulnerabilities }: WeeklyFigures): Line => {
  const missing = [
    ...(coverage.heard < coverage.expected
      ? [
          `what happened on ${many(coverage.expected - coverage.heard, 'host')} that ${coverage.expected - coverage.heard === 1 ? 'was' : 'were'} not heard`,
        ]
      : []),
    ...(coverage.lost > 0 ? [`what ${many(coverage.lost, 'lost record')} said`] : []),
    ...(settings.all.expected === 0
      ? ['how any host is set up']
      : settings.all.unknown > 0
        ? [many(settings.all.unknown, 'answer of a check', 'answers of checks')]
        : []),
    ...(vulnerabilities.matched === 0 ? ['which packages are known to be vulnerable'] : []),
    'whether backups can be restored',
  ];
  return [strong('Not known: '), `${missing.join('; ')}. `, query('losses')];
};
