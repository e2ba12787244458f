// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of hosts, wired: how each stands, what its facts say, what people decide about it.
 * Input: the open parts of the collector. Output: the hosts, and the routes to ask about them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { toError } from '../core/errors.ts';
import type { AssetId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { HeartbeatBody } from '../core/protocol.ts';
import { days, minutes, seconds, type UnixMs, unixMs } from '../core/units.ts';
import type { AuditLog } from './auth/audit/log.ts';
import { readReleaseLists } from './facts/end-of-life.ts';
import { type OwnChecks, openOwnChecks } from './facts/own.ts';
import { factRoutes } from './facts/routes.ts';
import { openSelfTest, type SelfTest } from './facts/self-test.ts';
import type { Assets } from './fleet/asset.ts';
import { hostRoutes } from './fleet/host-routes.ts';
import { type Hosts, openHosts, type SeenName } from './fleet/hosts.ts';
import type { Registry } from './fleet/registry.ts';
import type { Route } from './http/route.ts';
import type { Asset } from './model/agent.ts';
import type { Notice, Notices } from './model/notice.ts';
import { parseOrThrow } from './query/parse.ts';
import type { EventStore, StateStore } from './store/store.ts';

export interface KnownParts {
  readonly clock: Clock;
  readonly state: StateStore;
  readonly events: EventStore;
  readonly audit: AuditLog;
  readonly assets: Assets;
  readonly registry: Registry;
  readonly own: Notices;
  /** The collector's own host. */
  readonly self: Asset;
  readonly log: Log;
  /** Something of a host has changed that the pass must know. */
  readonly tellHosts: () => void;
  /** Folder of the lists that come with Vigil. */
  readonly lists: string;
}

export interface Known {
  /** The collector's own checks. */
  readonly checks: OwnChecks;
  readonly selfTest: SelfTest;
  /** A notice was said: the host that it is about is asked again. */
  heard(notice: Notice): void;
  readonly hosts: Hosts;
  readonly routes: readonly Route[];
}

/** Log lines of so long a time name machines that nobody watches. */
const NAMES_OF_MS = days(7);
const NAMES = 500;
/** So long a count of missing records is good without a new notice, and so long after one it may still grow. */
const COUNTED_MS = minutes(10);
const SEARCHABLE_MS = seconds(5);
const MISSING = 'event.dataset: vigil and event.action: ("records-missing" or "records-lost")';

export const openKnown = async (parts: KnownParts): Promise<Known> => {
  const { clock, state, events, assets, registry, own, log } = parts;
  const namesInLogs = async (): Promise<readonly SeenName[]> => {
    const now = clock.now();
    const field = { text: 'log.syslog.hostname', quoted: false, at: 0 };
    const query = { where: { kind: 'exists', field }, from: unixMs(now - NAMES_OF_MS), to: unixMs(now + 1) } as const;
    return (await events.top(query, 'log.syslog.hostname', NAMES)).map(({ key, count }) => ({ name: key, lines: count }));
  };
  const hosts = await openHosts({ ...parts, namesInLogs });
  const heartbeatOf = (host: AssetId): HeartbeatBody | null => {
    const heard = registry.all().flatMap(({ id, asset }) => (asset === host ? (registry.presenceOf(id) ?? []) : []));
    return heard.sort((a, b) => b.lastSeen - a.lastSeen)[0]?.heartbeat ?? null;
  };
  // Asked of the store only when it may have changed: a notice is searchable a moment after it was said.
  let counted = { at: Number.NEGATIVE_INFINITY, hosts: new Map<string, number>() as ReadonlyMap<string, number> };
  let saidUntil = Number.NEGATIVE_INFINITY;
  const missing = async (since: UnixMs): Promise<ReadonlyMap<string, number>> => {
    const at = performance.now();
    if (counted.at > saidUntil && at - counted.at < COUNTED_MS) return counted.hosts;
    counted = { at, hosts: await countMissing(since) };
    return counted.hosts;
  };
  const countMissing = async (since: UnixMs): Promise<ReadonlyMap<string, number>> => {
    const query = { where: parseOrThrow(MISSING), from: since, to: unixMs(clock.now() + 1) };
    return new Map((await events.top(query, 'related.hosts', NAMES)).map(({ key, count }) => [key, count]));
  };
  const read = (name: string): Promise<string> => readFile(join(parts.lists, name), 'utf8');
  const checks = openOwnChecks({
    state,
    clock,
    lists: readReleaseLists(await read('eol-debian.csv'), await read('eol-ubuntu.csv')),
    standings: hosts.standings,
    heartbeatOf,
    missing,
    notices: own,
    failed: (error) => log.warn({ event: 'checks.failed', err: toError(error) }, 'The collector’s own checks could not be asked'),
  });
  const selfTest = openSelfTest({
    clock,
    host: parts.self.id,
    notices: own,
    answer: (answer) => checks.answer(answer, { host: parts.self.id, name: parts.self.name }),
  });
  return {
    checks,
    selfTest,
    heard: ({ action, host }) => {
      if (action === 'records-missing' || action === 'records-lost') saidUntil = performance.now() + SEARCHABLE_MS;
      if (host && action !== 'check-failed' && action !== 'check-mended') checks.noteChanged([host.id]);
    },
    hosts,
    routes: [
      ...hostRoutes({ hosts, assets, registry, tellHosts: parts.tellHosts }),
      ...factRoutes({ state, now: () => clock.now(), findHost: (idOrName) => hosts.find(idOrName) }),
    ],
  };
};
