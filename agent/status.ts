// SPDX-License-Identifier: Apache-2.0
/**
 * What a running agent tells of itself: streams, spool, uplink, conditions, and the whole story of one path.
 * Input: the parts of the agent. Output: plain values for `status` and `explain`.
 */
import { isAbsolute, resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Ms } from '../core/units.ts';
import type { AgentConfig } from './config.ts';
import { type Identity, renewalDue } from './enrol/identity.ts';
import type { Condition } from './health.ts';
import { explainWatch, type WatchExplanation } from './source/fim/explain.ts';
import type { StreamProgress } from './source/source.ts';
import { discover } from './source/tail/discover.ts';
import { resolveFile, statFile } from './source/tail/identity.ts';
import { describeProblem } from './source/tail/problem.ts';
import { isRefused } from './source/tail/refuse.ts';
import type { Tail } from './source/tail/tail.ts';
import type { Spool } from './spool/spool.ts';
import type { Sender } from './transport/sender.ts';

export interface StreamStatus extends StreamProgress {
  readonly epoch?: string;
  readonly seq: number;
  readonly ackedSeq: number;
}

export interface AgentStatus {
  readonly agent: string;
  readonly url: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly renewalDue: number;
  readonly connected: boolean;
  readonly trouble?: string;
  readonly spool: { readonly dir: string; readonly bytes: number; readonly waitingBytes: number };
  readonly rssBytes: number;
  readonly streams: readonly StreamStatus[];
  readonly conditions: readonly Condition[];
}

export const statusOf = (parts: {
  readonly identity: Identity;
  readonly version: string;
  readonly startedAt: Ms;
  readonly clock: Clock;
  readonly spool: Spool;
  readonly spoolDir: string;
  readonly progress: readonly StreamProgress[];
  readonly conditions: readonly Condition[];
  readonly sender: Sender;
}): AgentStatus => {
  const { identity, spool, sender } = parts;
  const { trouble } = sender.state;
  return {
    agent: identity.agent,
    url: identity.url,
    version: parts.version,
    pid: process.pid,
    uptimeMs: Math.round(parts.clock.monotonic() - parts.startedAt),
    renewalDue: renewalDue(identity),
    connected: sender.clockOffsetMs !== undefined && trouble === undefined,
    ...(trouble === undefined ? {} : { trouble }),
    spool: { dir: parts.spoolDir, bytes: spool.bytes, waitingBytes: spool.waitingBytes },
    rssBytes: process.memoryUsage.rss(),
    streams: parts.progress.map((progress) => streamStatus(progress, spool)),
    conditions: parts.conditions,
  };
};

const streamStatus = (progress: StreamProgress, spool: Spool): StreamStatus => {
  const state = spool.stateOf(progress.stream);
  return {
    ...progress,
    ...(state ? { epoch: state.epoch } : {}),
    seq: state?.seq ?? 0,
    ackedSeq: state ? spool.ackedSeq(progress.stream, state.epoch) : 0,
  };
};

export interface Explanation {
  readonly path: string;
  readonly read: boolean;
  readonly why: string;
  readonly dataset?: string;
  readonly hint?: string;
  readonly problem?: string;
  /** From here on only for a path that a running agent reads. */
  readonly offset?: number;
  readonly behindBytes?: number;
  readonly readUpTo?: number;
  readonly seq?: number;
  readonly ackedSeq?: number;
  readonly counts?: Readonly<Record<string, number>>;
  /** Whether its integrity is watched. */
  readonly integrity?: WatchExplanation;
}

/** Whether and why a path would be read and watched, by configuration and file system alone. */
export const explainOffline = (given: string, from: string, config: AgentConfig, dir: string): Explanation => {
  const path = isAbsolute(given) ? given : resolve(from, given);
  return { ...explainReading(path, from, config, dir), integrity: explainWatch(path, from, config, dir) };
};

const explainReading = (path: string, from: string, config: AgentConfig, dir: string): Explanation => {
  const { targets } = discover({ paths: config['tail.paths'], exclude: config['tail.exclude'], usual: config['tail.discover'] }, from);
  const target = targets.find((one) => one.path === path);
  const seen = statFile(path);
  if (!target) {
    const excluded = discover({ paths: config['tail.paths'], exclude: [], usual: config['tail.discover'] }, from).targets.some(
      (one) => one.path === path,
    );
    const missing = seen.kind === 'no' && seen.problem === 'missing' ? ', and there is no such file' : '';
    const why = excluded ? 'tail.exclude names it' : `neither tail.paths nor the usual logs name it${missing}`;
    return {
      path,
      read: false,
      why,
      hint: excluded ? 'Take it out of tail.exclude.' : `Add it: --tail ${path}=DATASET, or under tail.paths.`,
    };
  }
  const base = { path, dataset: target.dataset };
  const because = target.because === 'usual' ? 'it is one of the usual logs' : `tail.paths names it (${target.because})`;
  const where = resolveFile(path);
  if ('real' in where && isRefused(where.real, [dir, ...config['tail.refuse']])) {
    const { reason, hint } = describeProblem(path, 'refused', 'it lies in a folder that is never read');
    return { ...base, read: false, why: reason, hint };
  }
  if (seen.kind === 'no') {
    const { reason, hint } = describeProblem(path, seen.problem, seen.reason);
    return { ...base, read: false, why: `${because}, but ${reason}`, hint };
  }
  return { ...base, read: true, why: because };
};

/** The same from a running agent, with the place reached. */
export const explainPath = (given: string, from: string, tail: Tail, spool: Spool, config: AgentConfig): Explanation => {
  const path = isAbsolute(given) ? given : resolve(from, given);
  const base = explainOffline(path, from, config, config.state);
  const follow = tail.follow(path);
  const problem = tail.problems().find(({ about }) => about === path);
  const trouble = problem ? { problem: problem.reason, hint: problem.hint } : {};
  if (!follow?.live)
    return { ...base, ...(base.read ? { why: `${base.why}, but it has not been opened yet` } : {}), ...trouble, read: false };
  const state = spool.stateOf(follow.stream);
  return {
    ...base,
    ...trouble,
    read: true,
    offset: follow.place?.offset ?? 0,
    behindBytes: follow.behindBytes,
    readUpTo: follow.readUpTo,
    seq: state?.seq ?? 0,
    ackedSeq: state ? spool.ackedSeq(follow.stream, state.epoch) : 0,
    counts: { ...follow.counts },
  };
};
