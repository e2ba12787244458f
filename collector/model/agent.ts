// SPDX-License-Identifier: Apache-2.0
/**
 * Agents and hosts, and the directory that ingest asks who is speaking (implemented in fleet).
 * Input: enrolment, renewal, heartbeats. Output: verdicts of ingest, provenance of events, the agents' list.
 */
import type { AgentId, AssetId, TokenId } from '../../core/ids.ts';
import type { HeartbeatBody } from '../../core/protocol.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Criticality } from './scores.ts';

/** A host. History outlives the agent that reports it. */
export interface Asset {
  readonly id: AssetId;
  readonly kind: 'host';
  readonly name: string;
  readonly machineId?: string;
  readonly group: string;
  /** How much depends on it, as a person said; normal where nobody did. */
  readonly criticality?: Criticality;
  readonly createdAt: UnixMs;
  /** Made by enrolment, by `replay --host`, by a relay, or for the collector's own notices. */
  readonly origin: 'agent' | 'replay' | 'relay' | 'collector';
}

export interface AgentKey {
  /** Raw Ed25519 public key, base64url. */
  readonly key: string;
  readonly since: UnixMs;
  /** First time this key was used on a connection; until then its predecessor may still renew (I4). */
  readonly firstUsed?: UnixMs;
  /** Serial numbers of certificates issued for it, newest last, hexadecimal. */
  readonly serials: readonly string[];
  readonly notAfter: UnixMs;
  /** A person found that a copy uses it: connections with it are refused, old blocks signed by it stay good. */
  readonly denied?: true;
}

export const AGENT_STATES = ['active', 'held', 'retired', 'revoked'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export interface Agent {
  readonly id: AgentId;
  readonly asset: AssetId;
  readonly host: string;
  readonly group: string;
  readonly state: AgentState;
  /** Every key it held, oldest first: blocks signed by any of them are accepted over the newest (I5). */
  readonly keys: readonly AgentKey[];
  readonly token: TokenId;
  readonly enrolledAt: UnixMs;
  readonly zone: string;
  readonly version: string;
  readonly local: boolean;
  /** While `held`: the older key that came, when and from where (I5). */
  readonly held?: { readonly key: string; readonly since: UnixMs; readonly from: string };
}

/** What changes with each heartbeat: kept in memory, written in batches. */
export interface AgentPresence {
  readonly agent: AgentId;
  readonly lastSeen: UnixMs;
  /** Agent's clock minus ours, in ms, as its last heartbeat told; null before it could know. */
  readonly clockOffsetMs: number | null;
  readonly heartbeat?: HeartbeatBody;
  /** Said to be silent since then, so that it is said once. */
  readonly silentSince?: UnixMs;
}

/** What the pass must know of a host to say whose an event is. */
export interface HostView {
  /** Id of the agent, or `name:<host>` for a host that others speak for (replay, relays). */
  readonly key: string;
  readonly asset: AssetId;
  readonly name: string;
  readonly criticality?: string;
  readonly zone?: string;
}

/** What ingest asks, on every request, from memory. */
export interface AgentDirectory {
  /** MUST answer from memory, at once. Undefined when the id is unknown. */
  find(id: AgentId): Agent | undefined;
  /** The host an agent reports. */
  assetOf(id: AgentId): Asset | undefined;
  /** MUST be called for each verified request; `key` is the connection's. */
  seen(id: AgentId, key: string, at: UnixMs): void;
  heartbeat(id: AgentId, body: HeartbeatBody, at: UnixMs): void;
}
