// SPDX-License-Identifier: Apache-2.0
/**
 * What people do with alerts and incidents: changes against the version they saw, comments, incidents declared by hand.
 * Input: ids, versions, wishes. Output: answers as the API types them.
 */

import type { AlertItem, IncidentItem } from './calls.ts';
import { call } from './client.ts';
import type { AnswerOf, BodyOf } from './schema.ts';

export type AlertChange = BodyOf<'PATCH /api/v1/alerts/{id}'>;
export type IncidentChange = BodyOf<'PATCH /api/v1/incidents/{id}'>;
export type Declaration = BodyOf<'POST /api/v1/incidents'>;
export type CommentItem = AnswerOf<'GET /api/v1/alerts/{id}/comments'>['items'][number];
export type Person = AnswerOf<'GET /api/v1/auth/people'>['items'][number];

/** What comments and acts can be about. */
export type Subject = 'alert' | 'incident';

const path = (what: Subject, id: string): string => `/api/v1/${what}s/${encodeURIComponent(id)}`;

export const changeAlert = (one: Pick<AlertItem, 'id' | 'version'>, change: AlertChange): Promise<AlertItem> =>
  call('PATCH', path('alert', one.id), { body: change, version: `"${one.version}"` });
export const changeIncident = (one: Pick<IncidentItem, 'id' | 'version'>, change: IncidentChange): Promise<IncidentItem> =>
  call('PATCH', path('incident', one.id), { body: change, version: `"${one.version}"` });
export const declareIncident = (wish: Declaration): Promise<IncidentItem> => call('POST', '/api/v1/incidents', { body: wish });

export const comments = (what: Subject, id: string): Promise<{ readonly items: readonly CommentItem[] }> =>
  call('GET', `${path(what, id)}/comments`);
export const addComment = (what: Subject, id: string, text: string): Promise<CommentItem> =>
  call('POST', `${path(what, id)}/comments`, { body: { text } });

export const people = (): Promise<{ readonly items: readonly Person[] }> => call('GET', '/api/v1/auth/people');

/** Most frequent values of a field among alerts in a window. */
export const topAlerts = (field: string, query: string, from: string, to: string): Promise<AnswerOf<'GET /api/v1/alerts/top'>> =>
  call('GET', '/api/v1/alerts/top', { query: { field, query, from, to, limit: 6 } });
export type AlertBars = AnswerOf<'GET /api/v1/alerts/histogram'>;
/** Alerts of a window by level, in so many equal parts of it. */
export const alertBars = (query: string, from: string, to: string, buckets: number): Promise<AlertBars> =>
  call('GET', '/api/v1/alerts/histogram', { query: { query, from, to, buckets } });
export const countAlerts = (query: string, from: string): Promise<{ readonly count: number }> =>
  call('GET', '/api/v1/alerts/count', { query: { query, from } });
export const countIncidents = (query: string): Promise<{ readonly count: number }> =>
  call('GET', '/api/v1/incidents/count', { query: { query } });
