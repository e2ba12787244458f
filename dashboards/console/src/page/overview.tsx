// SPDX-License-Identifier: Apache-2.0
/**
 * The overview: one sentence that says how things stand, then incidents, alerts, hosts and sources, and what we cannot see.
 * Input: status, alerts, incidents, refreshed every five seconds. Output: the first page.
 */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { alerts, type IncidentItem, incidents, type Me, status } from '../api/calls.ts';
import { AlertsSection } from '../part/alerts-section.tsx';
import { IncidentsSection } from '../part/incidents-section.tsx';
import { useLastLook } from '../part/last-look.ts';
import { Lead } from '../part/lead.tsx';
import { RANK } from '../part/marks.tsx';
import { ProblemLine } from '../part/problem.tsx';
import { Skeleton } from '../part/section.tsx';
import { CannotSee, Hosts, Kept, Sight } from '../part/sight.tsx';

const REFRESH = { refetchInterval: 5_000 };

/** Enough to draw and count; beyond it the page says that it shows the newest of them. */
const ALERTS = 500;

const bySeverity = (a: IncidentItem, b: IncidentItem): number =>
  RANK[b.severity] - RANK[a.severity] || Date.parse(b.last) - Date.parse(a.last);

export const OverviewPage = ({ who }: { readonly who: Me }): ReactNode => {
  const look = useLastLook(who.name);
  const from = look.sinceLook ? new Date(look.since).toISOString() : 'now-24h';
  const state = useQuery({ queryKey: ['status'], queryFn: status, ...REFRESH });
  const newer = useQuery({ queryKey: ['overview', from], queryFn: () => alerts({ from, limit: ALERTS }), ...REFRESH });
  const open = useQuery({
    queryKey: ['incidents', 'open'],
    queryFn: () => incidents({ query: 'not state: (closed or dismissed or merged)', limit: 100 }),
    ...REFRESH,
  });
  const all = useQuery({ queryKey: ['incidents', from], queryFn: () => incidents({ from, limit: 1 }), ...REFRESH });
  const failed = state.error ?? newer.error ?? open.error ?? all.error;
  if (!state.data || !newer.data || !open.data || !all.data) return failed ? <ProblemLine error={failed} /> : <Skeleton rows={12} />;
  const blind = state.data.hosts.reporting === 0;
  const items = [...open.data.items].sort(bySeverity);
  return (
    <>
      {failed ? <ProblemLine error={failed} place="over" /> : null}
      <Lead look={look} state={state.data} open={items} openTotal={open.data.total} alerts={newer.data} newIncidents={all.data.total} />
      <div className="split">
        <div className="stack">
          <IncidentsSection items={items} total={open.data.total} blind={blind} />
          <AlertsSection found={newer.data} look={look} now={Date.parse(state.data.time)} blind={blind} />
          <Hosts state={state.data} />
        </div>
        <div className="stack">
          <Sight state={state.data} />
          <CannotSee state={state.data} />
          <Kept state={state.data} />
        </div>
      </div>
    </>
  );
};
