// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ms } from '../../core/units.ts';
import { handClock, listAudit, listNotices, memoryState } from '../../test/support/memory-state.ts';
import { PERMISSIONS, type Permission, ROLES } from '../model/permission.ts';
import type { StateStore } from '../store/store.ts';
import { addressKey, openLimit, USER_LIMIT } from './limit.ts';
import { openLogins } from './login.ts';
import { openPasswords, passwordProblem } from './password.ts';
import { grants, LOCAL_OWNER, permits, roleWithin } from './permissions.ts';
import { openSessions } from './session.ts';
import { openApiTokens } from './token.ts';
import { openUsers, userIdOf } from './users.ts';

const PASSWORD = 'four words of a song';
const ADDRESS = '203.0.113.9';

const setUp = (state: StateStore = memoryState()) => {
  const clock = handClock();
  const audit = listAudit();
  const notices = listNotices();
  const passwords = openPasswords();
  const sessions = openSessions(state, clock);
  const users = openUsers({ state, audit, clock, passwords, sessions });
  const logins = openLogins({ state, audit, clock, passwords, sessions, notices });
  const tokens = openApiTokens(state, audit, clock);
  const enter = async (name: string, password: string, previous?: string): Promise<string> => {
    const answer = await logins.login({ name, password, from: ADDRESS, ...(previous === undefined ? {} : { previous }) });
    if (answer.kind !== 'ok') throw new Error(`login of ${name}: ${answer.kind}`);
    return answer.value;
  };
  return { state, clock, audit, notices, passwords, sessions, users, logins, tokens, enter };
};

const code = (error: unknown): string => (error as { code?: string }).code ?? String(error);
const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing failed', code);

describe('a password', () => {
  it('is kept as a PHC string of argon2id and found again', async () => {
    const passwords = openPasswords();
    const phc = await passwords.hash(PASSWORD);
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify(phc, PASSWORD)).toBe(true);
    expect(await passwords.verify(phc, `${PASSWORD}!`)).toBe(false);
    expect(await passwords.verify(null, PASSWORD)).toBe(false);
    expect(await passwords.verify('$argon2id$v=19$m=9999999,t=99,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA', PASSWORD)).toBe(false);
  });

  it('means the same however its letters were composed', async () => {
    const passwords = openPasswords();
    const phc = await passwords.hash('caf\u00e9 au lait, twice');
    expect(await passwords.verify(phc, 'cafe\u0301 au lait, twice')).toBe(true);
  });

  it('is refused when it is short, holds the name, or repeats itself', () => {
    expect(passwordProblem('maria', 'elevenchars')).toContain('shorter');
    expect(passwordProblem('maria', 'Maria and the sea')).toContain('name');
    expect(passwordProblem('maria', 'abababababababab')).toContain('repeats');
    expect(passwordProblem('maria', 'x'.repeat(2_000))).toContain('longer');
    expect(passwordProblem('maria', PASSWORD)).toBeNull();
  });

  it('costs a wait in a bounded queue and no more', async () => {
    const passwords = openPasswords({ parallel: 1, queueLimit: 2 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verify(null, 'x')));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(results.filter((r) => r.status === 'rejected' && code(r.reason) === 'AUTH_BUSY')).toHaveLength(3);
  });
});

describe('the roles', () => {
  it('hold for every permission: the auditor reads all and writes only the own', () => {
    for (const permission of Object.keys(PERMISSIONS) as Permission[]) {
      expect(grants('admin', permission)).toBe(true);
      expect(grants('auditor', permission)).toBe(permission.endsWith('.read') || permission === 'self.write');
    }
    expect(grants('analyst', 'user.write')).toBe(false);
    expect(grants('analyst', 'audit.read')).toBe(false);
    expect(ROLES.every((role) => roleWithin(role, 'admin'))).toBe(true);
    expect(roleWithin('auditor', 'analyst')).toBe(false);
  });

  it('let somebody who must change the password do only that', () => {
    const actor = { ...LOCAL_OWNER, mustChangePassword: true };
    expect((Object.keys(PERMISSIONS) as Permission[]).filter((permission) => permits(actor, permission))).toEqual(['self.write']);
  });
});

describe('the first admin', () => {
  it('is made once, with a one-time password that must be changed', async () => {
    const { users, logins, enter, state } = setUp();
    const first = await users.ensureFirstAdmin();
    expect(first?.name).toBe('admin');
    expect(await users.ensureFirstAdmin()).toBeNull();
    expect(JSON.stringify(await state.list('user', { limit: 9 }))).not.toContain(first!.oneTimePassword);
    const value = await enter('admin', first!.oneTimePassword);
    const actor = await logins.actorOf(value);
    expect(permits(actor!, 'event.read')).toBe(false);
    const next = await users.changePassword(actor!, first!.oneTimePassword, PASSWORD, ADDRESS);
    expect(await logins.actorOf(value)).toBeNull();
    expect(permits((await logins.actorOf(next.value))!, 'user.write')).toBe(true);
    expect((await logins.login({ name: 'admin', password: first!.oneTimePassword, from: ADDRESS })).kind).toBe('refused');
  });

  it('stays: the last one is neither disabled nor demoted, also when two try at once', async () => {
    const { users, audit } = setUp();
    await users.ensureFirstAdmin();
    expect(await failure(users.disable(LOCAL_OWNER, 'admin'))).toBe('USER_LAST_ADMIN');
    expect(audit.entries.at(-1)?.phase).toBe('refused');
    await users.add(LOCAL_OWNER, { name: 'Eva', role: 'admin' });
    const both = await Promise.all([failure(users.setRole(LOCAL_OWNER, 'admin', 'analyst')), failure(users.disable(LOCAL_OWNER, 'eva'))]);
    expect(both.sort()).toEqual(['USER_LAST_ADMIN', 'nothing failed']);
  });
});

describe('a user', () => {
  it('has a name of its own and plain letters', async () => {
    const { users } = setUp();
    await users.add(LOCAL_OWNER, { name: 'maria', role: 'analyst' });
    expect(await failure(users.add(LOCAL_OWNER, { name: ' MARIA ', role: 'admin' }))).toBe('USER_EXISTS');
    for (const name of ['', 'x', '../etc', 'a b', 'a\nb', '__proto__', 'ä'.repeat(3)])
      expect(await failure(users.add(LOCAL_OWNER, { name, role: 'admin' }))).toBe('USER_NAME_BAD');
    expect(await users.find('maria')).not.toHaveProperty('password');
  });
});

describe('a session', () => {
  const withMaria = async () => {
    const all = setUp();
    await all.users.ensureFirstAdmin();
    const { oneTimePassword } = await all.users.add(LOCAL_OWNER, { name: 'maria', role: 'analyst' });
    return { ...all, password: oneTimePassword! };
  };

  it('stands in the store only as a hash', async () => {
    const { state, enter, password } = await withMaria();
    const value = await enter('maria', password);
    expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    expect(JSON.stringify(await state.list('session', { limit: 9 }))).not.toContain(value);
  });

  it('gets a new value at each login, and a planted one is never taken', async () => {
    const { enter, logins, password } = await withMaria();
    const planted = Buffer.alloc(32, 7).toString('base64url');
    const first = await enter('maria', password, planted);
    const second = await enter('maria', password, first);
    expect(new Set([planted, first, second]).size).toBe(3);
    expect(await logins.actorOf(planted)).toBeNull();
    expect(await logins.actorOf(first)).toBeNull();
    expect((await logins.actorOf(second))?.name).toBe('maria');
  });

  it('ends at once on logout, role change, reset and disable, though it was cached', async () => {
    const { enter, logins, users, password } = await withMaria();
    const acts: ((value: string) => Promise<unknown>)[] = [
      (value) => logins.logout(value),
      () => users.setRole(LOCAL_OWNER, 'maria', 'auditor'),
      () => users.disable(LOCAL_OWNER, 'maria'),
    ];
    for (const act of acts) {
      const value = await enter('maria', password);
      expect(await logins.actorOf(value)).not.toBeNull();
      await act(value);
      expect(await logins.actorOf(value)).toBeNull();
    }
    expect((await logins.login({ name: 'maria', password, from: ADDRESS })).kind).toBe('refused');
    await users.enable(LOCAL_OWNER, 'maria');
    const { oneTimePassword } = await users.reset(LOCAL_OWNER, 'maria');
    expect((await logins.login({ name: 'maria', password, from: ADDRESS })).kind).toBe('refused');
    expect(await logins.actorOf(await enter('maria', oneTimePassword))).not.toBeNull();
  });

  it('ends for a role changed elsewhere within the time that memory counts', async () => {
    const { enter, logins, state, clock, password } = await withMaria();
    const value = await enter('maria', password);
    expect((await logins.actorOf(value))?.role).toBe('analyst');
    const stored = await state.get('user', userIdOf('maria'));
    await state.put('user', userIdOf('maria'), { ...stored!.value, disabled: true });
    clock.advance(5_000);
    expect(await logins.actorOf(value)).toBeNull();
  });

  it('ends after 8 idle hours and after 7 days in any case', async () => {
    const { enter, logins, clock, sessions, state, password } = await withMaria();
    const idle = await enter('maria', password);
    clock.advance(8 * 3_600_000 - 1);
    expect(await logins.actorOf(idle)).not.toBeNull();
    clock.advance(8 * 3_600_000);
    expect(await logins.actorOf(idle)).toBeNull();
    const busy = await enter('maria', password);
    for (let hour = 0; hour < 7 * 24; hour += 4) {
      expect(await logins.actorOf(busy)).not.toBeNull();
      clock.advance(4 * 3_600_000);
    }
    expect(await logins.actorOf(busy)).toBeNull();
    expect(await sessions.sweep()).toBe(2);
    expect((await state.list('session', { limit: 9 })).total).toBe(0);
  });

  it('that a login in flight opens does not outlive a reset made meanwhile', async () => {
    const { logins, users, passwords, password } = await withMaria();
    const before = passwords.verified();
    const late = logins.login({ name: 'maria', password, from: ADDRESS });
    await expect.poll(() => passwords.verified()).toBe(before + 1);
    await users.reset(LOCAL_OWNER, 'maria');
    const answer = await late;
    expect(answer.kind === 'ok' ? await logins.actorOf(answer.value) : null).toBeNull();
  });

  it('read while it is being revoked is not kept', async () => {
    const state = memoryState();
    let gate: Promise<void> | null = null;
    const slow: StateStore = {
      ...state,
      get: async (collection, id) => {
        const found = await state.get(collection, id);
        if (collection === 'user') await gate;
        return found;
      },
    };
    const { users, enter, logins, sessions, clock } = setUp(slow);
    const { oneTimePassword } = await users.add(LOCAL_OWNER, { name: 'maria', role: 'analyst' });
    const value = await enter('maria', oneTimePassword!);
    clock.advance(6_000);
    let open = (): void => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const reading = logins.actorOf(value);
    const ended = sessions.endAll(userIdOf('maria'));
    await ended;
    open();
    expect(await reading).toBeNull();
    expect(await logins.actorOf(value)).toBeNull();
  });
});

describe('a login', () => {
  it('verifies no more than the free attempts of a burst of 500', async () => {
    const { users, logins, passwords, notices } = setUp();
    await users.ensureFirstAdmin();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) => logins.login({ name: 'admin', password: 'not the password', from: `198.51.100.${i % 250}` })),
    );
    expect(passwords.verified()).toBe(USER_LIMIT.free);
    expect(answers.filter(({ kind }) => kind === 'wait')).toHaveLength(500 - USER_LIMIT.free);
    expect(notices.said).toHaveLength(USER_LIMIT.free + 1);
  });

  it('is limited by address over many names, and by /64 for IPv6', async () => {
    const { logins, passwords } = setUp();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => logins.login({ name: `user${i}`, password: 'x', from: `2001:db8::${i.toString(16)}` })),
    );
    expect(answers.filter(({ kind }) => kind === 'refused')).toHaveLength(20);
    expect(passwords.verified()).toBe(20);
    expect(addressKey('::ffff:192.0.2.1')).toBe(addressKey('192.0.2.1'));
    expect(addressKey('2001:db8::1')).toBe(addressKey('2001:0db8:0:0:ffff::2'));
    expect(addressKey('2001:db8:0:1::1')).not.toBe(addressKey('2001:db8::1'));
  });

  it('waits longer each time, and a reset takes the wait away', async () => {
    const { users, logins, clock } = setUp();
    await users.ensureFirstAdmin();
    const attempt = () => logins.login({ name: 'admin', password: 'wrong wrong wrong', from: ADDRESS });
    for (let i = 0; i < USER_LIMIT.free; i++) expect((await attempt()).kind).toBe('refused');
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      const answer = await attempt();
      if (answer.kind !== 'wait') throw new Error('it did not wait');
      waits.push(answer.waitMs);
      clock.advance(answer.waitMs);
      expect((await attempt()).kind).toBe('refused');
    }
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    const { oneTimePassword } = await users.reset(LOCAL_OWNER, 'admin');
    logins.unlock('admin');
    expect((await logins.login({ name: 'admin', password: oneTimePassword, from: ADDRESS })).kind).toBe('ok');
  });

  it('says the same for a wrong name and a wrong password, and repeats no text that is no name', async () => {
    const { users, logins, notices, audit } = setUp();
    await users.ensureFirstAdmin();
    expect(await logins.login({ name: 'admin', password: 'wrong wrong wrong', from: ADDRESS })).toEqual({ kind: 'refused' });
    expect(await logins.login({ name: 'nobody', password: 'wrong wrong wrong', from: ADDRESS })).toEqual({ kind: 'refused' });
    expect(await logins.login({ name: 'my secret pass\nphrase', password: '', from: ADDRESS })).toEqual({ kind: 'refused' });
    expect(new Set(notices.said.map(({ reason }) => reason)).size).toBe(1);
    expect(JSON.stringify([notices.said, audit.entries])).not.toContain('secret');
  });

  it('keeps its memory bounded under a spray of names', () => {
    const limit = openLimit({ ...USER_LIMIT, maxKeys: 100 }, () => ms(0));
    for (let i = 0; i < USER_LIMIT.free; i++) limit.take('victim');
    for (let i = 0; i < 10_000; i++) limit.take(`spray${i}`);
    expect(limit.size()).toBe(100);
    expect(limit.take('victim').kind).toBe('wait');
  });
});

describe('an API token', () => {
  it('stands for its role until it expires or is revoked, and is stored hashed', async () => {
    const { tokens, clock, state } = setUp();
    const { text, token } = await tokens.create(LOCAL_OWNER, { name: 'dashboards', role: 'analyst', expiresInMs: ms(1_000) });
    expect(text).toMatch(/^vgl_[A-Za-z0-9_-]{63}$/);
    expect(JSON.stringify(await state.list('apiToken', { limit: 9 }))).not.toContain(text.slice(24));
    expect(await tokens.verify(text)).toMatchObject({ kind: 'token', role: 'analyst' });
    const flipped = `${text.slice(0, 40)}${text[40] === 'A' ? 'B' : 'A'}${text.slice(41)}`;
    for (const bad of [flipped, text.slice(0, -1), `${text}x`, `x${text}`, '', 'vgl_'.padEnd(67, 'A')])
      expect(await tokens.verify(bad)).toBeNull();
    clock.advance(1_000);
    expect(await tokens.verify(text)).toBeNull();
    const forever = await tokens.create(LOCAL_OWNER, { name: 'x', role: 'auditor', expiresInMs: null });
    await tokens.revoke(LOCAL_OWNER, forever.token.id);
    expect(await tokens.verify(forever.text)).toBeNull();
    expect(JSON.stringify(await tokens.list(LOCAL_OWNER))).not.toContain(token.secret);
  });

  it('never may more than its maker, and ends with its owner', async () => {
    const { tokens, users } = setUp();
    await users.ensureFirstAdmin();
    const { user } = await users.add(LOCAL_OWNER, { name: 'eva', role: 'admin' });
    const eva = { kind: 'user', id: user.id, name: 'eva', role: 'admin' } as const;
    const { text, token } = await tokens.create(eva, { name: 'x', role: 'admin', expiresInMs: null });
    const child = await tokens.create((await tokens.verify(text))!, { name: 'y', role: 'admin', expiresInMs: null });
    const analyst = { kind: 'user', id: 'usr_other', name: 'other', role: 'analyst' } as const;
    expect(await failure(tokens.create(analyst, { name: 'z', role: 'admin', expiresInMs: null }))).toBe('AUTH_TOKEN_TOO_STRONG');
    expect(await failure(tokens.revoke(analyst, token.id))).toBe('NOT_FOUND');
    expect(await tokens.list(analyst)).toEqual([]);
    await users.setRole(LOCAL_OWNER, 'eva', 'analyst');
    expect(await tokens.verify(text)).toBeNull();
    await users.setRole(LOCAL_OWNER, 'eva', 'admin');
    expect(await tokens.verify(child.text)).not.toBeNull();
    await users.disable(LOCAL_OWNER, 'eva');
    expect(await tokens.verify(text)).toBeNull();
    expect(await tokens.verify(child.text)).toBeNull();
  });
});
