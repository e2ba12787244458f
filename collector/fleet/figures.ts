// SPDX-License-Identifier: Apache-2.0
/**
 * The fleet in numbers: hosts expected, reporting, silent; sources and how far behind they are. Pure.
 * Input: agents and their presences. Output: figures for status, Coverage and the report.
 */
import type { UnixMs } from '../../core/units.ts';
import type { Agent, AgentPresence } from '../model/agent.ts';

export interface SourceFigure {
  readonly agent: string;
  readonly host: string;
  readonly stream: string;
  readonly dataset: string;
  /** Milliseconds since the source was last read to its end, on the agent's own clock; 0 when it is. */
  readonly lagMs: number;
  readonly behindBytes: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface FleetFigures {
  /** Hosts with an agent that is neither retired nor revoked. */
  readonly expected: number;
  readonly reporting: number;
  readonly silent: number;
  /** Enrolled and not heard yet. */
  readonly waiting: number;
  /** Copies that a person must decide about. */
  readonly held: number;
  readonly sources: number;
  readonly datasets: Readonly<Record<string, number>>;
  /** Of the source that is furthest behind; null without sources. */
  readonly worstLagMs: number | null;
  readonly behindBytes: number;
  /** Losses and changes that agents declared, by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly conditions: number;
}

export interface Reporting {
  readonly agent: Agent;
  readonly presence: AgentPresence | null;
}

const isExpected = ({ agent }: Reporting): boolean => agent.state === 'active' || agent.state === 'held';

/** Every source of the expected agents, furthest behind first. */
export const sourceFigures = (fleet: readonly Reporting[]): readonly SourceFigure[] =>
  fleet
    .filter(isExpected)
    .flatMap(({ agent, presence }) => (presence?.heartbeat?.streams ?? []).map((source) => ({ agent, presence, source })))
    .map(({ agent, presence, source }) => {
      // The agent stamped `readUpTo` with its own clock, so the heartbeat's time is taken on that clock too.
      const then = (presence?.lastSeen ?? 0) + (presence?.clockOffsetMs ?? 0);
      // One that was never read to its end is behind for as long as its agent runs.
      const readSince = source.readUpTo > 0 ? source.readUpTo : then - (presence?.heartbeat?.uptimeMs ?? 0);
      return {
        agent: agent.id,
        host: agent.host,
        stream: source.stream,
        dataset: source.dataset,
        lagMs: source.behindBytes > 0 ? Math.max(0, then - readSince) : 0,
        behindBytes: source.behindBytes,
        counts: source.counts,
      };
    })
    .sort((a, b) => b.lagMs - a.lagMs || (a.host < b.host ? -1 : 1));

/** Counts each host once, however many agents it had: it reports when one of them does. */
export const fleetFigures = (fleet: readonly Reporting[], now: UnixMs, silentAfterMs: number): FleetFigures => {
  const hosts = new Map<string, 'reporting' | 'silent' | 'waiting'>();
  const rank = { reporting: 2, silent: 1, waiting: 0 } as const;
  for (const one of fleet.filter(isExpected)) {
    const { presence } = one;
    const state = !presence
      ? 'waiting'
      : presence.silentSince !== undefined || now - presence.lastSeen > silentAfterMs
        ? 'silent'
        : 'reporting';
    const before = hosts.get(one.agent.asset);
    if (before === undefined || rank[state] > rank[before]) hosts.set(one.agent.asset, state);
  }
  const count = (state: 'reporting' | 'silent' | 'waiting'): number => [...hosts.values()].filter((one) => one === state).length;
  const sources = sourceFigures(fleet);
  const datasets: Record<string, number> = Object.create(null);
  const counts: Record<string, number> = Object.create(null);
  for (const source of sources) {
    datasets[source.dataset] = (datasets[source.dataset] ?? 0) + 1;
    for (const [name, n] of Object.entries(source.counts)) counts[name] = (counts[name] ?? 0) + n;
  }
  return {
    expected: hosts.size,
    reporting: count('reporting'),
    silent: count('silent'),
    waiting: count('waiting'),
    held: fleet.filter(({ agent }) => agent.held !== undefined).length,
    sources: sources.length,
    datasets,
    worstLagMs: sources[0]?.lagMs ?? null,
    behindBytes: sources.reduce((sum, { behindBytes }) => sum + behindBytes, 0),
    counts,
    conditions: fleet.filter(isExpected).reduce((sum, { presence }) => sum + (presence?.heartbeat?.conditions.length ?? 0), 0),
  };
};
