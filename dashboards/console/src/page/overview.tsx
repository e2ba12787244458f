// SPDX-License-Identifier: Apache-2.0
/**
 * The overview: one sentence that says how things stand, open incidents, newest alerts, hosts and sources, what we cannot see.
 * Input: status, alerts, incidents, refreshed every five seconds. Output: the first page.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { type AlertItem, alerts, type IncidentItem, incidents, type Status, status } from '../api/calls.ts';
import { SeverityMark, StateMark } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Blind, Empty, Section } from '../part/section.tsx';
import { countText, plural, spanText, Time } from '../part/time.tsx';

const REFRESH = { refetchInterval: 5_000 };

export const OverviewPage = (): ReactNode => {
  const state = useQuery({ queryKey: ['status'], queryFn: status, ...REFRESH });
  const alertList = useQuery({ queryKey: ['alerts', 'newest'], queryFn: () => alerts(8), ...REFRESH });
  const incidentList = useQuery({ queryKey: ['incidents', 'newest'], queryFn: () => incidents(8), ...REFRESH });
  const failed = state.error ?? alertList.error ?? incidentList.error;
  if (!state.data || !alertList.data || !incidentList.data) return failed ? <ProblemLine error={failed} /> : null;
  const open = incidentList.data.items.filter((one) => one.state !== 'closed' && one.state !== 'dismissed' && one.state !== 'merged');
  return (
    <>
      <Lead state={state.data} open={open} alerts={alertList.data.total} />
      <div className="split">
        <div className="stack">
          <Incidents items={open} total={incidentList.data.total} />
          <Alerts items={alertList.data.items} total={alertList.data.total} />
          <Hosts state={state.data} />
        </div>
        <div className="stack">
          <CannotSee state={state.data} />
          <Kept state={state.data} />
        </div>
      </div>
    </>
  );
};

const Lead = ({
  state,
  open,
  alerts: alertCount,
}: {
  readonly state: Status;
  readonly open: readonly IncidentItem[];
  readonly alerts: number;
}): ReactNode => {
  const newest = open[0];
  const hosts =
    state.hosts.reporting === state.hosts.expected
      ? `${plural(state.hosts.expected, 'host')} ${state.hosts.expected === 1 ? 'reports' : 'report'}`
      : `${state.hosts.reporting} of ${plural(state.hosts.expected, 'host')} report`;
  const loss = state.lost === 0 ? 'nothing was lost' : `${plural(state.lost, 'record')} were lost`;
  if (newest)
    return (
      <p className="lead">
        <b>INC-{newest.number}</b> is {newest.state}: {newest.title}. {plural(open.length, 'open incident')}, {plural(alertCount, 'alert')};{' '}
        {hosts}, {loss}.
      </p>
    );
  return (
    <p className="lead">
      {alertCount === 0 ? 'Quiet' : plural(alertCount, 'alert')}: no open incident. {hosts}, {loss}; {plural(state.records, 'record')} read
      and kept.
    </p>
  );
};

const Incidents = ({ items, total }: { readonly items: readonly IncidentItem[]; readonly total: number }): ReactNode => (
  <Section title="Open incidents" coverage={`${plural(total, 'incident')} in all`}>
    {items.length === 0 ? (
      <Empty>No open incidents. One opens by itself when an alert is high or critical.</Empty>
    ) : (
      <table className="rows">
        <thead>
          <tr>
            <th style={{ width: 64 }}>Number</th>
            <th style={{ width: 96 }}>Severity</th>
            <th>What happened</th>
            <th>State</th>
            <th className="right">Last</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td className="mono">INC-{one.number}</td>
              <td>
                <SeverityMark level={one.severity} />
              </td>
              <td>
                <span className="serif" style={{ fontSize: 15 }}>
                  {one.title}
                </span>
                <div className="small third">
                  {plural(one.alerts.length, 'alert')}; {one.why[0]}
                </div>
              </td>
              <td>{one.state}</td>
              <td className="right">
                <Time at={one.last} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Section>
);

/** A query that finds the events an alert is about. */
const eventsOf = (alert: AlertItem): string => {
  const from = new Date(Date.parse(alert.first) - 60_000).toISOString();
  const to = new Date(Date.parse(alert.last) + 60_000).toISOString();
  const query = alert.entity.startsWith('ip:')
    ? `source.ip: "${alert.entity.slice(3)}"`
    : `host.id: "${alert.entity.replace(/^host:|^user:.*@/, '')}"`;
  return `/search?${new URLSearchParams({ q: query, from, to })}`;
};

const Alerts = ({ items, total }: { readonly items: readonly AlertItem[]; readonly total: number }): ReactNode => (
  <Section title="Newest alerts" coverage={plural(total, 'alert')}>
    {items.length === 0 ? (
      <Empty>No alerts yet. Rules are matched against every line as it arrives.</Empty>
    ) : (
      <table className="rows">
        <thead>
          <tr>
            <th>Last</th>
            <th aria-label="Severity" style={{ width: 24 }} />
            <th>What</th>
            <th>About</th>
            <th className="right">Signals</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.id}>
              <td className="mono">
                <Time at={one.last} />
              </td>
              <td>
                <SeverityMark level={one.level} bare />
              </td>
              <td>{one.title}</td>
              <td className="mono">{one.entityName}</td>
              <td className="right">
                <Link className="evidence" to={eventsOf(one)}>
                  {plural(one.count, 'line')}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Section>
);

const Hosts = ({ state }: { readonly state: Status }): ReactNode => (
  <Section title="Hosts and sources" coverage={`${state.hosts.reporting} of ${state.hosts.expected} reporting`}>
    {state.streams.length === 0 ? (
      <Blind>No source yet. The agent says what it reads with its first heartbeat, within half a minute of its start.</Blind>
    ) : (
      <table className="rows">
        <thead>
          <tr>
            <th>Host</th>
            <th>Source</th>
            <th>Dataset</th>
            <th className="right">Records</th>
            <th className="right">Behind</th>
            <th className="right">Read up to</th>
          </tr>
        </thead>
        <tbody>
          {state.streams.map((one) => (
            <tr key={`${one.host} ${one.stream}`}>
              <td className="mono">{one.host}</td>
              <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                {one.stream}
              </td>
              <td className="mono">{one.dataset}</td>
              <td className="right">{countText(one.seq)}</td>
              <td className="right">{one.behindBytes === 0 ? '0' : `${countText(one.behindBytes)} B`}</td>
              <td className="right">{one.readUpTo === null ? '–' : <Time at={one.readUpTo} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Section>
);

const CannotSee = ({ state }: { readonly state: Status }): ReactNode => (
  <Section title="What we cannot see" coverage={plural(state.conditions.length, 'gap')}>
    {state.conditions.length === 0 ? (
      <Empty>No gap is known: every source that was found can be read, every agent reports.</Empty>
    ) : (
      <ul className="stack" style={{ gap: 10 }}>
        {state.conditions.map((one) => (
          <li key={`${one.code} ${one.about}`} style={{ display: 'flex', gap: 8 }}>
            <span style={{ paddingTop: 1 }}>
              <StateMark state="unknown" label="Not known" />
            </span>
            <span style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
              <b className="bold">{one.about}</b> {one.text} <span className="second">{one.hint}</span>
            </span>
          </li>
        ))}
      </ul>
    )}
  </Section>
);

const Kept = ({ state }: { readonly state: Status }): ReactNode => (
  <Section title="Kept">
    <dl className="pairs">
      <dt>Events</dt>
      <dd>{countText(state.store.events)}</dd>
      <dt>On disk</dt>
      <dd>{(state.store.bytes / 1e6).toFixed(1)} MB of events</dd>
      <dt>Signed blocks</dt>
      <dd>{(state.journal.bytes / 1e6).toFixed(1)} MB in the journal</dd>
      <dt>Search lag</dt>
      <dd>{spanText(state.lag.storeMs)}</dd>
      <dt>Rules</dt>
      <dd>
        {countText(state.rules.loaded)} loaded, {countText(state.rules.refused)} refused
      </dd>
    </dl>
  </Section>
);
