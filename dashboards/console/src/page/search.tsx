// SPDX-License-Identifier: Apache-2.0
/**
 * Search: a KQL bar, a histogram, the newest events first, and the whole event with its raw line beside them.
 * Input: query, window and event from the address, so that a link says it all. Output: events.
 */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { type EventItem, event, histogram, search } from '../api/calls.ts';
import { isProblem } from '../api/client.ts';
import { CellMenu, type CellTarget } from '../part/cell-menu.tsx';
import { EventAside } from '../part/event-aside.tsx';
import { Grouped } from '../part/grouped.tsx';
import { useKeys } from '../part/keys.ts';
import { literalOf, wordsOf } from '../part/kql.ts';
import { ProblemLine } from '../part/problem.tsx';
import { QueryBar } from '../part/query-bar.tsx';
import { QueryProblem, UnknownFields } from '../part/query-problem.tsx';
import { ResultList } from '../part/results.tsx';
import { CopyLink, EventChart, NewPill } from '../part/search-head.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { rangeText, ZoneContext } from '../part/time.tsx';
import { shifted, WindowChoice } from '../part/window-choice.tsx';
import { countText, plural, spanText } from '../part/words.ts';

const BARS = 60;
const PROBLEM = 'query-problem';

export const SearchPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const location = useLocation();
  const zone = useContext(ZoneContext);
  const query = params.get('q') ?? '';
  const from = params.get('from') ?? 'now-24h';
  const to = params.get('to') ?? 'now';
  const openId = params.get('event');
  const group = params.get('by');
  const [cell, setCell] = useState<CellTarget | null>(null);
  const leaveCell = useCallback(() => setCell(null), []);
  const [typed, setTyped] = useState(query);
  const [shown, setShown] = useState(query);
  const input = useRef<HTMLInputElement>(null);
  if (shown !== query) {
    // The address changed by a link or by going back: the bar follows it.
    setShown(query);
    setTyped(query);
  }
  const window = useMemo(() => ({ query, from, to }), [query, from, to]);
  const words = useMemo(() => wordsOf(query), [query]);
  const bars = useQuery({
    queryKey: ['histogram', window],
    queryFn: ({ signal }) => histogram(window, BARS, signal),
    placeholderData: keepPreviousData,
  });
  const found = useInfiniteQuery({
    queryKey: ['search', window],
    queryFn: ({ pageParam, signal }) => search(window, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
  const items = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const listed = openId === null ? undefined : items.find((item) => item['event.id'] === openId);
  // A link may name an event that is not among the rows read so far.
  const fetched = useQuery({
    queryKey: ['event', openId],
    queryFn: () => event(openId ?? ''),
    enabled: openId !== null && !listed && !found.isFetching,
  });
  const open = openId === null ? undefined : (listed ?? fetched.data);

  const set = useCallback(
    (next: Readonly<Record<string, string | null>>, replace = false): void =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(next))
            if (value === null) after.delete(name);
            else after.set(name, value);
          return after;
        },
        { replace },
      ),
    [setParams],
  );
  const go = (next: Readonly<Record<string, string | null>>): void => set({ ...next, event: null });
  const onOpen = (item: EventItem | null): void => set({ event: item === null ? null : String(item['event.id']) }, true);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const onEnd = useCallback((): void => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const again = (): void => void Promise.all([bars.refetch(), found.refetch()]);
  const submit = (submitted: FormEvent): void => {
    submitted.preventDefault();
    if (typed === query) again();
    else go({ q: typed });
  };

  const resolved = useMemo(() => (bars.data ? { from: Date.parse(bars.data.from), to: Date.parse(bars.data.to) } : null), [bars.data]);
  const step = (by: -1 | 1): void => {
    if (!resolved) return;
    const [a, b] = shifted(resolved, by);
    go({ from: a, to: b });
  };
  const focusAt = (at = typed.length): void => {
    input.current?.focus();
    input.current?.setSelectionRange(at, at);
  };
  useKeys({ '/': () => focusAt(), '[': () => step(-1), ']': () => step(1) });
  const wantsFocus = (location.state as { readonly focus?: boolean } | null)?.focus === true;
  useEffect(() => {
    if (wantsFocus) input.current?.focus();
  }, [wantsFocus]);

  const error = found.error ?? bars.error;
  const wrong = isProblem(error) && error.status === 400 ? error : null;
  const total = wrong ? undefined : bars.data?.buckets.reduce((sum, { count }) => sum + count, 0);
  const page = found.data?.pages[0];
  return (
    <>
      <search>
        <form className="asking" onSubmit={submit}>
          <QueryBar
            value={typed}
            onChange={setTyped}
            input={input}
            wrongAt={wrong && typed === query ? wrong.at : undefined}
            problemId={wrong ? PROBLEM : undefined}
          />
          <WindowChoice from={from} to={to} resolved={wrong ? null : resolved} onWindow={(a, b) => go({ from: a, to: b })} />
          <button type="submit" className="ctl filled">
            Search
          </button>
        </form>
      </search>
      {wrong ? <QueryProblem id={PROBLEM} problem={wrong} onPlace={focusAt} /> : <ProblemLine error={error} place="under" />}
      {wrong || !page ? null : (
        <UnknownFields
          unknown={page.unknown}
          onTake={({ field, nearest, at }) => go({ q: query.slice(0, at) + nearest + query.slice(at + field.length) })}
        />
      )}
      <Section
        title={total === undefined ? 'Events' : plural(total, 'event')}
        note={
          resolved && !wrong ? (
            <>
              <span className="wide">{rangeText(resolved.from, resolved.to, zone)}</span>{' '}
              {to === 'now' && bars.data ? <NewPill query={query} since={bars.data.to} onAgain={again} /> : null}
            </>
          ) : undefined
        }
        coverage={
          wrong ? (
            'nothing was searched'
          ) : (
            <>
              <span className="wide">{lagText(page?.state.lagMs)}</span>
              <CopyLink window={window} bars={bars.data} />
            </>
          )
        }
      >
        {wrong ? null : (
          <>
            <EventChart bars={bars.data} lagMs={page?.state.lagMs ?? 0} live={to === 'now'} onWindow={(a, b) => go({ from: a, to: b })} />
            {group !== null ? (
              <Grouped window={window} field={group} onQuery={(q) => go({ q, by: null })} onLeave={() => set({ by: null })} />
            ) : found.isPending ? (
              error ? null : (
                <Skeleton rows={8} />
              )
            ) : items.length === 0 ? (
              <NothingFound query={query} from={from} onQuery={(q) => go({ q })} onWindow={(a) => go({ from: a, to: 'now' })} />
            ) : (
              <div className={open ? 'with-aside' : undefined}>
                <ResultList
                  items={items}
                  words={words}
                  openId={openId}
                  onOpen={onOpen}
                  onEnd={onEnd}
                  pale={found.isPlaceholderData}
                  onCell={setCell}
                />
                {open ? (
                  <EventAside
                    event={open}
                    words={words}
                    query={query}
                    onClose={() => onOpen(null)}
                    onQuery={(q) => go({ q })}
                    onCell={setCell}
                    onAround={(host, at) =>
                      go({
                        q: `host.name: ${literalOf(host)}`,
                        from: new Date(at - 900_000).toISOString(),
                        to: new Date(at + 900_000).toISOString(),
                      })
                    }
                  />
                ) : null}
              </div>
            )}
            {total !== undefined && items.length > 0 && group === null ? (
              <p className="small third more">
                {items.length < total ? `${countText(items.length)} of ${countText(total)} read; scroll for more.` : 'All shown.'}
                <span className="wide">
                  {' '}
                  <kbd>j</kbd> <kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>Esc</kbd> closes, <kbd>?</kbd> all keys
                </span>
              </p>
            ) : null}
          </>
        )}
      </Section>
      {cell ? (
        <CellMenu
          target={cell}
          query={query}
          onQuery={(q, other) => go({ q, by: null, ...(other ?? {}) })}
          onGroup={(field) => go({ by: field })}
          onClose={leaveCell}
        />
      ) : null}
    </>
  );
};

const lagText = (lagMs: number | undefined): string =>
  lagMs === undefined ? 'reading' : lagMs > 0 ? `search is ${spanText(lagMs)} behind` : 'every record kept is searched';

interface NothingProps {
  readonly query: string;
  readonly from: string;
  readonly onQuery: (query: string) => void;
  readonly onWindow: (from: string) => void;
}

const NothingFound = ({ query, from, onQuery, onWindow }: NothingProps): ReactNode => (
  <Empty>
    <p>{query === '' ? 'No event in this window.' : 'No event matches in this window.'}</p>
    <p className="acts">
      {from === 'now-30d' ? null : (
        <button type="button" className="evidence" onClick={() => onWindow('now-30d')}>
          look at the last 30 days
        </button>
      )}
      {query === '' ? null : (
        <button type="button" className="evidence" onClick={() => onQuery('')}>
          remove the query
        </button>
      )}
    </p>
  </Empty>
);
