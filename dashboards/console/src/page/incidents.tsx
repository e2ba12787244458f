// SPDX-License-Identifier: Apache-2.0
/**
 * Incidents: the open ones first, by severity and age; closed ones by a choice.
 * Input: the choice from the address. Output: rows that lead to an incident.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { type IncidentItem, incidents } from '../api/calls.ts';
import { useKeys } from '../part/keys.ts';
import { RANK, SeverityMark } from '../part/marks.tsx';
import { usePeople } from '../part/people.ts';
import { ProblemLine } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { Time } from '../part/time.tsx';
import { verdictText } from '../part/verdicts.ts';
import { capital, plural } from '../part/words.ts';
import '../look/triage.css';

const VIEWS = [
  { view: 'open', label: 'Open', query: 'not state: (closed or merged or dismissed)' },
  { view: 'ended', label: 'Ended', query: 'state: (closed or merged or dismissed)' },
  { view: 'all', label: 'All', query: '' },
] as const;

const LIMIT = 500;

const worstFirst = (a: IncidentItem, b: IncidentItem): number =>
  RANK[b.severity] - RANK[a.severity] || Date.parse(b.last) - Date.parse(a.last);

export const IncidentsPage = (): ReactNode => {
  const [params, setParams] = useSearchParams();
  const { nameOf } = usePeople();
  const [active, setActive] = useState(-1);
  const table = useRef<HTMLTableSectionElement>(null);
  const chosen = VIEWS.find(({ view }) => view === params.get('view')) ?? VIEWS[0];
  const found = useQuery({
    queryKey: ['incidents', chosen.view],
    queryFn: () => incidents({ query: chosen.query, limit: LIMIT }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const items = [...(found.data?.items ?? [])].sort(chosen.view === 'open' ? worstFirst : () => 0);
  const move = (by: number): void => {
    const next = Math.min(items.length - 1, Math.max(0, active + by));
    setActive(next);
    table.current?.querySelectorAll<HTMLElement>('a.row-link')[next]?.focus();
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  const total = found.data?.total ?? 0;
  return (
    <Section
      title={found.data ? plural(total, `${chosen.view === 'all' ? '' : `${chosen.view} `}incident`) : 'Incidents'}
      coverage={
        <fieldset className="seg">
          <legend className="hidden-visually">Which incidents</legend>
          {VIEWS.map(({ view, label }) => (
            <label key={view}>
              <input type="radio" name="view" checked={view === chosen.view} onChange={() => setParams(view === 'open' ? {} : { view })} />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
      }
    >
      <ProblemLine error={found.error} />
      {found.isPending ? (
        <Skeleton rows={8} />
      ) : items.length === 0 ? (
        <Empty>
          {chosen.view === 'open'
            ? 'No open incidents. One opens by itself when an alert is high or critical, or when alerts belong together; a person declares one from alerts.'
            : 'None yet.'}
        </Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col" style={{ width: 62 }}>
                Number
              </th>
              <th scope="col" style={{ width: 92 }}>
                Severity
              </th>
              <th scope="col">What happened</th>
              <th scope="col" className="wide">
                State
              </th>
              <th scope="col" className="wide">
                Owner
              </th>
              <th scope="col" className="right wide">
                Last sign
              </th>
            </tr>
          </thead>
          <tbody ref={table}>
            {items.map((one) => (
              <tr key={one.id}>
                <td>
                  <Link className="mono row-link" to={`/incidents/${one.reference}`}>
                    {one.reference}
                  </Link>
                </td>
                <td>
                  <SeverityMark level={one.severity} />
                </td>
                <td>
                  <span className="serif title">{shown(one.title)}</span>
                  <div className="small third">
                    <Link className="evidence" to={`/incidents/${one.reference}`}>
                      {plural(one.alerts.length, 'alert')}
                    </Link>{' '}
                    {shown(one.declared?.reason ?? one.why[0] ?? '')}
                  </div>
                </td>
                <td className="wide">
                  {capital(one.state)}
                  {one.verdict === undefined ? null : <div className="small serif">{verdictText(one.verdict)}</div>}
                </td>
                <td className="wide">{one.owner === undefined ? <span className="third">nobody</span> : nameOf(one.owner)}</td>
                <td className="right wide">
                  <Time at={one.last} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {total > items.length ? (
        <p className="small third more">
          The newest {items.length} of {total}.
        </p>
      ) : null}
    </Section>
  );
};
