// SPDX-License-Identifier: Apache-2.0
/**
 * Users, sessions and API tokens of Vigil itself.
 * Input: auth. Output: store, http.
 */
import type { TokenId, UserId } from '../../core/ids.ts';
import type { UnixMs } from '../../core/units.ts';
import type { Role } from './permission.ts';

export interface User {
  readonly id: UserId;
  /** Lower-case, 2 to 64 of letters, digits, `.`, `_`, `-`, `@`. */
  readonly name: string;
  readonly role: Role;
  /** PHC string of argon2id. */
  readonly password: string;
  readonly mustChangePassword: boolean;
  readonly disabled: boolean;
  readonly createdAt: UnixMs;
  readonly passwordChangedAt: UnixMs;
  readonly lastLogin?: UnixMs;
}

export interface Session {
  /** SHA-256 of the cookie's value. */
  readonly id: string;
  readonly user: UserId;
  readonly createdAt: UnixMs;
  readonly lastUsed: UnixMs;
  readonly expiresAt: UnixMs;
  readonly from: string;
}

export interface ApiToken {
  readonly id: TokenId;
  /** SHA-256 of the secret. */
  readonly secret: string;
  readonly role: Role;
  readonly name: string;
  readonly owner: string;
  readonly createdAt: UnixMs;
  readonly expiresAt: UnixMs | null;
  readonly revokedAt?: UnixMs;
}

/** A token that lets hosts enrol (I2, I3). */
export interface EnrolToken {
  readonly id: TokenId;
  /** SHA-256 of the secret. */
  readonly secret: string;
  readonly group: string;
  readonly uses: number;
  /** Keys that used it, so that the same key gets the same answer. */
  readonly usedBy: readonly { readonly key: string; readonly agent: string; readonly at: UnixMs }[];
  readonly createdAt: UnixMs;
  readonly createdBy: string;
  readonly expiresAt: UnixMs;
  readonly revokedAt?: UnixMs;
  /** Bound to this agent: gives its id again (`--replace`). */
  readonly replace?: string;
  /** For the agent on the collector's own host. */
  readonly local?: true;
}
