// SPDX-License-Identifier: Apache-2.0
/**
 * A console server over the real auth, fleet and reading code and a state in memory, for tests of the HTTP API.
 * Input: what a test wants otherwise. Output: the server, not listening, with its parts at hand.
 */

import { changeAlert } from '../../collector/alert/change.ts';
import { AlertChainSchema, chainJson } from '../../collector/alert/routes.ts';
import { readAlerts } from '../../collector/alert/view.ts';
import { openLogins } from '../../collector/auth/login.ts';
import { openPasswords } from '../../collector/auth/password.ts';
import { LOCAL_OWNER, permits } from '../../collector/auth/permissions.ts';
import { openSessions } from '../../collector/auth/session.ts';
import { openApiTokens } from '../../collector/auth/token.ts';
import { openUsers } from '../../collector/auth/users.ts';
import { comment, commentsOn } from '../../collector/comment/commands.ts';
import { openAssets } from '../../collector/fleet/asset.ts';
import { openRegistry } from '../../collector/fleet/registry.ts';
import { openEnrolTokens } from '../../collector/fleet/token.ts';
import { type ConsoleParts, makeConsoleServer } from '../../collector/http/server.ts';
import { openSite } from '../../collector/http/static.ts';
import { changeIncident } from '../../collector/incident/change.ts';
import { findIncident } from '../../collector/incident/commands.ts';
import { declareIncident } from '../../collector/incident/declare.ts';
import { readIncidents } from '../../collector/incident/view.ts';
import { openManagement } from '../../collector/management.ts';
import type { Event } from '../../collector/model/event.ts';
import type { Role } from '../../collector/model/permission.ts';
import type { EventReader } from '../../collector/query/routes.ts';
import { toPredicate } from '../../collector/query/to-predicate.ts';
import { readScores } from '../../collector/score/view.ts';
import { openLog } from '../../core/log.ts';
import { handClock, listAudit, listNotices, memoryState } from './memory-state.ts';

/** Events in a list, searched by the predicate. */
export const listEvents = (events: readonly Event[], now: () => number): EventReader => {
  const state = { position: null, lagMs: 0 };
  const matching: (query: Parameters<EventReader['count']>[0]) => readonly Event[] = ({ where, from, to }) => {
    const matches = toPredicate(where, { now: now() as never });
    return events.filter((event) => matches(event) && (event['@timestamp'] ?? 0) >= from && (event['@timestamp'] ?? 0) < to);
  };
  return {
    search: async (query, { limit, after = '0' }) => {
      const all = matching(query);
      const page = all.slice(Number(after), Number(after) + limit);
      const end = Number(after) + page.length;
      return { events: page, next: end < all.length ? String(end) : null, state };
    },
    get: async (ids) => events.filter((event) => ids.includes(event['event.id'] ?? '')),
    count: async (query) => ({ count: matching(query).length, state }),
    top: async (query, field, limit) => {
      const counts = new Map<string, number>();
      for (const event of matching(query)) {
        const value = event[field];
        if (value !== undefined) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
      }
      return [...counts].map(([key, count]) => ({ key, count })).slice(0, limit);
    },
    histogram: async (query, buckets) =>
      Array.from({ length: buckets }, (_, i) => ({
        key: new Date(query.from + i).toISOString(),
        count: i === 0 ? matching(query).length : 0,
      })),
    fields: async (query) => [{ field: 'user.name', count: matching(query).filter((event) => event['user.name'] !== undefined).length }],
  };
};

export const consoleParts = async (events: readonly Event[] = []) => {
  const clock = handClock();
  const state = memoryState();
  const audit = listAudit();
  const notices = listNotices();
  const passwords = openPasswords({ parallel: 2, queueLimit: 1_000 });
  const sessions = openSessions(state, clock);
  const users = openUsers({ state, audit, clock, passwords, sessions });
  const logins = openLogins({ state, audit, clock, passwords, sessions, notices });
  const tokens = openApiTokens(state, audit, clock);
  const log = openLog({ program: 'vigil', level: 'silent' });
  const assets = await openAssets(state, clock);
  const registry = await openRegistry({ state, clock, assets, log });
  const reader = listEvents(events, clock.now);
  const alerts = readAlerts(state, reader, clock.now);
  const self = (await assets.forName('collector', 'relay')).id;
  const management = openManagement({ state, events: reader, audit, clock, log, self });
  const parts: ConsoleParts = {
    log,
    clock,
    version: '0.0.0',
    hosts: ['localhost', '127.0.0.1', '[::1]'],
    identity: { session: logins.actorOf, token: tokens.verify, permits },
    localOwner: LOCAL_OWNER,
    site: openSite(),
    status: {
      conditions: () => [{ code: 'SOURCE_UNREADABLE', about: 'bastion', text: 'is not read', hint: 'Allow it.' }],
      ready: () => true,
      status: async () => {
        throw new Error('a path that nobody may see: /srv/secret');
      },
    },
    figures: () => [{ name: 'vigil_events', help: 'Events kept.', values: [{ value: events.length }] }],
    query: { events: reader, now: clock.now },
    alerts: {
      ...alerts,
      change: (by, id, change, ifVersion, from) =>
        changeAlert({ state, audit, clock, findUser: users.find }, by, id, change, ifVersion, from),
    },
    incidents: {
      ...readIncidents(state, alerts.explain, { schema: AlertChainSchema, json: chainJson }, clock.now),
      change: (by, id, change, ifVersion, from) =>
        changeIncident({ state, audit, clock, findUser: users.find }, by, id, change, ifVersion, from),
      declare: (by, wish, from) => declareIncident({ state, audit, clock }, by, wish, from),
    },
    comments: {
      alert: async (ref) => (await alerts.get(ref)).id,
      incident: async (ref) => (await findIncident(state, ref)).value.id,
      list: (about) => commentsOn(state, about),
      add: (by, about, text, from) => comment({ state, audit, clock }, by, about, text, from),
    },
    scores: readScores(state, reader, clock.now),
    controls: management.controls,
    risks: management.risks,
    fleet: {
      parts: { registry, audit, notices, clock },
      tokens: openEnrolTokens({
        state,
        audit,
        clock,
        registry,
        pin: 'a'.repeat(64),
        url: () => 'https://collector.example:7443',
        localUrl: () => 'https://127.0.0.1:7443',
      }),
      assets,
      version: '0.0.0',
    },
    auth: { logins, users, tokens, audit, permits },
  };
  return { parts, clock, state, audit, users, logins, tokens, passwords, registry };
};

export type TestConsole = Awaited<ReturnType<typeof openConsole>>;

/** A ready server with one user of each role whose password is not a one-time one. */
export const openConsole = async (change: (parts: ConsoleParts) => ConsoleParts = (parts) => parts, events: readonly Event[] = []) => {
  const made = await consoleParts(events);
  const app = makeConsoleServer(change(made.parts));
  await app.ready();
  const tokenOf = async (role: Role): Promise<string> =>
    (await made.tokens.create(LOCAL_OWNER, { name: 'test', role, expiresInMs: null })).text;
  const tokens = { admin: await tokenOf('admin'), analyst: await tokenOf('analyst'), auditor: await tokenOf('auditor') };
  const ask = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    options: { readonly role?: Role; readonly body?: unknown; readonly headers?: Record<string, string> } = {},
  ) =>
    app.inject({
      method,
      url,
      headers: {
        host: 'localhost:7480',
        ...(options.role === undefined ? {} : { authorization: `Bearer ${tokens[options.role]}` }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { payload: options.body as object }),
    });
  const close = async (): Promise<void> => {
    await app.close();
    await made.registry.close();
  };
  return { ...made, app, ask, tokenTexts: tokens, close };
};
