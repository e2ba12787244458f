// SPDX-License-Identifier: Apache-2.0
/**
 * The sentence a page opens with: what is new, what was lost, what waits for a person. It says nothing that the figures below do not.
 * Input: status, open incidents worst first, alerts since the last look. Output: the lead and its evidence.
 */
import { type ReactNode, useContext } from 'react';
import { Link } from 'react-router';
import type { Alerts, IncidentItem, Status } from '../api/calls.ts';
import type { LastLook } from './last-look.ts';
import { shown } from './shown.ts';
import { timeAs, timeText, ZoneContext } from './time.tsx';
import { ageText, countText, plural, spelled } from './words.ts';

export interface LeadProps {
  readonly look: LastLook;
  readonly state: Status;
  readonly open: readonly IncidentItem[];
  readonly openTotal: number;
  readonly alerts: Alerts;
  /** Incidents in which something happened since the last look. */
  readonly newIncidents: number;
}

/** `no loss of data`, or what was lost. */
const lossText = (lost: number): ReactNode => (lost === 0 ? 'no loss of data' : <b>{plural(lost, 'record')} lost</b>);

/** Where nothing is heard there is no "no incident": it is not known. */
const hostsText = ({ reporting, expected }: Status['hosts']): ReactNode => {
  const silent = expected - reporting;
  if (expected === 0) return 'Nothing is seen yet: no host is enrolled.';
  if (silent === 0) return null;
  if (reporting === 0)
    return `Nothing is seen right now: ${expected === 1 ? 'the one host is' : `all ${countText(expected)} hosts are`} silent.`;
  return (
    <>
      <b>{`${countText(silent)} of ${plural(expected, 'host')}`}</b> {silent === 1 ? 'is' : 'are'} silent: what happens there is not known.
    </>
  );
};

export const Lead = ({ look, state, open, openTotal, alerts, newIncidents }: LeadProps): ReactNode => {
  const zone = useContext(ZoneContext);
  const since = look.sinceLook ? `Since ${timeAs('day', look.since, zone)} ${timeAs('minute', look.since, zone)}` : 'In the last 24 hours';
  const worst = open[0];
  const hosts = hostsText(state.hosts);
  const blind = state.hosts.reporting === 0;
  return (
    <>
      <p className="lead">
        {blind && newIncidents + alerts.total === 0 ? null : (
          <>
            {since} {newIncidents === 0 && alerts.total > 0 ? spelled(alerts.total, 'alert') : spelled(newIncidents, 'incident')} and{' '}
            {lossText(state.lost)}. {worst ? <Worst incident={worst} more={openTotal - 1} /> : newIncidents > 0 ? 'None is open. ' : null}
          </>
        )}
        {hosts}
      </p>
      <p className="under-lead">
        {look.at === null ? (
          <span>You look for the first time in this browser</span>
        ) : (
          <span>
            You last looked {timeText(look.at, zone)}, {ageText(Date.now() - look.at)} ago
          </span>
        )}
        <Link className="evidence" to="/search">
          {plural(state.records, 'record')}
        </Link>
      </p>
    </>
  );
};

const Worst = ({ incident, more }: { readonly incident: IncidentItem; readonly more: number }): ReactNode => (
  <>
    <b>
      <Link to={`/incidents/${incident.reference}`}>{incident.reference}</Link>
    </b>
    , {incident.severity}, is {incident.state}
    {incident.owner === undefined ? ' and nobody has it yet' : ''}: {shown(incident.title)}
    {more > 0 ? `; ${spelled(more, 'more is open', 'more are open')}` : ''}.{' '}
  </>
);
