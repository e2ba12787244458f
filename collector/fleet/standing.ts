// SPDX-License-Identifier: Apache-2.0
/**
 * How a connection's key stands with its agent: the newest, its predecessor in time, an older copy, or denied (I4, I5, I7). Pure.
 * Input: the agent as registered, the key of the certificate, when the connection began. Output: what may be done with it.
 */
import { minutes, type UnixMs } from '../../core/units.ts';
import type { Agent, AgentKey } from '../model/agent.ts';

export type Standing =
  | { readonly kind: 'current' }
  /** An older key: a clone, a snapshot or a theft. Results are `held`. */
  | { readonly kind: 'older' }
  | { readonly kind: 'denied'; readonly reason: string }
  /** The registry does not know the key: put back from a copy, perhaps (I6). */
  | { readonly kind: 'unknown-key' };

/** A connection opened before the newest key was first used may finish its requests for so long. */
export const OLD_CONNECTION_MS = minutes(5);

export const newestKey = (agent: Agent): AgentKey | undefined => agent.keys.at(-1);

/** Why the agent is denied whatever its key; null when it is not. */
export const denialOf = (agent: Agent): string | null =>
  agent.state === 'revoked' ? 'the agent was revoked' : agent.state === 'retired' ? 'the agent was retired' : null;

/** How a key stands on a connection that began at `connectedAt`. */
export const standingOf = (agent: Agent, key: string, connectedAt: UnixMs, now: UnixMs): Standing => {
  const denial = denialOf(agent);
  if (denial !== null) return { kind: 'denied', reason: denial };
  const index = agent.keys.findIndex((one) => one.key === key);
  const known = agent.keys[index];
  if (!known) return { kind: 'unknown-key' };
  if (known.denied) return { kind: 'denied', reason: 'the key was found in a copy' };
  if (index === agent.keys.length - 1) return { kind: 'current' };
  if (!isPredecessor(agent, index)) return { kind: 'older' };
  const firstUsed = newestKey(agent)?.firstUsed;
  if (firstUsed === undefined) return { kind: 'current' };
  return connectedAt < firstUsed && now - firstUsed < OLD_CONNECTION_MS ? { kind: 'current' } : { kind: 'older' };
};

const isPredecessor = (agent: Agent, index: number): boolean => index === agent.keys.length - 2;

/** I4: only the newest key may renew, or its predecessor until the newest is first used. */
export const mayRenew = (agent: Agent, key: string): boolean => {
  const index = agent.keys.findIndex((one) => one.key === key);
  if (index < 0 || agent.keys[index]?.denied) return false;
  return index === agent.keys.length - 1 || (isPredecessor(agent, index) && newestKey(agent)?.firstUsed === undefined);
};

/** The keys after a renewal by `by`: an unused key that `by` comes before is forgotten, so that a lost answer locks nobody out. */
export const withNewKey = (keys: readonly AgentKey[], by: string, next: AgentKey): readonly AgentKey[] => {
  const at = keys.findIndex((one) => one.key === by);
  const kept = at < 0 ? keys : keys.slice(0, at + 1);
  return [...kept.filter((one) => one.key !== next.key), next];
};
