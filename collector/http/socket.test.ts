// SPDX-License-Identifier: Apache-2.0
/** The console's listener on real sockets: TLS, the control socket, streams, files. */
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { ms, unixMs } from '../../core/units.ts';
import { openConsole, type TestConsole } from '../../test/support/console.ts';
import { openCa } from '../fleet/ca.ts';
import type { Event } from '../model/event.ts';
import { CONTROL_SOCKET, openControl } from './control.ts';
import { controlSockets } from './server.ts';
import { STREAM_LIMITS } from './sse.ts';
import { openSite } from './static.ts';

let folder: string;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-http-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

const console = async (...args: Parameters<typeof openConsole>): Promise<TestConsole> => {
  const made = await openConsole(...args);
  ends.push(made.close);
  return made;
};

const listen = async (vigil: TestConsole): Promise<number> => {
  await vigil.app.listen({ host: '127.0.0.1', port: 0 });
  return (vigil.app.server.address() as AddressInfo).port;
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const ask = (options: RequestOptions & { readonly ca?: string }, body?: string, send = httpRequest): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = send({ agent: false, ...options }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(pieces).toString('utf8') }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });

describe('TLS', () => {
  test('marks the cookie for this host and asks browsers to stay with it', async () => {
    const ca = await openCa({ dir: folder, clock: systemClock, hosts: ['127.0.0.1', 'localhost'] });
    const { cert, key } = await ca.server();
    const vigil = await console((parts) => ({ ...parts, tls: { cert, key } }));
    const port = await listen(vigil);
    await vigil.users.add(vigil.parts.localOwner, { name: 'maria', role: 'analyst', password: 'four words of a song' });
    const answer = await ask(
      {
        host: '127.0.0.1',
        port,
        path: '/api/v1/auth/login',
        method: 'POST',
        ca: ca.certificate,
        headers: { 'content-type': 'application/json', origin: `https://127.0.0.1:${port}` },
      },
      JSON.stringify({ name: 'maria', password: 'four words of a song' }),
      httpsRequest,
    );
    expect(answer.status).toBe(200);
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^__Host-vigil=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(answer.headers['strict-transport-security']).toContain('max-age=');
  });
});

describe('the control socket', () => {
  const open = async (dir = folder): Promise<{ readonly vigil: TestConsole; readonly path: string }> => {
    const vigil = await console();
    const control = await openControl(vigil.app, dir, controlSockets(vigil.app));
    ends.push(control.close);
    return { vigil, path: control.path };
  };

  test('acts as the owner of the data folder, whom no other listener can play', async () => {
    const { vigil, path } = await open();
    const me = await ask({ socketPath: path, path: '/api/v1/auth/me', headers: { host: 'anything' } });
    expect(JSON.parse(me.text)).toMatchObject({ kind: 'local-owner', role: 'admin' });
    const made = await ask(
      { socketPath: path, path: '/api/v1/auth/users', method: 'POST', headers: { 'content-type': 'application/json' } },
      JSON.stringify({ name: 'maria', role: 'analyst' }),
    );
    expect(made.status).toBe(201);
    expect(vigil.audit.entries.at(-1)).toMatchObject({ actor: { kind: 'local-owner' }, from: 'local', phase: 'done' });
    const port = await listen(vigil);
    for (const headers of [{}, { 'x-forwarded-for': 'local' }, { cookie: 'vigil=local-owner' }, { authorization: 'Bearer local-owner' }])
      expect((await ask({ host: '127.0.0.1', port, path: '/api/v1/auth/me', headers })).status).toBe(401);
  });

  test('belongs to its owner alone, and leaves the mask as it was', async () => {
    const before = process.umask();
    const { path } = await open();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
  });

  test('is taken over from a collector that died, never from one that runs', async () => {
    const dead = createNetServer();
    const path = join(folder, CONTROL_SOCKET);
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    const vigil = await console();
    await expect(openControl(vigil.app, folder, controlSockets(vigil.app))).rejects.toMatchObject({ code: 'CONTROL_TAKEN' });
    await new Promise((resolve) => dead.close(resolve));
    await writeFile(path, 'left over');
    await chmod(path, 0o600);
    const control = await openControl(vigil.app, folder, controlSockets(vigil.app));
    ends.push(control.close);
    expect((await ask({ socketPath: path, path: '/health' })).status).toBe(200);
  });

  test('is reached by a relative path where the absolute one is too long', async () => {
    const long = join(folder, 'd'.repeat(90));
    await mkdir(long);
    const stood = process.cwd();
    process.chdir(long);
    try {
      const { path } = await open(long);
      expect(path).toBe(CONTROL_SOCKET);
      expect((await ask({ socketPath: path, path: '/health' })).status).toBe(200);
    } finally {
      process.chdir(stood);
    }
  });
});

describe('streams', () => {
  const event = (name: string): Event => ({ '@timestamp': unixMs(0), 'event.id': 'evt_0123456789abcdef', 'user.name': name });

  const openTail = async (limits: Partial<typeof STREAM_LIMITS> = {}) => {
    const listeners = new Set<(event: Event) => void>();
    const vigil = await console((parts) => ({
      ...parts,
      clock: systemClock,
      limits: { streams: { ...STREAM_LIMITS, ...limits } },
      query: {
        ...parts.query,
        tail: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    }));
    const say = (name: string): void => {
      for (const listener of listeners) listener(event(name));
    };
    const port = await listen(vigil);
    const follow = (query: string): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(
          {
            host: '127.0.0.1',
            port,
            agent: false,
            path: `/api/v1/events/tail?query=${encodeURIComponent(query)}`,
            headers: { authorization: `Bearer ${vigil.tokenTexts.analyst}` },
          },
          resolve,
        );
        request.on('error', reject);
        request.end();
      });
    return { vigil, listeners, follow, say };
  };

  test('carry the events that match, as they arrive, and a heartbeat', async () => {
    const { listeners, follow, say } = await openTail({ heartbeatMs: ms(20) });
    const response = await follow('user.name: r*');
    expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-content-type-options': 'nosniff' });
    let text = '';
    response.on('data', (piece: Buffer) => {
      text += piece.toString('utf8');
    });
    say('root');
    say('maria');
    say('ruth');
    await expect.poll(() => text).toContain('"user.name":"ruth"');
    await expect.poll(() => text.match(/: here/g)?.length ?? 0).toBeGreaterThan(2);
    expect(text).toContain('id: evt_0123456789abcdef\nevent: event\ndata: {"@timestamp":"1970-01-01T00:00:00.000Z"');
    expect(text).not.toContain('maria');
    response.destroy();
    await expect.poll(() => listeners.size).toBe(0);
  });

  test('end for a client that does not read, and are counted by actor', async () => {
    const { listeners, follow, say } = await openTail({ queuedBytes: 100_000, perActor: 2 });
    const slow = await follow('');
    slow.pause();
    const second = await follow('');
    const third = await follow('');
    expect(third.statusCode).toBe(429);
    third.resume();
    second.destroy();
    await expect.poll(() => listeners.size).toBe(1);
    await expect
      .poll(() => {
        for (let i = 0; i < 200; i++) say('x'.repeat(10_000));
        return listeners.size;
      })
      .toBe(0);
    slow.destroy();
  });

  test('of a malformed query are a problem, not a stream', async () => {
    const { follow } = await openTail();
    const response = await follow('a: (');
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
    response.resume();
  });
});

describe('the console’s files', () => {
  test('come from memory: by exact path, compressed, cached by name or by hash', async () => {
    await mkdir(join(folder, 'assets'));
    await writeFile(
      join(folder, 'index.html'),
      '<!doctype html><div id="root"></div><script type="module" src="/assets/app-1a2b.js"></script>',
    );
    await writeFile(join(folder, 'assets', 'app-1a2b.js'), `const a = 1;\n`.repeat(500));
    await writeFile(join(folder, 'built-from'), 'a hash');
    const site = openSite();
    const vigil = await console((parts) => ({ ...parts, site }));
    expect((await vigil.ask('GET', '/')).body).toContain('being built');
    await site.load(folder);
    const page = await vigil.ask('GET', '/search');
    expect(page.body).toContain('/assets/app-1a2b.js');
    expect(page.headers['cache-control']).toBe('no-cache');
    expect((await vigil.ask('GET', '/search', { headers: { 'if-none-match': String(page.headers.etag) } })).statusCode).toBe(304);
    const script = await vigil.ask('GET', '/assets/app-1a2b.js', { headers: { 'accept-encoding': 'br, gzip' } });
    expect(script.headers).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': expect.stringContaining('immutable'),
      'content-type': expect.stringContaining('text/javascript'),
    });
    expect(gunzipSync(script.rawPayload).length).toBe(13 * 500);
    await rm(join(folder, 'assets'), { recursive: true });
    expect((await vigil.ask('GET', '/assets/app-1a2b.js')).statusCode).toBe(200);
    expect((await vigil.ask('GET', '/built-from')).body).toContain('id="root"');
  });
});
