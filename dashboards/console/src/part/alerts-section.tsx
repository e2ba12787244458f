// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts since the last look: counts by severity, bars over time, the newest that nobody has looked at.
 * Input: alerts. Output: a section; each row leads to its chain.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useContext, useState } from 'react';
import { Link } from 'react-router';
import type { AlertItem, Alerts } from '../api/calls.ts';
import { alertBars } from '../api/triage.ts';
import { bucketsOf, levelsOf } from './alert-buckets.ts';
import { BarChart } from './bar-chart.tsx';
import type { LastLook } from './last-look.ts';
import { SeverityMark } from './marks.tsx';
import { Blind, Empty, Section } from './section.tsx';
import { shown } from './shown.ts';
import { Time, timeAs, ZoneContext } from './time.tsx';
import { countText, plural } from './words.ts';

const BARS = 36;
const SHOWN = 8;

const countOf = (items: readonly AlertItem[], is: (item: AlertItem) => boolean): number =>
  items.reduce((count, item) => (is(item) ? count + 1 : count), 0);

interface Props {
  readonly found: Alerts;
  readonly look: LastLook;
  readonly now: number;
  /** No host reports, so that nothing can be noticed. */
  readonly blind: boolean;
}

export const AlertsSection = ({ found, look, now, blind }: Props): ReactNode => {
  const zone = useContext(ZoneContext);
  const { items, total } = found;
  const from = look.sinceLook ? look.since : now - 86_400_000;
  const since = look.sinceLook ? `since ${timeAs('day', from, zone)} ${timeAs('minute', from, zone)}` : 'in 24 hours';
  const bars = useQuery({
    queryKey: ['alert-bars', look.sinceLook ? from : 'day', total],
    queryFn: () => alertBars('', new Date(from).toISOString(), 'now', BARS),
    placeholderData: keepPreviousData,
    enabled: total > 0,
  });
  const unseen = items.filter(({ state }) => state === 'new');
  return (
    <Section
      title={`Alerts ${since}`}
      note={
        items.length === 0 ? undefined : (
          <span className="levels">
            {(bars.data ? levelsOf(bars.data) : []).map(({ level, count }) => (
              <span key={level} className="nowrap">
                <SeverityMark level={level} bare /> {countText(count)}
                <span className="wide"> {level}</span>
              </span>
            ))}
          </span>
        )
      }
      coverage={
        items.length === 0 && blind
          ? 'not known'
          : total > items.length
            ? `newest ${countText(items.length)} of ${countText(total)}`
            : `${countText(unseen.length)} new, ${countText(countOf(items, ({ state }) => state === 'acknowledged'))} in progress, ${countText(countOf(items, ({ state }) => state === 'closed'))} closed`
      }
    >
      {items.length === 0 && blind ? (
        <Blind>Not known. Rules are matched against lines, and no line comes in.</Blind>
      ) : items.length === 0 ? (
        <Empty>No alert. Every line is matched against the rules as it arrives; the line at the foot says how many are loaded.</Empty>
      ) : (
        <>
          {bars.data ? (
            <BarChart
              buckets={bucketsOf(bars.data)}
              from={Date.parse(bars.data.from)}
              to={Date.parse(bars.data.to)}
              word="alert"
              height={56}
            />
          ) : (
            <div className="chart waiting" />
          )}
          {unseen.length === 0 ? <Empty>Somebody has looked at every one of them.</Empty> : <AlertTable items={unseen} />}
        </>
      )}
    </Section>
  );
};

const AlertTable = ({ items }: { readonly items: readonly AlertItem[] }): ReactNode => {
  const [all, setAll] = useState(false);
  return (
    <>
      <table className="rows">
        <thead>
          <tr>
            <th scope="col" style={{ width: 104 }}>
              Last
            </th>
            <th scope="col" style={{ width: 24 }}>
              <span className="hidden-visually">Severity</span>
            </th>
            <th scope="col">New, nobody has looked</th>
            <th scope="col" className="wide">
              About
            </th>
            <th scope="col" className="right">
              Evidence
            </th>
          </tr>
        </thead>
        <tbody>
          {(all ? items : items.slice(0, SHOWN)).map((one) => (
            <tr key={one.id}>
              <td className="mono second">
                <Time at={one.last} />
              </td>
              <td>
                <SeverityMark level={one.level} bare />
              </td>
              <td>
                <Link className="plain medium" to={`/alerts/${one.id}`}>
                  {one.title}
                </Link>
              </td>
              <td className="mono wide">{shown(one.entityName)}</td>
              <td className="right">
                <Link className="evidence" to={`/alerts/${one.id}`}>
                  {plural(one.count, 'line')}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && items.length > SHOWN ? (
        <p className="acts">
          <button type="button" className="evidence" onClick={() => setAll(true)}>
            {countText(items.length - SHOWN)} more
          </button>
        </p>
      ) : null}
    </>
  );
};
