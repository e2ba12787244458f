// SPDX-License-Identifier: Apache-2.0
/**
 * What got better and what got worse against the week before: one rule a subject, each a comparison of two figures.
 * Input: figures of both weeks. Output: at most four of each, weightiest first; with nothing to compare it says so. Pure.
 */
import type { Movement } from './document.ts';
import { isGrave } from './headline.ts';
import type { Step } from './section/clocks.ts';
import { turnsByKind } from './section/controls.ts';
import { riskName } from './section/risks.ts';
import type { WeekFigures, WeeklyFigures } from './weekly.ts';
import { capital, count, listed, many, points, share, span, speltMany } from './words.ts';

export interface Movements {
  readonly better: readonly Movement[];
  readonly worse: readonly Movement[];
}

interface Judged extends Movement {
  readonly side: 'better' | 'worse';
  readonly weight: number;
}

const MOST = 4;
/** Spans that differ by less than a tenth are the same. */
const SAME = 0.1;

const judge = (change: number, weight: number, head: string, text: string): readonly Judged[] =>
  change === 0 ? [] : [{ side: change < 0 ? 'better' : 'worse', weight, head, text }];

const grave = ({ incidents }: WeekFigures): number => incidents.incidents.filter((one) => !one.carriedIn && isGrave(one)).length;

const soonness = (now: WeekFigures, before: WeekFigures, step: Step, head: string, weight: number): readonly Judged[] => {
  const of = ({ incidents }: WeekFigures) => incidents.steps.find((one) => one.step === step);
  const [mine, theirs] = [of(now), of(before)];
  const missed = mine?.missed ?? [];
  if (missed.length > 0)
    return judge(
      1,
      weight,
      head,
      `${capital(speltMany(missed.length, 'clock'))} missed, ${listed(missed.map(({ number }) => `INC-${number}`))}; ${theirs?.missed.length ? `${count(theirs.missed.length)} a week before` : 'none a week before'}.`,
    );
  if (mine?.medianMs == null || theirs?.medianMs == null) return [];
  const change = (mine.medianMs - theirs.medianMs) / Math.max(1, theirs.medianMs);
  if (Math.abs(change) < SAME) return [];
  return judge(change, weight / 2, head, `Median ${span(mine.medianMs)}, against ${span(theirs.medianMs)} a week before.`);
};

const settings = ({ settings: now, before }: WeeklyFigures): readonly Judged[] => {
  const then = before.settings;
  if (now.all.expected === now.all.unknown || then.all.expected === then.all.unknown) return [];
  const turned = (to: 'pass' | 'fail') => now.changed.filter((one) => one.to === to);
  const name = (all: readonly { readonly title: string; readonly name: string }[]): string =>
    listed([...new Set(all.map(({ title, name }) => `“${title}” on ${name}`))], 2);
  const [good, wrong] = [turned('pass'), turned('fail')];
  const unknown = now.all.unknown - then.all.unknown;
  return [
    ...(good.length > 0
      ? judge(-1, 60 + good.length, 'Settings', `${capital(speltMany(good.length, 'check'))} turned to pass: ${name(good)}.`)
      : []),
    ...(wrong.length > 0
      ? judge(1, 70 + wrong.length, 'Settings', `${capital(speltMany(wrong.length, 'check'))} turned to fail: ${name(wrong)}.`)
      : []),
    ...judge(
      unknown,
      30,
      'Answers',
      `${share(now.all.expected - now.all.unknown, now.all.expected)}, of checks are answered; ${count(Math.abs(unknown))} ${unknown > 0 ? 'fewer' : 'more'} than a week before.`,
    ),
  ];
};

const coverage = ({ coverage: now }: WeeklyFigures, heardBefore: number): readonly Judged[] => [
  ...judge(
    heardBefore - now.heard,
    50,
    'Hosts heard',
    `${many(now.heard, 'host')} of ${count(now.expected)}, ${count(heardBefore)} a week before.`,
  ),
  ...(now.lost > 0
    ? judge(1, 80, 'Records lost', `${capital(many(now.lost, 'record'))} ${now.lost === 1 ? 'is' : 'are'} gone; section 6 says where.`)
    : []),
  ...(now.quiet.length > 0 ? judge(1, 40, 'Sources', `${capital(listed(now.quiet))} fell quiet.`) : []),
];

const outcomes = ({ controls: { turned } }: WeeklyFigures): readonly Judged[] => {
  const { rose, fell, lost } = turnsByKind(turned);
  return [
    ...(rose.length > 0 ? judge(-1, 55, 'Controls', `Satisfied again: ${listed(rose, 4)}.`) : []),
    ...(fell.length > 0 ? judge(1, 72, 'Controls', `No longer satisfied: ${listed(fell, 4)}.`) : []),
    ...(lost.length > 0 ? judge(1, 35, 'Controls', `No longer known: ${listed(lost, 4)}.`) : []),
  ];
};

const risks = ({ risks: { risks: all, above, aboveBefore } }: WeeklyFigures): readonly Judged[] => {
  const rose = all.filter((one) => one.above && !one.wasAbove);
  const fell = all.filter((one) => !one.above && one.wasAbove);
  return [
    ...(rose.length > 0
      ? judge(
          1,
          78,
          'Risks',
          `${capital(speltMany(rose.length, 'risk'))} rose above tolerance, ${listed(rose.map(riskName))}; ${count(above)} ${above === 1 ? 'is' : 'are'} above now.`,
        )
      : []),
    ...(fell.length > 0
      ? judge(
          -1,
          58,
          'Risks',
          `${listed(fell.map(riskName))} ${fell.length === 1 ? 'is' : 'are'} within tolerance again; ${count(above)} above now, ${count(aboveBefore)} a week before.`,
        )
      : []),
  ];
};

const files = ({ files: now, before }: WeeklyFigures): readonly Judged[] =>
  now.hosts === 0 || before.files.hosts === 0
    ? []
    : judge(
        now.unexplained - before.files.unexplained,
        45,
        'Watched files',
        `${capital(many(now.unexplained, 'change'))} without a package to explain it, ${count(before.files.unexplained)} a week before.`,
      );

/** `heardBefore`: hosts of which records were heard the week before, `hadBefore`: whether anything was. */
export const movementsOf = (figures: WeeklyFigures, heardBefore: number, hadBefore: boolean, posture: number | null): Movements => {
  const { before } = figures;
  const change = grave(figures) - grave(before);
  const all: readonly Judged[] = hadBefore
    ? [
        ...(posture === null ? [] : judge(-posture, 75, 'Posture', `${points(posture)} against the week before.`)),
        ...judge(change, 90, 'Grave incidents', `${capital(count(grave(figures)))} opened, ${count(grave(before))} a week before.`),
        ...soonness(figures, before, 'acknowledge', 'Time to acknowledge', 85),
        ...soonness(figures, before, 'resolve', 'Time to resolve', 65),
        ...settings(figures),
        ...outcomes(figures),
        ...risks(figures),
        ...files(figures),
        ...coverage(figures, heardBefore),
      ]
    : [];
  const side = (which: Judged['side']): readonly Movement[] =>
    all
      .filter((one) => one.side === which)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, MOST)
      .map(({ head, text }) => ({ head, text }));
  return { better: side('better'), worse: side('worse') };
};
