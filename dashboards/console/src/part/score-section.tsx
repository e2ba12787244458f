// SPDX-License-Identifier: Apache-2.0
/**
 * A score of a host or another entity: the figure, its change, its line, what raises it by shares that add up, and what lowers it.
 * Input: the side, the score, its history. Output: a section; each share opens what it rests on.
 */
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import type { Score, ScoreHistory, Share } from '../api/ground.ts';
import { Empty, Section } from './section.tsx';
import { shown } from './shown.ts';
import { StepLine } from './step-line.tsx';
import { capital, countText } from './words.ts';

const signed = (change: number): string => `${change > 0 ? '+' : change < 0 ? '−' : '±'}${Math.abs(change).toFixed(1)}`;

const sourceLink = (source: string): string | null =>
  source.startsWith('alr_') ? `/alerts/${source}` : source.startsWith('inc_') ? `/incidents/${source}` : null;

/** Shares that are drawn at first. */
const FEW = 10;

interface Props {
  readonly side: 'threat' | 'exposure';
  readonly score: Score;
  readonly history: ScoreHistory | undefined;
  readonly from: number;
  readonly to: number;
  readonly coverage: ReactNode;
}

export const ScoreSection = ({ side, score, history, from, to, coverage }: Props): ReactNode => {
  const shares: readonly Share[] = side === 'threat' ? score.threatShares : score.exposureShares;
  const [all, setAll] = useState(false);
  const drawn = all || shares.length <= FEW + 2 ? shares : shares.slice(0, FEW);
  const rest = shares.slice(drawn.length);
  const most = Math.max(1, ...shares.map(({ share }) => share));
  const colour = side === 'threat' ? 'var(--ink)' : 'var(--accent)';
  return (
    <Section title={capital(side)} note={side === 'threat' ? 'what is being done to it' : 'how open it is'} coverage={coverage}>
      <p>
        <span className="score">{score[side].toFixed(1)}</span>{' '}
        <span className="second">
          {signed(score.week[side])} in 7 d, {signed(score.day[side])} in 24 h
        </span>
      </p>
      <StepLine
        name={capital(side)}
        points={(history?.items ?? []).map((one) => ({ at: Date.parse(one.at), value: one[side] }))}
        from={from}
        to={to}
        colour={colour}
      />
      {shares.length === 0 ? (
        <Empty>Nothing raises it.</Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">What raises it</th>
              <th scope="col" className="right wide">
                Weight
              </th>
              <th scope="col" className="right">
                Share
              </th>
              <th scope="col" style={{ width: 100 }} className="wide">
                <span className="hidden-visually">Share as a bar</span>
              </th>
              <th scope="col" className="right">
                Without it
              </th>
            </tr>
          </thead>
          <tbody>
            {drawn.map((one) => {
              const link = one.sources.map(sourceLink).find((path) => path !== null);
              return (
                <tr key={one.key}>
                  <td>
                    {link ? (
                      <Link className="plain" to={link}>
                        {shown(one.title)}
                      </Link>
                    ) : (
                      shown(one.title)
                    )}
                    <div className="small third">
                      {[one.count > 1 ? `${countText(one.count)} times` : '', one.held ? 'held while it is open' : '']
                        .filter(Boolean)
                        .join(', ')}
                    </div>
                  </td>
                  <td className="right wide">{one.weight.toFixed(1)}</td>
                  <td className="right">
                    <b>{one.share.toFixed(1)}</b>
                  </td>
                  <td className="wide">
                    <i className="share-bar" style={{ width: `${(one.share / most) * 88}px`, background: colour }} />
                  </td>
                  <td className="right">{one.without.toFixed(1)}</td>
                </tr>
              );
            })}
            {rest.length === 0 ? null : (
              <tr>
                <td>
                  <button type="button" className="evidence" onClick={() => setAll(true)}>
                    {countText(rest.length)} more
                  </button>
                </td>
                <td className="wide" />
                <td className="right">{rest.reduce((sum, { share }) => sum + share, 0).toFixed(1)}</td>
                <td className="wide" />
                <td />
              </tr>
            )}
            <tr>
              <td>
                <b>Shares add up to the score</b>
              </td>
              <td className="wide" />
              <td className="right">
                <b>{shares.reduce((sum, { share }) => sum + share, 0).toFixed(1)}</b>
              </td>
              <td className="wide" />
              <td />
            </tr>
          </tbody>
        </table>
      )}
    </Section>
  );
};
