// SPDX-License-Identifier: Apache-2.0
/**
 * What the collector measures of itself: what it lags behind, what it lost, what is wrong and what to do about each.
 * Input: nothing. Output: conditions first, then figures with their bounds.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { type Status, status } from '../api/calls.ts';
import { type Mark, StateMark } from '../part/marks.tsx';
import { ProblemLine, Sentence } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { bytesText, countText, plural, spanText } from '../part/words.ts';
import '../look/ground.css';

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly mark: Mark;
  readonly meaning: string;
}

/** Behind by this many ms is worth a look. */
const LAG = { search: 10_000, detect: 60_000 } as const;
const BLOCK_MS = 200;

const figuresOf = (now: Status): readonly Figure[] => [
  {
    name: 'Hosts that report',
    value: `${countText(now.hosts.reporting)} of ${countText(now.hosts.expected)}`,
    mark: now.hosts.reporting < now.hosts.expected ? 'warn' : now.hosts.expected === 0 ? 'unknown' : 'good',
    meaning: 'Of a host that is silent nothing is known until it comes back.',
  },
  {
    name: 'Sources read',
    value: `${countText(now.sources.reading)} of ${countText(now.sources.reading + now.sources.unreadable)}`,
    mark: now.sources.unreadable > 0 ? 'warn' : 'good',
    meaning: 'Those that are not read are named among the conditions.',
  },
  { name: 'Records', value: countText(now.records), mark: 'good', meaning: 'Taken in, each in a block that its agent signed.' },
  {
    name: 'Lost',
    value: countText(now.lost),
    mark: now.lost > 0 ? 'warn' : 'good',
    meaning: 'Declared by agents, or missing in their sequences.',
  },
  {
    name: 'Search lag',
    value: spanText(now.lag.storeMs),
    mark: now.lag.storeMs > LAG.search ? 'warn' : 'good',
    meaning: 'From journaled to searchable.',
  },
  {
    name: 'Detection lag',
    value: spanText(now.lag.detectMs),
    mark: now.lag.detectMs > LAG.detect ? 'warn' : 'good',
    meaning: 'From journaled to judged.',
  },
  {
    name: 'Rules',
    value: `${countText(now.rules.loaded)} of ${countText(now.rules.loaded + now.rules.refused)} loaded`,
    mark: now.rules.refused > 0 ? 'warn' : 'good',
    meaning: '`vigil rules check` names each that was refused and why.',
  },
  {
    name: 'Events kept',
    value: `${countText(now.store.events)} in ${bytesText(now.store.bytes)}, ${plural(now.store.files, 'file')}`,
    mark: 'good',
    meaning: 'Searchable; the journal holds the signed originals besides.',
  },
  {
    name: 'Rows not taken by the store',
    value: countText(now.store.deadLetters),
    mark: now.store.deadLetters > 0 ? 'warn' : 'good',
    meaning: 'Kept as they came beside it; `vigil redecode` tries them again.',
  },
  {
    name: 'Query engine',
    value: `${bytesText(now.store.engineRssBytes)}, ${plural(now.store.engineRestarts, 'restart')}`,
    mark: now.store.engineRestarts > 0 ? 'warn' : 'good',
    meaning: 'A process of its own; it is started anew when it dies, and nothing is lost by that.',
  },
  { name: 'Journal', value: bytesText(now.journal.bytes), mark: 'good', meaning: 'What came, as it came, in the order it came.' },
  { name: 'Memory', value: bytesText(now.process.rssBytes), mark: 'good', meaning: 'Of the collector without its query engine.' },
  {
    name: 'Longest pause',
    value: spanText(now.process.longestBlockMs),
    mark: now.process.longestBlockMs > BLOCK_MS ? 'warn' : 'good',
    meaning: 'In which the collector answered nobody.',
  },
];

export const HealthPage = (): ReactNode => {
  const found = useQuery({ queryKey: ['status'], queryFn: status, refetchInterval: 5_000 });
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={10} />;
  const now = found.data;
  return (
    <div className="stack">
      <h2 className="lead">
        <b>
          {now.conditions.length === 0
            ? 'Nothing is wrong that Vigil can see.'
            : `${plural(now.conditions.length, 'condition')} to look at.`}
        </b>{' '}
        Version {now.version}, running since <Time at={now.startedAt} />.
      </h2>
      <Section title="Conditions" coverage={plural(now.conditions.length, 'condition')}>
        {now.conditions.length === 0 ? (
          <Empty>None. Each that comes up says what, where and what to do.</Empty>
        ) : (
          <ul className="gaps">
            {now.conditions.map((one) => (
              <li key={`${one.code} ${one.about}`}>
                <StateMark state="warn" label="Condition" />
                <div>
                  <b>{shown(one.about)}</b> {shown(one.text)} <span className="mono third">{one.code}</span>
                  <div className="second">
                    <Sentence text={one.hint} />
                  </div>
                </div>
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section
        title="Figures"
        coverage={
          <>
            as of <Time at={now.time} />
          </>
        }
      >
        <table className="rows">
          <tbody>
            {figuresOf(now).map((one) => (
              <tr key={one.name}>
                <td>
                  <StateMark state={one.mark} label={one.mark} /> {one.name}
                </td>
                <td className="right">
                  <b>{one.value}</b>
                </td>
                <td className="second wide">
                  <Sentence text={one.meaning} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="Lines that no decoder understood" coverage={plural(now.failed.length, 'shape')}>
        {now.failed.length === 0 ? (
          <Empty>None since the start. They would be kept and searchable as they are.</Empty>
        ) : (
          <table className="rows">
            <thead>
              <tr>
                <th scope="col">Dataset</th>
                <th scope="col">Shape</th>
                <th scope="col" className="right">
                  Lines
                </th>
              </tr>
            </thead>
            <tbody>
              {now.failed.map((one) => (
                <tr key={`${one.dataset} ${one.pattern}`}>
                  <td className="mono">{one.dataset}</td>
                  <td className="mono" title={one.sample}>
                    {shown(one.pattern)}
                  </td>
                  <td className="right">{countText(one.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
    </div>
  );
};
