// SPDX-License-Identifier: Apache-2.0
/**
 * A host's standing: no percentage improves by forgetting a host, so one leaves the population only by a decision that is kept.
 * Input: assets, agents' presence, people's decisions. Output: the population of every check, coverage, the report.
 */
import type { AssetId, UserId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';

/** `unmanaged`: seen only in others' logs. `planned-off` counts as expected and is not called silent until its time. */
export const STANDINGS = ['expected', 'reporting', 'silent', 'planned-off', 'retired', 'unmanaged'] as const;
export type Standing = (typeof STANDINGS)[number];

/** What a person decided about a host; the newest holds, all are kept. */
export interface HostDecision {
  readonly host: AssetId;
  readonly kind: 'expected' | 'planned-off' | 'retired';
  readonly until?: UnixMs;
  readonly reason: string;
  readonly by: UserId | string;
  readonly at: UnixMs;
}

export interface HostStanding {
  readonly host: AssetId;
  readonly name: string;
  readonly standing: Standing;
  readonly since: UnixMs | null;
  readonly lastSeen: UnixMs | null;
}
