// SPDX-License-Identifier: Apache-2.0
/**
 * What people do with agents: list, show, retire, revoke, and decide about copies that are held (I5, I6, I7). Audited.
 * Input: an actor whose permission the route or command has asked. Output: the agents; denials reach live connections at once.
 */
import type { Clock } from '../../core/clock.ts';
import { type AgentId, isId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Agent, AgentPresence, Asset } from '../model/agent.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Notices } from '../model/notice.ts';
import type { Actor } from '../model/permission.ts';
import type { CertifiedAgent } from './ca.ts';
import type { Hosts } from './hosts.ts';
import type { Registry } from './registry.ts';
import { newestKey } from './standing.ts';

export interface AgentView {
  readonly agent: Agent;
  readonly asset: Asset | null;
  readonly presence: AgentPresence | null;
  readonly silent: boolean;
}

export interface FleetParts {
  readonly registry: Registry;
  readonly audit: AuditTrail;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Keeps what is decided about hosts. */
  readonly hosts?: Pick<Hosts, 'note'>;
}

/** Blocks that are kept aside, by why, key and stream (ingest fits it). */
export interface KeptGroup {
  readonly why: string;
  readonly code: string;
  readonly reason: string;
  readonly key: string;
  readonly stream: string;
  readonly blocks: number;
  readonly records: number;
  readonly from: UnixMs;
  readonly to: UnixMs;
  /** First lines as they came. */
  readonly lines: readonly string[];
}

/** What became of held blocks: journaled or dropped, and those that conflict with what is there. */
export interface HeldOutcome {
  readonly blocks: number;
  readonly left: number;
}

/** What ingest does with the blocks that it kept aside. */
export interface HeldActs {
  readonly release?: (agent: AgentId, key: string) => Promise<HeldOutcome>;
  readonly discard?: (agent: AgentId, key: string) => Promise<HeldOutcome>;
  readonly show?: (agent: AgentId) => Promise<readonly KeptGroup[]>;
}

export interface Decided extends AgentView {
  readonly held: HeldOutcome;
}

export interface FleetFilter {
  readonly silent?: boolean;
  /** Only agents of another version than this. */
  readonly notVersion?: string;
  readonly state?: Agent['state'];
}

const view = (registry: Registry, agent: Agent): AgentView => {
  const presence = registry.presenceOf(agent.id) ?? null;
  return { agent, asset: registry.assetOf(agent.id) ?? null, presence, silent: presence?.silentSince !== undefined };
};

/** Agents by host name, filtered. */
export const listAgents = (registry: Registry, filter: FleetFilter = {}): readonly AgentView[] =>
  registry
    .all()
    .map((agent) => view(registry, agent))
    .filter(
      ({ agent, silent }) =>
        (filter.silent === undefined || silent === filter.silent) &&
        (filter.notVersion === undefined || agent.version !== filter.notVersion) &&
        (filter.state === undefined || agent.state === filter.state),
    )
    .sort((a, b) => (a.agent.host < b.agent.host ? -1 : a.agent.host > b.agent.host ? 1 : 0));

/** By id, or by host name where it is the only one. @throws CodedError NOT_FOUND. */
export const showAgent = (registry: Registry, idOrHost: string): AgentView => {
  const byId = isId('agt', idOrHost) ? registry.find(idOrHost) : undefined;
  const named = registry.all().filter((agent) => agent.host === idOrHost);
  const found = byId ?? (named.length === 1 ? named[0] : named.find(({ state }) => state === 'active'));
  if (!found) throw fault('NOT_FOUND', { what: 'agent', id: idOrHost });
  return view(registry, found);
};

const isLive = ({ state }: Agent): boolean => state === 'active' || state === 'held';

const end =
  (state: 'retired' | 'revoked', act: string) =>
  async (parts: FleetParts, by: Actor, idOrHost: string, from?: string, reason?: string): Promise<AgentView> => {
    const { agent, asset } = showAgent(parts.registry, idOrHost);
    const details = { host: agent.host, ...(reason === undefined ? {} : { reason }) };
    if (agent.state !== state)
      await parts.audit.act({ actor: by, act, on: agent.id, details, ...(from === undefined ? {} : { from }) }, async () => {
        await parts.registry.change(agent.id, (now) => ({ ...now, state }));
        // Its host leaves the population with the last agent that is retired, by a decision that is kept; a revoked one leaves it silent.
        if (state !== 'retired' || asset === null || parts.registry.all().some((one) => one.asset === asset.id && isLive(one))) return;
        await parts.hosts?.note(by, asset, { kind: 'retired', reason: reason ?? 'its agent was retired' });
      });
    return showAgent(parts.registry, agent.id);
  };

/** The host is gone: denied from now on, expected no more. @throws CodedError NOT_FOUND. */
export const retireAgent = end('retired', 'agent.retire');
/** The identity is not trusted any more: denied from now on, live connections closed. @throws CodedError NOT_FOUND. */
export const revokeAgent = end('revoked', 'agent.revoke');

/** Agents about which a person must decide. */
export const listHeld = (registry: Registry): readonly AgentView[] => listAgents(registry).filter(({ agent }) => agent.held !== undefined);

const decide = async (
  parts: FleetParts,
  by: Actor,
  idOrHost: string,
  act: string,
  edit: (agent: Agent, key: string) => Agent,
  then: HeldActs['release'],
  from?: string,
): Promise<Decided> => {
  const { agent } = showAgent(parts.registry, idOrHost);
  const held = agent.held;
  if (!held) throw fault('NOT_FOUND', { what: 'held identity of agent', id: idOrHost });
  const outcome = await parts.audit.act(
    { actor: by, act, on: agent.id, details: { host: agent.host, key: held.key }, ...(from === undefined ? {} : { from }) },
    async () => {
      await parts.registry.change(agent.id, (now) => {
        const { held: _, ...rest } = edit(now, held.key);
        return { ...rest, state: now.state === 'held' ? 'active' : now.state };
      });
      return (await then?.(agent.id, held.key)) ?? { blocks: 0, left: 0 };
    },
  );
  return { ...showAgent(parts.registry, agent.id), held: outcome };
};

/** What is kept aside of an agent; looking is audited, as the lines may be a stranger's. @throws CodedError NOT_FOUND. */
export const showHeld = (
  parts: FleetParts,
  by: Actor,
  idOrHost: string,
  acts: HeldActs = {},
  from?: string,
): Promise<readonly KeptGroup[]> => {
  const { agent } = showAgent(parts.registry, idOrHost);
  return parts.audit.act(
    { actor: by, act: 'agent.held.show', on: agent.id, details: { host: agent.host }, ...(from === undefined ? {} : { from }) },
    async () => (await acts.show?.(agent.id)) ?? [],
  );
};

/** The one with the older key is the right one (a host put back from a snapshot): its key is the newest again. @throws CodedError NOT_FOUND. */
export const releaseHeld = (parts: FleetParts, by: Actor, idOrHost: string, acts: HeldActs = {}, from?: string): Promise<Decided> =>
  decide(
    parts,
    by,
    idOrHost,
    'agent.held.release',
    (agent, key) => {
      const right = agent.keys.find((one) => one.key === key);
      const others = agent.keys.filter((one) => one.key !== key);
      return right ? { ...agent, keys: [...others, { ...right, firstUsed: right.firstUsed ?? parts.clock.now() }] } : agent;
    },
    acts.release,
    from,
  );

/** It is a copy: connections with its key are refused from now on. @throws CodedError NOT_FOUND. */
export const discardHeld = (parts: FleetParts, by: Actor, idOrHost: string, acts: HeldActs = {}, from?: string): Promise<Decided> =>
  decide(
    parts,
    by,
    idOrHost,
    'agent.held.discard',
    (agent, key) => ({ ...agent, keys: agent.keys.map((one) => (one.key === key ? { ...one, denied: true as const } : one)) }),
    acts.discard,
    from,
  );

/** Marks that an older key came (I5); says it once until a person has decided. */
export const holdIdentity = async (parts: FleetParts, id: AgentId, key: string, from: string): Promise<void> => {
  const agent = parts.registry.find(id);
  if (!agent || agent.held?.key === key) return;
  const since: UnixMs = parts.clock.now();
  let first = false;
  const now = await parts.registry.change(id, (before) => {
    first = before.held?.key !== key;
    return first ? { ...before, state: before.state === 'active' ? 'held' : before.state, held: { key, since, from } } : before;
  });
  if (!first) return;
  const asset = parts.registry.assetOf(id);
  parts.notices.say({
    action: 'identity-held',
    outcome: 'failure',
    message: `${now.host} came with an older key from ${from}: a copy, a snapshot or a theft. See \`vigil agent held list\`.`,
    agent: id,
    sourceIp: from,
    ...(asset ? { host: { id: asset.id, name: asset.name } } : {}),
  });
  await parts.audit.refused({
    actor: { kind: 'token', id, name: now.host, role: 'auditor' },
    act: 'agent.connect',
    on: id,
    details: { reason: 'an older key', key },
    from,
  });
};

/** I6: an unexpired certificate of our CA, issued later than the newest key known here, proves its key. True when it was taken. */
export const adoptKey = async (parts: FleetParts, certified: CertifiedAgent, from: string): Promise<boolean> => {
  const agent = parts.registry.find(certified.agent);
  const newest = agent && newestKey(agent);
  if (!agent || !newest || certified.issuedAt <= newest.since || parts.registry.ownerOf(certified.key)) return false;
  const actor = { kind: 'token', id: agent.id, name: agent.host, role: 'auditor' } as const;
  await parts.audit.act(
    { actor, act: 'agent.key.adopt', on: agent.id, details: { key: certified.key, serial: certified.serial }, from },
    () =>
      parts.registry.change(agent.id, (now) =>
        now.keys.some(({ key }) => key === certified.key)
          ? now
          : {
              ...now,
              keys: [
                ...now.keys,
                { key: certified.key, since: certified.issuedAt, serials: [certified.serial], notAfter: certified.notAfter },
              ],
            },
      ),
  );
  return true;
};
