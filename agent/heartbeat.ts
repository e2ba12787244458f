// SPDX-License-Identifier: Apache-2.0
/**
 * The signed heartbeat: own cost, where every stream stands, what is wrong. It goes through the spool like everything else.
 * Input: sources, spool, budget, conditions. Output: a sealed block on the stream `heartbeat`.
 */
import type { Clock } from '../core/clock.ts';
import type { HeartbeatBody, StreamHealth } from '../core/protocol.ts';
import type { Ms } from '../core/units.ts';
import type { Budget } from './budget.ts';
import type { Condition } from './health.ts';
import type { StreamProgress } from './source/source.ts';
import type { Spool } from './spool/spool.ts';

export const HEARTBEAT_STREAM = 'heartbeat';
export const HEARTBEAT_DATASET = 'heartbeat';
export const HEARTBEAT_MS = 30_000;
const MAX_STREAMS = 4_000;

export interface HeartbeatInput {
  readonly version: string;
  readonly clock: Clock;
  /** Monotonic time of the start. */
  readonly startedAt: Ms;
  readonly spool: Spool;
  readonly budget: Budget;
  readonly progress: readonly StreamProgress[];
  readonly conditions: readonly Condition[];
  /** Bytes sent since the heartbeat before. */
  readonly sentBytes: number;
  /** The collector's clock minus ours; undefined before its first answer. */
  readonly clockOffsetMs: number | undefined;
}

/** What a heartbeat says now. */
export const heartbeatBody = (input: HeartbeatInput): HeartbeatBody => ({
  version: input.version,
  uptimeMs: Math.round(input.clock.monotonic() - input.startedAt),
  ...(input.clockOffsetMs === undefined ? {} : { clockOffsetMs: Math.round(input.clockOffsetMs) }),
  cost: { ...input.budget.cost(), spoolBytes: input.spool.bytes, sentBytes: input.sentBytes },
  streams: input.progress.slice(0, MAX_STREAMS).map((progress) => streamHealth(progress, input.spool)),
  conditions: input.conditions,
});

const streamHealth = ({ stream, dataset, readUpTo, behindBytes, counts }: StreamProgress, spool: Spool): StreamHealth => {
  const { epoch, seq } = spool.ensure(stream);
  return { stream, dataset, epoch, seq, readUpTo, behindBytes, counts };
};

/** Seals one, unless the last one still waits: a collector that is away needs no pile of them. */
export const sealHeartbeat = (input: HeartbeatInput): boolean => {
  const last = input.spool.stateOf(HEARTBEAT_STREAM);
  if (last && input.spool.ackedSeq(HEARTBEAT_STREAM, last.epoch) < last.seq) return false;
  if (!input.spool.room) return false;
  input.spool.sealJson(HEARTBEAT_STREAM, 'heartbeat', HEARTBEAT_DATASET, heartbeatBody(input));
  return true;
};
