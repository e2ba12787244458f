// SPDX-License-Identifier: Apache-2.0
/**
 * Login: attempts are counted before anything is verified, wrong names cost what wrong passwords cost, each outcome is a notice.
 * Input: a name, a password, the socket's address. Output: a fresh session, a refusal without reason, or how long to wait.
 */
import type { Clock } from '../../core/clock.ts';
import type { UnixMs } from '../../core/units.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Notices } from '../model/notice.ts';
import type { Actor } from '../model/permission.ts';
import type { User } from '../model/user.ts';
import type { StateStore } from '../store/store.ts';
import { ADDRESS_LIMIT, type Attempt, addressKey, type LimitOptions, openLimit, USER_LIMIT } from './limit.ts';
import { type Passwords, plausiblePassword } from './password.ts';
import { type Sessions, sessionId } from './session.ts';
import { readUserName, userIdOf } from './users.ts';

export interface LoginParts {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly notices: Notices;
  readonly limits?: { readonly user: LimitOptions; readonly address: LimitOptions };
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** The socket's remote address; never a header's word. */
  readonly from: string;
  /** Cookie value the browser came with; that session ends, and its value is never used again. */
  readonly previous?: string;
}

export type LoginAnswer =
  | { readonly kind: 'ok'; readonly value: string; readonly actor: Actor; readonly expiresAt: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly waitMs: number };

export interface Logins {
  /** @throws CodedError AUTH_BUSY, AUDIT_FAILED. */
  login(credentials: Credentials): Promise<LoginAnswer>;
  logout(value: string, from?: string): Promise<void>;
  /** The actor behind a cookie's value, on each request; null when there is none. */
  actorOf(value: string): Promise<Actor | null>;
  /** Takes a lock-out from a user: after a reset by an admin. */
  unlock(name: string): void;
}

export const openLogins = (parts: LoginParts): Logins => {
  const { state, audit, clock, passwords, sessions, notices } = parts;
  const byUser = openLimit(parts.limits?.user ?? USER_LIMIT, () => clock.monotonic());
  const byAddress = openLimit(parts.limits?.address ?? ADDRESS_LIMIT, () => clock.monotonic());

  const failed = (user: string, from: string, reason: string): void =>
    notices.say({
      action: 'login-failed',
      outcome: 'failure',
      message: `Login of ${user} from ${from} failed: ${reason}.`,
      user,
      sourceIp: from,
      reason,
    });

  const wait = (attempt: Attempt & { readonly kind: 'wait' }, user: string, from: string): LoginAnswer => {
    if (attempt.first) failed(user, from, 'too many attempts');
    return { kind: 'wait', waitMs: attempt.waitMs };
  };

  return {
    login: async ({ name: typed, password, from, previous }) => {
      const address = addressKey(from);
      const name = readUserName(typed);
      // What is no name is not repeated anywhere: it may be a password typed into the wrong field.
      const said = name ?? '(no valid name)';
      // Counted first and in one go, so that a parallel burst verifies no more than a slow one.
      const atAddress = byAddress.take(address);
      if (atAddress.kind === 'wait') return wait(atAddress, said, from);
      const atUser = byUser.take(said);
      if (atUser.kind === 'wait') return wait(atUser, said, from);
      const user = name === null ? null : ((await state.get('user', userIdOf(name)))?.value ?? null);
      const right = plausiblePassword(password) && (await passwords.verify(user?.password ?? null, password));
      if (!user || !right || user.disabled) {
        failed(said, from, user?.disabled && right ? 'the user is disabled' : 'wrong name or password');
        await audit.refused({
          actor: { kind: 'user', id: user?.id ?? '', name: said, role: 'auditor' },
          act: 'session.create',
          on: user?.id ?? said,
          from,
        });
        return { kind: 'refused' };
      }
      byUser.forget(said);
      byAddress.giveBack(address);
      const actor = actorFor(user);
      const { value, session } = await audit.act({ actor, act: 'session.create', on: user.id, from }, async () => {
        if (previous !== undefined) await sessions.end(sessionId(previous));
        return sessions.create(user, from);
      });
      if (!(await stillTheSame(state, user, session.createdAt))) {
        await sessions.end(session.id);
        return { kind: 'refused' };
      }
      notices.say({
        action: 'login-succeeded',
        outcome: 'success',
        message: `${user.name} logged in from ${from}.`,
        user: user.name,
        sourceIp: from,
      });
      return { kind: 'ok', value, actor, expiresAt: session.expiresAt };
    },
    logout: async (value, from) => {
      const live = await sessions.find(value);
      if (!live) return;
      await audit.act({ actor: actorFor(live.user), act: 'session.end', on: live.user.id, ...(from === undefined ? {} : { from }) }, () =>
        sessions.end(live.session.id),
      );
    },
    actorOf: async (value) => {
      const live = await sessions.find(value);
      return live && actorFor(live.user);
    },
    unlock: (name) => byUser.forget(name),
  };
};

const actorFor = (user: User): Actor => ({
  kind: 'user',
  id: user.id,
  name: user.name,
  role: user.role,
  ...(user.mustChangePassword ? { mustChangePassword: true } : {}),
});

// A password changed or a user disabled while the old password was being verified wins over that login.
const stillTheSame = async (state: StateStore, user: User, lastLogin: UnixMs): Promise<boolean> => {
  const stored = await state.get('user', user.id);
  if (!stored || stored.value.disabled || stored.value.password !== user.password || stored.value.role !== user.role) return false;
  // The time of login is only a remark for people: when somebody else changes the user meanwhile, theirs stands.
  await state.put('user', user.id, { ...stored.value, lastLogin }, { ifVersion: stored.version }).catch(() => undefined);
  return true;
};
