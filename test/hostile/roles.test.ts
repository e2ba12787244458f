// SPDX-License-Identifier: Apache-2.0
/**
 * Every role at every route, with every way of not being who one says: let through by `docs/permissions.md`, or refused and kept.
 * Input: the page that people read, the routes that run. Output: status by status; entries of the audit trail.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupRoutes } from '../../collector/backup/routes.ts';
import { factRoutes } from '../../collector/facts/routes.ts';
import { hostRoutes } from '../../collector/fleet/host-routes.ts';
import { cookieName } from '../../collector/http/register.ts';
import { ROLES, type Role } from '../../collector/model/permission.ts';
import { reportRoutes } from '../../collector/report/routes.ts';
import { openConsole, type TestConsole } from '../support/console.ts';
import { ROOT } from '../support/repository.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
interface Row {
  readonly method: Method;
  readonly path: string;
  readonly permission: string;
  readonly roles: readonly Role[];
}

/** The rows of the page: `| \`GET /path\` | permission | yes | yes | |`. */
const rows: readonly Row[] = readFileSync(join(ROOT, 'docs/permissions.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const found = /^\| `([A-Z]+) (\/\S+)` \| `?([a-z.]+)`? \| (.*) \|$/.exec(line);
    if (!found) return [];
    const may = (found[4] ?? '').split('|').map((cell) => cell.trim() === 'yes');
    return [{ method: found[1] as Method, path: found[2] ?? '', permission: found[3] ?? '', roles: ROLES.filter((_, at) => may[at]) }];
  });
const guarded = rows.filter(({ permission }) => permission !== 'public');
/** Streams stay open for who may; those are tried where who may not asks. */
const isStream = ({ path }: Row): boolean => /\/(changes|tail|stream)$/.test(path);
const own = (path: string): string => path.replace(/\{[^}]+\}/g, 'nothing_of_that_name');
/** Ends the session or the trust that the test itself stands on. */
const isEnd = ({ path }: Row): boolean => path.endsWith('/logout');

const COOKIE = cookieName(false);
const SAME_SITE = { 'sec-fetch-site': 'same-origin' };
/** Routes whose handlers have nothing behind them here: what counts is who is let through to them. */
const more = [...factRoutes({} as never), ...hostRoutes({} as never), ...reportRoutes({} as never), ...backupRoutes({} as never)];
const unbounded = { burst: 1_000_000, perSecond: 1_000_000 };

let at: TestConsole;
beforeAll(async () => {
  at = await openConsole((parts) => ({ ...parts, more, limits: { requests: unbounded, credentials: unbounded } }));
});
afterAll(() => at.close());

const ask = (row: Pick<Row, 'method' | 'path'>, headers: Record<string, string> = {}) =>
  at.app.inject({ method: row.method, url: own(row.path), headers: { host: 'localhost:7480', ...headers } });
const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
const refusals = () => at.audit.entries.filter(({ act, phase }) => act === 'request' && phase === 'refused');

/** A session of a person with a password of their own, or with the one-time one. */
const signIn = async (name: string, role: Role, oneTime = false): Promise<string> => {
  const { oneTimePassword } = await at.users.add(at.parts.localOwner, { name, role });
  const password = String(oneTimePassword);
  const answer = await at.logins.login({ name, password, from: '127.0.0.1' });
  if (answer.kind !== 'ok') throw new Error(`${name} is not let in: ${answer.kind}`);
  if (oneTime) return answer.value;
  return (await at.users.changePassword(answer.actor, password, 'a long enough password of their own', '127.0.0.1')).value;
};

describe('the table of routes', () => {
  test('names each route that runs, with its permission', () => {
    expect(rows.length).toBeGreaterThan(80);
    expect(guarded.every(({ roles }) => roles.includes('admin'))).toBe(true);
    for (const { method, path, roles } of guarded)
      if (method !== 'GET' && !path.startsWith('/api/v1/auth/') && !path.startsWith('/api/v1/events/'))
        expect(roles, `${method} ${path}`).not.toContain('auditor');
  });

  test.each(ROLES)('lets %s through to what it says, and to nothing else', async (role) => {
    const wrong: string[] = [];
    let asked = 0;
    for (const row of guarded) {
      const may = row.roles.includes(role);
      if (may && (isStream(row) || isEnd(row))) continue;
      asked += 1;
      const { statusCode, body } = await ask(row, bearer(at.tokenTexts[role]));
      const refused = statusCode === 403 && body.includes('NOT_PERMITTED');
      if (refused === may || statusCode === 401) wrong.push(`${row.method} ${row.path}: ${statusCode} ${body.slice(0, 120)}`);
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(75);
  });

  test('lets nobody through who is not signed in, whose token is not known or whose session has ended', async () => {
    const value = await signIn('gone', 'admin');
    await at.logins.logout(value);
    const wrong: string[] = [];
    for (const row of guarded)
      for (const headers of [
        {},
        bearer('vgt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
        { authorization: 'Basic YWRtaW46YWRtaW4=' },
        { ...SAME_SITE, cookie: `${COOKIE}=${value}` },
      ]) {
        const { statusCode } = await ask(row, headers);
        if (statusCode !== 401) wrong.push(`${row.method} ${row.path} ${JSON.stringify(headers)}: ${statusCode}`);
      }
    expect(wrong).toEqual([]);
  });

  test('lets a person with a one-time password change it, and nothing else', async () => {
    const value = await signIn('new', 'admin', true);
    const wrong: string[] = [];
    for (const row of guarded.filter((one) => one.permission !== 'self.write')) {
      const { statusCode, body } = await ask(row, { ...SAME_SITE, cookie: `${COOKIE}=${value}` });
      if (statusCode !== 403 || !body.includes('PASSWORD_MUST_CHANGE')) wrong.push(`${row.method} ${row.path}: ${statusCode}`);
    }
    expect(wrong).toEqual([]);
  });

  test('lets no other site use the cookie of a person who is signed in', async () => {
    const value = await signIn('lured', 'admin');
    const wrong: string[] = [];
    for (const row of rows.filter(({ method }) => method !== 'GET'))
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://elsewhere.example' },
        { origin: 'null' },
        {},
      ]) {
        const { statusCode, body } = await ask(row, { cookie: `${COOKIE}=${value}`, ...headers } as Record<string, string>);
        if (statusCode !== 403 || !body.includes('CROSS_SITE'))
          wrong.push(`${row.method} ${row.path} ${JSON.stringify(headers)}: ${statusCode}`);
      }
    expect(wrong).toEqual([]);
    expect((await ask({ method: 'GET', path: '/api/v1/auth/me' }, { cookie: `${COOKIE}=${value}` })).statusCode).toBe(200);
  });
});

describe('a refusal is kept', () => {
  test('with who asked, from where, for what, and why not', async () => {
    const fresh = (await at.tokens.create(at.parts.localOwner, { name: 'curious', role: 'auditor', expiresInMs: null })).text;
    const { statusCode } = await ask({ method: 'POST', path: '/api/v1/fleet/agents/agt_1/revoke' }, bearer(fresh));
    expect(statusCode).toBe(403);
    expect(refusals().at(-1)).toMatchObject({
      actor: { kind: 'token' },
      on: '/api/v1/fleet/agents/agt_1/revoke',
      from: '127.0.0.1',
      details: { code: 'NOT_PERMITTED', method: 'POST', route: '/api/v1/fleet/agents/:id/revoke', permission: 'fleet.write' },
    });
  });

  test('for the id of another’s object, which looks like one that is not there', async () => {
    const nosy = { ...SAME_SITE, cookie: `${COOKIE}=${await signIn('nosy', 'analyst')}` };
    const tokenOf = async (cookie: string): Promise<{ readonly id: string; readonly token: string }> =>
      (
        await at.app.inject({
          method: 'POST',
          url: '/api/v1/auth/tokens',
          headers: { host: 'localhost:7480', ...SAME_SITE, cookie },
          payload: { name: 'script', role: 'analyst' },
        })
      ).json();
    const theirs = await tokenOf(`${COOKIE}=${await signIn('other', 'analyst')}`);
    const mine = await tokenOf(nosy.cookie);
    const other = await ask({ method: 'DELETE', path: `/api/v1/auth/tokens/${theirs.id}` }, nosy);
    const none = await ask({ method: 'DELETE', path: `/api/v1/auth/tokens/${theirs.id.slice(0, -1)}A` }, nosy);
    expect([other.statusCode, other.json().code]).toEqual([404, 'NOT_FOUND']);
    expect([none.statusCode, none.json().code]).toEqual([404, 'NOT_FOUND']);
    expect(await at.tokens.verify(theirs.token)).toMatchObject({ role: 'analyst' });
    expect(refusals().find(({ on }) => on.endsWith(theirs.id))).toMatchObject({ actor: { name: 'nosy' }, details: { code: 'NOT_FOUND' } });
    expect((await ask({ method: 'GET', path: '/api/v1/auth/tokens' }, nosy)).json().items.map(({ id }: { id: string }) => id)).toEqual([
      mine.id,
    ]);
    expect((await ask({ method: 'DELETE', path: `/api/v1/auth/tokens/${mine.id}` }, nosy)).statusCode).toBe(204);
    expect(await at.tokens.verify(mine.token)).toBeNull();
  });

  test('for a role that somebody would give beyond their own', async () => {
    const headers = { host: 'localhost:7480', ...SAME_SITE, cookie: `${COOKIE}=${await signIn('climber', 'analyst')}` };
    const answer = await at.app.inject({ method: 'POST', url: '/api/v1/auth/tokens', headers, payload: { name: 'up', role: 'admin' } });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'AUTH_TOKEN_TOO_STRONG']);
    expect(refusals().at(-1)).toMatchObject({ actor: { name: 'climber' }, details: { code: 'AUTH_TOKEN_TOO_STRONG' } });
  });

  test('but not for a typo in an id that is only looked at, nor for who is not signed in yet', async () => {
    const before = refusals().length;
    expect((await ask({ method: 'GET', path: '/api/v1/alerts/alr_nothing' }, bearer(at.tokenTexts.auditor))).statusCode).toBe(404);
    expect((await ask({ method: 'GET', path: '/api/v1/auth/me' })).statusCode).toBe(401);
    expect(refusals().length).toBe(before);
  });

  test('once for a thousand of the same, with their number, and no more kinds than memory has', async () => {
    const before = refusals().length;
    const one = (await at.tokens.create(at.parts.localOwner, { name: 'loud', role: 'auditor', expiresInMs: null })).text;
    for (let i = 0; i < 1_000; i += 1) await ask({ method: 'POST', path: '/api/v1/fleet/tokens' }, bearer(one));
    expect(refusals().length - before).toBe(1);
    await at.app.close();
    expect(refusals().find(({ actor, details }) => actor.kind === 'token' && details?.['times'] === 999)).toBeDefined();
    expect(refusals().length).toBeLessThan(1_000);
  });
});
