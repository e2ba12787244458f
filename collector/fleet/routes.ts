// SPDX-License-Identifier: Apache-2.0
/**
 * The fleet over HTTP: agents with what they last said, held copies, enrolment tokens, hosts.
 * Input: the commands of this folder. Output: JSON; a token's text is answered once.
 */
import { type Static, Type } from 'typebox';
import { isoTime } from '../../core/units.ts';
import { Count, closed, Id, OneId, type Route, route, Span, spanMs, Time } from '../http/route.ts';
import { AGENT_STATES } from '../model/agent.ts';
import type { Assets } from './asset.ts';
import {
  type AgentView,
  type Decided,
  discardHeld,
  type FleetParts,
  type HeldActs,
  listAgents,
  listHeld,
  releaseHeld,
  retireAgent,
  revokeAgent,
  showAgent,
  showHeld,
} from './commands.ts';
import { sourceFigures } from './figures.ts';
import type { Installer } from './package/install.ts';
import type { EnrolTokens, ShownToken } from './token.ts';

export interface FleetPorts {
  readonly parts: FleetParts;
  readonly held?: HeldActs;
  readonly tokens: Pick<EnrolTokens, 'create' | 'list' | 'revoke'>;
  /** Makes the line that is pasted on a host; without it tokens come alone. */
  readonly installer?: Pick<Installer, 'line'>;
  readonly assets: Pick<Assets, 'all'>;
  /** Version of this collector: agents of another are outdated. */
  readonly version: string;
}

const AgentSchema = Type.Object({
  id: Id,
  host: Type.String(),
  asset: Type.String(),
  group: Type.String(),
  state: Type.Enum([...AGENT_STATES]),
  version: Type.String(),
  zone: Type.String(),
  local: Type.Boolean(),
  enrolledAt: Time,
  lastSeen: Type.Union([Time, Type.Null()]),
  silent: Type.Boolean(),
  clockOffsetMs: Type.Union([Type.Number(), Type.Null()]),
  lagMs: Type.Union([Type.Number(), Type.Null()], { description: 'of its source that is furthest behind' }),
  sources: Type.Array(
    Type.Object({
      stream: Type.String(),
      dataset: Type.String(),
      lagMs: Type.Number(),
      behindBytes: Count,
      counts: Type.Record(Type.String(), Type.Number()),
    }),
  ),
  conditions: Type.Array(Type.Object({ code: Type.String(), about: Type.String(), hint: Type.String() })),
  cost: Type.Union([Type.Object({ cpuMs: Type.Number(), rssBytes: Count, spoolBytes: Count, sentBytes: Count }), Type.Null()]),
  held: Type.Optional(Type.Object({ key: Type.String(), since: Time, from: Type.String() })),
});

const DecidedSchema = Type.Intersect([
  AgentSchema,
  Type.Object({
    blocks: Type.Object({
      done: Type.Integer({ minimum: 0, description: 'journaled by a release, dropped by a discard' }),
      left: Type.Integer({ minimum: 0, description: 'that conflict with what is held; their agent sends them again' }),
    }),
  }),
]);

const KeptSchema = Type.Object({
  why: Type.String({ description: 'held, conflict or bad' }),
  code: Type.String(),
  reason: Type.String(),
  key: Type.String({ description: 'key of the connection they came over' }),
  stream: Type.String(),
  blocks: Count,
  records: Count,
  from: Time,
  to: Time,
  lines: Type.Array(Type.String(), { description: 'the first lines as they came: of whoever sent them' }),
});

const TokenSchema = Type.Object({
  id: Id,
  group: Type.String(),
  uses: Count,
  used: Count,
  createdAt: Time,
  createdBy: Type.String(),
  expiresAt: Time,
  replace: Type.Optional(Type.String()),
  state: Type.Enum(['open', 'used', 'expired', 'revoked']),
});

const AssetSchema = Type.Object({
  id: Id,
  kind: Type.String(),
  name: Type.String(),
  group: Type.String(),
  createdAt: Time,
  origin: Type.Enum(['agent', 'replay', 'relay', 'collector']),
});

/** Why somebody decided so; kept for good. */
const Reason = Type.String({ minLength: 3, maxLength: 500 });

const Listed = closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) });

const agentJson = ({ agent, presence, silent }: AgentView): Static<typeof AgentSchema> => {
  const sources = sourceFigures([{ agent, presence }]);
  const { held } = agent;
  return {
    id: agent.id,
    host: agent.host,
    asset: agent.asset,
    group: agent.group,
    state: agent.state,
    version: agent.version,
    zone: agent.zone,
    local: agent.local,
    enrolledAt: isoTime(agent.enrolledAt),
    lastSeen: presence === null ? null : isoTime(presence.lastSeen),
    silent,
    clockOffsetMs: presence?.clockOffsetMs ?? null,
    lagMs: sources[0]?.lagMs ?? null,
    sources: sources.map(({ stream, dataset, lagMs, behindBytes, counts }) => ({
      stream,
      dataset,
      lagMs,
      behindBytes,
      counts: { ...counts },
    })),
    conditions: (presence?.heartbeat?.conditions ?? []).map(({ code, about, hint }) => ({ code, about, hint })),
    cost: presence?.heartbeat === undefined ? null : { ...presence.heartbeat.cost },
    ...(held === undefined ? {} : { held: { ...held, since: isoTime(held.since) } }),
  };
};

const tokenJson = (token: ShownToken): Static<typeof TokenSchema> => ({
  id: token.id,
  group: token.group,
  uses: token.uses,
  used: token.usedBy.length,
  createdAt: isoTime(token.createdAt),
  createdBy: token.createdBy,
  expiresAt: isoTime(token.expiresAt),
  ...(token.replace === undefined ? {} : { replace: token.replace }),
  state: token.state,
});

export const fleetRoutes = (ports: FleetPorts): readonly Route[] => [...agentRoutes(ports), ...tokenRoutes(ports), assetRoute(ports)];

const agentRoutes = ({ parts, held, version }: FleetPorts): readonly Route[] => {
  const { registry } = parts;
  const end = (name: string, summary: string, run: typeof retireAgent): Route =>
    route({
      method: 'POST',
      path: `/api/v1/fleet/agents/:id/${name}`,
      tag: 'fleet',
      summary,
      permission: 'fleet.write',
      params: OneId,
      query: closed({ reason: Type.Optional(Reason) }),
      answer: AgentSchema,
      handle: async ({ params: { id }, query: { reason }, actor, from }) => ({
        body: agentJson(await run(parts, actor, id, from, reason)),
      }),
    });
  const decide = (
    name: string,
    summary: string,
    run: (by: Parameters<typeof retireAgent>[1], id: string, from: string) => Promise<Decided>,
  ): Route =>
    route({
      method: 'POST',
      path: `/api/v1/fleet/agents/:id/${name}`,
      tag: 'fleet',
      summary,
      permission: 'fleet.write',
      params: OneId,
      answer: DecidedSchema,
      handle: async ({ params: { id }, actor, from }) => {
        const decided = await run(actor, id, from);
        return { body: { ...agentJson(decided), blocks: { done: decided.held.blocks, left: decided.held.left } } };
      },
    });
  return [
    route({
      method: 'GET',
      path: '/api/v1/fleet/agents',
      tag: 'fleet',
      summary: 'Agents by host name, with what they said last.',
      permission: 'fleet.read',
      query: closed({
        ...Listed.properties,
        silent: Type.Optional(Type.Boolean()),
        outdated: Type.Optional(Type.Boolean({ description: 'only those of another version than the collector' })),
        state: Type.Optional(Type.Enum([...AGENT_STATES])),
      }),
      answer: Type.Object({ items: Type.Array(AgentSchema), total: Count }),
      handle: async ({ query: { limit = 1000, silent, outdated, state } }) => {
        const found = listAgents(registry, {
          ...(silent === undefined ? {} : { silent }),
          ...(outdated === true ? { notVersion: version } : {}),
          ...(state === undefined ? {} : { state }),
        });
        return { body: { items: found.slice(0, limit).map(agentJson), total: found.length } };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/fleet/held',
      tag: 'fleet',
      summary: 'Agents whose older key came: a copy, a snapshot or a theft, for a person to decide.',
      permission: 'fleet.read',
      query: Listed,
      answer: Type.Object({ items: Type.Array(AgentSchema) }),
      handle: async () => ({ body: { items: listHeld(registry).map(agentJson) } }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/fleet/agents/:id',
      tag: 'fleet',
      summary: 'One agent, by id or host name.',
      permission: 'fleet.read',
      params: OneId,
      answer: AgentSchema,
      handle: async ({ params: { id } }) => ({ body: agentJson(showAgent(registry, id)) }),
    }),
    end('retire', 'Its host is gone for good: denied from now on; the decision and the history stay.', retireAgent),
    end('revoke', 'Its identity is not trusted any more: refused at once, also on live connections.', revokeAgent),
    decide('release', 'The held identity is the right one: its blocks are journaled, its key is the newest again.', (by, id, from) =>
      releaseHeld(parts, by, id, held, from),
    ),
    decide('discard', 'The held identity is a copy: its blocks are dropped, it is refused from now on.', (by, id, from) =>
      discardHeld(parts, by, id, held, from),
    ),
    route({
      method: 'GET',
      path: '/api/v1/fleet/agents/:id/held',
      tag: 'fleet',
      summary: 'What is kept aside of an agent, by why, key and stream, with first lines. Looking is audited.',
      permission: 'fleet.write',
      params: OneId,
      answer: Type.Object({ items: Type.Array(KeptSchema) }),
      handle: async ({ params: { id }, actor, from }) => {
        const groups = await showHeld(parts, actor, id, held, from);
        return {
          body: {
            items: groups.map(({ lines, ...group }) => ({ ...group, from: isoTime(group.from), to: isoTime(group.to), lines: [...lines] })),
          },
        };
      },
    }),
  ];
};

const tokenRoutes = ({ tokens, installer }: FleetPorts): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/fleet/tokens',
    tag: 'fleet',
    summary: 'Enrolment tokens, newest first.',
    permission: 'fleet.read',
    query: Listed,
    answer: Type.Object({ items: Type.Array(TokenSchema) }),
    handle: async ({ query: { limit = 1000 } }) => ({ body: { items: (await tokens.list()).slice(0, limit).map(tokenJson) } }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/fleet/tokens',
    tag: 'fleet',
    summary: 'Make an enrolment token; its text is shown this once.',
    permission: 'fleet.write',
    body: closed({
      uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
      expires: Type.Optional(Span),
      group: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
      replace: Type.Optional(Id),
      local: Type.Optional(Type.Boolean()),
    }),
    status: 201,
    creates: true,
    answer: Type.Object({
      id: Id,
      token: Type.String(),
      url: Type.String(),
      expiresAt: Time,
      line: Type.Union([Type.String(), Type.Null()], { description: 'what to paste on the host; null for an agent on this one' }),
    }),
    handle: async ({ body: { expires, ...wish }, actor, from }) => {
      const made = await tokens.create(actor, { ...wish, ...(expires === undefined ? {} : { expiresInMs: spanMs(expires) }) }, from);
      // Without a package the token still lets a host enrol that has the agent already.
      const line = wish.local === true || !installer ? null : await installer.line(made.text).catch(() => null);
      return { body: { id: made.id, token: made.text, url: made.url, expiresAt: isoTime(made.expiresAt), line } };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/fleet/tokens/:id',
    tag: 'fleet',
    summary: 'Revoke an enrolment token.',
    permission: 'fleet.write',
    params: OneId,
    answer: null,
    handle: async ({ params: { id }, actor, from }) => {
      await tokens.revoke(actor, id, from);
      return { body: null };
    },
  }),
];

const assetRoute = ({ assets }: FleetPorts): Route =>
  route({
    method: 'GET',
    path: '/api/v1/fleet/assets',
    tag: 'fleet',
    summary: 'Hosts, whatever agent reports them.',
    permission: 'fleet.read',
    query: Listed,
    answer: Type.Object({ items: Type.Array(AssetSchema), total: Count }),
    handle: async ({ query: { limit = 1000 } }) => {
      const all = assets.all();
      return {
        body: {
          items: all
            .slice(0, limit)
            .map(({ id, kind, name, group, createdAt, origin }) => ({ id, kind, name, group, createdAt: isoTime(createdAt), origin })),
          total: all.length,
        },
      };
    },
  });
