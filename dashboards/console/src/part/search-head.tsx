// SPDX-License-Identifier: Apache-2.0
/**
 * Above the rows of a search: the histogram, a pill with what arrived since, a link that says the same tomorrow.
 * Input: the window, its bars. Output: a window, a renewed search, a link with absolute times.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { countSince, type Histogram, type Window } from '../api/calls.ts';
import { BarChart } from './bar-chart.tsx';
import { Copy } from './copy.tsx';
import { countText } from './words.ts';

interface Props {
  readonly window: Window;
  readonly bars: Histogram | undefined;
  readonly lagMs: number;
  readonly onWindow: (from: string, to: string) => void;
  readonly onAgain: () => void;
}

const iso = (at: number): string => new Date(at).toISOString();

export const SearchHead = ({ window, bars, lagMs, onWindow, onAgain }: Props): ReactNode => {
  const live = window.to === 'now';
  const fresh = useQuery({
    queryKey: ['fresh', window.query, bars?.to],
    queryFn: ({ signal }) => countSince(window.query, bars?.to ?? '', signal),
    enabled: live && bars !== undefined,
    refetchInterval: 10_000,
    // At once there is nothing new yet.
    initialData: { count: 0, state: { lagMs: 0, position: null }, unknown: [] },
    staleTime: 5_000,
    retry: false,
  });
  if (!bars) return <div className="chart waiting" />;
  const from = Date.parse(bars.from);
  const to = Date.parse(bars.to);
  const link = `${location.origin}/search?${new URLSearchParams({ q: window.query, from: bars.from, to: bars.to })}`;
  const count = fresh.data.count;
  return (
    <>
      <BarChart
        buckets={bars.buckets.map(({ key, count: n }) => ({ at: Date.parse(key), parts: [{ colour: 'low', count: n }] }))}
        from={from}
        to={to}
        word="event"
        height={60}
        unseen={lagMs > 0 && live ? [{ from: Math.max(from, to - lagMs), to, name: 'not searched yet' }] : []}
        onWindow={(a, b) => onWindow(iso(a), iso(b))}
      />
      <div className="list-head">
        {live && count > 0 ? (
          <button type="button" className="pill" onClick={onAgain}>
            {countText(count)} new
          </button>
        ) : null}
        <span className="grow" />
        <Copy text={link} label="copy link with these times" />
      </div>
    </>
  );
};
