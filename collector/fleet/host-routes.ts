// SPDX-License-Identifier: Apache-2.0
/**
 * Hosts over HTTP: how each stands, who decided what about it, and machines that only others' logs name.
 * Input: the hosts of this folder. Output: JSON; decisions take a reason and are audited.
 */
import { type Static, Type } from 'typebox';
import { isoTime, LAST_TIME_MS, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { Count, closed, Id, OneId, type Route, route, Time } from '../http/route.ts';
import { type HostDecision, type HostStanding, STANDINGS } from '../model/host.ts';
import { CRITICALITIES } from '../model/scores.ts';
import type { Assets } from './asset.ts';
import { isExpected } from './host.ts';
import type { Hosts } from './hosts.ts';
import type { Registry } from './registry.ts';

export interface HostPorts {
  readonly hosts: Hosts;
  readonly assets: Pick<Assets, 'find'>;
  readonly registry: Pick<Registry, 'all'>;
  /** The pass must know before the next block is understood. */
  readonly tellHosts: () => void;
}

const HostSchema = Type.Object({
  id: Type.Union([Id, Type.Null()], { description: 'null for a machine that only others’ logs name' }),
  name: Type.String(),
  standing: Type.Enum([...STANDINGS]),
  expected: Type.Boolean({ description: 'part of every population: retired and unmanaged hosts are not' }),
  since: Type.Union([Time, Type.Null()]),
  lastSeen: Type.Union([Time, Type.Null()]),
  origin: Type.String({ description: 'agent, replay or relay; log for a name in others’ logs' }),
  group: Type.String(),
  criticality: Type.Enum([...CRITICALITIES]),
  agents: Type.Array(Id),
  lines: Type.Optional(Type.Integer({ minimum: 0, description: 'log lines of the last 7 days that name it' })),
});

const DecisionSchema = Type.Object({
  kind: Type.Enum(['expected', 'planned-off', 'retired']),
  reason: Type.String(),
  until: Type.Optional(Time),
  by: Type.String(),
  at: Time,
});

const timeOf = (text: string) => {
  const at = Date.parse(text);
  if (!(at >= 0 && at <= LAST_TIME_MS)) throw fault('REQUEST_BAD', { reason: `${text} is not a time such as 2026-11-30T08:00Z` });
  return unixMs(at);
};

const hostJson = (one: HostStanding, { assets, registry }: HostPorts): Static<typeof HostSchema> => {
  const asset = assets.find(one.host);
  return {
    id: one.host,
    name: one.name,
    standing: one.standing,
    expected: isExpected(one),
    since: one.since === null ? null : isoTime(one.since),
    lastSeen: one.lastSeen === null ? null : isoTime(one.lastSeen),
    origin: asset?.origin ?? 'agent',
    group: asset?.group ?? 'default',
    criticality: asset?.criticality ?? 'normal',
    agents: registry
      .all()
      .filter((agent) => agent.asset === one.host && (agent.state === 'active' || agent.state === 'held'))
      .map(({ id }) => id),
  };
};

const decisionJson = ({ kind, reason, until, by, at }: HostDecision): Static<typeof DecisionSchema> => ({
  kind,
  reason,
  ...(until === undefined ? {} : { until: isoTime(until) }),
  by,
  at: isoTime(at),
});

export const hostRoutes = (ports: HostPorts): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/fleet/hosts',
    tag: 'fleet',
    summary: 'Hosts with how they stand, and machines that only others’ logs name. Nobody leaves the population but by a decision.',
    permission: 'fleet.read',
    query: closed({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
      standing: Type.Optional(Type.Enum([...STANDINGS])),
    }),
    answer: Type.Object({ items: Type.Array(HostSchema), total: Count }),
    handle: async ({ query: { limit = 1_000, standing } }) => {
      const known = (await ports.hosts.standings()).map((one) => hostJson(one, ports));
      const named = (await ports.hosts.unmanaged()).map(
        ({ name, lines }): Static<typeof HostSchema> => ({
          id: null,
          name,
          standing: 'unmanaged',
          expected: false,
          since: null,
          lastSeen: null,
          origin: 'log',
          group: '',
          criticality: 'normal',
          agents: [],
          lines,
        }),
      );
      const all = [...known, ...named].filter((host) => standing === undefined || host.standing === standing);
      return { body: { items: all.slice(0, limit), total: all.length } };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/fleet/hosts/:id',
    tag: 'fleet',
    summary: 'One host, by id or name, with every decision about it.',
    permission: 'fleet.read',
    params: OneId,
    answer: Type.Intersect([HostSchema, Type.Object({ decisions: Type.Array(DecisionSchema) })]),
    handle: async ({ params: { id } }) => {
      const asset = ports.hosts.find(id);
      const decisions = ports.hosts.decisionsOf(asset);
      return { body: { ...hostJson(await ports.hosts.standingOf(asset), ports), decisions: decisions.map(decisionJson) } };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/fleet/hosts/:id/decisions',
    tag: 'fleet',
    summary: 'Decide about a host: it is expected, planned off until a time, or retired. The newest decision holds, all are kept.',
    permission: 'fleet.write',
    params: OneId,
    body: closed({
      kind: Type.Enum(['expected', 'planned-off', 'retired']),
      reason: Type.String({ minLength: 3, maxLength: 500 }),
      until: Type.Optional(Type.String({ minLength: 4, maxLength: 32, description: 'for planned-off: ISO 8601' })),
    }),
    status: 201,
    answer: HostSchema,
    handle: async ({ params: { id }, body: { kind, reason, until }, actor, from }) => {
      const decision = { kind, reason, ...(until === undefined ? {} : { until: timeOf(until) }) };
      return { body: hostJson(await ports.hosts.decide(actor, id, decision, from), ports) };
    },
  }),
  route({
    method: 'PUT',
    path: '/api/v1/fleet/hosts/:id/criticality',
    tag: 'fleet',
    summary: 'Say how much depends on a host: it multiplies the odds of its scores by 0.5, 1, 1.5 or 2.',
    permission: 'fleet.write',
    params: OneId,
    body: closed({ criticality: Type.Enum([...CRITICALITIES]), reason: Type.String({ minLength: 3, maxLength: 500 }) }),
    answer: HostSchema,
    handle: async ({ params: { id }, body: { criticality, reason }, actor, from }) => {
      const standing = await ports.hosts.rate(actor, id, criticality, reason, from);
      ports.tellHosts();
      return { body: hostJson(standing, ports) };
    },
  }),
];
