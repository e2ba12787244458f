// SPDX-License-Identifier: Apache-2.0
/**
 * Who is at the agent door: decided by the verified certificate of the live connection, on each request (I1, I5, I6, I7).
 * Input: TLS sockets, the registry. Output: a sender, or why it is refused; sockets of a denied agent are closed at once.
 */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { AgentId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { minutes, type UnixMs } from '../../core/units.ts';
import { type Ca, type CertifiedAgent, readAgentCertificate } from '../fleet/ca.ts';
import { adoptKey, type FleetParts, holdIdentity } from '../fleet/commands.ts';
import { openRefusalLimit } from '../fleet/limit.ts';
import type { Agent, Asset } from '../model/agent.ts';

/** A verified sender of blocks. Nothing in a header or body can change it. */
export interface BlockSender {
  readonly agent: Agent;
  readonly asset: Asset;
  /** Raw Ed25519 key of the connection's certificate, base64url. */
  readonly key: string;
  /** The key is an older one: every block is answered `held` (I5). */
  readonly held: boolean;
  /** Remote address. */
  readonly from: string;
}

export type Judged = { readonly kind: 'sender'; readonly sender: BlockSender } | { readonly kind: 'refused'; readonly reason: string };

interface Connection {
  readonly certified: CertifiedAgent;
  readonly connectedAt: UnixMs;
}

export interface IdentityDoor {
  /** Takes a new connection, once its handshake is done. */
  arrived(socket: TLSSocket): void;
  judge(socket: TLSSocket): Promise<Judged>;
  /** Live connections of agents. */
  readonly connections: () => number;
}

/** The peer's address; an IPv4 address is written as one also where the listener speaks both. */
export const remoteOf = (socket: TLSSocket): string => (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');

export interface IdentityDoorParts extends FleetParts {
  readonly ca: Ca;
  readonly log: Log;
}

export const openIdentityDoor = (parts: IdentityDoorParts): IdentityDoor => {
  const { ca, registry, clock, notices, log } = parts;
  const known = new WeakMap<TLSSocket, Connection>();
  const live = new Map<AgentId, Set<TLSSocket>>();
  const authority = new X509Certificate(ca.certificate).publicKey;
  const notes = openRefusalLimit(10, minutes(1), () => clock.monotonic());

  registry.onDenied((id, key) => {
    for (const socket of live.get(id) ?? []) if (key === null || known.get(socket)?.certified.key === key) socket.destroy();
  });

  const refuse = (reason: string, from: string, agent?: AgentId): Judged => {
    // A host that was off for days is no news; everything else is, but not without end.
    if (notes.take(from) === 0)
      notices.say({
        action: 'identity-refused',
        outcome: 'failure',
        message: `A connection from ${from} was refused: ${reason}.`,
        sourceIp: from,
        reason,
        ...(agent === undefined ? {} : { agent }),
      });
    return { kind: 'refused', reason };
  };

  return {
    arrived: (socket) => {
      // Never decided by authorizationError: only this one value says that the chain was verified (I1).
      if (socket.authorized !== true || socket.isSessionReused()) return;
      const certificate = socket.getPeerX509Certificate();
      const certified = certificate ? readAgentCertificate(certificate) : null;
      if (!certified) return;
      known.set(socket, { certified, connectedAt: clock.now() });
      const sockets = live.get(certified.agent) ?? new Set();
      live.set(certified.agent, sockets.add(socket));
      socket.once('close', () => {
        sockets.delete(socket);
        if (sockets.size === 0 && live.get(certified.agent) === sockets) live.delete(certified.agent);
      });
    },
    judge: async (socket) => {
      const from = remoteOf(socket);
      const connection = known.get(socket);
      if (!connection) {
        const certificate = socket.getPeerX509Certificate();
        if (!certificate) return { kind: 'refused', reason: 'no certificate was shown' };
        return certificate.verify(authority)
          ? { kind: 'refused', reason: 'the certificate is not valid now' }
          : refuse('the certificate is of another authority', from);
      }
      const { certified, connectedAt } = connection;
      if (clock.now() >= certified.notAfter) return { kind: 'refused', reason: 'the certificate is not valid now' };
      let standing = registry.standing(certified.agent, certified.key, connectedAt);
      if (standing.kind === 'unknown-key' && (await adoptKey(parts, certified, from))) {
        log.warn(
          { event: 'fleet.key.adopted', agent: certified.agent },
          'a key newer than the registry knows was taken by its certificate',
        );
        standing = registry.standing(certified.agent, certified.key, connectedAt);
      }
      if (standing.kind === 'unknown-agent') return refuse('the agent is unknown', from, certified.agent);
      if (standing.kind === 'unknown-key') return refuse('the key is unknown', from, certified.agent);
      if (standing.kind === 'denied') return refuse(standing.reason, from, certified.agent);
      if (standing.kind === 'older') await holdIdentity(parts, certified.agent, certified.key, from);
      const [agent, asset] = [registry.find(certified.agent), registry.assetOf(certified.agent)];
      if (!agent || !asset) return refuse('the agent has no host', from, certified.agent);
      return { kind: 'sender', sender: { agent, asset, key: certified.key, held: standing.kind === 'older', from } };
    },
    connections: () => [...live.values()].reduce((sum, sockets) => sum + sockets.size, 0),
  };
};
