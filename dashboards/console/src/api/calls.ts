// SPDX-License-Identifier: Apache-2.0
/**
 * The calls the console makes, each typed by the API's own document.
 * Input: arguments of pages. Output: answers as the API types them.
 */
import { call } from './client.ts';
import type { AnswerOf } from './schema.ts';

export type Me = AnswerOf<'GET /api/v1/auth/me'>;
export type Status = AnswerOf<'GET /api/v1/status'>;
export type Alerts = AnswerOf<'GET /api/v1/alerts'>;
export type AlertItem = Alerts['items'][number];
export type Incidents = AnswerOf<'GET /api/v1/incidents'>;
export type IncidentItem = Incidents['items'][number];
export type Found = AnswerOf<'GET /api/v1/events/search'>;
export type Histogram = AnswerOf<'GET /api/v1/events/histogram'>;
export type Top = AnswerOf<'GET /api/v1/events/top'>;
export type Completion = AnswerOf<'GET /api/v1/events/complete'>;

export const me = (): Promise<Me> => call('GET', '/api/v1/auth/me');
export const login = (name: string, password: string): Promise<Me> => call('POST', '/api/v1/auth/login', { body: { name, password } });
export const logout = (): Promise<null> => call('POST', '/api/v1/auth/logout');
export const changePassword = (current: string, next: string): Promise<null> =>
  call('POST', '/api/v1/auth/password', { body: { current, next } });
export const status = (): Promise<Status> => call('GET', '/api/v1/status');
export const alerts = (limit: number): Promise<Alerts> => call('GET', '/api/v1/alerts', { query: { limit } });
export const incidents = (limit: number): Promise<Incidents> => call('GET', '/api/v1/incidents', { query: { limit } });

export interface Window {
  readonly query: string;
  readonly from: string;
  readonly to: string;
}

export const search = (window: Window, after: string | null, signal?: AbortSignal): Promise<Found> =>
  call('GET', '/api/v1/events/search', {
    query: { ...window, limit: 200, ...(after === null ? {} : { after }) },
    ...(signal ? { signal } : {}),
  });
export const histogram = (window: Window, buckets: number, signal?: AbortSignal): Promise<Histogram> =>
  call('GET', '/api/v1/events/histogram', { query: { ...window, buckets }, ...(signal ? { signal } : {}) });
export const top = (window: Window, field: string, signal?: AbortSignal): Promise<Top> =>
  call('GET', '/api/v1/events/top', { query: { ...window, field, limit: 8 }, ...(signal ? { signal } : {}) });
export const complete = (query: string, cursor: number, signal?: AbortSignal): Promise<Completion> =>
  call('GET', '/api/v1/events/complete', { query: { query, cursor }, ...(signal ? { signal } : {}) });
