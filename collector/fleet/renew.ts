// SPDX-License-Identifier: Apache-2.0
/**
 * Renewal: a new key and certificate on a signature by the enrolled key over the server's nonce; no valid certificate is needed (I1, I4).
 * Input: the JSON of the nonce and renew doors. Output: a nonce; EnrolAnswer, or why not.
 */
import { type CodedError, isCoded } from '../../core/errors.ts';
import { random128 } from '../../core/ids.ts';
import { RENEW_DOMAIN, type RenewRequest } from '../../core/protocol.ts';
import { verifySignatureAsync } from '../../core/sign.ts';
import { minutes, type UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Agent } from '../model/agent.ts';
import { RENEW_AFTER_MS } from './ca.ts';
import { readRequest } from './certificate.ts';
import { type IdentityOutcome, type IdentityParts, REFUSALS_PER_MINUTE, tellRefusal } from './enrol.ts';
import { openRefusalLimit, type RefusalLimit } from './limit.ts';
import { readRenewRequest } from './request.ts';
import { denialOf, mayRenew, newestKey, withNewKey } from './standing.ts';

export interface Nonces {
  /** A fresh nonce, good once within a minute. */
  give(): { readonly nonce: string; readonly serverTime: UnixMs };
  /** True once for each nonce that was given and is not too old. */
  take(nonce: string): boolean;
}

const NONCE_MS = minutes(1);
const MAX_NONCES = 100_000;

/** Opens the nonces; the oldest go first when too many are out, so memory is bounded. */
export const openNonces = (clock: IdentityParts['clock']): Nonces => {
  const given = new Map<string, number>();
  return {
    give: () => {
      const now = clock.monotonic();
      for (const [nonce, at] of given) {
        if (given.size < MAX_NONCES && now - at < NONCE_MS) break;
        given.delete(nonce);
      }
      const nonce = random128();
      given.set(nonce, now);
      return { nonce, serverTime: clock.now() };
    },
    take: (nonce) => {
      const at = given.get(nonce);
      given.delete(nonce);
      return at !== undefined && clock.monotonic() - at < NONCE_MS;
    },
  };
};

const refusal = (reason: string): CodedError => fault('IDENTITY_REFUSED', { reason });

/** Takes renewals. Refusals are limited by address, audited and noticed. @throws CodedError only for faults of this side. */
export const openRenewal = (
  parts: IdentityParts,
  nonces: Nonces,
  limit: RefusalLimit = openRefusalLimit(REFUSALS_PER_MINUTE, minutes(1), () => parts.clock.monotonic()),
) => {
  return async (body: unknown, from: string): Promise<IdentityOutcome> => {
    const waitMs = limit.take(from);
    if (waitMs > 0) return { kind: 'refused', error: fault('TOO_MANY_REQUESTS', { address: from }), retryAfterMs: waitMs };
    const read = readRenewRequest(body);
    if (read.kind === 'bad') return { kind: 'refused', error: fault('ENROL_BAD', { reason: read.reason }) };
    const agent = parts.registry.find(read.value.agent);
    try {
      const outcome = await renewOne(parts, nonces, read.value, agent, from);
      limit.giveBack(from);
      return outcome;
    } catch (error) {
      if (!isCoded(error, 'IDENTITY_REFUSED')) throw error;
      await tellRefusal(parts, 'agent.renew', read.value.agent, agent?.host ?? 'unknown', from, error);
      return { kind: 'refused', error };
    }
  };
};

const renewOne = async (
  parts: IdentityParts,
  nonces: Nonces,
  request: RenewRequest,
  agent: Agent | undefined,
  from: string,
): Promise<IdentityOutcome> => {
  const { registry, clock, ca } = parts;
  if (!nonces.take(request.nonce)) throw refusal('the nonce is unknown, used or too old');
  if (!agent) throw refusal('the agent is unknown');
  const denial = denialOf(agent);
  if (denial !== null) throw refusal(denial);
  if (!agent.keys.some(({ key }) => key === request.key)) throw refusal('the key is not one of this agent');
  const signed = Buffer.from(`${request.nonce}${request.csr}`);
  if (!(await verifySignatureAsync(request.key, Buffer.from(request.signature, 'base64url'), RENEW_DOMAIN, signed)))
    throw refusal('the signature does not hold');
  if (!mayRenew(agent, request.key)) throw refusal('the key was replaced by a newer one');
  const csr = await readRequest(request.csr);
  if (csr.kind === 'bad') throw refusal(csr.reason);
  // The answer may have been lost: the same new key gets another certificate, any other key must be new (I4).
  const newest = newestKey(agent);
  const again = newest?.key === csr.key && newest.firstUsed === undefined && csr.key !== request.key;
  if (!again && registry.ownerOf(csr.key)) throw refusal('the new key was used before');
  const actor = { kind: 'token', id: agent.id, name: agent.host, role: 'auditor' } as const;
  return parts.audit.act({ actor, act: 'agent.renew', on: agent.id, details: { key: csr.key, by: request.key }, from }, async () => {
    const issued = await ca.issueAgent(agent.id, csr.key);
    const serials = again ? [...newest.serials, issued.serial].slice(-8) : [issued.serial];
    const next = { key: csr.key, since: clock.now(), serials, notAfter: issued.notAfter };
    await registry.change(agent.id, (now) => {
      // Decided again on what stands now: two renewals at once must not both win.
      if (denialOf(now) !== null || !mayRenew(now, request.key)) throw refusal('the key was replaced by a newer one');
      return { ...now, keys: withNewKey(now.keys, request.key, next) };
    });
    return {
      kind: 'given',
      answer: {
        agent: agent.id,
        certificate: issued.certificate,
        ca: ca.certificate,
        serverTime: clock.now(),
        renewAfterMs: RENEW_AFTER_MS,
      },
    };
  });
};
