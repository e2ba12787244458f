// SPDX-License-Identifier: Apache-2.0
/**
 * Search: a KQL bar, a histogram, the newest events first, and the whole event with its raw line beside them.
 * Input: query and window from the address, so that a link says it all. Output: events.
 */
import { Button, Select, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { type Found, histogram, search } from '../api/calls.ts';
import { isProblem } from '../api/client.ts';
import { EventAside } from '../part/event-aside.tsx';
import { HistogramChart } from '../part/histogram.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { ResultList } from '../part/results.tsx';
import { Empty, Section } from '../part/section.tsx';
import { countText, plural, spanText } from '../part/time.tsx';

const WINDOWS = [
  { value: 'now-15m', label: 'Last 15 minutes' },
  { value: 'now-1h', label: 'Last hour' },
  { value: 'now-24h', label: 'Last 24 hours' },
  { value: 'now-7d', label: 'Last 7 days' },
  { value: 'now-30d', label: 'Last 30 days' },
];

export type EventItem = Found['items'][number];

export const SearchPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const query = params.get('q') ?? '';
  const from = params.get('from') ?? 'now-24h';
  const to = params.get('to') ?? 'now';
  const [typed, setTyped] = useState(query);
  const [shown, setShown] = useState(query);
  const [open, setOpen] = useState<EventItem | null>(null);
  if (shown !== query) {
    // The address changed by a link or by going back: the bar follows it.
    setShown(query);
    setTyped(query);
  }
  const window = useMemo(() => ({ query, from, to }), [query, from, to]);
  const bars = useQuery({
    queryKey: ['histogram', window],
    queryFn: ({ signal }) => histogram(window, 60, signal),
    placeholderData: keepPreviousData,
  });
  const found = useInfiniteQuery({
    queryKey: ['search', window],
    queryFn: ({ pageParam, signal }) => search(window, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
  const go = (next: Record<string, string>): void => {
    setOpen(null);
    setParams((before) => {
      const after = new URLSearchParams(before);
      for (const [name, value] of Object.entries(next)) after.set(name, value);
      return after;
    });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed === query) void Promise.all([bars.refetch(), found.refetch()]);
    else go({ q: typed });
  };
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const total = bars.data?.buckets.reduce((sum, { count }) => sum + count, 0);
  const state = found.data?.pages[0]?.state;
  const error = found.error ?? bars.error;
  return (
    <>
      <search>
        <form onSubmit={submit} style={{ display: 'flex', gap: 8, alignItems: 'flex-start', flexWrap: 'wrap' }}>
          <TextInput
            aria-label="Query"
            placeholder="event.outcome: failure and source.ip: 203.0.113.0/24"
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
            styles={{ root: { flex: '1 1 320px' }, input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
            error={isProblem(error) && error.at !== undefined ? error.message : null}
            spellCheck={false}
          />
          <Select
            aria-label="Time window"
            data={WINDOWS.some(({ value }) => value === from) && to === 'now' ? WINDOWS : [...WINDOWS, { value: from, label: 'As linked' }]}
            value={from}
            onChange={(value) => value && go({ from: value, to: 'now' })}
            allowDeselect={false}
            w={160}
            size="sm"
          />
          <Button type="submit" variant="filled" size="sm">
            Search
          </Button>
        </form>
      </search>
      <div style={{ height: 16 }} />
      {isProblem(error) && error.at === undefined ? <ProblemLine error={error} /> : null}
      <Section
        title={total === undefined ? 'Events' : plural(total, 'event')}
        {...(found.isFetching ? { note: 'reading' } : {})}
        coverage={
          state === undefined
            ? undefined
            : state.lagMs > 0
              ? `search is ${spanText(state.lagMs)} behind`
              : 'everything acknowledged is searched'
        }
      >
        {bars.data ? <HistogramChart buckets={bars.data.buckets} onWindow={(a, b) => go({ from: a, to: b })} /> : null}
        {items.length === 0 && found.isSuccess ? (
          <Empty>
            {query === '' ? 'No event in this window. ' : 'No event matches in this window. '}
            {from !== 'now-30d' ? (
              <button type="button" className="evidence" onClick={() => go({ from: 'now-30d', to: 'now' })}>
                Look at the last 30 days
              </button>
            ) : null}
          </Empty>
        ) : (
          <div className={open ? 'with-aside' : undefined}>
            <ResultList
              items={items}
              open={open}
              onOpen={setOpen}
              onEnd={() => found.hasNextPage && !found.isFetchingNextPage && void found.fetchNextPage()}
            />
            {open ? <EventAside event={open} onClose={() => setOpen(null)} onQuery={(q) => go({ q })} query={query} /> : null}
          </div>
        )}
      </Section>
      {total !== undefined && total > items.length && items.length > 0 ? (
        <p className="small third">{`${countText(items.length)} of ${countText(total)} shown; scroll for more.`}</p>
      ) : null}
    </>
  );
};
