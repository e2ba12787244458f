// SPDX-License-Identifier: Apache-2.0
/**
 * Signing in and out, the own password, users, API tokens, the audit trail.
 * Input: the commands of this folder. Output: JSON without any secret but those shown once; the session goes into a cookie.
 */
import { type Static, Type } from 'typebox';
import { isoTime } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { Count, closed, Id, OneId, publicRoute, type Route, route, Span, spanMs, Time } from '../http/route.ts';
import type { AuditEntry, AuditTrail } from '../model/audit.ts';
import { type Actor, PERMISSIONS, type Permission, ROLES } from '../model/permission.ts';
import type { ApiToken } from '../model/user.ts';
import type { Logins } from './login.ts';
import { grants } from './permissions.ts';
import type { ApiTokens } from './token.ts';
import type { ShownUser, Users } from './users.ts';

export interface AuthPorts {
  readonly logins: Pick<Logins, 'login' | 'logout'>;
  readonly users: Pick<Users, 'add' | 'list' | 'setRole' | 'disable' | 'enable' | 'reset' | 'changePassword'>;
  readonly tokens: Pick<ApiTokens, 'create' | 'list' | 'revoke'>;
  readonly audit: Pick<AuditTrail, 'read' | 'refused'>;
  readonly permits: (actor: Actor, permission: Permission) => boolean;
}

const RoleName = Type.Enum([...ROLES]);
const Me = Type.Object({
  kind: Type.Enum(['user', 'token', 'local-owner']),
  id: Type.String(),
  name: Type.String(),
  role: RoleName,
  mustChangePassword: Type.Boolean(),
  permissions: Type.Array(Type.String()),
});
const UserSchema = Type.Object({
  id: Id,
  name: Type.String(),
  role: RoleName,
  mustChangePassword: Type.Boolean(),
  disabled: Type.Boolean(),
  createdAt: Time,
  passwordChangedAt: Time,
  lastLogin: Type.Optional(Time),
});
const TokenSchema = Type.Object({
  id: Id,
  name: Type.String(),
  role: RoleName,
  owner: Type.String(),
  createdAt: Time,
  expiresAt: Type.Union([Time, Type.Null()]),
  revokedAt: Type.Optional(Time),
});
const AuditSchema = Type.Object({
  seq: Count,
  at: Time,
  actor: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  act: Type.String(),
  on: Type.String(),
  phase: Type.Enum(['intent', 'done', 'failed', 'refused']),
  intent: Type.Optional(Count),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  from: Type.Optional(Type.String()),
});
const Password = Type.String({ minLength: 1, maxLength: 1024 });
const UserName = Type.String({ minLength: 1, maxLength: 128 });
// Lists of users and tokens are short; `limit` is taken so that every list is asked in the same way.
const All = closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) });

const userJson = ({ createdAt, passwordChangedAt, lastLogin, ...user }: ShownUser) => ({
  ...user,
  createdAt: isoTime(createdAt),
  passwordChangedAt: isoTime(passwordChangedAt),
  ...(lastLogin === undefined ? {} : { lastLogin: isoTime(lastLogin) }),
});

const tokenJson = ({ id, name, role, owner, createdAt, expiresAt, revokedAt }: Omit<ApiToken, 'secret'>) => ({
  id,
  name,
  role,
  owner,
  createdAt: isoTime(createdAt),
  expiresAt: expiresAt === null ? null : isoTime(expiresAt),
  ...(revokedAt === undefined ? {} : { revokedAt: isoTime(revokedAt) }),
});

const auditJson = ({ details, ...entry }: AuditEntry) => ({
  ...entry,
  at: isoTime(entry.at),
  ...(details === undefined ? {} : { details: { ...details } }),
});

export const authRoutes = ({ logins, users, tokens, audit, permits }: AuthPorts): readonly Route[] => {
  const meOf = (actor: Actor): Static<typeof Me> => ({
    kind: actor.kind,
    id: actor.id,
    name: actor.name,
    role: actor.role,
    mustChangePassword: actor.mustChangePassword === true,
    permissions: Object.keys(PERMISSIONS).filter((name) => permits(actor, name as Permission)),
  });
  return [
    ...sessionRoutes(logins, users, meOf),
    ...userRoutes(users),
    ...tokenRoutes(tokens),
    route({
      method: 'GET',
      path: '/api/v1/auth/audit',
      tag: 'auth',
      summary: 'The audit trail, newest first.',
      permission: 'audit.read',
      query: closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })), before: Type.Optional(Count) }),
      answer: Type.Object({ items: Type.Array(AuditSchema), next: Type.Union([Count, Type.Null()]) }),
      handle: async ({ query: { limit = 100, before } }) => {
        const entries = await audit.read(limit, before);
        const last = entries[entries.length - 1];
        return { body: { items: entries.map(auditJson), next: entries.length === limit && last !== undefined ? last.seq : null } };
      },
    }),
  ];
};

const sessionRoutes = (
  logins: AuthPorts['logins'],
  users: AuthPorts['users'],
  meOf: (actor: Actor) => Static<typeof Me>,
): readonly Route[] => [
  publicRoute({
    method: 'POST',
    path: '/api/v1/auth/login',
    tag: 'auth',
    summary: 'Sign in; the session goes into a cookie.',
    body: closed({ name: UserName, password: Password }),
    bodyLimitBytes: 8_192,
    counted: true,
    answer: Me,
    handle: async ({ body: { name, password }, from, session }) => {
      const answer = await logins.login({ name, password, from, ...(session === undefined ? {} : { previous: session }) });
      if (answer.kind === 'wait') {
        const seconds = Math.ceil(answer.waitMs / 1000);
        throw fault('LOGIN_WAIT', { seconds, retryAfterSeconds: seconds });
      }
      if (answer.kind === 'refused') throw fault('LOGIN_REFUSED');
      return { body: meOf(answer.actor), session: { value: answer.value, expiresAt: answer.expiresAt } };
    },
  }),
  publicRoute({
    method: 'POST',
    path: '/api/v1/auth/logout',
    tag: 'auth',
    summary: 'End the own session; also one that has ended already.',
    answer: null,
    handle: async ({ session, from }) => {
      if (session !== undefined) await logins.logout(session, from);
      return { body: null, session: null };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/auth/me',
    tag: 'auth',
    summary: 'Who is asking, and what they may do.',
    permission: 'self.write',
    answer: Me,
    handle: async ({ actor }) => ({ body: meOf(actor) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/auth/password',
    tag: 'auth',
    summary: 'Change the own password; every other session of the person ends.',
    permission: 'self.write',
    body: closed({ current: Password, next: Password }),
    bodyLimitBytes: 8_192,
    counted: true,
    answer: null,
    handle: async ({ body: { current, next }, actor, from }) => {
      if (actor.kind !== 'user') throw fault('REQUEST_BAD', { reason: 'only a person who signed in has a password' });
      const { value, session } = await users.changePassword(actor, current, next, from);
      return { body: null, session: { value, expiresAt: session.expiresAt } };
    },
  }),
];

const userRoutes = (users: AuthPorts['users']): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/auth/people',
    tag: 'auth',
    summary: 'Names of the people who may be given an alert or an incident, and of those who once were.',
    permission: 'alert.read',
    query: All,
    answer: Type.Object({ items: Type.Array(Type.Object({ id: Id, name: Type.String(), role: RoleName, disabled: Type.Boolean() })) }),
    handle: async () => ({
      body: { items: (await users.list()).map(({ id, name, role, disabled }) => ({ id, name, role, disabled })) },
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/auth/roles',
    tag: 'auth',
    summary: 'What each role may do.',
    permission: 'user.read',
    query: All,
    answer: Type.Object({
      items: Type.Array(Type.Object({ permission: Type.String(), meaning: Type.String(), roles: Type.Array(RoleName) })),
    }),
    handle: async () => ({
      body: {
        items: Object.entries(PERMISSIONS).map(([permission, meaning]) => ({
          permission,
          meaning,
          roles: ROLES.filter((role) => grants(role, permission as Permission)),
        })),
      },
    }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/auth/users',
    tag: 'auth',
    summary: 'Users by name.',
    permission: 'user.read',
    query: All,
    answer: Type.Object({ items: Type.Array(UserSchema) }),
    handle: async () => ({ body: { items: (await users.list()).map(userJson) } }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/auth/users',
    tag: 'auth',
    summary: 'Add a user; without a password a one-time one is made and shown this once.',
    permission: 'user.write',
    body: closed({ name: UserName, role: RoleName, password: Type.Optional(Password) }),
    status: 201,
    creates: true,
    answer: Type.Intersect([UserSchema, Type.Object({ oneTimePassword: Type.Union([Type.String(), Type.Null()]) })]),
    handle: async ({ body, actor, from }) => {
      const { user, oneTimePassword } = await users.add(actor, body, from);
      return { body: { ...userJson(user), oneTimePassword } };
    },
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/auth/users/:id',
    tag: 'auth',
    summary: 'Change a user’s role, disable or enable; by name or id. The user’s sessions end.',
    permission: 'user.write',
    params: OneId,
    body: closed({ role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()) }),
    answer: UserSchema,
    handle: async ({ params: { id }, body: { role, disabled }, actor, from }) => {
      if ((role === undefined) === (disabled === undefined))
        throw fault('REQUEST_BAD', { reason: 'the body must hold role or disabled, one of them' });
      if (role !== undefined) return { body: userJson(await users.setRole(actor, id, role, from)) };
      return { body: userJson(await (disabled ? users.disable(actor, id, from) : users.enable(actor, id, from))) };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/auth/users/:id/reset',
    tag: 'auth',
    summary: 'A new one-time password, shown this once; the user’s sessions end.',
    permission: 'user.write',
    params: OneId,
    answer: Type.Object({ name: Type.String(), oneTimePassword: Type.String() }),
    handle: async ({ params: { id }, actor, from }) => ({ body: { ...(await users.reset(actor, id, from)) } }),
  }),
];

const tokenRoutes = (tokens: AuthPorts['tokens']): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api/v1/auth/tokens',
    tag: 'auth',
    summary: 'API tokens, newest first: the own ones, or all for who may see users.',
    permission: 'self.write',
    query: All,
    answer: Type.Object({ items: Type.Array(TokenSchema) }),
    handle: async ({ actor }) => ({ body: { items: (await tokens.list(actor)).map(tokenJson) } }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/auth/tokens',
    tag: 'auth',
    summary: 'Make an API token, shown this once; its role may not do more than its maker.',
    permission: 'self.write',
    body: closed({ name: Type.String({ minLength: 1, maxLength: 64 }), role: RoleName, expires: Type.Optional(Span) }),
    status: 201,
    creates: true,
    answer: Type.Intersect([TokenSchema, Type.Object({ token: Type.String() })]),
    handle: async ({ body: { name, role, expires }, actor, from }) => {
      // Who must change the password first would go round that with a token.
      if (actor.mustChangePassword) throw fault('PASSWORD_MUST_CHANGE');
      const { text, token } = await tokens.create(actor, { name, role, expiresInMs: expires === undefined ? null : spanMs(expires) }, from);
      return { body: { ...tokenJson(token), token: text } };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/auth/tokens/:id',
    tag: 'auth',
    summary: 'Revoke an API token.',
    permission: 'self.write',
    params: OneId,
    answer: null,
    handle: async ({ params: { id }, actor, from }) => {
      await tokens.revoke(actor, id, from);
      return { body: null };
    },
  }),
];
