// SPDX-License-Identifier: Apache-2.0
/**
 * Users of Vigil: add, list, change, disable, reset, every act between its two audit rows.
 * Input: an actor who is allowed to (the route or command has asked `permits`). Output: the users in the store; sessions that must end, end.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { hashId, type UserId } from '../../core/ids.ts';
import { fault } from '../errors.ts';
import type { AuditTrail } from '../model/audit.ts';
import type { Actor, Role } from '../model/permission.ts';
import type { Session, User } from '../model/user.ts';
import type { StateStore, Stored } from '../store/store.ts';
import { everyWhere } from './lookup.ts';
import { type Passwords, passwordProblem } from './password.ts';
import { LOCAL_OWNER } from './permissions.ts';
import type { Sessions } from './session.ts';

export interface UserParts {
  readonly state: StateStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
}

/** A user without the password's hash. */
export type ShownUser = Omit<User, 'password'>;

export interface OneTime {
  readonly name: string;
  /** Shown once; must be changed at the first login. */
  readonly oneTimePassword: string;
}

/** All throw NOT_FOUND for an unknown name or id, and STATE_CONFLICT when another collector was faster. */
export interface Users {
  /** On a store without users makes `admin` with a one-time password; null ever after. */
  ensureFirstAdmin(): Promise<OneTime | null>;
  /** Without a password makes a one-time one. @throws CodedError USER_NAME_BAD, USER_EXISTS, USER_PASSWORD_BAD. */
  add(
    by: Actor,
    wanted: { readonly name: string; readonly role: Role; readonly password?: string },
    from?: string,
  ): Promise<{ readonly user: ShownUser; readonly oneTimePassword: string | null }>;
  list(): Promise<readonly ShownUser[]>;
  /** By name or id; null when there is none. */
  find(nameOrId: string): Promise<ShownUser | null>;
  /** Ends the user's sessions. @throws CodedError USER_LAST_ADMIN. */
  setRole(by: Actor, nameOrId: string, role: Role, from?: string): Promise<ShownUser>;
  /** Ends the user's sessions; API tokens of the user are refused from now on. @throws CodedError USER_LAST_ADMIN. */
  disable(by: Actor, nameOrId: string, from?: string): Promise<ShownUser>;
  enable(by: Actor, nameOrId: string, from?: string): Promise<ShownUser>;
  /** A new one-time password; ends the user's sessions. */
  reset(by: Actor, nameOrId: string, from?: string): Promise<OneTime>;
  /** A person's own change; ends every session and opens a fresh one, whose value goes into the cookie. @throws CodedError USER_PASSWORD_WRONG, USER_PASSWORD_BAD. */
  changePassword(by: Actor, current: string, wanted: string, from: string): Promise<{ readonly value: string; readonly session: Session }>;
}

const NAME = /^[a-z0-9][a-z0-9._@-]{1,63}$/;

/** Id of the user of that name: the same name is the same document, so two of one name cannot be. */
export const userIdOf = (name: string): UserId => hashId('usr', name);

/** A typed name as it is stored, or null when no user can have it. */
export const readUserName = (typed: string): string | null => {
  const name = typed.trim().toLowerCase();
  return NAME.test(name) ? name : null;
};

export const openUsers = (parts: UserParts): Users => {
  const { state, audit, clock, passwords, sessions } = parts;
  let turn: Promise<unknown> = Promise.resolve();
  // One change at a time, so that two admins cannot disable each other in the same moment.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined); // the caller hears of it; the next change only waits
    return done;
  };

  const need = async (nameOrId: string): Promise<Stored<User>> => {
    const name = readUserName(nameOrId);
    const found = (await state.get('user', nameOrId)) ?? (name === null ? null : await state.get('user', userIdOf(name)));
    if (!found) throw fault('NOT_FOUND', { what: 'user', id: nameOrId });
    return found;
  };

  const keepAnAdmin = async (user: User): Promise<void> => {
    if (user.role !== 'admin' || user.disabled) return;
    const all = await everyWhere(state, 'user');
    if (!all.some(({ value }) => value.id !== user.id && value.role === 'admin' && !value.disabled))
      throw fault('USER_LAST_ADMIN', { name: user.name });
  };

  const change = (
    by: Actor,
    act: string,
    nameOrId: string,
    from: string | undefined,
    edit: (user: User) => User | Promise<User>,
    options: { readonly demotes?: boolean; readonly details?: Readonly<Record<string, string>> } = {},
  ): Promise<User> =>
    inTurn(async () => {
      const { value: user, version } = await need(nameOrId);
      const entry = {
        actor: by,
        act,
        on: user.id,
        details: { name: user.name, ...options.details },
        ...(from === undefined ? {} : { from }),
      };
      if (options.demotes) {
        try {
          await keepAnAdmin(user);
        } catch (error) {
          await audit.refused(entry);
          throw error;
        }
      }
      const next = await edit(user);
      await audit.act(entry, async () => {
        await state.put('user', user.id, next, { ifVersion: version });
        await sessions.endAll(user.id);
      });
      return next;
    });

  const create = async (
    by: Actor,
    name: string,
    role: Role,
    password: string,
    mustChangePassword: boolean,
    from?: string,
  ): Promise<User> => {
    const now = clock.now();
    const user: User = {
      id: userIdOf(name),
      name,
      role,
      password: await passwords.hash(password),
      mustChangePassword,
      disabled: false,
      createdAt: now,
      passwordChangedAt: now,
    };
    await audit.act({ actor: by, act: 'user.create', on: user.id, details: { name, role }, ...(from === undefined ? {} : { from }) }, () =>
      state.put('user', user.id, user, { ifVersion: 0 }),
    );
    return user;
  };

  return {
    ensureFirstAdmin: () =>
      inTurn(async () => {
        if ((await state.list('user', { limit: 1 })).total > 0) return null;
        const oneTimePassword = makePassword();
        const user = await create(LOCAL_OWNER, 'admin', 'admin', oneTimePassword, true);
        return { name: user.name, oneTimePassword };
      }),
    add: (by, wanted, from) =>
      inTurn(async () => {
        const name = readUserName(wanted.name);
        if (name === null) throw fault('USER_NAME_BAD', { name: wanted.name });
        const problem = wanted.password === undefined ? null : passwordProblem(name, wanted.password);
        if (problem) throw fault('USER_PASSWORD_BAD', { reason: problem });
        if (await state.get('user', userIdOf(name))) throw fault('USER_EXISTS', { name });
        const oneTimePassword = wanted.password === undefined ? makePassword() : null;
        // A password that somebody else chose is known to somebody else.
        const user = await create(by, name, wanted.role, wanted.password ?? oneTimePassword ?? '', true, from);
        return { user: shown(user), oneTimePassword };
      }),
    list: async () => (await everyWhere(state, 'user')).map(({ value }) => shown(value)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: async (nameOrId) =>
      need(nameOrId).then(
        ({ value }) => shown(value),
        () => null,
      ),
    setRole: async (by, nameOrId, role, from) =>
      shown(await change(by, 'user.role', nameOrId, from, (user) => ({ ...user, role }), { demotes: role !== 'admin', details: { role } })),
    disable: async (by, nameOrId, from) =>
      shown(await change(by, 'user.disable', nameOrId, from, (user) => ({ ...user, disabled: true }), { demotes: true })),
    enable: async (by, nameOrId, from) => shown(await change(by, 'user.enable', nameOrId, from, (user) => ({ ...user, disabled: false }))),
    reset: async (by, nameOrId, from) => {
      const oneTimePassword = makePassword();
      const password = await passwords.hash(oneTimePassword);
      const user = await change(by, 'user.reset', nameOrId, from, (old) => ({
        ...old,
        password,
        mustChangePassword: true,
        passwordChangedAt: clock.now(),
      }));
      return { name: user.name, oneTimePassword };
    },
    changePassword: (by, current, wanted, from) =>
      inTurn(async () => {
        const { value: user, version } = await need(String(by.id));
        const entry = { actor: by, act: 'user.password', on: user.id, from };
        if (!(await passwords.verify(user.password, current))) {
          await audit.refused(entry);
          throw fault('USER_PASSWORD_WRONG');
        }
        const problem = current === wanted ? 'it is the old one' : passwordProblem(user.name, wanted);
        if (problem) throw fault('USER_PASSWORD_BAD', { reason: problem });
        const next: User = { ...user, password: await passwords.hash(wanted), mustChangePassword: false, passwordChangedAt: clock.now() };
        return audit.act(entry, async () => {
          await state.put('user', user.id, next, { ifVersion: version });
          await sessions.endAll(user.id);
          return sessions.create(next, from);
        });
      }),
  };
};

const shown = ({ password: _, ...user }: User): ShownUser => user;

// Letters and digits that nobody confuses, read aloud or copied from a terminal.
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A one-time password: four groups of five characters, 99 bits. */
const makePassword = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')).join('-');
