// SPDX-License-Identifier: Apache-2.0
/**
 * The hosts as people ask for them, and what people decide about them. Every decision is kept, with reason and person; all are audited.
 * Input: assets, the registry, decisions in the store, names in others' logs. Output: standings; decisions.
 */
import type { Clock } from '../../core/clock.ts';
import { minutes, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Asset } from '../model/agent.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { HostDecision, HostStanding } from '../model/host.ts';
import type { Actor } from '../model/permission.ts';
import type { Criticality } from '../model/scores.ts';
import type { StateStore } from '../store/store.ts';
import type { Assets } from './asset.ts';
import type { Reporting } from './figures.ts';
import { hostStanding, shortName } from './host.ts';
import { allOf } from './lookup.ts';
import type { Registry } from './registry.ts';

export interface HostParts {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly assets: Assets;
  readonly registry: Registry;
  /** Host names that stand in log lines, most frequent first, of the last days. */
  readonly namesInLogs?: () => Promise<readonly SeenName[]>;
}

export interface SeenName {
  readonly name: string;
  readonly lines: number;
}

export interface Decision {
  readonly kind: HostDecision['kind'];
  readonly reason: string;
  readonly until?: UnixMs;
}

export interface Hosts {
  standings(): Promise<readonly HostStanding[]>;
  /** Names in others' logs that no host has. */
  unmanaged(): Promise<readonly SeenName[]>;
  /** By id, or by name where only one has it. @throws CodedError NOT_FOUND. */
  find(idOrName: string): Asset;
  standingOf(asset: Asset): Promise<HostStanding>;
  /** Oldest first. */
  decisionsOf(asset: Asset): readonly HostDecision[];
  /** Somebody said that it is off until a time that is still to come. From memory, at once. */
  isPlannedOff(host: Asset['id']): boolean;
  /** @throws CodedError NOT_FOUND, REQUEST_BAD. */
  decide(by: Actor, idOrName: string, decision: Decision, from?: string): Promise<HostStanding>;
  /** Says how much depends on a host: its scores' odds. Audited. @throws CodedError NOT_FOUND. */
  rate(by: Actor, idOrName: string, criticality: Criticality, reason: string, from?: string): Promise<HostStanding>;
  /** Keeps a decision without an audit entry of its own, for an act that is audited already. */
  note(by: Actor, asset: Asset, decision: Decision): Promise<void>;
}

const SEEN_KEPT_MS = minutes(5);
const SEEN_SHOWN = 200;

export const openHosts = async (parts: HostParts): Promise<Hosts> => {
  const { state, audit, clock, assets, registry } = parts;
  let seen: { readonly at: UnixMs; readonly names: Promise<readonly SeenName[]> } | null = null;

  // Few, and asked with every look at the fleet: kept in memory from the start.
  const decisions = new Map<string, readonly HostDecision[]>();
  const keep = (decision: HostDecision): void => void decisions.set(decision.host, [...(decisions.get(decision.host) ?? []), decision]);
  for (const { value } of (await allOf(state, 'hostDecision')).toSorted((a, b) => a.value.at - b.value.at)) keep(value);
  const decisionsOf = (asset: Asset): readonly HostDecision[] => decisions.get(asset.id) ?? [];
  const agentsOf = (): ReadonlyMap<string, readonly Reporting[]> =>
    Map.groupBy(
      registry.all().map((agent) => ({ agent, presence: registry.presenceOf(agent.id) ?? null })),
      ({ agent }) => agent.asset,
    );

  const standings = async (): Promise<readonly HostStanding[]> => {
    const agents = agentsOf();
    const now = clock.now();
    return (
      assets
        .all()
        // The collector is where its own notices come from; its host is one of the fleet once an agent speaks for it.
        .filter(({ id, origin }) => origin !== 'collector' || agents.has(id) || decisions.has(id))
        .map((asset) => hostStanding({ asset, agents: agents.get(asset.id) ?? [], decisions: decisions.get(asset.id) ?? [] }, now))
        .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.host < b.host ? -1 : 1))
    );
  };

  const find = (idOrName: string): Asset => {
    const named = assets.all().filter(({ name }) => name === idOrName);
    const found = assets.find(idOrName) ?? (named.length === 1 ? named[0] : named.find(({ origin }) => origin === 'agent'));
    if (!found) throw fault('NOT_FOUND', { what: 'host', id: idOrName });
    return found;
  };
  const standingOf = async (asset: Asset): Promise<HostStanding> =>
    hostStanding({ asset, agents: agentsOf().get(asset.id) ?? [], decisions: decisionsOf(asset) }, clock.now());

  const note = async (by: Actor, asset: Asset, { kind, reason, until }: Decision): Promise<void> => {
    const at = clock.now();
    const decision: HostDecision = { host: asset.id, kind, reason, by: by.name, at, ...(until === undefined ? {} : { until }) };
    await state.put('hostDecision', `${asset.id}/${at}`, decision);
    keep(decision);
  };

  return {
    standings,
    find,
    rate: async (by, idOrName, criticality, reason, from) => {
      const asset = find(idOrName);
      const entry = { actor: by, act: 'host.criticality', on: asset.id, details: { host: asset.name, criticality, reason } };
      await audit.act({ ...entry, ...(from === undefined ? {} : { from }) }, () => assets.rate(asset, criticality));
      return standingOf(asset);
    },
    standingOf,
    decisionsOf,
    isPlannedOff: (host) => {
      const newest = decisions.get(host)?.at(-1);
      return newest?.kind === 'planned-off' && (newest.until ?? 0) > clock.now();
    },
    note,
    unmanaged: async () => {
      const now = clock.now();
      if (seen === null || now - seen.at > SEEN_KEPT_MS || now < seen.at)
        seen = { at: unixMs(now), names: parts.namesInLogs?.() ?? Promise.resolve([]) };
      seen.names.catch(() => {
        seen = null;
      });
      const known = new Set(assets.all().flatMap(({ name }) => [name.toLowerCase(), shortName(name)]));
      const names = await seen.names;
      return names.filter(({ name }) => !known.has(name.toLowerCase()) && !known.has(shortName(name))).slice(0, SEEN_SHOWN);
    },
    decide: async (by, idOrName, decision, from) => {
      const asset = find(idOrName);
      if (decision.kind === 'planned-off' && (decision.until ?? 0) <= clock.now())
        throw fault('REQUEST_BAD', { reason: 'a host is planned off until a time that is still to come' });
      const agent = registry.all().find((one) => one.asset === asset.id && (one.state === 'active' || one.state === 'held'));
      if (decision.kind === 'retired' && agent)
        throw fault('REQUEST_BAD', { reason: `its agent ${agent.id} is in use: \`vigil agent retire ${agent.id}\` retires both` });
      const details = { host: asset.name, reason: decision.reason, ...(decision.until === undefined ? {} : { until: decision.until }) };
      await audit.act({ actor: by, act: `host.${decision.kind}`, on: asset.id, details, ...(from === undefined ? {} : { from }) }, () =>
        note(by, asset, decision),
      );
      return standingOf(asset);
    },
  };
};
