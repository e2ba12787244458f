// SPDX-License-Identifier: Apache-2.0
/**
 * Every page of the console, once: its address, its name, where it stands in the navigation, the key that goes there and who may open it.
 * The routes, the navigation, the palette and the list of keys are read from here. A page is loaded when it is first opened.
 */
import { lazy, type ReactNode } from 'react';
import type { Me } from './api/calls.ts';
import { PasswordPage } from './page/password.tsx';

const OverviewPage = lazy(() => import('./page/overview.tsx').then((m) => ({ default: m.OverviewPage })));
const AlertsPage = lazy(() => import('./page/alerts.tsx').then((m) => ({ default: m.AlertsPage })));
const AlertPage = lazy(() => import('./page/alert.tsx').then((m) => ({ default: m.AlertPage })));
const IncidentsPage = lazy(() => import('./page/incidents.tsx').then((m) => ({ default: m.IncidentsPage })));
const IncidentPage = lazy(() => import('./page/incident.tsx').then((m) => ({ default: m.IncidentPage })));
const SearchPage = lazy(() => import('./page/search.tsx').then((m) => ({ default: m.SearchPage })));
const HostsPage = lazy(() => import('./page/hosts.tsx').then((m) => ({ default: m.HostsPage })));
const HostPage = lazy(() => import('./page/host.tsx').then((m) => ({ default: m.HostPage })));
const EntityPage = lazy(() => import('./page/entity.tsx').then((m) => ({ default: m.EntityPage })));
const ControlsPage = lazy(() => import('./page/controls.tsx').then((m) => ({ default: m.ControlsPage })));
const RisksPage = lazy(() => import('./page/risks.tsx').then((m) => ({ default: m.RisksPage })));
const ReportsPage = lazy(() => import('./page/reports.tsx').then((m) => ({ default: m.ReportsPage })));
const ActivityPage = lazy(() => import('./page/activity.tsx').then((m) => ({ default: m.ActivityPage })));
const AgentsPage = lazy(() => import('./page/agents.tsx').then((m) => ({ default: m.AgentsPage })));
const UsersPage = lazy(() => import('./page/users.tsx').then((m) => ({ default: m.UsersPage })));
const HealthPage = lazy(() => import('./page/health.tsx').then((m) => ({ default: m.HealthPage })));

/** The navigation's groups, in the order shown. */
export const GROUPS = ['Watch', 'Measure', 'Govern', 'Prove', 'System'] as const;

export type Group = (typeof GROUPS)[number];

export type Page = {
  /** As react-router writes it. */
  readonly path: string;
  readonly name: string;
  /** Where the navigation lists it; null: reached from other pages only. */
  readonly group: Group | null;
  /** `g` and then this letter goes there. */
  readonly key?: string;
  /** Without this permission it is neither listed nor opened. The collector decides; this only spares a person a refusal. */
  readonly permission?: string;
  readonly element: (who: Me) => ReactNode;
};

export const PAGES: readonly Page[] = [
  { path: '/', name: 'Overview', group: 'Watch', key: 'o', element: (who) => <OverviewPage who={who} /> },
  { path: '/alerts', name: 'Alerts', group: 'Watch', key: 'a', permission: 'alert.read', element: (who) => <AlertsPage who={who} /> },
  { path: '/alerts/:id', name: 'Alert', group: null, permission: 'alert.read', element: (who) => <AlertPage who={who} /> },
  { path: '/incidents', name: 'Incidents', group: 'Watch', key: 'i', permission: 'incident.read', element: () => <IncidentsPage /> },
  { path: '/incidents/:id', name: 'Incident', group: null, permission: 'incident.read', element: (who) => <IncidentPage who={who} /> },
  { path: '/search', name: 'Search', group: 'Watch', key: 's', permission: 'event.read', element: () => <SearchPage /> },
  { path: '/entities/:kind/:value', name: 'Entity', group: null, permission: 'event.read', element: () => <EntityPage /> },
  { path: '/hosts', name: 'Hosts', group: 'Measure', key: 'h', permission: 'fleet.read', element: () => <HostsPage /> },
  { path: '/hosts/:id', name: 'Host', group: null, permission: 'fleet.read', element: (who) => <HostPage who={who} /> },
  { path: '/risks', name: 'Risks', group: 'Govern', key: 'r', permission: 'risk.read', element: () => <RisksPage /> },
  { path: '/controls', name: 'Controls', group: 'Govern', key: 'c', permission: 'control.read', element: () => <ControlsPage /> },
  { path: '/reports', name: 'Reports', group: 'Prove', key: 'p', permission: 'report.read', element: (who) => <ReportsPage who={who} /> },
  { path: '/activity', name: 'Activity log', group: 'Prove', key: 'l', permission: 'audit.read', element: () => <ActivityPage /> },
  { path: '/agents', name: 'Agents', group: 'System', key: 'n', permission: 'fleet.read', element: (who) => <AgentsPage who={who} /> },
  {
    path: '/users',
    name: 'Users and roles',
    group: 'System',
    key: 'u',
    permission: 'user.read',
    element: (who) => <UsersPage who={who} />,
  },
  { path: '/status', name: 'Health', group: 'System', key: 'e', permission: 'status.read', element: () => <HealthPage /> },
  { path: '/password', name: 'Change password', group: null, element: (who) => <PasswordPage name={who.name} /> },
];

/** The pages a person may open. */
export const pagesOf = (who: Me): readonly Page[] =>
  PAGES.filter(({ permission }) => permission === undefined || who.permissions.includes(permission));
