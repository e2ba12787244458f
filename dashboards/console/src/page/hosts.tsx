// SPDX-License-Identifier: Apache-2.0
/**
 * Every host that is expected, heard or named: where it stands, both scores, how much it matters.
 * Input: a filter and an order from the address. Output: rows that lead to a host.
 */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { type HostItem, hosts, type Scores, scores } from '../api/ground.ts';
import { useClock } from '../part/clock.ts';
import { useKeys } from '../part/keys.ts';
import { type Mark, StateMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Empty, Section, Skeleton } from '../part/section.tsx';
import { shown } from '../part/shown.ts';
import { ageText, capital, countText, plural } from '../part/words.ts';
import '../look/ground.css';

const MARKS: Readonly<Record<HostItem['standing'], Mark>> = {
  reporting: 'good',
  silent: 'bad',
  expected: 'unknown',
  unmanaged: 'unknown',
  'planned-off': 'except',
  retired: 'except',
};

type Order = 'name' | 'threat' | 'exposure' | 'seen';
const ORDERS: readonly { readonly order: Order; readonly label: string }[] = [
  { order: 'threat', label: 'Threat' },
  { order: 'exposure', label: 'Exposure' },
  { order: 'name', label: 'Name' },
  { order: 'seen', label: 'Last heard' },
];

type Scored = Scores['items'][number];

export const HostsPage = (): ReactNode => {
  const now = useClock();
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: ['hosts'], queryFn: hosts, refetchInterval: 10_000 });
  const scored = useQuery({ queryKey: ['scores', 'host'], queryFn: () => scores({ kind: 'host', limit: 1000 }), refetchInterval: 30_000 });
  const [active, setActive] = useState(-1);
  const body = useRef<HTMLTableSectionElement>(null);
  const order = ORDERS.find((one) => one.order === params.get('order'))?.order ?? 'threat';
  const filter = params.get('q') ?? '';
  const byEntity = new Map(scored.data?.items.map((one) => [one.entity, one]));
  const scoreOf = ({ id }: HostItem): Scored | undefined => (id === null ? undefined : byEntity.get(`host:${id}`));
  const rank: Readonly<Record<Order, (a: HostItem, b: HostItem) => number>> = {
    name: (a, b) => a.name.localeCompare(b.name),
    threat: (a, b) => (scoreOf(b)?.threat ?? -1) - (scoreOf(a)?.threat ?? -1) || a.name.localeCompare(b.name),
    exposure: (a, b) => (scoreOf(b)?.exposure ?? -1) - (scoreOf(a)?.exposure ?? -1) || a.name.localeCompare(b.name),
    seen: (a, b) => ((a.lastSeen ?? '') < (b.lastSeen ?? '') ? 1 : -1),
  };
  const items = (found.data?.items ?? [])
    .filter(({ name, group, standing }) => `${name} ${group} ${standing}`.toLowerCase().includes(filter.toLowerCase()))
    .sort(rank[order]);
  const move = (by: number): void => {
    const next = Math.min(items.length - 1, Math.max(0, active + by));
    setActive(next);
    body.current?.querySelectorAll<HTMLElement>('a.row-link')[next]?.focus();
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  const set = (name: string, value: string): void =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === '') after.delete(name);
        else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  if (!found.data) return found.error ? <ProblemLine error={found.error} /> : <Skeleton rows={10} />;
  const expected = found.data.items.filter((one) => one.expected);
  const reporting = expected.filter(({ standing }) => standing === 'reporting').length;
  return (
    <Section
      title={plural(found.data.total, 'host')}
      note={
        <span className="levels">
          {(['silent', 'expected', 'unmanaged', 'planned-off', 'retired'] as const).map((standing) => {
            const count = found.data.items.filter((one) => one.standing === standing).length;
            return count === 0 ? null : (
              <span key={standing} className="nowrap">
                <StateMark state={MARKS[standing]} label={standing} /> {countText(count)} {standing.replace('-', ' ')}
              </span>
            );
          })}
        </span>
      }
      coverage={`${countText(reporting)} of ${countText(expected.length)} expected report`}
    >
      <ProblemLine error={scored.error} />
      <p className="asking">
        <label className="hidden-visually" htmlFor="host-filter">
          Only hosts whose name, group or standing holds
        </label>
        <input
          id="host-filter"
          className="ctl find"
          placeholder="name, group or standing"
          value={filter}
          onChange={({ currentTarget }) => set('q', currentTarget.value)}
        />
        <select className="ctl" aria-label="Order" value={order} onChange={({ currentTarget }) => set('order', currentTarget.value)}>
          {ORDERS.map((one) => (
            <option key={one.order} value={one.order}>
              By {one.label.toLowerCase()}
            </option>
          ))}
        </select>
      </p>
      {items.length === 0 ? (
        <Empty>
          {filter === ''
            ? 'No host yet. Make a token under Agents and paste its line on one.'
            : `No host matches. ${plural(found.data.total, 'host')} without “${shown(filter)}”.`}
        </Empty>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">Standing</th>
              <th scope="col" className="right">
                Threat
              </th>
              <th scope="col" className="right">
                Exposure
              </th>
              <th scope="col" className="wide">
                Matters
              </th>
              <th scope="col" className="wide">
                Group
              </th>
              <th scope="col" className="right wide">
                Last heard
              </th>
            </tr>
          </thead>
          <tbody ref={body}>
            {items.map((one) => {
              const own = scoreOf(one);
              return (
                <tr key={one.id ?? one.name}>
                  <td>
                    {one.id === null ? (
                      <span className="mono">{shown(one.name)}</span>
                    ) : (
                      <Link className="mono row-link" to={`/hosts/${encodeURIComponent(one.id)}`}>
                        {shown(one.name)}
                      </Link>
                    )}
                  </td>
                  <td>
                    <span className="nowrap">
                      <StateMark state={MARKS[one.standing]} label={one.standing} /> {capital(one.standing.replace('-', ' '))}
                    </span>
                  </td>
                  <td className="right">{own ? own.threat.toFixed(1) : <NotKnown />}</td>
                  <td className="right">{own ? own.exposure.toFixed(1) : <NotKnown />}</td>
                  <td className="wide">{capital(one.criticality)}</td>
                  <td className="wide">{shown(one.group)}</td>
                  <td className="right wide">
                    {one.lastSeen === null ? <span className="third">never</span> : `${ageText(now() - Date.parse(one.lastSeen))} ago`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Section>
  );
};

const NotKnown = (): ReactNode => (
  <>
    <i className="unknown-cell hatch short" aria-hidden="true" />
    <span className="hidden-visually">not known</span>
  </>
);
