// SPDX-License-Identifier: Apache-2.0
/**
 * Events grouped by a field: the most frequent values with their counts and bars.
 * Input: the window, the field. Output: rows; a value narrows the search.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { topEvents, type Window } from '../api/calls.ts';
import { literalOf, withTerm } from './kql.ts';
import { ProblemLine } from './problem.tsx';
import { Empty, Skeleton } from './section.tsx';
import { shown } from './shown.ts';
import { countText } from './words.ts';

interface Props {
  readonly window: Window;
  readonly field: string;
  readonly onQuery: (query: string) => void;
  readonly onLeave: () => void;
}

export const Grouped = ({ window, field, onQuery, onLeave }: Props): ReactNode => {
  const found = useQuery({ queryKey: ['top', field, window], queryFn: () => topEvents(window, field, 100) });
  const buckets = found.data?.buckets ?? [];
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  return (
    <>
      <p className="acts">
        <b>By {field}</b>
        <button type="button" className="evidence" onClick={onLeave}>
          back to the events
        </button>
      </p>
      <ProblemLine error={found.error} />
      {found.isPending ? <Skeleton rows={6} /> : null}
      {found.data && buckets.length === 0 ? <Empty>No event in this window has {field}.</Empty> : null}
      <table className="rows">
        <tbody>
          {buckets.map(({ key, count }) => (
            <tr key={key}>
              <td className="mono">
                <button
                  type="button"
                  className="plain-button"
                  onClick={() => onQuery(withTerm(window.query, `${field}: ${literalOf(key)}`))}
                >
                  {shown(key)}
                </button>
              </td>
              <td className="right" style={{ width: 90 }}>
                {countText(count)}
              </td>
              <td className="wide" style={{ width: '40%' }}>
                <i className="share-bar grouped" style={{ width: `${(count / most) * 100}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
};
