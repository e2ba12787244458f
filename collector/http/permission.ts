// SPDX-License-Identifier: Apache-2.0
/**
 * Who asks, and whether they may: deny by default. A route without a declared permission does not open.
 * Input: cookie or bearer token of a request, or the control socket it came in by. Output: the actor, or a coded refusal.
 */
import type { IncomingMessage } from 'node:http';
import { fault } from '../errors.ts';
import { type Actor, PERMISSIONS, type Permission } from '../model/permission.ts';
import { type RateLimit, takeOrRefuse } from './limits.ts';

/** Verifies what a request carries. Implemented by auth; each answers null for what it does not know. */
export interface Identity {
  /** The actor of a session cookie's value. */
  session(value: string): Promise<Actor | null>;
  /** The actor of an API token's text. */
  token(text: string): Promise<Actor | null>;
  permits(actor: Actor, permission: Permission): boolean;
}

export interface Credentials {
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
}

/** @throws CodedError ROUTE_BAD for a permission that is not in the table. */
export const checkDeclared = (name: string, permission: unknown): void => {
  if (permission !== 'public' && !(typeof permission === 'string' && Object.hasOwn(PERMISSIONS, permission)))
    throw fault('ROUTE_BAD', { route: name, reason: 'it declares no permission' });
};

/**
 * The actor behind credentials, null when there are none or they are not known.
 * Wrong ones are counted and slowed down; a right one passes whatever others of its address guess, or a stranger behind the same
 * address could shut everybody out. Nobody guesses 256 bits, and how many are looked up at all is bounded by the limit of requests.
 * @throws CodedError SLOW_DOWN.
 */
export const identify = async (
  { cookie, authorization }: Credentials,
  identity: Identity,
  limit: RateLimit,
  address: string,
): Promise<Actor | null> => {
  const bearer = authorization === undefined ? undefined : /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization)?.[1];
  if (bearer === undefined && (authorization !== undefined || cookie === undefined)) return null;
  const actor = bearer === undefined ? await identity.session(cookie as string) : await identity.token(bearer);
  if (actor === null) takeOrRefuse(limit, address);
  return actor;
};

/**
 * Lets an actor through, or says why not.
 * @throws CodedError NOT_SIGNED_IN, PASSWORD_MUST_CHANGE, NOT_PERMITTED.
 */
export const demand = (actor: Actor | null, permission: Permission, identity: Identity): Actor => {
  if (actor === null) throw fault('NOT_SIGNED_IN');
  if (identity.permits(actor, permission)) return actor;
  if (actor.mustChangePassword) throw fault('PASSWORD_MUST_CHANGE');
  throw fault('NOT_PERMITTED', { role: actor.role, permission });
};

/** True for requests that came in by a socket of the set: the control socket's, which only the owner of the data folder can open. */
export const cameBy = (request: IncomingMessage, sockets: WeakSet<object>): boolean => sockets.has(request.socket);
