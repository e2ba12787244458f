// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts: a KQL bar, bars over time to draw a window on, facets, the rows, and beside them why the open one fired.
 * Input: query, window and alert from the address. Output: triage without leaving the page.
 */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { type AlertItem, alert, alerts, type Me } from '../api/calls.ts';
import { isProblem } from '../api/client.ts';
import { alertBars, countAlerts } from '../api/triage.ts';
import { useAlertActs } from '../part/alert-acts.tsx';
import { AlertAside } from '../part/alert-aside.tsx';
import { bucketsOf } from '../part/alert-buckets.ts';
import { AlertButtons } from '../part/alert-buttons.tsx';
import { ALERT_FIELDS } from '../part/alert-fields.ts';
import { AlertList } from '../part/alert-list.tsx';
import { BarChart } from '../part/bar-chart.tsx';
import { useClock } from '../part/clock.ts';
import { Copy } from '../part/copy.tsx';
import { Facets } from '../part/facets.tsx';
import { useKeys } from '../part/keys.ts';
import { usePeople } from '../part/people.ts';
import { ProblemLine } from '../part/problem.tsx';
import { QueryBar } from '../part/query-bar.tsx';
import { QueryProblem } from '../part/query-problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { suggestOver } from '../part/suggest-fields.ts';
import { rangeText, ZoneContext } from '../part/time.tsx';
import { resolvedAt, shifted, WindowChoice } from '../part/window-choice.tsx';
import { countText, plural } from '../part/words.ts';
import '../look/triage.css';

const BARS = 60;
const PAGE = 500;
const PROBLEM = 'query-problem';
const suggest = suggestOver(ALERT_FIELDS);
const iso = (at: number): string => new Date(at).toISOString();

export const AlertsPage = ({ who }: { readonly who: Me }): ReactNode => {
  const [params, setParams] = useSearchParams();
  const location = useLocation();
  const zone = useContext(ZoneContext);
  const query = params.get('q') ?? '';
  const from = params.get('from') ?? 'now-7d';
  const to = params.get('to') ?? 'now';
  const openId = params.get('alert');
  const [typed, setTyped] = useState(query);
  const [asked, setAsked] = useState(query);
  const [active, setActive] = useState(-1);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const input = useRef<HTMLInputElement>(null);
  if (asked !== query) {
    // The address changed by a link or by going back: the bar follows it.
    setAsked(query);
    setTyped(query);
    setSelected(new Set());
  }
  const acts = useAlertActs(who);
  const { nameOf } = usePeople();
  const found = useInfiniteQuery({
    queryKey: ['alerts', 'list', query, from, to],
    queryFn: ({ pageParam }) => alerts({ query, from, to, limit: PAGE, ...(pageParam === null ? {} : { after: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    // Rows never jump: what is new waits behind the pill.
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const clock = useClock();
  const [readAt, setReadAt] = useState(clock);
  const bars = useQuery({
    queryKey: ['alert-bars', query, from, to, readAt],
    queryFn: () => alertBars(query, from, to, BARS),
    placeholderData: keepPreviousData,
    enabled: found.isSuccess,
  });
  const items = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const total = found.data?.pages[0]?.total;
  const listed = openId === null ? undefined : items.find(({ id }) => id === openId);
  const fetched = useQuery({
    queryKey: ['alert', openId],
    queryFn: () => alert(openId ?? ''),
    enabled: openId !== null && !listed && !found.isFetching,
  });
  const open = openId === null ? undefined : (listed ?? fetched.data);
  const fresh = useQuery({
    queryKey: ['alerts-fresh', query, readAt],
    queryFn: () => countAlerts(query, iso(readAt)),
    enabled: to === 'now' && found.isSuccess,
    refetchInterval: 5_000,
    retry: false,
  });
  const window = useMemo(() => resolvedAt(from, to, readAt), [from, to, readAt]);

  const set = (next: Readonly<Record<string, string | null>>, replace = false): void =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(next))
          if (value === null) after.delete(name);
          else after.set(name, value);
        return after;
      },
      { replace },
    );
  const go = (next: Readonly<Record<string, string | null>>): void => set({ ...next, alert: null });
  const onOpen = (one: AlertItem | null): void => set({ alert: one?.id ?? null }, true);
  const again = (): void => {
    setReadAt(clock());
    void found.refetch();
  };
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const onEnd = useCallback((): void => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const submit = (submitted: FormEvent): void => {
    submitted.preventDefault();
    if (typed === query) again();
    else go({ q: typed });
  };
  const focusAt = (at = typed.length): void => {
    input.current?.focus();
    input.current?.setSelectionRange(at, at);
  };
  const step = (by: -1 | 1): void => {
    if (!window) return;
    const [a, b] = shifted(window, by);
    go({ from: a, to: b });
  };
  const chosen = selected.size > 0 ? items.filter(({ id }) => selected.has(id)) : open ? [open] : items[active] ? [items[active]] : [];
  const writes = acts.mayWrite;
  useKeys({
    '/': () => focusAt(),
    '[': () => step(-1),
    ']': () => step(1),
    ...(writes
      ? {
          a: () => acts.assignToMe(chosen),
          e: () =>
            acts.ask(
              'close',
              chosen.filter(({ state }) => state !== 'closed'),
            ),
          n: () => acts.ask('comment', chosen),
        }
      : {}),
    ...(acts.mayDeclare ? { i: () => acts.ask('join', chosen) } : {}),
  });
  const wantsFocus = (location.state as { readonly focus?: boolean } | null)?.focus === true;
  useEffect(() => {
    if (wantsFocus) input.current?.focus();
  }, [wantsFocus]);

  const wrong = isProblem(found.error) && found.error.status === 400 ? found.error : null;
  const link = window
    ? `${globalThis.location.origin}/alerts?${new URLSearchParams({ q: query, from: iso(window.from), to: iso(window.to), ...(openId === null ? {} : { alert: openId }) })}`
    : globalThis.location.href;
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
            suggest={suggest}
            placeholder="state: new and level: (high or critical)"
          />
          <WindowChoice from={from} to={to} resolved={wrong ? null : window} onWindow={(a, b) => go({ from: a, to: b })} />
          <button type="submit" className="ctl filled">
            Search
          </button>
        </form>
      </search>
      {wrong ? <QueryProblem id={PROBLEM} problem={wrong} onPlace={focusAt} /> : <ProblemLine error={found.error} place="under" />}
      <Section
        title={total === undefined || wrong ? 'Alerts' : plural(total, 'alert')}
        note={
          window && !wrong ? (
            <>
              <span className="wide">{rangeText(window.from, window.to, zone)}</span>{' '}
              {(fresh.data?.count ?? 0) > 0 ? (
                <button type="button" className="pill" onClick={again}>
                  {countText(fresh.data?.count ?? 0)} new
                </button>
              ) : null}
            </>
          ) : undefined
        }
        coverage={
          <>
            <span className="wide">
              {total !== undefined && items.length < total ? `newest ${countText(items.length)} drawn` : 'all drawn'}
            </span>
            <Copy text={link} label="copy link" />
          </>
        }
      >
        {wrong ? null : (
          <>
            {window && bars.data ? (
              <BarChart
                buckets={bucketsOf(bars.data)}
                from={window.from}
                to={window.to}
                word="alert"
                height={52}
                onWindow={(a, b) => go({ from: iso(a), to: iso(b) })}
              />
            ) : (
              <div className="chart waiting" />
            )}
            <Facets query={query} from={from} to={to} onQuery={(q) => go({ q })} />
            {selected.size > 0 ? (
              <div className="selection" role="toolbar" aria-label="Selected alerts">
                <b>{plural(selected.size, 'alert')} selected</b>
                <AlertButtons list={chosen} acts={acts} />
                <button type="button" className="evidence" onClick={() => setSelected(new Set())}>
                  select none
                </button>
              </div>
            ) : null}
            {found.isPending ? (
              found.error ? null : (
                <Skeleton rows={8} />
              )
            ) : items.length === 0 ? (
              <NoAlert query={query} from={from} onQuery={(q) => go({ q })} onWindow={(a) => go({ from: a, to: 'now' })} />
            ) : (
              <div className={open ? 'with-aside' : undefined}>
                <AlertList
                  items={items}
                  openId={openId}
                  active={active}
                  onActive={setActive}
                  selected={selected}
                  onSelect={setSelected}
                  onOpen={onOpen}
                  onEnd={onEnd}
                  nameOf={nameOf}
                  pale={found.isPlaceholderData}
                />
                {open ? (
                  <AlertAside
                    one={open}
                    acts={acts}
                    nameOf={nameOf}
                    onClose={() => onOpen(null)}
                    onQuery={(q) => go({ q, from: 'now-30d', to: 'now' })}
                  />
                ) : null}
              </div>
            )}
            {items.length > 0 ? (
              <p className="small third more">
                <span className="wide">
                  <kbd>j</kbd> <kbd>k</kbd> move, <kbd>x</kbd> selects, <kbd>Enter</kbd> opens, <kbd>?</kbd> all keys
                </span>
              </p>
            ) : null}
          </>
        )}
      </Section>
      {acts.dialog}
    </>
  );
};

interface NoneProps {
  readonly query: string;
  readonly from: string;
  readonly onQuery: (query: string) => void;
  readonly onWindow: (from: string) => void;
}

const NoAlert = ({ query, from, onQuery, onWindow }: NoneProps): ReactNode => {
  const whole = useQuery({ queryKey: ['alerts-all', from], queryFn: () => countAlerts('', from), enabled: query !== '' });
  return (
    <Empty>
      <p>
        {query === ''
          ? 'No alert in this window. Every line is matched against the rules as it arrives; the line at the foot says how many are loaded.'
          : `No alert matches.${whole.data ? ` ${plural(whole.data.count, 'alert')} without the query.` : ''}`}
      </p>
      <p className="acts">
        {query === '' ? null : (
          <button type="button" className="evidence" onClick={() => onQuery('')}>
            remove the query
          </button>
        )}
        {from === 'now-30d' || from === 'now-365d' ? null : (
          <button type="button" className="evidence" onClick={() => onWindow('now-30d')}>
            look at the last 30 days
          </button>
        )}
      </p>
    </Empty>
  );
};
