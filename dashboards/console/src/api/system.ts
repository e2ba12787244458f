// SPDX-License-Identifier: Apache-2.0
/**
 * Calls about agents, tokens, people and the audit trail.
 * Input: ids and wishes. Output: answers as the API types them.
 */
import { call } from './client.ts';
import type { AnswerOf, BodyOf } from './schema.ts';

export type Agents = AnswerOf<'GET /api/v1/fleet/agents'>;
export type AgentItem = Agents['items'][number];
export type EnrolTokens = AnswerOf<'GET /api/v1/fleet/tokens'>;
export type EnrolTokenItem = EnrolTokens['items'][number];
export type MadeToken = AnswerOf<'POST /api/v1/fleet/tokens'>;
export type Users = AnswerOf<'GET /api/v1/auth/users'>;
export type UserItem = Users['items'][number];
export type Role = UserItem['role'];
export type Roles = AnswerOf<'GET /api/v1/auth/roles'>;
export type ApiTokens = AnswerOf<'GET /api/v1/auth/tokens'>;
export type MadeApiToken = AnswerOf<'POST /api/v1/auth/tokens'>;
export type MadeUser = AnswerOf<'POST /api/v1/auth/users'>;
export type Audit = AnswerOf<'GET /api/v1/auth/audit'>;
export type AuditItem = Audit['items'][number];

const ALL = { query: { limit: 1000 } };
const one = (id: string): string => encodeURIComponent(id);

export const agents = (): Promise<Agents> => call('GET', '/api/v1/fleet/agents', ALL);
export const retireAgent = (id: string, reason: string): Promise<AgentItem> =>
  call('POST', `/api/v1/fleet/agents/${one(id)}/retire`, { query: { reason } });
export const revokeAgent = (id: string, reason: string): Promise<AgentItem> =>
  call('POST', `/api/v1/fleet/agents/${one(id)}/revoke`, { query: { reason } });
export const releaseHeld = (id: string): Promise<unknown> => call('POST', `/api/v1/fleet/agents/${one(id)}/release`);
export const discardHeld = (id: string): Promise<unknown> => call('POST', `/api/v1/fleet/agents/${one(id)}/discard`);
export const heldLines = (id: string): Promise<AnswerOf<'GET /api/v1/fleet/agents/{id}/held'>> =>
  call('GET', `/api/v1/fleet/agents/${one(id)}/held`);

export const enrolTokens = (): Promise<EnrolTokens> => call('GET', '/api/v1/fleet/tokens', ALL);
export const makeEnrolToken = (wish: BodyOf<'POST /api/v1/fleet/tokens'>): Promise<MadeToken> =>
  call('POST', '/api/v1/fleet/tokens', { body: wish });
export const revokeEnrolToken = (id: string): Promise<null> => call('DELETE', `/api/v1/fleet/tokens/${one(id)}`);

export const users = (): Promise<Users> => call('GET', '/api/v1/auth/users', ALL);
export const roles = (): Promise<Roles> => call('GET', '/api/v1/auth/roles');
export const addUser = (name: string, role: Role): Promise<MadeUser> => call('POST', '/api/v1/auth/users', { body: { name, role } });
export const changeUser = (id: string, change: BodyOf<'PATCH /api/v1/auth/users/{id}'>): Promise<UserItem> =>
  call('PATCH', `/api/v1/auth/users/${one(id)}`, { body: change });
export const resetUser = (id: string): Promise<AnswerOf<'POST /api/v1/auth/users/{id}/reset'>> =>
  call('POST', `/api/v1/auth/users/${one(id)}/reset`);
export const apiTokens = (): Promise<ApiTokens> => call('GET', '/api/v1/auth/tokens', ALL);
export const makeApiToken = (wish: BodyOf<'POST /api/v1/auth/tokens'>): Promise<MadeApiToken> =>
  call('POST', '/api/v1/auth/tokens', { body: wish });
export const revokeApiToken = (id: string): Promise<null> => call('DELETE', `/api/v1/auth/tokens/${one(id)}`);

export const audit = (before: number | null): Promise<Audit> =>
  call('GET', '/api/v1/auth/audit', { query: { limit: 200, ...(before === null ? {} : { before }) } });
