// SPDX-License-Identifier: Apache-2.0
/**
 * Calls about the measured ground and what stands on it: hosts, scores, facts, checks, controls, risks, reports.
 * Input: ids, times. Output: answers as the API types them.
 */
import { call } from './client.ts';
import type { AnswerOf, BodyOf, QueryOf } from './schema.ts';

export type Hosts = AnswerOf<'GET /api/v1/fleet/hosts'>;
export type HostItem = Hosts['items'][number];
export type HostDetail = AnswerOf<'GET /api/v1/fleet/hosts/{id}'>;
export type Score = AnswerOf<'GET /api/v1/scores/{id}'>;
export type Scores = AnswerOf<'GET /api/v1/scores'>;
export type Share = Score['threatShares'][number];
export type ScoreHistory = AnswerOf<'GET /api/v1/scores/{id}/history'>;
export type HostFacts = AnswerOf<'GET /api/v1/facts/hosts/{id}'>;
export type FactItems = AnswerOf<'GET /api/v1/facts/hosts/{id}/items'>;
export type Access = AnswerOf<'GET /api/v1/facts/hosts/{id}/access'>;
export type Observations = AnswerOf<'GET /api/v1/facts/observations'>;
export type Observation = Observations['items'][number];
export type Checks = AnswerOf<'GET /api/v1/facts/checks'>;
export type Controls = AnswerOf<'GET /api/v1/controls'>;
export type ControlItem = Controls['items'][number];
export type ControlDetail = AnswerOf<'GET /api/v1/controls/{id}/explain'>;
export type Risks = AnswerOf<'GET /api/v1/risks'>;
export type RiskItem = Risks['items'][number];
export type Reports = AnswerOf<'GET /api/v1/reports'>;

const one = (id: string): string => encodeURIComponent(id);

export const hosts = (): Promise<Hosts> => call('GET', '/api/v1/fleet/hosts', { query: { limit: 1000 } });
export const host = (id: string): Promise<HostDetail> => call('GET', `/api/v1/fleet/hosts/${one(id)}`);
export const decideHost = (id: string, wish: BodyOf<'POST /api/v1/fleet/hosts/{id}/decisions'>): Promise<HostItem> =>
  call('POST', `/api/v1/fleet/hosts/${one(id)}/decisions`, { body: wish });
export const setCriticality = (id: string, wish: BodyOf<'PUT /api/v1/fleet/hosts/{id}/criticality'>): Promise<HostItem> =>
  call('PUT', `/api/v1/fleet/hosts/${one(id)}/criticality`, { body: wish });

export const scores = (query: QueryOf<'GET /api/v1/scores'>): Promise<Scores> => call('GET', '/api/v1/scores', { query: { ...query } });
export const score = (entity: string): Promise<Score> => call('GET', `/api/v1/scores/${one(entity)}`);
export const scoreHistory = (entity: string, from: string): Promise<ScoreHistory> =>
  call('GET', `/api/v1/scores/${one(entity)}/history`, { query: { from } });

export const hostFacts = (id: string): Promise<HostFacts> => call('GET', `/api/v1/facts/hosts/${one(id)}`);
export const factItems = (id: string, query: QueryOf<'GET /api/v1/facts/hosts/{id}/items'>): Promise<FactItems> =>
  call('GET', `/api/v1/facts/hosts/${one(id)}/items`, { query: { ...query } });
export const access = (id: string): Promise<Access> => call('GET', `/api/v1/facts/hosts/${one(id)}/access`);
export const observations = (query: QueryOf<'GET /api/v1/facts/observations'>): Promise<Observations> =>
  call('GET', '/api/v1/facts/observations', { query: { ...query } });
export const checks = (): Promise<Checks> => call('GET', '/api/v1/facts/checks');

export const controls = (catalogue: string): Promise<Controls> => call('GET', '/api/v1/controls', { query: { catalogue } });
export const control = (ref: string): Promise<ControlDetail> => call('GET', `/api/v1/controls/${one(ref)}/explain`);
export const risks = (): Promise<Risks> => call('GET', '/api/v1/risks');

export const reports = (): Promise<Reports> => call('GET', '/api/v1/reports', { query: { limit: 200 } });
export const makeReport = (): Promise<AnswerOf<'POST /api/v1/reports'>> => call('POST', '/api/v1/reports', { body: {} });
