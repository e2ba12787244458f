// SPDX-License-Identifier: Apache-2.0
/**
 * How each host stands: expected, reporting, silent, planned off, retired by a decision, or seen only in others' logs. Pure.
 * Input: hosts, their agents with what was last heard, people's decisions. Output: standings for coverage, controls, the report.
 */
import { minutes, type UnixMs } from '../../core/units.ts';
import type { Asset } from '../model/agent.ts';
import type { HostDecision, HostStanding } from '../model/host.ts';
import type { Reporting } from './figures.ts';

export interface HostReading {
  readonly asset: Asset;
  /** Every agent it ever had. */
  readonly agents: readonly Reporting[];
  /** Every decision about it, in any order. */
  readonly decisions: readonly HostDecision[];
}

/** Ten heartbeats. */
const OFF_AFTER_MS = minutes(5);

const isLive = ({ agent }: Reporting): boolean => agent.state === 'active' || agent.state === 'held';
const newestOf = (decisions: readonly HostDecision[]): HostDecision | undefined =>
  decisions.reduce<HostDecision | undefined>((newest, one) => (newest === undefined || one.at >= newest.at ? one : newest), undefined);

/** Silence is judged where it is watched: time in which nobody listened does not count. */
const isHeard = ({ presence }: Reporting): boolean => presence !== null && presence.silentSince === undefined;

/** The standing of one host. An agent that enrolled after its host was retired brings it back. */
export const hostStanding = ({ asset, agents, decisions }: HostReading, now: UnixMs): HostStanding => {
  const live = agents.filter(isLive);
  const decision = newestOf(decisions);
  const seen = agents.flatMap(({ presence }) => (presence === null ? [] : [presence.lastSeen]));
  const lastSeen = seen.length === 0 ? null : (Math.max(...seen) as UnixMs);
  const stand = (standing: HostStanding['standing'], since: UnixMs | null): HostStanding => ({
    host: asset.id,
    name: asset.name,
    standing,
    since,
    lastSeen,
  });
  if (decision?.kind === 'retired' && !live.some(({ agent }) => agent.enrolledAt > decision.at)) return stand('retired', decision.at);
  // A host that is planned off is not called silent, so whether it reports is read off its last word.
  const isOff = decision?.kind === 'planned-off' && (decision.until ?? 0) > now && now - (lastSeen ?? 0) > OFF_AFTER_MS;
  if (isOff) return stand('planned-off', decision.at);
  if (live.some(isHeard)) return stand('reporting', null);
  if (agents.length === 0) return decision === undefined ? stand('unmanaged', asset.createdAt) : stand('expected', decision.at);
  // Before decisions were kept, a host was retired with its agent.
  if (decision === undefined && agents.every(({ agent }) => agent.state === 'retired')) return stand('retired', null);
  if (lastSeen === null) return stand('expected', live[0]?.agent.enrolledAt ?? asset.createdAt);
  const silentSince = agents.flatMap(({ presence }) => presence?.silentSince ?? []);
  return stand('silent', silentSince.length === 0 ? lastSeen : (Math.min(...silentSince) as UnixMs));
};

/** Part of the population: nobody leaves it but by a decision. */
export const isExpected = ({ standing }: HostStanding): boolean => standing !== 'retired' && standing !== 'unmanaged';

/** First label, folded: how a log line names a machine. */
export const shortName = (name: string): string => (name.split('.')[0] ?? name).toLowerCase();
