// SPDX-License-Identifier: Apache-2.0
/**
 * Enrolment: a token and a key that is possessed become an agent with a certificate (I2, I3). Refusals are audited and noticed.
 * Input: the JSON of the enrol door and the socket's address. Output: EnrolAnswer, or why not. The request's names are not believed.
 */
import type { Clock } from '../../core/clock.ts';
import { type CodedError, isCoded } from '../../core/errors.ts';
import { type AgentId, isId, makeId } from '../../core/ids.ts';
import type { EnrolAnswer, EnrolRequest } from '../../core/protocol.ts';
import { minutes, type UnixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { Agent, AgentKey } from '../model/agent.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Notices } from '../model/notice.ts';
import type { Actor } from '../model/permission.ts';
import type { EnrolToken } from '../model/user.ts';
import type { StateStore, Stored } from '../store/store.ts';
import type { Assets } from './asset.ts';
import { type Ca, RENEW_AFTER_MS } from './ca.ts';
import { readRequest } from './certificate.ts';
import { openRefusalLimit, type RefusalLimit } from './limit.ts';
import type { Registry } from './registry.ts';
import { readEnrolRequest } from './request.ts';
import { denialOf, newestKey, withNewKey } from './standing.ts';
import type { EnrolTokens } from './token.ts';

export interface IdentityParts {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly ca: Ca;
  readonly registry: Registry;
  readonly assets: Assets;
  readonly tokens: EnrolTokens;
}

export type IdentityOutcome =
  | { readonly kind: 'given'; readonly answer: EnrolAnswer }
  | { readonly kind: 'refused'; readonly error: CodedError; readonly retryAfterMs?: number };

/** Refused attempts of one address in a minute before it must wait. */
export const REFUSALS_PER_MINUTE = 10;

/** What a token says to a key at a time. Pure (I2). */
export const judgeToken = (
  token: EnrolToken,
  key: string,
  now: UnixMs,
): { readonly kind: 'new' } | { readonly kind: 'again'; readonly agent: string } | { readonly kind: 'no'; readonly reason: string } => {
  if (token.revokedAt !== undefined) return { kind: 'no', reason: 'the token was revoked' };
  if (now >= token.expiresAt) return { kind: 'no', reason: 'the token has expired' };
  const before = token.usedBy.find((use) => use.key === key);
  if (before) return { kind: 'again', agent: before.agent };
  return token.usedBy.length < token.uses ? { kind: 'new' } : { kind: 'no', reason: 'the token is used up' };
};

/** Takes one enrolment. @throws CodedError only for faults of this side (AUDIT_FAILED, SEGMENT_FAILED). */
export const openEnrolment = (
  parts: IdentityParts,
  limit: RefusalLimit = openRefusalLimit(REFUSALS_PER_MINUTE, minutes(1), () => parts.clock.monotonic()),
) => {
  let turn: Promise<unknown> = Promise.resolve();
  // One at a time, so that parallel uses of a token count right.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // the caller hears of it; the next one only waits
    return done;
  };

  return async (body: unknown, from: string): Promise<IdentityOutcome> => {
    const waitMs = limit.take(from);
    if (waitMs > 0) return { kind: 'refused', error: fault('TOO_MANY_REQUESTS', { address: from }), retryAfterMs: waitMs };
    const read = readEnrolRequest(body);
    if (read.kind === 'bad') return { kind: 'refused', error: fault('ENROL_BAD', { reason: read.reason }) };
    const request = read.value;
    const csr = await readRequest(request.csr);
    if (csr.kind === 'bad') return { kind: 'refused', error: fault('ENROL_BAD', { reason: csr.reason }) };
    const stored = await parts.tokens.find(request.secret);
    try {
      if (!stored) throw refusal('the token is unknown');
      const answer = await inTurn(() => enrolOne(parts, stored.id, csr.key, request, from));
      limit.giveBack(from);
      return { kind: 'given', answer };
    } catch (error) {
      if (!isCoded(error, 'IDENTITY_REFUSED')) throw error;
      await tellRefusal(parts, 'agent.enrol', stored?.id ?? 'unknown token', request.host, from, error);
      return { kind: 'refused', error };
    }
  };
};

const refusal = (reason: string): CodedError => fault('IDENTITY_REFUSED', { reason });

/** Records a refused identity: an audit row and a notice. */
export const tellRefusal = async (
  parts: Pick<IdentityParts, 'audit' | 'notices'>,
  act: string,
  on: string,
  host: string,
  from: string,
  error: CodedError,
): Promise<void> => {
  const reason = String(error.details['reason'] ?? error.code);
  parts.notices.say({
    action: 'identity-refused',
    outcome: 'failure',
    message: `An identity from ${from} was refused: ${reason}.`,
    sourceIp: from,
    reason,
    ...(isId('agt', on) ? { agent: on } : {}),
  });
  await parts.audit.refused({ actor: { kind: 'token', id: on, name: host, role: 'auditor' }, act, on, details: { reason, host }, from });
};

const enrolOne = async (parts: IdentityParts, tokenId: string, key: string, request: EnrolRequest, from: string): Promise<EnrolAnswer> => {
  const { state, registry, clock } = parts;
  const stored = await state.get('enrolToken', tokenId);
  if (!stored) throw refusal('the token is unknown');
  const token = stored.value;
  const verdict = judgeToken(token, key, clock.now());
  if (verdict.kind === 'no') throw refusal(verdict.reason);
  const owner = registry.ownerOf(key);
  if (owner && denialOf(owner) !== null) throw refusal(denialOf(owner) ?? '');
  // I3: whoever proves the newest key of an agent is that agent, by whatever token.
  if (owner && newestKey(owner)?.key !== key && verdict.kind !== 'again') throw refusal('the key was replaced by a newer one');
  const replaced = token.replace === undefined ? undefined : registry.find(token.replace as AgentId);
  if (token.replace !== undefined && (!replaced || (owner && owner.id !== replaced.id)))
    throw refusal('the token is bound to another agent');
  const id = owner?.id ?? replaced?.id ?? (verdict.kind === 'again' && isId('agt', verdict.agent) ? verdict.agent : makeId('agt'));
  const actor: Actor = { kind: 'token', id: token.id, name: `enrolment token of ${token.createdBy}`, role: 'auditor' };
  const details = { host: request.host, group: token.group, key, token: token.id };
  return parts.audit.act({ actor, act: 'agent.enrol', on: id, details, from }, async () => {
    if (verdict.kind === 'new') await countUse(state, stored, key, id, clock.now());
    const issued = await parts.ca.issueAgent(id, key);
    const newKey: AgentKey = { key, since: clock.now(), serials: [issued.serial], notAfter: issued.notAfter };
    await settle(parts, id, newKey, token, request, owner, replaced);
    const agent = registry.find(id);
    const asset = registry.assetOf(id);
    parts.notices.say({
      action: 'agent-enrolled',
      outcome: 'success',
      message: `${request.host} enrolled from ${from}${replaced ? ', replacing the agent before' : ''}.`,
      agent: id,
      sourceIp: from,
      ...(asset ? { host: { id: asset.id, name: asset.name } } : {}),
    });
    return {
      agent: agent?.id ?? id,
      certificate: issued.certificate,
      ca: parts.ca.certificate,
      serverTime: clock.now(),
      renewAfterMs: RENEW_AFTER_MS,
    };
  });
};

const countUse = async (state: StateStore, stored: Stored<EnrolToken>, key: string, agent: AgentId, at: UnixMs): Promise<void> => {
  await state.put(
    'enrolToken',
    stored.id,
    { ...stored.value, usedBy: [...stored.value.usedBy, { key, agent, at }] },
    { ifVersion: stored.version },
  );
};

const settle = async (
  parts: IdentityParts,
  id: AgentId,
  newKey: AgentKey,
  token: EnrolToken,
  request: EnrolRequest,
  owner: Agent | undefined,
  replaced: Agent | undefined,
): Promise<void> => {
  const { registry, assets, clock } = parts;
  if (owner) {
    await registry.change(id, (agent) => ({
      ...agent,
      keys: agent.keys.map((one) =>
        one.key === newKey.key ? { ...one, serials: [...one.serials, ...newKey.serials].slice(-8), notAfter: newKey.notAfter } : one,
      ),
    }));
    return;
  }
  if (replaced) {
    // An administrator gave the id to this host: the key before counts as a copy from now on.
    const key = { ...newKey, firstUsed: clock.now() };
    await registry.change(id, ({ held: _, ...agent }) => ({
      ...agent,
      host: request.host,
      zone: request.zone,
      version: request.version,
      state: 'active',
      keys: withNewKey(agent.keys, agent.keys.at(-1)?.key ?? '', key),
    }));
    return;
  }
  const asset = await assets.forAgent({ name: request.host, machineId: request.machineId, group: token.group }, registry.isLive);
  await registry.add({
    id,
    asset: asset.id,
    host: request.host,
    group: token.group,
    state: 'active',
    keys: [newKey],
    token: token.id,
    enrolledAt: clock.now(),
    zone: request.zone,
    version: request.version,
    local: token.local === true,
  });
};
