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
  { path: '/search', name: 'Search', group: 'Watch', key: 's', element: () => <SearchPage /> },
  { path: '/password', name: 'Change password', group: null, element: (who) => <PasswordPage name={who.name} /> },
];

/** The pages a person may open. */
export const pagesOf = (who: Me): readonly Page[] =>
  PAGES.filter(({ permission }) => permission === undefined || who.permissions.includes(permission));
