// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of hosts, wired: how each stands, what its facts say, what people decide about it.
 * Input: the open parts of the collector. Output: the hosts, and the routes to ask about them.
 */
import type { Clock } from '../core/clock.ts';
import { days, unixMs } from '../core/units.ts';
import type { AuditLog } from './auth/audit/log.ts';
import { factRoutes } from './facts/routes.ts';
import type { Assets } from './fleet/asset.ts';
import { hostRoutes } from './fleet/host-routes.ts';
import { type Hosts, openHosts, type SeenName } from './fleet/hosts.ts';
import type { Registry } from './fleet/registry.ts';
import type { Route } from './http/route.ts';
import type { EventStore, StateStore } from './store/store.ts';

export interface KnownParts {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly events: EventStore;
  readonly audit: AuditLog;
  readonly assets: Assets;
  readonly registry: Registry;
}

export interface Known {
  readonly hosts: Hosts;
  readonly routes: readonly Route[];
}

/** Log lines of so long a time name machines that nobody watches. */
const NAMES_OF_MS = days(7);
const NAMES = 500;

export const openKnown = (parts: KnownParts): Known => {
  const { clock, state, events, assets, registry } = parts;
  const namesInLogs = async (): Promise<readonly SeenName[]> => {
    const now = clock.now();
    const field = { text: 'log.syslog.hostname', quoted: false, at: 0 };
    const query = { where: { kind: 'exists', field }, from: unixMs(now - NAMES_OF_MS), to: unixMs(now + 1) } as const;
    return (await events.top(query, 'log.syslog.hostname', NAMES)).map(({ key, count }) => ({ name: key, lines: count }));
  };
  const hosts = openHosts({ ...parts, namesInLogs });
  return {
    hosts,
    routes: [
      ...hostRoutes({ hosts, assets, registry }),
      ...factRoutes({ state, now: () => clock.now(), findHost: (idOrName) => hosts.find(idOrName) }),
    ],
  };
};
