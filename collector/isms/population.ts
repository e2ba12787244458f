// SPDX-License-Identifier: Apache-2.0
/**
 * Which hosts every check is expected of at a time: those that have or had an agent, until a person retires them. Pure.
 * Input: hosts, people's decisions about them. Output: since when and until when each is expected.
 */

import type { AssetId } from '../../core/ids.ts';
import { LAST_TIME_MS, type UnixMs, unixMs } from '../../core/units.ts';
import type { Agent, Asset } from '../model/agent.ts';
import type { HostDecision } from '../model/host.ts';

/** From inclusive, to exclusive. A host that was retired and taken back has two. */
export interface Stay {
  readonly host: AssetId;
  readonly from: UnixMs;
  readonly to: UnixMs;
}

const EVER = unixMs(LAST_TIME_MS);

/** A host planned off stays: what is not measured is unknown, whatever the plan. An agent that enrols after a host was retired brings it back. */
export const staysOf = (
  assets: readonly Asset[],
  decisions: readonly HostDecision[],
  agents: readonly Pick<Agent, 'asset' | 'enrolledAt'>[] = [],
): readonly Stay[] =>
  assets.flatMap(({ id, origin, createdAt }) => {
    const turns = [
      ...(origin === 'agent' ? [{ at: createdAt, leaves: false }] : []),
      ...agents.filter(({ asset }) => asset === id).map(({ enrolledAt: at }) => ({ at, leaves: false })),
      ...decisions.filter(({ host }) => host === id).map(({ at, kind }) => ({ at, leaves: kind === 'retired' })),
    ].sort((a, b) => a.at - b.at || Number(a.leaves) - Number(b.leaves));
    const stays: Stay[] = [];
    let from: UnixMs | null = null;
    for (const { at, leaves } of turns) {
      if (!leaves) from ??= at;
      else if (from !== null) {
        stays.push({ host: id, from, to: at });
        from = null;
      }
    }
    return from === null ? stays : [...stays, { host: id, from, to: EVER }];
  });

export const hostsAt = (stays: readonly Stay[], at: UnixMs): readonly AssetId[] =>
  stays.filter(({ from, to }) => from <= at && at < to).map(({ host }) => host);
