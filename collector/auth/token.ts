// SPDX-License-Identifier: Apache-2.0
/**
 * API tokens: `vgl_`, the token's id, a secret; the store holds only the secret's hash.
 * Input: `vigil token create`, then the bearer header of each request. Output: the actor a token stands for, or null.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { equalSecret, sha256 } from '../../core/hash.ts';
import { isId, makeId } from '../../core/ids.ts';
import { type Ms, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor, Role } from '../model/permission.ts';
import type { ApiToken } from '../model/user.ts';
import type { StateStore } from '../store/store.ts';
import { everyWhere } from './lookup.ts';
import { permits, roleWithin } from './permissions.ts';

export interface NewApiToken {
  readonly name: string;
  readonly role: Role;
  /** Lives so long; null for ever. */
  readonly expiresInMs: Ms | null;
}

export interface ApiTokens {
  /**
   * Makes a token; its text is shown this once.
   * @throws CodedError AUTH_TOKEN_TOO_STRONG when the role may more than the maker, AUTH_TOKEN_BAD.
   */
  create(by: Actor, wanted: NewApiToken, from?: string): Promise<{ readonly text: string; readonly token: ApiToken }>;
  /** The actor behind a text, or null: unknown, expired, revoked, or its owner is disabled or may less than the token. */
  verify(text: string): Promise<Actor | null>;
  /** @throws CodedError NOT_FOUND, also for tokens of others to whom may not change users. */
  revoke(by: Actor, id: string, from?: string): Promise<void>;
  /** Newest first; without the hashes. */
  list(by: Actor): Promise<readonly Omit<ApiToken, 'secret'>[]>;
}

const TEXT = /^vgl_([A-Za-z0-9_-]{20})([A-Za-z0-9_-]{43})$/;
const NAME = /^[\p{L}\p{N} ._@:/-]{1,64}$/u;

export const openApiTokens = (state: StateStore, audit: AuditTrail, clock: Clock): ApiTokens => {
  const ownerAllows = async (token: ApiToken): Promise<boolean> => {
    if (!isId('usr', token.owner)) return true;
    const owner = await state.get('user', token.owner);
    return owner !== null && !owner.value.disabled && roleWithin(token.role, owner.value.role);
  };
  return {
    create: async (by, wanted, from) => {
      if (!NAME.test(wanted.name)) throw fault('AUTH_TOKEN_BAD', { reason: 'its name is empty, too long, or holds other characters' });
      if (wanted.expiresInMs !== null && !(wanted.expiresInMs > 0))
        throw fault('AUTH_TOKEN_BAD', { reason: 'it would have expired already' });
      if (!roleWithin(wanted.role, by.role)) throw fault('AUTH_TOKEN_TOO_STRONG', { role: wanted.role, own: by.role });
      // A token made by a token belongs to that token's owner, or disabling the person would not end it.
      const owner = by.kind === 'token' ? ((await state.get('apiToken', by.id))?.value.owner ?? by.id) : by.id;
      const secret = randomBytes(32).toString('base64url');
      const now = clock.now();
      const token: ApiToken = {
        id: makeId('tok'),
        secret: sha256(secret),
        role: wanted.role,
        name: wanted.name,
        owner,
        createdAt: now,
        expiresAt: wanted.expiresInMs === null ? null : unixMs(now + wanted.expiresInMs),
      };
      await audit.act(
        {
          actor: by,
          act: 'token.create',
          on: token.id,
          details: { role: token.role, name: token.name },
          ...(from === undefined ? {} : { from }),
        },
        () => state.put('apiToken', token.id, token, { ifVersion: 0 }),
      );
      return { text: `vgl_${token.id.slice(4)}${secret}`, token };
    },
    verify: async (text) => {
      const match = TEXT.exec(text);
      if (!match) return null;
      const stored = await state.get('apiToken', `tok_${match[1]}`);
      // The hash is compared also for an unknown id, so that both take the same way.
      const right = equalSecret(sha256(match[2]!), stored?.value.secret ?? sha256(''));
      if (!stored || !right) return null;
      const token = stored.value;
      if (token.revokedAt !== undefined || (token.expiresAt !== null && clock.now() >= token.expiresAt)) return null;
      if (!(await ownerAllows(token))) return null;
      return { kind: 'token', id: token.id, name: token.name, role: token.role };
    },
    revoke: async (by, id, from) => {
      const stored = isId('tok', id) ? await state.get('apiToken', id) : null;
      if (!stored || (stored.value.owner !== by.id && !permits(by, 'user.write'))) throw fault('NOT_FOUND', { what: 'API token', id });
      if (stored.value.revokedAt !== undefined) return;
      await audit.act({ actor: by, act: 'token.revoke', on: id, ...(from === undefined ? {} : { from }) }, () =>
        state.put('apiToken', id, { ...stored.value, revokedAt: clock.now() }),
      );
    },
    list: async (by) => {
      const all = await everyWhere(state, 'apiToken');
      return all
        .map(({ value }) => value)
        .filter((token) => token.owner === by.id || permits(by, 'user.read'))
        .sort((a, b) => b.createdAt - a.createdAt)
        .map(({ secret: _, ...shown }) => shown);
    },
  };
};
