// SPDX-License-Identifier: Apache-2.0
/**
 * Enrolment tokens: what `vigil agent token create` prints for a host. Short-lived, counted, stored hashed (I2, I3).
 * Input: an administrator's wish. Output: `vgl1.` and base64url of TokenText, shown once; later, the token behind a secret.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { equalSecret, sha256 } from '../../core/hash.ts';
import { isId, makeId, type TokenId } from '../../core/ids.ts';
import type { TokenText } from '../../core/protocol.ts';
import { days, hours, type Ms, minutes, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor } from '../model/permission.ts';
import type { EnrolToken } from '../model/user.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { allOf } from './lookup.ts';
import type { Registry } from './registry.ts';

export interface TokenWish {
  /** Hosts that may enrol with it; 1 when absent, at most 10,000. */
  readonly uses?: number;
  /** 4 h when absent; 1 min to 90 d. */
  readonly expiresInMs?: Ms;
  readonly group?: string;
  /** Gives this agent's id again, to one host (`--replace`). */
  readonly replace?: string;
  /** The agent is on this host: a loopback address will do. */
  readonly local?: boolean;
}

export interface MadeToken {
  readonly id: TokenId;
  /** The secret text. Shown once, kept nowhere. */
  readonly text: string;
  readonly url: string;
  readonly expiresAt: UnixMs;
}

export type ShownToken = Omit<EnrolToken, 'secret'> & { readonly state: 'open' | 'used' | 'expired' | 'revoked' };

export interface EnrolTokens {
  /** @throws CodedError TOKEN_NEEDS_URL on a loopback address without `local`; TOKEN_BAD; NOT_FOUND for the agent to replace. */
  create(by: Actor, wish: TokenWish, from?: string): Promise<MadeToken>;
  /** Newest first. */
  list(): Promise<readonly ShownToken[]>;
  /** @throws CodedError NOT_FOUND. */
  revoke(by: Actor, id: string, from?: string): Promise<void>;
  /** The token whose secret this is, whatever its state; null when there is none. Constant time in the secret. */
  find(secret: string): Promise<Stored<EnrolToken> | null>;
}

export interface TokenParts {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Pin of the CA. */
  readonly pin: string;
  /** Base URL by which hosts reach the agents' listener: `--public-url`, else its address. */
  readonly url: () => string;
  /** Base URL by which this host reaches it. */
  readonly localUrl: () => string;
}

const SECRET = /^([A-Za-z0-9_-]{20})([A-Za-z0-9_-]{43})$/;
const GROUP = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export const openEnrolTokens = ({ state, audit, clock, registry, pin, url, localUrl }: TokenParts): EnrolTokens => ({
  create: async (by, wish, from) => {
    const { uses = 1, expiresInMs = hours(4), group = 'default', replace, local = false } = wish;
    if (!Number.isSafeInteger(uses) || uses < 1 || uses > 10_000)
      throw fault('TOKEN_BAD', { reason: '--uses is a number from 1 to 10000' });
    if (!(expiresInMs >= minutes(1) && expiresInMs <= days(90))) throw fault('TOKEN_BAD', { reason: '--expires is a time from 1m to 90d' });
    if (!GROUP.test(group)) throw fault('TOKEN_BAD', { reason: '--group is a short lower-case word' });
    if (replace !== undefined && !(isId('agt', replace) && registry.find(replace)))
      throw fault('NOT_FOUND', { what: 'agent', id: replace });
    if (replace !== undefined && uses !== 1) throw fault('TOKEN_BAD', { reason: '--replace goes with one use' });
    const base = local ? localUrl() : url();
    if (!local && isOnlyHere(base)) throw fault('TOKEN_NEEDS_URL', { url: base });
    const secret = randomBytes(32).toString('base64url');
    const now = clock.now();
    const token: EnrolToken = {
      id: makeId('tok'),
      secret: sha256(secret),
      group,
      uses,
      usedBy: [],
      createdAt: now,
      createdBy: by.name,
      expiresAt: unixMs(now + expiresInMs),
      ...(replace === undefined ? {} : { replace }),
      ...(local ? { local: true as const } : {}),
    };
    await audit.act(
      {
        actor: by,
        act: 'agent.token.create',
        on: token.id,
        details: { uses, group, expires_at: token.expiresAt, ...(replace === undefined ? {} : { replace }) },
        ...fromOf(from),
      },
      () => state.put('enrolToken', token.id, token, { ifVersion: 0 }),
    );
    const text: TokenText = { v: 1, url: base, pin, secret: `${token.id.slice(4)}${secret}`, group };
    return { id: token.id, text: `vgl1.${Buffer.from(JSON.stringify(text)).toString('base64url')}`, url: base, expiresAt: token.expiresAt };
  },
  list: async () => {
    const now = clock.now();
    return (await allOf(state, 'enrolToken'))
      .map(({ value: { secret: _, ...token } }) => ({ ...token, state: stateOf(token, now) }))
      .sort((a, b) => b.createdAt - a.createdAt);
  },
  revoke: async (by, id, from) => {
    const stored = isId('tok', id) ? await state.get('enrolToken', id) : null;
    if (!stored) throw fault('NOT_FOUND', { what: 'enrolment token', id });
    if (stored.value.revokedAt !== undefined) return;
    await audit.act({ actor: by, act: 'agent.token.revoke', on: id, ...fromOf(from) }, async () => {
      // An enrolment may write it at the same moment; the revocation is repeated until it stands.
      for (let tries = 0; ; tries += 1) {
        const now = await state.get('enrolToken', id);
        if (!now || now.value.revokedAt !== undefined) return;
        const written = await state
          .put('enrolToken', id, { ...now.value, revokedAt: clock.now() }, { ifVersion: now.version })
          .catch((error: unknown) => {
            if (tries >= 20) throw error;
            return null;
          });
        if (written !== null) return;
      }
    });
  },
  find: async (secret) => {
    const match = SECRET.exec(secret);
    const stored = match ? await state.get('enrolToken', `tok_${match[1]}`) : null;
    // The hash is compared also for an unknown id, so that both take the same way.
    const right = equalSecret(sha256(match?.[2] ?? ''), stored?.value.secret ?? sha256('no token'));
    return right ? stored : null;
  },
});

/** What a token is good for now. */
export const stateOf = (token: Omit<EnrolToken, 'secret'>, now: UnixMs): ShownToken['state'] =>
  token.revokedAt !== undefined ? 'revoked' : now >= token.expiresAt ? 'expired' : token.usedBy.length >= token.uses ? 'used' : 'open';

/** True for a URL that no other host can reach: loopback, or the address that means every address. */
export const isOnlyHere = (url: string): boolean => {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost');
  return /^127\./.test(host) || host === '0.0.0.0' || host === '::' || host === '::1' || /^::ffff:7f/i.test(host);
};

const fromOf = (from: string | undefined): { readonly from?: string } => (from === undefined ? {} : { from });
