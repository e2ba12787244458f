// SPDX-License-Identifier: Apache-2.0
/**
 * Section 7: risks as a person assessed them beside what telemetry indicates, who moved in the week and who is above tolerance; exceptions near their end.
 * Input: the register, the ground, incidents with their steps. Output: figures by the laws of isms, with what they rest on, and their section. Pure.
 */
import { type UnixMs, unixMs } from '../../../core/units.ts';
import { indicatedAt, type RiskGround } from '../../isms/indicated.ts';
import { levelOf, rankOf } from '../../isms/risk-level.ts';
import type { Basis, Likelihood, Risk } from '../../model/risk.ts';
import { type Block, bad, hatch, type Line, note, query, type Section, table, wide } from '../document.ts';
import { capital, count, listed, many, spelt, speltMany, type Times } from '../words.ts';
import type { SettingFigures } from './settings.ts';

export interface RiskFigure {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  /** Nobody has looked at what was proposed. */
  readonly proposed: boolean;
  readonly assessed: { readonly likelihood: Likelihood; readonly impact: Likelihood; readonly level: Likelihood };
  readonly indicated: { readonly likelihood: Likelihood; readonly level: Likelihood; readonly since: UnixMs };
  /** Indicated level a week before. */
  readonly before: Likelihood;
  readonly tolerance: Likelihood;
  readonly above: boolean;
  readonly wasAbove: boolean;
  readonly measured: number;
  readonly expected: number;
  readonly because: readonly Basis[];
}

export interface RiskFigures {
  readonly risks: readonly RiskFigure[];
  readonly above: number;
  readonly aboveBefore: number;
  readonly moved: number;
}

const BASES = 20;

export const riskFigures = (
  risks: readonly Risk[],
  ground: RiskGround,
  { from, to }: { readonly from: UnixMs; readonly to: UnixMs },
): RiskFigures => {
  const figures = risks
    .filter(({ status }) => status !== 'closed')
    .map((risk): RiskFigure => {
      const [now, then] = [indicatedAt(risk, ground, unixMs(to - 1)), indicatedAt(risk, ground, unixMs(from - 1))];
      const { likelihood, impact, by } = risk.assessed;
      const level = levelOf(now.likelihood, impact);
      const before = levelOf(then.likelihood, impact);
      const above = (one: Likelihood): boolean => rankOf(one) > rankOf(risk.tolerance);
      return {
        id: risk.id,
        number: risk.number,
        title: risk.title,
        proposed: by === 'proposed',
        assessed: { likelihood, impact, level: levelOf(likelihood, impact) },
        indicated: { likelihood: now.likelihood, level, since: now.since },
        before,
        tolerance: risk.tolerance,
        above: above(level),
        wasAbove: above(before),
        ...now.coverage,
        because: now.because.slice(0, BASES),
      };
    })
    .sort((a, b) => rankOf(b.indicated.level) - rankOf(a.indicated.level) || Number(b.above) - Number(a.above) || a.number - b.number);
  return {
    risks: figures,
    above: figures.filter(({ above }) => above).length,
    aboveBefore: figures.filter(({ wasAbove }) => wasAbove).length,
    moved: figures.filter(({ indicated, before }) => indicated.level !== before).length,
  };
};

export const riskName = ({ number }: Pick<RiskFigure, 'number'>): string => `R-${String(number).padStart(2, '0')}`;
const words = (word: Likelihood): string => word.replace('-', ' ');
const WAIVERS = 8;

export const riskSection = (figures: RiskFigures, { waivers }: Pick<SettingFigures, 'waivers'>, times: Times, to: UnixMs): Section => {
  const { risks } = figures;
  return {
    n: 7,
    title: 'Risks',
    coverage: [
      `indicated for ${count(risks.filter(isKnown).length)} of ${count(risks.length)}`,
      `${count(risks.filter(({ proposed }) => proposed).length)} proposed, unreviewed`,
    ],
    takeaway: takeawayOf(figures),
    blocks:
      risks.length === 0
        ? [hatch('There is no register of risks here, so none can be said to be within tolerance.')]
        : [...riskBlocks(risks, times), ...waiverBlocks(waivers, times, to)],
  };
};

/** An answer or an incident speaks for it. */
const isKnown = ({ measured, because }: RiskFigure): boolean => measured > 0 || because.length > 0;

const takeawayOf = ({ risks, above, moved }: RiskFigures): string => {
  if (risks.length === 0) return 'No risk is in the register.';
  const known = risks.filter(isKnown).length;
  if (known === 0)
    return `Nothing that ${speltMany(risks.length, 'risk')} ${risks.length === 1 ? 'rests' : 'rest'} on is measured, so none can be said to be within tolerance.`;
  const first =
    above === 0
      ? `None of ${speltMany(known, 'risk')} ${known < risks.length ? 'that can be told ' : ''}is indicated above its tolerance`
      : `${capital(speltMany(above, 'risk'))} of ${spelt(risks.length)} ${above === 1 ? 'is' : 'are'} indicated above tolerance`;
  const proposed = risks.filter((one) => one.above && one.proposed).length;
  const second =
    proposed > 0
      ? ` Nobody has assessed ${proposed === above && above > 1 ? 'any of them' : above === 1 ? 'it' : `${spelt(proposed)} of them`} yet.`
      : '';
  return `${first}${moved > 0 ? `; ${spelt(moved)} moved in the week` : ''}.${second}`;
};

const riskBlocks = (risks: readonly RiskFigure[], times: Times): readonly Block[] => [
  table(
    ['', wide('Risk'), wide('Assessed'), wide('Indicated'), wide('Because')],
    risks.map((one): readonly (Line | string)[] => [
      riskName(one),
      [{ text: one.title, tone: 'serif' }],
      `${words(one.assessed.likelihood)} × ${words(one.assessed.impact)}: ${words(one.assessed.level)}`,
      indicatedCell(one),
      becauseCell(one, times),
    ]),
  ),
  note(
    'Likelihood × impact in the words of NIST SP 800-30. Telemetry may raise what is indicated and never lowers it; impact is a person’s word alone. ',
    'Red is above tolerance; an arrow is a change in the week. ',
    query('risks'),
  ),
];

const indicatedCell = (risk: RiskFigure): Line => {
  const { indicated, before, above, measured, expected } = risk;
  const moved = before === indicated.level ? '' : `${words(before)} → `;
  // Nothing that it would rest on is answered, and no incident speaks either.
  if (!isKnown(risk)) return [{ mark: 'unknown' }, ' not known'];
  const text = `${moved}${words(indicated.level)}`;
  return [above ? bad(text) : text, measured < expected ? ` (${count(measured)} of ${count(expected)} answered)` : ''];
};

/** What is found and expected stands in section 5. */
const shortBasis = ({ kind, text }: Basis): string => {
  const short = kind === 'observation' ? (text.split(': it is ')[0] as string) : text.replace(/, and \d+ more rules?/, '');
  return short.length > 80 ? `${short.slice(0, 79)}…` : short;
};

const becauseCell = ({ because, measured, expected, indicated }: RiskFigure, times: Times): Line => {
  if (because.length === 0)
    return [
      measured === 0
        ? expected === 0
          ? 'no check speaks for it here'
          : `none of ${many(expected, 'answer')} is in date`
        : 'nothing raises it',
    ];
  const shown = because.slice(0, 2).map(shortBasis);
  const more = because.length > shown.length ? `; ${count(because.length - shown.length)} more` : '';
  return [`${shown.join('; ')}${more}, since ${times.moment(indicated.since)}`];
};

const waiverBlocks = (waivers: SettingFigures['waivers'], times: Times, to: UnixMs): readonly Block[] =>
  waivers.length === 0
    ? []
    : [
        table(
          [wide('Exception'), 'Host', wide('Answered for by'), 'Ends'],
          waivers
            .slice(0, WAIVERS)
            .map((one): readonly (Line | string)[] => [
              `${one.title}: ${one.reason}`,
              one.name,
              one.owner,
              `${times.day(one.until)}, in ${many(Math.max(0, Math.round((one.until - to) / 86_400_000)), 'day')}`,
            ]),
        ),
        ...(waivers.length > WAIVERS
          ? [
              note(
                `${count(waivers.length - WAIVERS)} more exceptions: ${listed(
                  waivers.slice(WAIVERS).map(({ title }) => title),
                  5,
                )}.`,
              ),
            ]
          : []),
      ];
