// SPDX-License-Identifier: Apache-2.0
/**
 * What the pass must know of each host, and the telling of it when something of it is new.
 * Input: hosts and agents in memory. Output: views for the river's start, then those that changed.
 */
import type { AgentId } from '../core/ids.ts';
import type { Assets } from './fleet/asset.ts';
import type { Registry } from './fleet/registry.ts';
import type { Asset, HostView } from './model/agent.ts';

export interface HostViews {
  all(): readonly HostView[];
  /** Those that `tell` was not told of before. */
  fresh(): readonly HostView[];
}

export const openHostViews = (
  own: { readonly agent: AgentId; readonly asset: Asset },
  assets: Assets,
  registry: Pick<Registry, 'all'>,
): HostViews => {
  const told = new Set<string>();
  const view = (key: string, asset: Asset['id'], name: string): HostView => {
    const criticality = assets.find(asset)?.criticality;
    return { key, asset, name, ...(criticality === undefined ? {} : { criticality }) };
  };
  const all = (): readonly HostView[] => [
    view(own.agent, own.asset.id, own.asset.name),
    ...assets.all().map(({ id, name }) => view(`name:${name}`, id, name)),
    ...registry.all().map((agent) => view(agent.id, agent.asset, agent.host)),
  ];
  const textOf = ({ key, asset, name, criticality }: HostView): string => `${key} ${asset} ${criticality ?? ''} ${name}`;
  return {
    all,
    fresh: () => {
      const fresh = all().filter((one) => !told.has(textOf(one)));
      for (const one of fresh) told.add(textOf(one));
      return fresh;
    },
  };
};
