// SPDX-License-Identifier: Apache-2.0
/**
 * What a spool is opened with.
 * Input: the agent's configuration and identity. Output: spool, release, tests.
 */
import type { Clock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import type { SegmentOptions } from '../../core/segment.ts';
import type { Signer } from '../../core/sign.ts';
import type { Bytes, Ms } from '../../core/units.ts';

export interface SpoolOptions extends SegmentOptions {
  readonly folder: string;
  readonly agent: AgentId;
  readonly host: string;
  readonly zone: string;
  /** The key of today; it changes with each renewal. */
  readonly signer: () => Signer;
  readonly quotaBytes: Bytes;
  /** Acknowledged blocks stay so long, while they take at most a quarter of the quota (W8). */
  readonly keepMs: Ms;
  readonly clock: Clock;
  readonly segmentBytes?: number;
}
