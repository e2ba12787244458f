// SPDX-License-Identifier: Apache-2.0
/**
 * Notices hosts that fell silent, once, and says when they are back. Time in which the collector itself did not listen does not count.
 * Input: when each agent was last heard, on a clock of listening time. Output: notices agent-silent and agent-returned.
 */
import type { Clock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import { type Ms, seconds, type UnixMs } from '../../core/units.ts';
import type { Agent } from '../model/agent.ts';
import type { Notices } from '../model/notice.ts';
import type { Registry } from './registry.ts';

/** What the decider knows of one agent. Both spans are listening time. */
export interface Heard {
  readonly agent: AgentId;
  /** Expected at all: neither retired nor revoked. */
  readonly expected: boolean;
  /** Listening time since it was last heard, or since listening began or it enrolled. */
  readonly quietMs: number;
  /** Heard since listening began. */
  readonly heard: boolean;
  readonly saidSilent: boolean;
}

export interface SilenceChange {
  readonly agent: AgentId;
  readonly change: 'silent' | 'returned';
}

/** Who fell silent and who is back. Pure: the same state gives the same changes, and none once they are said. */
export const judgeSilence = (all: readonly Heard[], silentAfterMs: number): readonly SilenceChange[] =>
  all.flatMap(({ agent, expected, quietMs, heard, saidSilent }): readonly SilenceChange[] => {
    if (expected && !saidSilent && quietMs > silentAfterMs) return [{ agent, change: 'silent' }];
    return saidSilent && heard && quietMs <= silentAfterMs ? [{ agent, change: 'returned' }] : [];
  });

export interface SilenceOptions {
  readonly registry: Registry;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Quiet for longer is silent (90 s: three heartbeats). */
  readonly silentAfterMs?: Ms;
  readonly everyMs?: Ms;
  /** Off until a time, by a decision: not called silent before. */
  readonly isPlannedOff?: (host: Agent['asset']) => boolean;
}

export interface Silence {
  /** Looks now; the timer does so by itself. */
  tick(): void;
  close(): Promise<void>;
}

/** Watches the fleet until it is closed. */
export const openSilence = ({
  registry,
  notices,
  clock,
  silentAfterMs = seconds(90),
  everyMs = seconds(5),
  isPlannedOff = () => false,
}: SilenceOptions): Silence => {
  const stop = new AbortController();
  const began = clock.monotonic();
  let last = began;
  // Who enrols while we listen is expected from then on, not since listening began.
  const knownSince = new Map<AgentId, Ms>(registry.all().map(({ id }) => [id, began]));
  // Spans in which this process did not run: nobody can be heard by somebody who is stopped.
  let stops: readonly { readonly at: number; readonly spanMs: number }[] = [];

  const quietOf = (id: AgentId, heardAt: Ms | undefined, now: Ms): number => {
    if (!knownSince.has(id)) knownSince.set(id, now);
    const since = Math.max(began, heardAt ?? knownSince.get(id) ?? began);
    return stops.reduce((quiet, { at, spanMs }) => (at > since ? quiet - spanMs : quiet), now - since);
  };

  const tick = (): void => {
    const now = clock.monotonic();
    const gap = now - last;
    last = now;
    // A stop that ended longer ago than the threshold excuses nobody any more.
    stops = stops.filter(({ at }) => now - at <= silentAfterMs);
    if (gap > everyMs * 3) stops = [...stops, { at: now, spanMs: gap - everyMs }];
    const state = registry.all().map((agent): Heard => {
      const heardAt = registry.heardAt(agent.id);
      return {
        agent: agent.id,
        expected: (agent.state === 'active' || agent.state === 'held') && !isPlannedOff(agent.asset),
        quietMs: quietOf(agent.id, heardAt, now),
        heard: heardAt !== undefined,
        saidSilent: registry.presenceOf(agent.id)?.silentSince !== undefined,
      };
    });
    for (const { agent, change } of judgeSilence(state, silentAfterMs)) say(agent, change);
  };

  const say = (id: AgentId, change: SilenceChange['change']): void => {
    const agent = registry.find(id);
    if (!agent) return;
    const lastSeen = registry.presenceOf(id)?.lastSeen ?? agent.enrolledAt;
    registry.setSilent(id, change === 'silent' ? clock.now() : null);
    notices.say(change === 'silent' ? silentNotice(agent, registry, lastSeen) : returnedNotice(agent, registry));
  };

  const running = (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(everyMs, stop.signal);
      if (!stop.signal.aborted) tick();
    }
  })();

  return {
    tick,
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

const hostOf = (agent: Agent, registry: Registry): { readonly host?: { readonly id: string; readonly name: string } } => {
  const asset = registry.assetOf(agent.id);
  return asset ? { host: { id: asset.id, name: asset.name } } : {};
};

const silentNotice = (agent: Agent, registry: Registry, lastSeen: UnixMs): Parameters<Notices['say']>[0] => ({
  action: 'agent-silent',
  outcome: 'failure',
  message: `${agent.host} has been silent since ${new Date(lastSeen).toISOString()}.`,
  agent: agent.id,
  from: lastSeen,
  ...hostOf(agent, registry),
});

const returnedNotice = (agent: Agent, registry: Registry): Parameters<Notices['say']>[0] => ({
  action: 'agent-returned',
  outcome: 'success',
  message: `${agent.host} is heard again.`,
  agent: agent.id,
  ...hostOf(agent, registry),
});
