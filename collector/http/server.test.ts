// SPDX-License-Identifier: Apache-2.0
/** The console's listener: what it lets in, what it refuses and how it says so. */
import { Type } from 'typebox';
import { afterEach, describe, expect, test } from 'vitest';
import { openConsole, type TestConsole } from '../../test/support/console.ts';
import { grants } from '../auth/permissions.ts';
import { PERMISSIONS, ROLES } from '../model/permission.ts';
import { CONTENT_POLICY } from './headers.ts';
import { type Route, route } from './route.ts';
import { makeConsoleServer, routesOf } from './server.ts';

let open: TestConsole[] = [];
const console = async (...args: Parameters<typeof openConsole>): Promise<TestConsole> => {
  const made = await openConsole(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

const PASSWORD = 'four words of a song';
const SAME_SITE = { origin: 'http://localhost:7480', 'sec-fetch-site': 'same-origin' };

const signIn = async (vigil: TestConsole): Promise<string> => {
  const { oneTimePassword } = await vigil.users.add(vigil.parts.localOwner, { name: 'maria', role: 'analyst' });
  const first = await vigil.ask('POST', '/api/v1/auth/login', { body: { name: 'maria', password: oneTimePassword } });
  const cookie = String(first.headers['set-cookie']).split(';')[0] as string;
  const changed = await vigil.ask('POST', '/api/v1/auth/password', {
    body: { current: oneTimePassword, next: PASSWORD },
    headers: { cookie, ...SAME_SITE },
  });
  expect(changed.statusCode).toBe(204);
  return String(changed.headers['set-cookie']).split(';')[0] as string;
};

describe('permissions', () => {
  const spec = {
    method: 'GET',
    path: '/api/v1/x',
    tag: 'x',
    summary: 'x',
    answer: Type.Object({}),
    handle: async () => ({ body: {} }),
  } as const;

  test('a route without a permission does not boot', async () => {
    for (const permission of [undefined, 'event.write', '', null]) {
      const bad = { ...route({ ...spec, permission: 'event.read' }), permission } as unknown as Route;
      await expect(console((parts) => ({ ...parts, more: [bad] }))).rejects.toMatchObject({ code: 'ROUTE_BAD' });
    }
  });

  test('nor does one that some plugin opens by itself', async () => {
    const { parts } = await console();
    const app = makeConsoleServer(parts);
    app.register(async (inner) => {
      inner.get('/debug', async () => 'open to all');
    });
    await expect(app.ready()).rejects.toMatchObject({ code: 'ROUTE_BAD' });
  });

  test('every route answers each role as the table of roles says, and nobody without credentials', async () => {
    const vigil = await console();
    const { parts } = vigil;
    const all = routesOf(parts).filter((one) => 'handle' in one);
    expect(all.length).toBeGreaterThan(30);
    for (const one of all) {
      if (one.permission === 'public') continue;
      const url = one.path.replace(/:\w+/g, 'x');
      const open = await vigil.ask(one.method as 'GET', url);
      expect(open.statusCode, `${one.method} ${url} without credentials`).toBe(401);
      for (const role of ROLES) {
        const { statusCode } = await vigil.ask(one.method as 'GET', url, { role });
        expect(statusCode === 403, `${one.method} ${url} as ${role}: ${statusCode}`).toBe(!grants(role, one.permission));
      }
    }
    expect(Object.keys(PERMISSIONS)).toEqual(
      expect.arrayContaining([...new Set(all.map((one) => one.permission))].filter((one) => one !== 'public')),
    );
  });

  test('who must change the password may do that and nothing else, not even make a token', async () => {
    const vigil = await console();
    const { oneTimePassword } = await vigil.users.add(vigil.parts.localOwner, { name: 'eva', role: 'admin' });
    const login = await vigil.ask('POST', '/api/v1/auth/login', { body: { name: 'eva', password: oneTimePassword } });
    expect(login.json()).toMatchObject({ mustChangePassword: true, permissions: ['self.write'] });
    const headers = { cookie: String(login.headers['set-cookie']).split(';')[0] as string, ...SAME_SITE };
    expect((await vigil.ask('GET', '/api/v1/alerts', { headers })).json()).toMatchObject({ status: 403, code: 'PASSWORD_MUST_CHANGE' });
    expect((await vigil.ask('POST', '/api/v1/auth/tokens', { headers, body: { name: 'x', role: 'admin' } })).json()).toMatchObject({
      code: 'PASSWORD_MUST_CHANGE',
    });
    expect((await vigil.ask('GET', '/api/v1/auth/me', { headers })).json()).toMatchObject({ name: 'eva' });
  });
});

describe('problems', () => {
  test('have the shape of RFC 9457, a code and a hint', async () => {
    const vigil = await console();
    const answer = await vigil.ask('GET', '/api/v1/alerts/alr_nothing', { role: 'analyst' });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toEqual({
      type: 'urn:vigil:problem:NOT_FOUND',
      title: 'Not found',
      status: 404,
      code: 'NOT_FOUND',
      detail: 'There is no alert alr_nothing.',
      hint: expect.any(String),
      instance: expect.any(String),
    });
  });

  test('tell nothing of the inside when the fault is ours', async () => {
    const vigil = await console();
    const answer = await vigil.ask('GET', '/api/v1/status', { role: 'analyst' });
    expect(answer.json()).toMatchObject({ status: 500, code: 'HTTP_FAULT' });
    expect(answer.body).not.toContain('secret');
  });

  test('of a malformed query say where it is', async () => {
    const vigil = await console();
    for (const place of ['events/search', 'events/count', 'alerts', 'incidents']) {
      const answer = await vigil.ask('GET', `/api/v1/${place}?query=${encodeURIComponent('user.name: (root')}`, { role: 'analyst' });
      expect(answer.json(), place).toMatchObject({ status: 400, code: 'QUERY_MALFORMED', at: 16, expected: expect.stringContaining(')') });
    }
    const value = await vigil.ask('GET', `/api/v1/events/count?query=${encodeURIComponent('source.port: ssh')}`, { role: 'analyst' });
    expect(value.json()).toMatchObject({ status: 400, code: 'QUERY_BAD_VALUE' });
  });

  test.each([
    ['limit=0', 'query.limit must be >= 1'],
    ['limit=5.5', 'query.limit must be integer'],
    ['limit=x', 'query.limit must be integer'],
    ['nope=1', 'query holds nope, which is not known there'],
    ['order=up', 'query.order must be one of newest, oldest'],
    ['from=yesterday', 'is not a value of from'],
    ['from=now&to=now-1h', 'ends (to now-1h) before it begins'],
  ])('of a parameter %s say what is wrong with it', async (query, detail) => {
    const vigil = await console();
    const answer = await vigil.ask('GET', `/api/v1/events/search?${query}`, { role: 'analyst' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().detail).toContain(detail);
  });

  test('of unknown paths do not repeat what could be markup', async () => {
    const vigil = await console();
    const answer = await vigil.ask('GET', '/api/v1/<script>alert(1)</script>', { role: 'analyst' });
    expect(answer.json()).toMatchObject({ status: 404, code: 'NO_SUCH_ROUTE' });
    expect(answer.body).not.toContain('<script>');
  });
});

describe('other sites', () => {
  test('cause no change: origin and fetch metadata are checked, and a cookie needs one of them', async () => {
    const vigil = await console();
    const cookie = await signIn(vigil);
    const change = (headers: Record<string, string>) =>
      vigil.ask('POST', '/api/v1/auth/tokens', { body: { name: 'x', role: 'analyst' }, headers: { cookie, ...headers } });
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:7481' },
      { origin: 'https://localhost:7480' },
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:7480' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ] as Record<string, string>[])
      expect((await change(headers)).json(), JSON.stringify(headers)).toMatchObject({ status: 403, code: 'CROSS_SITE' });
    expect((await change(SAME_SITE)).statusCode).toBe(201);
    expect((await change({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(201);
  });

  test('cannot sign somebody in, and reach nothing under a name of their own', async () => {
    const vigil = await console();
    const login = await vigil.ask('POST', '/api/v1/auth/login', {
      body: { name: 'admin', password: 'x' },
      headers: { origin: 'https://evil.example' },
    });
    expect(login.json()).toMatchObject({ code: 'CROSS_SITE' });
    const rebound = await vigil.ask('GET', '/health', { headers: { host: 'evil.example:7480' } });
    expect(rebound.json()).toMatchObject({ status: 421, code: 'HOST_UNKNOWN' });
    expect((await vigil.ask('GET', '/health', { headers: { host: '[::1]:7480' } })).statusCode).toBe(200);
  });

  test('find headers that shut them out on every answer', async () => {
    const vigil = await console();
    for (const url of ['/', '/api/v1/status', '/nothing.js', '/api/v1/openapi.json']) {
      const { headers } = await vigil.ask('GET', url);
      expect(headers['content-security-policy'], url).toBe(CONTENT_POLICY);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(CONTENT_POLICY).toContain("require-trusted-types-for 'script'");
    expect(CONTENT_POLICY).not.toMatch(/https?:|script-src[^;]*unsafe/);
  });
});

describe('sessions', () => {
  test('live in a cookie that scripts and other sites cannot use', async () => {
    const plain = await console();
    const cookie = await signIn(plain);
    const set = String(
      (await plain.ask('POST', '/api/v1/auth/login', { body: { name: 'maria', password: PASSWORD } })).headers['set-cookie'],
    );
    expect(set).toMatch(/^vigil=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/);
    expect((await plain.ask('GET', '/api/v1/auth/me', { headers: { cookie } })).json()).toMatchObject({
      kind: 'user',
      name: 'maria',
      role: 'analyst',
      mustChangePassword: false,
    });
    expect((await plain.ask('POST', '/api/v1/auth/logout', { headers: { cookie, ...SAME_SITE } })).statusCode).toBe(204);
    expect((await plain.ask('GET', '/api/v1/auth/me', { headers: { cookie } })).statusCode).toBe(401);
    expect((await plain.ask('POST', '/api/v1/auth/logout', { headers: { cookie, ...SAME_SITE } })).statusCode).toBe(204);
  });

  test('are refused alike for a wrong name and a wrong password', async () => {
    const vigil = await console();
    await signIn(vigil);
    const refusal = async (name: string) => {
      const { instance: _, ...rest } = (await vigil.ask('POST', '/api/v1/auth/login', { body: { name, password: 'wrong wrong' } })).json();
      return rest;
    };
    expect(await refusal('maria')).toEqual(await refusal('nobody'));
    expect(await refusal('maria')).toMatchObject({ status: 401, code: 'LOGIN_REFUSED' });
  });
});

describe('hostile requests', () => {
  test('500 parallel bad logins are counted before any is verified', async () => {
    let verified = 0;
    const vigil = await console((parts) => ({
      ...parts,
      auth: {
        ...parts.auth,
        logins: {
          ...parts.auth.logins,
          login: async () => {
            verified++;
            await new Promise((resolve) => setImmediate(resolve));
            return { kind: 'refused' };
          },
        },
      },
    }));
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        vigil.ask('POST', '/api/v1/auth/login', {
          body: { name: `user${i}`, password: 'x' },
          headers: { 'x-forwarded-for': `203.0.113.${i % 250}` },
        }),
      ),
    );
    expect(verified).toBe(60);
    const slowed = answers.filter(({ statusCode }) => statusCode === 429);
    expect(slowed).toHaveLength(440);
    expect(slowed[0]?.json()).toMatchObject({ code: 'SLOW_DOWN', retryAfterSeconds: expect.any(Number) });
    expect(slowed[0]?.headers['retry-after']).toMatch(/^\d+$/);
    vigil.clock.advance(2_000);
    expect((await vigil.ask('POST', '/api/v1/auth/login', { body: { name: 'a', password: 'x' } })).statusCode).toBe(401);
  });

  test('wrong tokens are slowed down, right ones are not', async () => {
    const vigil = await console();
    const bad = await Promise.all(
      Array.from({ length: 200 }, () =>
        vigil.ask('GET', '/api/v1/auth/me', { headers: { authorization: `Bearer vgl_${'A'.repeat(63)}` } }),
      ),
    );
    expect(bad.filter(({ statusCode }) => statusCode === 401)).toHaveLength(60);
    vigil.clock.advance(60_000);
    for (let i = 0; i < 200; i++) expect((await vigil.ask('GET', '/api/v1/auth/me', { role: 'auditor' })).statusCode).toBe(200);
  });

  test('one address gets so many requests and no more', async () => {
    const vigil = await console((parts) => ({ ...parts, limits: { requests: { burst: 10, perSecond: 1 } } }));
    const answers = await Promise.all(Array.from({ length: 30 }, () => vigil.ask('GET', '/health')));
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(10);
  });

  test('a body beyond its limit, of another type, or not JSON is refused with its code', async () => {
    const vigil = await console();
    const post = (payload: string | object, type = 'application/json') =>
      vigil.app.inject({ method: 'POST', url: '/api/v1/auth/login', payload, headers: { host: 'localhost', 'content-type': type } });
    expect((await post({ name: 'a', password: 'x'.repeat(20_000) })).json()).toMatchObject({
      status: 413,
      code: 'TOO_LARGE',
      detail: expect.stringContaining('8192'),
    });
    expect((await post('<a/>', 'text/xml')).json()).toMatchObject({ status: 415, code: 'MEDIA_TYPE' });
    expect((await post('{"name":')).json()).toMatchObject({ status: 400, code: 'JSON_BAD' });
    expect((await post('')).json()).toMatchObject({ status: 400 });
    expect((await post('{"name":"a","password":"x","role":"admin"}')).json()).toMatchObject({
      status: 400,
      detail: expect.stringContaining('role'),
    });
    expect((await post('{"name":5,"password":"x"}')).json()).toMatchObject({
      status: 400,
      detail: expect.stringContaining('body.name must be string'),
    });
  });

  test.each([
    '{"__proto__":{"admin":true}}',
    '{"name":"a","password":"x","__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"\\u005f_proto__":{"admin":true}}',
    '[{"a":{"__proto__":{"admin":true}}}]',
  ])('%s pollutes nothing', async (payload) => {
    const vigil = await console();
    const answer = await vigil.app.inject({
      method: 'POST',
      url: '/api/v1/events/search',
      payload,
      headers: { host: 'localhost', 'content-type': 'application/json', authorization: `Bearer ${vigil.tokenTexts.analyst}` },
    });
    expect(answer.statusCode).toBe(400);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  test('deep JSON is refused by its bytes, before it is parsed', async () => {
    const vigil = await console();
    const send = (payload: string) =>
      vigil.app.inject({
        method: 'POST',
        url: '/api/v1/events/search',
        payload,
        headers: { host: 'localhost', 'content-type': 'application/json', authorization: `Bearer ${vigil.tokenTexts.analyst}` },
      });
    for (const depth of [33, 1_000, 100_000, 500_000])
      expect((await send('['.repeat(depth) + ']'.repeat(depth))).json()).toMatchObject({ status: 400, code: 'JSON_TOO_DEEP' });
    expect((await send(JSON.stringify({ query: '[[[['.repeat(20) }))).json()).toMatchObject({ items: [] });
    expect((await send(JSON.stringify({ query: '"\\\\"' }))).statusCode).toBe(200);
  });

  test('nothing waits for ever: every time and count of the listener has an end', async () => {
    const { app } = await console();
    const { headersTimeout, requestTimeout, timeout, keepAliveTimeout, maxRequestsPerSocket, maxConnections } = app.server;
    for (const limit of [headersTimeout, requestTimeout, timeout, keepAliveTimeout, maxRequestsPerSocket, maxConnections])
      expect(limit).toBeGreaterThan(0);
    expect(app.initialConfig).toMatchObject({ bodyLimit: 1_048_576, onProtoPoisoning: 'error', onConstructorPoisoning: 'error' });
  });

  test('nobody without permission makes the collector read a body', async () => {
    const vigil = await console();
    expect((await vigil.ask('POST', '/api/v1/events/search', { body: { query: 'x'.repeat(2_000_000) } })).statusCode).toBe(401);
  });
});

describe('creates', () => {
  test('with the same Idempotency-Key happen once, also when they come at once', async () => {
    const vigil = await console();
    const create = (key: string, name: string) =>
      vigil.ask('POST', '/api/v1/auth/users', { role: 'admin', body: { name, role: 'analyst' }, headers: { 'idempotency-key': key } });
    const [a, b] = await Promise.all([create('k1', 'maria'), create('k1', 'maria')]);
    expect(a?.statusCode).toBe(201);
    expect(b?.json()).toEqual(a?.json());
    expect((await create('k1', 'other')).json()).toMatchObject({ status: 400, code: 'REQUEST_BAD' });
    expect((await create('k2', 'maria')).json()).toMatchObject({ status: 409, code: 'USER_EXISTS' });
    expect((await vigil.users.list()).map(({ name }) => name)).toEqual(['maria']);
  });

  test('of a change without If-Match are refused', async () => {
    const vigil = await console();
    const answer = await vigil.ask('PATCH', '/api/v1/alerts/alr_x', { role: 'analyst', body: { state: 'acknowledged' } });
    expect(answer.json()).toMatchObject({ status: 428, code: 'IF_MATCH_MISSING' });
  });
});

describe('the collector itself', () => {
  test('tells strangers that it lives and not what is wrong', async () => {
    const vigil = await console();
    expect((await vigil.ask('GET', '/health')).json()).toEqual({ status: 'degraded' });
    expect((await vigil.ask('GET', '/health', { role: 'auditor' })).json()).toMatchObject({ conditions: [{ code: 'SOURCE_UNREADABLE' }] });
    expect((await vigil.ask('GET', '/ready')).json()).toEqual({ ready: true });
    expect((await vigil.ask('GET', '/metrics')).statusCode).toBe(401);
    const metrics = await vigil.ask('GET', '/metrics', { role: 'auditor' });
    expect(metrics.headers['content-type']).toContain('text/plain');
    expect(metrics.body).toContain('vigil_events 0');
    expect(metrics.body).toMatch(/vigil_http_request_duration_seconds_count\{method="GET",route="\/health",status="200"\} 2/);
  });

  test('describes every route it has, in OpenAPI 3.1', async () => {
    const vigil = await console();
    const document = (await vigil.ask('GET', '/api/v1/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const all = routesOf(vigil.parts);
    for (const { method, path, tag } of all) {
      const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()];
      expect(operation.tags, `${method} ${path}`).toEqual([tag]);
    }
    const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('serves the page that waits for the console, for every path of its router and no other', async () => {
    const vigil = await console();
    for (const url of ['/', '/search', '/incidents/INC-8']) {
      const page = await vigil.ask('GET', url);
      expect(page.statusCode, url).toBe(200);
      expect(page.body).toContain('<div id="root">');
      expect(page.headers['content-type']).toContain('text/html');
    }
    for (const url of ['/assets/x.js', '/../package.json', '/%2e%2e/etc/passwd.txt', '/api/v1/nothing', '/api'])
      expect((await vigil.ask('GET', url)).statusCode, url).toBe(404);
    expect((await vigil.ask('POST', '/')).statusCode).toBe(404);
  });
});
