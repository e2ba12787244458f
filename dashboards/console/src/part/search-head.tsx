// SPDX-License-Identifier: Apache-2.0
/**
 * Beside the rows of a search: the histogram, a pill with what arrived since, a link that says the same tomorrow.
 * Input: the window, its bars. Output: a window, a renewed search, a link with absolute times.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { countSince, type Histogram, type Window } from '../api/calls.ts';
import { BarChart } from './bar-chart.tsx';
import { Copy } from './copy.tsx';
import { countText } from './words.ts';

const iso = (at: number): string => new Date(at).toISOString();

interface ChartProps {
  readonly bars: Histogram | undefined;
  /** How far the search is behind; that much of the end is hatched when the window ends now. */
  readonly lagMs: number;
  readonly live: boolean;
  readonly onWindow: (from: string, to: string) => void;
}

export const EventChart = ({ bars, lagMs, live, onWindow }: ChartProps): ReactNode => {
  if (!bars) return <div className="chart waiting" />;
  const from = Date.parse(bars.from);
  const to = Date.parse(bars.to);
  return (
    <BarChart
      buckets={bars.buckets.map(({ key, count }) => ({ at: Date.parse(key), parts: [{ colour: 'low', count }] }))}
      from={from}
      to={to}
      word="event"
      height={60}
      unseen={lagMs > 0 && live ? [{ from: Math.max(from, to - lagMs), to, name: 'not searched yet' }] : []}
      onWindow={(a, b) => onWindow(iso(a), iso(b))}
    />
  );
};

/** How many events arrived since the search; rows never jump, a click brings them. */
export const NewPill = ({
  query,
  since,
  onAgain,
}: {
  readonly query: string;
  readonly since: string;
  readonly onAgain: () => void;
}): ReactNode => {
  const fresh = useQuery({
    queryKey: ['fresh', query, since],
    queryFn: ({ signal }) => countSince(query, since, signal),
    refetchInterval: 10_000,
    // At once there is nothing new yet.
    initialData: { count: 0, state: { lagMs: 0, position: null }, unknown: [] },
    staleTime: 5_000,
    retry: false,
  });
  return fresh.data.count === 0 ? null : (
    <button type="button" className="pill" onClick={onAgain}>
      {countText(fresh.data.count)} new
    </button>
  );
};

/** The search with its times as they were, for a ticket or a colleague. */
export const CopyLink = ({ window, bars }: { readonly window: Window; readonly bars: Histogram | undefined }): ReactNode =>
  bars ? (
    <Copy
      text={`${location.origin}/search?${new URLSearchParams({ q: window.query, from: bars.from, to: bars.to })}`}
      label="copy link with these times"
    />
  ) : null;
