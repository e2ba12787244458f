// SPDX-License-Identifier: Apache-2.0
/**
 * Hosts as assets: one per machine, whoever reports it, so that history outlives a reinstalled agent.
 * Input: enrolment (name, machine id), `replay --host` and relays (a name). Output: the asset, found again or made.
 */
import type { Clock } from '../../core/clock.ts';
import { makeId } from '../../core/ids.ts';
import type { Asset } from '../model/agent.ts';
import type { Criticality } from '../model/scores.ts';
import type { StateStore } from '../store/store.ts';
import { allOf } from './lookup.ts';

export interface HostClaim {
  readonly name: string;
  /** What the host says of itself; suggests, never proves (I3). Empty when it has none. */
  readonly machineId: string;
  readonly group: string;
}

/**
 * The known host that a claim means, or null. A machine id counts unless an agent of that host was heard lately (then it is a clone);
 * a name counts for hosts that have no machine id, which replay and relays made. Pure.
 */
export const matchHost = (assets: readonly Asset[], claim: HostClaim, isLive: (asset: Asset) => boolean): Asset | null => {
  const oldestFirst = [...assets].sort((a, b) => a.createdAt - b.createdAt);
  const same = claim.machineId === '' ? undefined : oldestFirst.find((asset) => asset.machineId === claim.machineId && !isLive(asset));
  return same ?? oldestFirst.find((asset) => asset.machineId === undefined && asset.name === claim.name && !isLive(asset)) ?? null;
};

export interface Assets {
  all(): readonly Asset[];
  find(id: string): Asset | undefined;
  /** The asset for an enrolling agent: a known host, or a new one. */
  forAgent(claim: HostClaim, isLive: (asset: Asset) => boolean): Promise<Asset>;
  /** The asset of a name, for replayed or relayed lines: a host of that name, or a new one. */
  forName(name: string, origin: 'replay' | 'relay' | 'collector'): Promise<Asset>;
  /** Says how much depends on a host. */
  rate(asset: Asset, criticality: Criticality): Promise<Asset>;
}

/** Opens the hosts; all are kept in memory. */
export const openAssets = async (state: StateStore, clock: Clock): Promise<Assets> => {
  const assets = new Map((await allOf(state, 'asset')).map(({ value }) => [value.id, value] as const));
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // the caller hears of it; the next one only waits
    return done;
  };
  const keep = async (asset: Asset): Promise<Asset> => {
    await state.put('asset', asset.id, asset);
    assets.set(asset.id, asset);
    return asset;
  };
  const make = (name: string, group: string, origin: Asset['origin'], machineId: string): Promise<Asset> =>
    keep({ id: makeId('ast'), kind: 'host', name, group, createdAt: clock.now(), origin, ...(machineId === '' ? {} : { machineId }) });
  return {
    all: () => [...assets.values()],
    find: (id) => assets.get(id as Asset['id']),
    forAgent: (claim, isLive) =>
      inTurn(async () => {
        const known = matchHost([...assets.values()], claim, isLive);
        if (!known) return make(claim.name, claim.group, 'agent', claim.machineId);
        const next: Asset = {
          ...known,
          name: claim.name,
          group: claim.group,
          origin: 'agent',
          ...(claim.machineId === '' ? {} : { machineId: claim.machineId }),
        };
        return keep(next);
      }),
    forName: (name, origin) =>
      inTurn(async () => {
        const oldestFirst = [...assets.values()].sort((a, b) => a.createdAt - b.createdAt);
        const named = oldestFirst.filter((asset) => asset.name === name);
        return named.find((asset) => asset.origin === 'agent') ?? named[0] ?? make(name, 'default', origin, '');
      }),
    rate: ({ id }, criticality) => inTurn(() => keep({ ...(assets.get(id) as Asset), criticality })),
  };
};
