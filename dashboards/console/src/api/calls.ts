// SPDX-License-Identifier: Apache-2.0
/**
 * The calls the console makes, each typed by the API's own document.
 * Input: arguments of pages. Output: answers as the API types them.
 */
import { call } from './client.ts';
import type { AnswerOf, QueryOf } from './schema.ts';

export type Me = AnswerOf<'GET /api/v1/auth/me'>;
export type Status = AnswerOf<'GET /api/v1/status'>;
export type Alerts = AnswerOf<'GET /api/v1/alerts'>;
export type AlertItem = Alerts['items'][number];
export type Incidents = AnswerOf<'GET /api/v1/incidents'>;
export type IncidentItem = Incidents['items'][number];
export type AlertChain = AnswerOf<'GET /api/v1/alerts/{id}/explain'>;
export type IncidentChain = AnswerOf<'GET /api/v1/incidents/{id}/explain'>;
export type Found = AnswerOf<'GET /api/v1/events/search'>;
export type EventItem = Found['items'][number];
export type Histogram = AnswerOf<'GET /api/v1/events/histogram'>;
export type Completion = AnswerOf<'GET /api/v1/events/complete'>;
export type Suggestion = Completion['suggestions'][number];

export const me = (): Promise<Me> => call('GET', '/api/v1/auth/me');
export const login = (name: string, password: string): Promise<Me> => call('POST', '/api/v1/auth/login', { body: { name, password } });
export const logout = (): Promise<null> => call('POST', '/api/v1/auth/logout');
export const changePassword = (current: string, next: string): Promise<null> =>
  call('POST', '/api/v1/auth/password', { body: { current, next } });
export const status = (): Promise<Status> => call('GET', '/api/v1/status');
export const alerts = (query: QueryOf<'GET /api/v1/alerts'>): Promise<Alerts> => call('GET', '/api/v1/alerts', { query: { ...query } });
export const incidents = (query: QueryOf<'GET /api/v1/incidents'>): Promise<Incidents> =>
  call('GET', '/api/v1/incidents', { query: { ...query } });
export const alert = (id: string): Promise<AlertItem> => call('GET', `/api/v1/alerts/${encodeURIComponent(id)}`);
export const incident = (id: string): Promise<IncidentItem> => call('GET', `/api/v1/incidents/${encodeURIComponent(id)}`);
export const explainAlert = (id: string): Promise<AlertChain> => call('GET', `/api/v1/alerts/${encodeURIComponent(id)}/explain`);
export const explainIncident = (id: string): Promise<IncidentChain> => call('GET', `/api/v1/incidents/${encodeURIComponent(id)}/explain`);

export const assets = (): Promise<AnswerOf<'GET /api/v1/fleet/assets'>> => call('GET', '/api/v1/fleet/assets', { query: { limit: 1000 } });

export interface Window {
  readonly query: string;
  readonly from: string;
  readonly to: string;
}

/** Browsers and servers take an address of some thousand characters; a longer query goes in a body. */
const LONG_QUERY = 1_500;

const ask = <T>(
  what: string,
  question: Readonly<Record<string, string | number>> & { readonly query: string },
  signal?: AbortSignal,
): Promise<T> => {
  const path = `/api/v1/events/${what}`;
  const stop = signal ? { signal } : {};
  return question.query.length > LONG_QUERY
    ? call('POST', path, { body: question, ...stop })
    : call('GET', path, { query: question, ...stop });
};

export const search = (window: Window, after: string | null, signal?: AbortSignal): Promise<Found> =>
  ask('search', { ...window, limit: 200, ...(after === null ? {} : { after }) }, signal);
export const histogram = (window: Window, buckets: number, signal?: AbortSignal): Promise<Histogram> =>
  ask('histogram', { ...window, buckets }, signal);
export const countSince = (query: string, from: string, signal?: AbortSignal): Promise<AnswerOf<'GET /api/v1/events/count'>> =>
  ask('count', { query, from }, signal);
export const complete = (query: string, cursor: number, signal?: AbortSignal): Promise<Completion> =>
  ask('complete', { query, cursor }, signal);
export const event = (id: string): Promise<EventItem> => call('GET', `/api/v1/events/${encodeURIComponent(id)}`);
export const topEvents = (window: Window, field: string, limit = 8): Promise<AnswerOf<'GET /api/v1/events/top'>> =>
  ask('top', { ...window, field, limit });
