// SPDX-License-Identifier: Apache-2.0
/**
 * A user, address or service: its scores, the alerts and incidents about it, what it was seen with, when, and its newest lines.
 * Input: kind and value from the address. Output: a page; each part leads to the search that says the same.
 */
import { useQueries, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { alerts, histogram, incidents, search, topEvents } from '../api/calls.ts';
import { score, scoreHistory } from '../api/ground.ts';
import { useClock } from '../part/clock.ts';
import { eventLink } from '../part/event-link.ts';
import { literalOf } from '../part/kql.ts';
import { lineOf } from '../part/line-of.ts';
import { SeverityMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { ScoreSection } from '../part/score-section.tsx';
import { EventChart } from '../part/search-head.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { capital, countText, plural } from '../part/words.ts';
import '../look/ground.css';

const WINDOW = 30 * 86_400_000;
const KINDS: Readonly<Record<string, string>> = {
  ip: 'source.ip',
  user: 'user.name',
  service: 'service.name',
  host: 'host.name',
  process: 'process.name',
  hash: 'file.hash.sha256',
};
const BESIDE = ['host.name', 'user.name', 'source.ip', 'event.dataset'] as const;

/** Alerts name a user with the host: `user:root@ast_…`. */
const about = (kind: string, value: string): string => {
  const exact = `entities: ${literalOf(`${kind}:${value}`)}`;
  return kind === 'user' && /^[\w.-]+$/.test(value) ? `${exact} or entities: user\\:${value}@*` : exact;
};

export const EntityPage = (): ReactNode => {
  const { kind = '', value = '' } = useParams();
  const clock = useClock();
  const now = Math.floor(clock() / 60_000) * 60_000;
  // A user of a host is written `root@ast_…`: events know the name alone.
  const plain = kind === 'user' ? value.replace(/@ast_[\w-]+$/, '') : value;
  const field = kind.includes('.') ? kind : (KINDS[kind] ?? 'message');
  const query = `${field}: ${literalOf(plain)}`;
  const entity = `${kind}:${value}`;
  const window = { query, from: 'now-30d', to: 'now' };
  const bars = useQuery({ queryKey: ['histogram', window], queryFn: ({ signal }) => histogram(window, 60, signal) });
  const found = useQuery({ queryKey: ['search', 'newest', query], queryFn: ({ signal }) => search(window, null, signal) });
  const noticed = useQuery({
    queryKey: ['alerts', 'about', entity],
    queryFn: () => alerts({ query: about(kind, value), from: 'now-30d', to: 'now', limit: 50 }),
  });
  const cases = useQuery({
    queryKey: ['incidents', 'about', entity],
    queryFn: () => incidents({ query: about(kind, value), limit: 20 }),
  });
  const scored = useQuery({ queryKey: ['scores', entity], queryFn: () => score(entity), retry: false });
  const history = useQuery({
    queryKey: ['scores', entity, 'history'],
    queryFn: () => scoreHistory(entity, new Date(now - WINDOW).toISOString()),
    retry: false,
    enabled: scored.isSuccess,
  });
  const beside = useQueries({
    queries: BESIDE.map((name) => ({ queryKey: ['top', name, query], queryFn: () => topEvents(window, name), enabled: name !== field })),
  });
  const total = bars.data?.buckets.reduce((sum, { count }) => sum + count, 0);
  const items = found.data?.items.slice(0, 20) ?? [];
  return (
    <>
      <div className="marks">
        <h2 className="host-name">{shown(plain)}</h2>
        <span className="chip">{capital(kind)}</span>
        <span className="grow" />
        <Link className="ctl" to={`/search?${new URLSearchParams({ q: query, from: 'now-30d', to: 'now' })}`}>
          Search its events
        </Link>
      </div>
      {scored.data ? (
        <div className="two">
          {(['threat', 'exposure'] as const).map((side) => (
            <ScoreSection
              key={side}
              side={side}
              score={scored.data}
              history={history.data}
              from={now - WINDOW}
              to={now}
              coverage={`weights ${scored.data.weights}`}
            />
          ))}
        </div>
      ) : null}
      <div className="split">
        <div className="stack">
          <Section
            title={total === undefined ? 'Events' : `${plural(total, 'event')} in 30 days`}
            coverage={<span className="mono">{query}</span>}
          >
            <ProblemLine error={bars.error ?? found.error} />
            {bars.error ? null : <EventChart bars={bars.data} lagMs={found.data?.state.lagMs ?? 0} live onWindow={() => undefined} />}
            {found.isPending ? <Skeleton rows={5} /> : null}
            {found.data && items.length === 0 ? <Empty>Not seen in 30 days.</Empty> : null}
            <ol className="lines">
              {items.map((event) => (
                <li key={String(event['event.id'])}>
                  <Link className="evidence" to={eventLink(String(event['event.id']), String(event['@timestamp']))}>
                    <Time at={String(event['@timestamp'])} />
                  </Link>
                  <span className="mono">{shown(lineOf(event).slice(0, 400))}</span>
                </li>
              ))}
            </ol>
          </Section>
        </div>
        <div className="stack">
          <Section title="Incidents" coverage={cases.data ? plural(cases.data.total, 'incident') : 'reading'}>
            {cases.data?.items.length === 0 ? <Empty>None about it.</Empty> : null}
            {cases.data?.items.map((one) => (
              <p key={one.id}>
                <SeverityMark level={one.severity} bare /> <Link to={`/incidents/${one.reference}`}>{one.reference}</Link>{' '}
                <span className="serif">{shown(one.title)}</span> <span className="small third">{one.state}</span>
              </p>
            ))}
          </Section>
          <Section title="Alerts in 30 days" coverage={noticed.data ? plural(noticed.data.total, 'alert') : 'reading'}>
            {noticed.data?.items.length === 0 ? <Empty>None about it.</Empty> : null}
            {noticed.data?.items.slice(0, 10).map((one) => (
              <p key={one.id}>
                <SeverityMark level={one.level} bare />{' '}
                <Link className="plain" to={`/alerts/${one.id}`}>
                  {shown(one.title)}
                </Link>{' '}
                <span className="small third">
                  <Time at={one.last} />, {one.state}
                </span>
              </p>
            ))}
          </Section>
          {BESIDE.map((name, i) => {
            const buckets = beside[i]?.data?.buckets ?? [];
            return name === field || buckets.length === 0 ? null : (
              <Section key={name} title={`Seen with ${name}`} coverage={`the ${countText(buckets.length)} most frequent`}>
                <table className="rows">
                  <tbody>
                    {buckets.map(({ key, count }) => (
                      <tr key={key}>
                        <td className="mono">
                          <Link className="plain" to={`/entities/${encodeURIComponent(name)}/${encodeURIComponent(key)}`}>
                            {shown(key)}
                          </Link>
                        </td>
                        <td className="right">
                          <Link
                            className="evidence"
                            to={`/search?${new URLSearchParams({ q: `${query} and ${name}: ${literalOf(key)}`, from: 'now-30d', to: 'now' })}`}
                          >
                            {plural(count, 'event')}
                          </Link>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Section>
            );
          })}
        </div>
      </div>
    </>
  );
};
