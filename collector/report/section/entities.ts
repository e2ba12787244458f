// SPDX-License-Identifier: Apache-2.0
/**
 * Section 3: who stands highest by Threat (what is done to them) and Exposure (how open they are), with the shares that make each.
 * Input: inputs of scores as they stood at both ends of the week. Output: figures with alert and observation ids, and their section. Pure.
 */
import type { UnixMs } from '../../../core/units.ts';
import { parseEntity } from '../../model/entity.ts';
import type { Share } from '../../model/score.ts';
import { movedScore, rankScores } from '../../score/figures.ts';
import { type Block, end, hatch, type Line, mono, note, query, type Section, strong, table, wide } from '../document.ts';
import type { ScoreInput } from '../inputs.ts';
import { count, listed, many, type Times } from '../words.ts';

export interface EntityFigure {
  readonly entity: string;
  readonly kind: string;
  readonly name: string;
  readonly threat: number;
  readonly exposure: number;
  readonly threatBy: number;
  readonly exposureBy: number;
  readonly threatShares: readonly Pick<Share, 'key' | 'title' | 'share' | 'sources'>[];
  readonly exposureShares: readonly Pick<Share, 'key' | 'title' | 'share' | 'sources'>[];
  /** An open incident holds its threat. */
  readonly held: boolean;
}

export interface EntityFigures {
  readonly scored: Readonly<Record<string, number>>;
  readonly hosts: readonly EntityFigure[];
  readonly others: readonly EntityFigure[];
  readonly weights: number | null;
}

const HOSTS = 12;
const OTHERS = 8;
/** Below this an entity is nothing to look at. */
const WORTH = 1;

export const entityFigures = (
  { scored, now, before }: ScoreInput,
  { from, to }: { readonly from: UnixMs; readonly to: UnixMs },
): EntityFigures => {
  const then = new Map(before.map((one) => [one.entity, one]));
  const ranked = [...rankScores(now, to, { order: 'threat' }), ...rankScores(now, to, { order: 'exposure' })];
  const figures = [...new Map(ranked.map(({ inputs }) => [inputs.entity, inputs])).values()].map((inputs): EntityFigure => {
    const { score, name, threatBy, exposureBy } = movedScore(inputs, to, then.get(inputs.entity) ?? null, from);
    const shares = (all: readonly Share[]) => all.map(({ key, title, share, sources }) => ({ key, title, share, sources }));
    return {
      ...{
        entity: inputs.entity,
        kind: parseEntity(inputs.entity)?.kind ?? '',
        name,
        threat: score.threat,
        exposure: score.exposure,
        threatBy,
        exposureBy,
      },
      threatShares: shares(score.threatShares),
      exposureShares: shares(score.exposureShares),
      held: inputs.threat.some(({ frozen }) => frozen),
    };
  });
  const worth = figures.filter(({ threat, exposure }) => Math.max(threat, exposure) >= WORTH);
  return {
    scored,
    hosts: worth.filter(({ kind }) => kind === 'host').slice(0, HOSTS),
    others: worth.filter(({ kind, threat }) => kind !== 'host' && threat >= WORTH).slice(0, OTHERS),
    weights: now[0]?.weights ?? null,
  };
};

const SHARES = 3;

const madeOf = (shares: EntityFigure['threatShares']): Line => {
  if (shares.length === 0) return ['nothing'];
  const shown = shares.slice(0, SHARES);
  const rest = shares.slice(SHARES).reduce((sum, one) => sum + Math.round(one.share * 10), 0) / 10;
  const parts: readonly (readonly [string, number])[] = [
    ...shown.map(({ title, share }) => [title, share] as const),
    ...(shares.length > SHARES ? [[many(shares.length - SHARES, 'other'), rest] as const] : []),
  ];
  return parts.flatMap(([title, points], i): Line => [`${i > 0 ? '; ' : ''}${title} `, strong(points.toFixed(1))]);
};

const scoreCell = (value: number, by: number): Line => [
  strong(value.toFixed(1)),
  by === 0 ? '' : ` (${by > 0 ? '+' : '−'}${Math.abs(by).toFixed(1)})`,
];

export const entitySection = (figures: EntityFigures, times: Times, to: UnixMs): Section => {
  const { hosts, others, scored, weights } = figures;
  const all = Object.values(scored).reduce((sum, n) => sum + n, 0);
  return {
    n: 3,
    title: 'Entities',
    coverage: [
      `${many(scored['host'] ?? 0, 'host')} scored`,
      `${count(all - (scored['host'] ?? 0))} users and addresses`,
      ...(weights === null ? [] : [`weights v${weights}`]),
    ],
    takeaway: takeawayOf(figures),
    blocks:
      hosts.length + others.length === 0
        ? all === 0
          ? [hatch('No score stood when the week ended, so hosts cannot be put in an order by Threat or Exposure.')]
          : [note('Every score is below 1. ', query('scores'))]
        : [
            ...tables(figures),
            note(
              `Shares add up to the score; in brackets the change over the week. Threat is what is being done to an entity, Exposure how open it is. As of ${times.moment(to)}. `,
              query('scores'),
            ),
          ],
  };
};

const takeawayOf = ({ hosts, scored }: EntityFigures): string => {
  const held = hosts.filter((one) => one.held && one.threat >= 50).map(({ name }) => name);
  const open = [...hosts].sort((a, b) => b.exposure - a.exposure)[0];
  const top = hosts[0];
  if (top === undefined)
    return Object.keys(scored).length === 0 ? 'No entity is scored.' : 'Nothing stands out: no host has a score of 1 or more.';
  const first =
    held.length > 0
      ? `${listed(held)} ${held.length === 1 ? 'is' : 'are'} held high until ${held.length === 1 ? 'its incident ends' : 'their incidents end'}`
      : top.threat >= WORTH
        ? `${top.name} is under most threat, ${top.threat.toFixed(1)}`
        : 'No host is under threat';
  return `${first}; ${open !== undefined && open.exposure >= WORTH ? `${open.name} is the most open, ${open.exposure.toFixed(1)}` : 'no host has a failing check that opens it'}.`;
};

const tables = ({ hosts, others }: EntityFigures): readonly Block[] => [
  ...(hosts.length === 0
    ? []
    : [
        table(
          ['Host', end('Threat'), wide('made of'), end('Exposure'), wide('made of')],
          hosts.map((one): readonly (Line | string)[] => [
            [mono(one.name)],
            scoreCell(one.threat, one.threatBy),
            madeOf(one.threatShares),
            scoreCell(one.exposure, one.exposureBy),
            madeOf(one.exposureShares),
          ]),
        ),
      ]),
  ...(others.length === 0
    ? []
    : [
        table(
          [wide('User or address'), end('Threat'), wide('made of')],
          others.map((one): readonly (Line | string)[] => [
            [mono(one.name)],
            scoreCell(one.threat, one.threatBy),
            madeOf(one.threatShares),
          ]),
        ),
      ]),
];
