// SPDX-License-Identifier: Apache-2.0
/**
 * Branded, prefixed identifiers (`agt_…`, `alr_…`): what a thing is can be read off its id.
 * Input: random bytes or a hash of what the thing is made of. Output: ids for records, events, state and people.
 */
import { hash, randomBytes } from 'node:crypto';

declare const kind: unique symbol;
type Id<P extends string> = string & { readonly [kind]: P };

export type AgentId = Id<'agt'>;
export type AssetId = Id<'ast'>;
export type EventId = Id<'evt'>;
export type SignalId = Id<'sig'>;
export type AlertId = Id<'alr'>;
export type IncidentId = Id<'inc'>;
export type UserId = Id<'usr'>;
export type CommentId = Id<'cmt'>;
export type TokenId = Id<'tok'>;

/** Prefix of each kind of id; never reused for another kind. */
export const ID_PREFIXES = ['agt', 'ast', 'evt', 'sig', 'alr', 'inc', 'usr', 'tok', 'ses', 'aud', 'rsk', 'obs', 'cmt'] as const;
export type IdPrefix = (typeof ID_PREFIXES)[number];

/** 15 bytes in base64url. */
const BODY_DIGITS = 20;
const BODY = /^[A-Za-z0-9_-]{16,32}$/;

/** A fresh id from 120 random bits. */
export const makeId = <P extends IdPrefix>(prefix: P): Id<P> => `${prefix}_${randomBytes(15).toString('base64url')}` as Id<P>;

/** An id that is a hash of its parts: the same parts give the same id. Parts are joined by NUL, so `['a','b']` and `['ab']` differ. */
export const hashId = <P extends IdPrefix>(prefix: P, ...parts: readonly (string | number)[]): Id<P> =>
  `${prefix}_${hash('sha256', parts.join('\0'), 'base64url').slice(0, BODY_DIGITS)}` as Id<P>;

/** True when the text is an id of that kind: prefix, `_`, and 16 to 32 URL-safe characters. */
export const isId = <P extends IdPrefix>(prefix: P, text: unknown): text is Id<P> =>
  typeof text === 'string' && text.startsWith(`${prefix}_`) && BODY.test(text.slice(prefix.length + 1));

/** A random 128-bit value in 32 hexadecimal digits: epochs, incarnations, nonces. */
export const random128 = (): string => randomBytes(16).toString('hex');
