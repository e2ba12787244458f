// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { Agent as HttpsAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { sha256 } from '../../core/hash.ts';
import { makeId } from '../../core/ids.ts';
import { AGENT_PATHS, type EnrolAnswer, type TokenText } from '../../core/protocol.ts';
import { hours, ms, unixMs } from '../../core/units.ts';
import { certificateOf, csr, csrOf, type Key, newKey, OWNER, openDoors } from '../../test/support/agent-doors.ts';
import { fault } from '../errors.ts';
import { openCa } from './ca.ts';
import { discardHeld, listAgents, listHeld, releaseHeld, retireAgent, revokeAgent, showAgent } from './commands.ts';
import { openEnrolment } from './enrol.ts';
import { openSigner } from './keys.ts';

const REFUSALS = 1_000;

let root = '';
let at: Awaited<ReturnType<typeof openDoors>>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vigil-doors-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  at = await openDoors(await mkdtemp(join(root, 'd-')));
});
afterEach(() => at.close());

describe('the authority', () => {
  it('is made once, in files that only the owner reads, and its pin is of its public key', async () => {
    const keys = join(at.dir, 'keys');
    await openSigner(join(keys, 'audit.key'));
    for (const name of await readdir(keys))
      expect([name, ((await stat(join(keys, name))).mode & 0o777).toString(8)]).toEqual([name, '600']);
    const again = await openCa({ dir: keys, clock: systemClock, hosts: ['localhost'] });
    expect(again.certificate).toBe(at.ca.certificate);
    expect(at.ca.pin).toBe(sha256(new X509Certificate(at.ca.certificate).publicKey.export({ type: 'spki', format: 'der' })));
  });

  it('keeps the listener’s certificate until names or time call for another, and swaps it without a restart', async () => {
    const keys = join(at.dir, 'keys');
    const first = await at.ca.server();
    expect((await at.ca.server()).cert).toBe(first.cert);
    const later = await openCa({
      dir: keys,
      clock: { ...systemClock, now: () => unixMs(Date.now() + 61 * 86_400_000) },
      hosts: ['localhost'],
    });
    const second = await later.server();
    expect(second.cert).not.toBe(first.cert);
    const wider = await openCa({ dir: keys, clock: systemClock, hosts: ['localhost', 'new.example.org', '192.0.2.7', '::1'] });
    const third = await wider.server();
    const certificate = new X509Certificate(third.cert);
    expect(
      [certificate.checkHost('new.example.org'), certificate.checkIP('192.0.2.7'), certificate.checkIP('::1')].every(
        (found) => found !== undefined,
      ),
    ).toBe(true);
    // Made while the clock was wrong by a year, or kept through it: valid for whose clock is right.
    for (const days of [400, -400]) {
      const wrong = await openCa({
        dir: keys,
        clock: { ...systemClock, now: () => unixMs(Date.now() + days * 86_400_000) },
        hosts: ['localhost', 'new.example.org', '192.0.2.7', '::1'],
      });
      const { validFrom, validTo } = new X509Certificate((await wrong.server()).cert);
      expect([Date.parse(validFrom) < Date.now(), Date.parse(validTo) > Date.now()]).toEqual([true, true]);
    }
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: at.listener.port, ca: at.ca.certificate, servername: 'localhost' }, () => {
          resolve((socket.getPeerCertificate() as PeerCertificate).serialNumber.toLowerCase());
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await serial()).toBe(new X509Certificate(first.cert).serialNumber.toLowerCase());
    const { agent, identity, key } = await at.enrol();
    await rm(join(keys, 'agents-server.crt'));
    await at.listener.refresh();
    expect(await serial()).not.toBe(new X509Certificate(first.cert).serialNumber.toLowerCase());
    expect((await at.blocks(identity)).status).toBe(200);
    expect((await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, newKey()))).status).toBe(200);
  });
});

describe('a token', () => {
  it('is refused for a loopback address unless the host is this one', async () => {
    await expect(at.tokens.create(OWNER, {})).rejects.toMatchObject({
      code: 'TOKEN_NEEDS_URL',
      hint: expect.stringMatching(/--agents.*--public-url.*--local/),
    });
    const made = await at.tokens.create(OWNER, { local: true, uses: 3, group: 'dmz' });
    const text = JSON.parse(Buffer.from(made.text.replace(/^vgl1\./, ''), 'base64url').toString()) as TokenText;
    expect(text).toMatchObject({ v: 1, pin: at.ca.pin, group: 'dmz', url: `https://127.0.0.1:${at.listener.port}` });
    expect(JSON.stringify([await at.state.list('enrolToken', { limit: 9 }), at.audit.entries, await at.tokens.list()])).not.toContain(
      text.secret.slice(20),
    );
    for (const wish of [{ uses: 0 }, { uses: 1.5 }, { expiresInMs: ms(1) }, { group: 'A B' }, { replace: 'agt_unknownunknown' }])
      await expect(at.tokens.create(OWNER, { local: true, ...wish })).rejects.toMatchObject({ exit: 2 });
  });
});

describe('the enrol door', () => {
  it('gives a certificate that only says what the collector decided', async () => {
    const ids = { evil: makeId('agt') };
    const key = newKey();
    const { secret } = await at.tokenText({ group: 'dmz' });
    const asked = [
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `vigil:agent:${ids.evil}` }]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ];
    const answer = await at.call(
      AGENT_PATHS.enrol,
      await at.enrolBody(secret, key, 'bastion', { name: `CN=${ids.evil}`, extensions: asked }),
    );
    expect(answer.status).toBe(200);
    const given = answer.body as unknown as EnrolAnswer;
    const certificate = new X509Certificate(given.certificate);
    expect(certificate.ca).toBe(false);
    expect(certificate.subjectAltName).toBe(`URI:vigil:agent:${given.agent}`);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(given.certificate + certificate.subject).not.toContain(ids.evil);
    const life = Date.parse(certificate.validTo) - Date.now();
    expect(life).toBeGreaterThan(hours(24) - 60_000);
    expect(life).toBeLessThanOrEqual(hours(24));
    expect(given).toMatchObject({ ca: at.ca.certificate, renewAfterMs: hours(8) });
    expect(at.registry.find(given.agent)).toMatchObject({ host: 'bastion', group: 'dmz', state: 'active', zone: 'Europe/Berlin' });
    expect(at.notices.said.map(({ action }) => action)).toEqual(['agent-enrolled']);
    expect(at.audit.entries.filter(({ act }) => act === 'agent.enrol').map(({ phase }) => phase)).toEqual(['intent', 'done']);
    expect((await at.blocks({ cert: given.certificate, key: key.pem })).status).toBe(200);
    expect(at.received[0]?.sender).toMatchObject({ key: key.raw, held: false, agent: { id: given.agent }, asset: { name: 'bastion' } });
  });

  it('gives the same answer to the same key, counts uses, and knows expiry and revocation (I2)', async () => {
    const [one, two, three] = [newKey(), newKey(), newKey()];
    const token = await at.tokenText({ uses: 2 });
    const enrol = async (key: Key, secret = token.secret) =>
      at.call(AGENT_PATHS.enrol, await at.enrolBody(secret, key, `h-${key.raw.slice(0, 4).replace(/[^A-Za-z0-9]/g, 'x')}x`));
    const first = await enrol(one);
    const again = await enrol(one);
    expect(again.body['agent']).toBe(first.body['agent']);
    expect((await enrol(two)).status).toBe(200);
    expect(await enrol(three)).toMatchObject({
      status: 401,
      body: { code: 'IDENTITY_REFUSED', detail: expect.stringContaining('used up') },
    });
    expect((await enrol(one)).body['agent']).toBe(first.body['agent']);
    await at.tokens.revoke(OWNER, token.id);
    expect((await enrol(one)).body['detail']).toContain('revoked');
    const short = await at.tokenText({ expiresInMs: ms(60_000) });
    const stored = await at.state.get('enrolToken', short.id);
    await at.state.put('enrolToken', short.id, { ...stored!.value, expiresAt: unixMs(Date.now() - 1) });
    expect((await enrol(three, short.secret)).body['detail']).toContain('expired');
    expect((await at.tokens.list()).map(({ state }) => state).sort()).toEqual(['expired', 'revoked']);
    expect(at.notices.said.filter(({ action }) => action === 'identity-refused')).toHaveLength(3);
    expect(at.audit.entries.filter(({ phase }) => phase === 'refused')).toHaveLength(3);
  });

  it('lets no more keys in than a token has uses, also at the same moment', async () => {
    const { secret } = await at.tokenText({ uses: 3 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => at.call(AGENT_PATHS.enrol, await at.enrolBody(secret, newKey(), `host-${i}`))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(at.registry.all()).toHaveLength(3);
  });

  it('refuses wrong secrets, other keys, broken requests and malformed JSON', async () => {
    const key = newKey();
    const { secret } = await at.tokenText();
    const good = await at.enrolBody(secret, key);
    const wrong = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A');
    expect(await at.call(AGENT_PATHS.enrol, { ...good, secret: wrong })).toMatchObject({ status: 401, body: { code: 'IDENTITY_REFUSED' } });
    expect(await at.call(AGENT_PATHS.enrol, { ...good, secret: 'x'.repeat(63) })).toMatchObject({ status: 401 });
    const rsa = await csrOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' });
    const p256 = await csrOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, {
      name: 'ECDSA',
      namedCurve: 'P-256',
      hash: 'SHA-256',
    });
    const der = Buffer.from(good.csr.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.length - 5] = der[der.length - 5]! ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    for (const bad of [rsa, p256, forged, 'rubbish', good.csr + good.csr, good.csr.slice(0, 100), at.ca.certificate])
      expect(await at.call(AGENT_PATHS.enrol, { ...good, csr: bad })).toMatchObject({ status: 400, body: { code: 'ENROL_BAD' } });
    for (const bad of [{ ...good, v: 99 }, { ...good, host: '../x' }, { ...good, host: 'a\nb' }, { ...good, machineId: 7 }, [], null, 7])
      expect((await at.call(AGENT_PATHS.enrol, bad)).status).toBe(400);
    expect((await at.call(AGENT_PATHS.enrol, Buffer.from('{"__proto__":{},"v":1}'))).status).toBe(400);
    expect((await at.call(AGENT_PATHS.enrol, Buffer.from('['.repeat(1000)))).status).toBe(400);
    expect((await at.call(AGENT_PATHS.enrol, Buffer.alloc(20_000, 32))).status).toBe(413);
    expect(at.registry.all()).toHaveLength(0);
    expect((await at.call(AGENT_PATHS.enrol, good)).status).toBe(200);
  });

  it('gives a known id only to the key itself or by a token bound to it (I3)', async () => {
    const before = await at.enrol();
    await at.blocks(before.identity);
    const copy = await at.enrol('bastion');
    expect(copy.agent).not.toBe(before.agent);
    expect(at.registry.find(copy.agent)?.asset).not.toBe(at.registry.find(before.agent)?.asset);
    expect((await at.enrol('bastion', before.key)).agent).toBe(before.agent);
    const { secret } = await at.tokenText({ replace: before.agent });
    const key = newKey();
    const replaced = await at.call(AGENT_PATHS.enrol, await at.enrolBody(secret, key));
    expect(replaced.body['agent']).toBe(before.agent);
    expect((await at.blocks({ cert: String(replaced.body['certificate']), key: key.pem })).status).toBe(200);
    await at.blocks(before.identity);
    expect(at.received.at(-1)?.sender).toMatchObject({ held: true, agent: { id: before.agent } });
  });

  it('makes an address that guesses wait, and no other', async () => {
    const enrol = openEnrolment(at.parts);
    const body = await at.enrolBody('x'.repeat(63), newKey());
    const outcomes = await Promise.all(Array.from({ length: REFUSALS }, () => enrol(body, '198.51.100.7')));
    expect(outcomes.filter((one) => one.kind === 'refused' && one.error.status === 429)).toHaveLength(REFUSALS - 10);
    expect(outcomes.at(-1)).toMatchObject({ kind: 'refused', retryAfterMs: expect.any(Number) });
    const { secret } = await at.tokenText();
    expect((await enrol(await at.enrolBody(secret, newKey()), '198.51.100.8')).kind).toBe('given');
  });
});

describe('the agent door', () => {
  it('opens to a certificate of our authority alone', async () => {
    const { agent, key } = await at.enrol();
    expect(await at.blocks()).toMatchObject({ status: 401, body: { code: 'IDENTITY_REFUSED' } });
    const other = await openCa({ dir: join(at.dir, 'other-keys'), clock: systemClock, hosts: ['localhost'] });
    const foreign = await other.issueAgent(agent, key.raw);
    expect((await at.blocks({ cert: foreign.certificate, key: key.pem })).status).toBe(401);
    expect(at.notices.said.at(-1)).toMatchObject({ action: 'identity-refused', reason: expect.stringContaining('another authority') });
    const server = await at.ca.server();
    expect((await at.blocks({ cert: server.cert, key: server.key })).status).toBe(401);
    expect(at.received).toEqual([]);
  });

  it('refuses an expired certificate, and renewal lets its holder in again', async () => {
    const { agent, key } = await at.enrol();
    const expired = await certificateOf(at.ca, at.dir, agent, key.raw, Date.now() - 90_000_000, Date.now() - 1_000);
    expect((await at.blocks({ cert: expired, key: key.pem })).status).toBe(401);
    const next = newKey();
    const renewed = await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, next), { cert: expired, key: key.pem });
    expect(renewed).toMatchObject({ status: 200, body: { agent } });
    expect((await at.blocks({ cert: String(renewed.body['certificate']), key: next.pem })).status).toBe(200);
  });

  it('closes on a live connection when the certificate ends', async () => {
    const { agent, key } = await at.enrol();
    const ending = await certificateOf(at.ca, at.dir, agent, key.raw, Date.now() - 1_000, Date.now() + 2_000);
    const keep = new HttpsAgent({ keepAlive: true, maxSockets: 1 });
    const identity = { cert: ending, key: key.pem };
    expect((await at.blocks(identity, { agent: keep })).status).toBe(200);
    await expect
      .poll(async () => (await at.blocks(identity, { agent: keep }).catch(() => ({ status: 401 }))).status, {
        timeout: 5_000,
        interval: 200,
      })
      .toBe(401);
    keep.destroy();
  });

  it('never believes a header, query or body about who is speaking', async () => {
    const a = await at.enrol('host-a');
    const b = await at.enrol('host-b');
    for (const headers of [
      { 'x-agent-id': b.agent },
      { 'vigil-agent': b.agent },
      { 'x-forwarded-for': '192.0.2.9' },
      { 'x-ssl-client-cert': encodeURIComponent(b.certificate) },
    ])
      expect((await at.blocks(a.identity, { headers })).status).toBe(200);
    expect((await at.call(`${AGENT_PATHS.blocks}?agent=${b.agent}`, { agent: b.agent }, a.identity)).status).toBe(200);
    expect(new Set(at.received.map(({ sender }) => sender.agent.id))).toEqual(new Set([a.agent]));
    const stolen = await at.renewBody(b.agent, a.key, newKey());
    expect((await at.call(AGENT_PATHS.renew, stolen, a.identity)).body['detail']).toContain('not one of this agent');
  });

  it('throws a revoked or retired agent out within a second, on live connections too (I7)', async () => {
    for (const end of [revokeAgent, retireAgent]) {
      const { agent, identity, key } = await at.enrol(`host-${end === revokeAgent ? 'a' : 'b'}`);
      const keep = new HttpsAgent({ keepAlive: true });
      let socket: TLSSocket | undefined;
      keep.on('free', (one: TLSSocket) => {
        socket = one;
      });
      expect((await at.blocks(identity, { agent: keep })).status).toBe(200);
      await expect.poll(() => socket).toBeDefined();
      const closed = new Promise<number>((resolve) => socket?.once('close', () => resolve(performance.now())));
      const began = performance.now();
      await end(at.fleet, OWNER, agent);
      expect((await closed) - began).toBeLessThan(1_000);
      expect((await at.blocks(identity)).status).toBe(401);
      expect(await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, newKey()))).toMatchObject({ status: 401 });
      const { secret } = await at.tokenText();
      expect((await at.call(AGENT_PATHS.enrol, await at.enrolBody(secret, key))).status).toBe(401);
      expect(
        at.audit.entries.some(
          ({ act, phase, on }) =>
            act === `agent.${showAgent(at.registry, agent).agent.state === 'revoked' ? 'revoke' : 'retire'}` &&
            phase === 'done' &&
            on === agent,
        ),
      ).toBe(true);
      keep.destroy();
    }
    expect(listAgents(at.registry, { state: 'active' })).toEqual([]);
  });

  it('resumes no session', async () => {
    const { identity } = await at.enrol();
    const sessions: Buffer[] = [];
    const reused: boolean[] = [];
    const once = (session?: Buffer): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connect(
          {
            host: '127.0.0.1',
            port: at.listener.port,
            ca: at.ca.certificate,
            ...identity,
            servername: 'localhost',
            ...(session ? { session } : {}),
          },
          () => {
            reused.push(socket.isSessionReused());
            socket.write(`GET ${AGENT_PATHS.heads} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
          },
        );
        socket.on('session', (one: Buffer) => sessions.push(one));
        socket.on('data', () => {});
        socket.on('close', () => resolve());
        socket.on('error', reject);
      });
    await once();
    for (const session of [...sessions]) await once(session);
    expect(reused.length).toBeGreaterThan(1);
    expect(reused.every((one) => !one)).toBe(true);
  });

  it('speaks TLS 1.3 and nothing older', async () => {
    const error = await new Promise<Error>((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port: at.listener.port, ca: at.ca.certificate, servername: 'localhost', maxVersion: 'TLSv1.2' },
        () => reject(new Error('it connected')),
      );
      socket.on('error', resolve);
    });
    expect(error.message).toMatch(/protocol version|alert/i);
  });

  it('bounds requests: 413 for large ones, 404 for other paths, coded JSON for all', async () => {
    const { identity } = await at.enrol();
    const large = await at.blocks(identity, { headers: { 'content-length': String(20_000_000) } }).catch((error: Error) => error);
    expect(large).toMatchObject({ status: 413, body: { code: 'REQUEST_TOO_LARGE', hint: expect.any(String) } });
    expect(await at.call('/api/v1/users', {}, identity)).toMatchObject({ status: 404, body: { code: 'NO_SUCH_DOOR' } });
    expect((await at.call(AGENT_PATHS.blocks, {}, identity, { method: 'PUT' })).status).toBe(404);
    expect(await at.call(AGENT_PATHS.heads, {}, identity)).toMatchObject({
      status: 200,
      body: { kind: 'resync', incarnation: 'i', held: [], serverTime: expect.any(Number) },
    });
  });
});

describe('the agent door under load', () => {
  it('answers the ninth request of an agent at once with 429, and others go on', async () => {
    const [a, b] = [await at.enrol('host-a'), await at.enrol('host-b')];
    const gate = Promise.withResolvers<void>();
    at.ingest({ gate: gate.promise });
    const waiting = Array.from({ length: 8 }, () => at.blocks(a.identity));
    await expect.poll(() => at.received.length).toBe(8);
    expect(await at.blocks(a.identity)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '2' },
      body: { code: 'TOO_MANY_REQUESTS' },
    });
    const other = at.blocks(b.identity);
    await expect.poll(() => at.received.length).toBe(9);
    gate.resolve();
    expect((await Promise.all([...waiting, other])).map(({ status }) => status)).toEqual(Array(9).fill(200));
    expect((await at.blocks(a.identity)).status).toBe(200);
  });

  it('passes on what ingest says, and tells nothing of a fault inside', async () => {
    const { identity } = await at.enrol();
    at.ingest({ failure: fault('STORE_CLOSED', { retryAfterMs: 7_000 }) });
    expect(await at.blocks(identity)).toMatchObject({ status: 503, headers: { 'retry-after': '7' }, body: { code: 'STORE_CLOSED' } });
    at.ingest({ failure: new TypeError('secret inside') });
    const inside = await at.blocks(identity);
    expect(inside).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(JSON.stringify(inside.body)).not.toContain('secret');
    at.ingest({});
    expect((await at.blocks(identity)).status).toBe(200);
  });
});

describe('the renew door', () => {
  it('asks for a nonce once used, a signature that holds, and a key that is new (I4)', async () => {
    const { agent, key } = await at.enrol();
    const next = newKey();
    const good = await at.renewBody(agent, key, next);
    const wrongs: [Record<string, unknown>, string][] = [
      [{ ...good, nonce: '0'.repeat(32) }, 'nonce'],
      [await at.renewBody(agent, newKey(), next), 'not one of this agent'],
      [{ ...(await at.renewBody(agent, key, next)), csr: await csr(newKey()) }, 'signature'],
      [{ ...(await at.renewBody(makeId('agt'), key, next)) }, 'agent is unknown'],
      [await at.renewBody(agent, key, key), 'used before'],
    ];
    for (const [body, reason] of wrongs)
      expect(await at.call(AGENT_PATHS.renew, body)).toMatchObject({ status: 401, body: { detail: expect.stringContaining(reason) } });
    expect((await at.call(AGENT_PATHS.renew, good)).status).toBe(200);
    expect((await at.call(AGENT_PATHS.renew, good)).body['detail']).toContain('nonce');
    expect(at.registry.find(agent)?.keys.map((one) => one.key)).toEqual([key.raw, next.raw]);
  });

  it('lets the predecessor renew until the newest is used, however often the answer was lost', async () => {
    const { agent, key, identity } = await at.enrol();
    await at.blocks(identity);
    let last = newKey();
    for (let i = 0; i < 3; i++) {
      last = newKey();
      expect((await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, last))).status).toBe(200);
    }
    const again = await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, last));
    expect(again.status).toBe(200);
    expect(at.registry.find(agent)?.keys).toHaveLength(2);
    expect((await at.blocks({ cert: String(again.body['certificate']), key: last.pem })).status).toBe(200);
    expect(await at.call(AGENT_PATHS.renew, await at.renewBody(agent, key, newKey()))).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('newer one') },
    });
  });

  it('lets only one of two renewals at once win', async () => {
    const { agent, key, identity } = await at.enrol();
    await at.blocks(identity);
    const bodies = await Promise.all([newKey(), newKey()].map((next) => at.renewBody(agent, key, next)));
    await Promise.all(bodies.map((body) => at.call(AGENT_PATHS.renew, body)));
    expect(at.registry.find(agent)?.keys).toHaveLength(2);
  });
});

describe('an older key', () => {
  const withCopy = async () => {
    const first = await at.enrol();
    await at.blocks(first.identity);
    const next = newKey();
    const renewed = await at.call(AGENT_PATHS.renew, await at.renewBody(first.agent, first.key, next));
    const newest = { cert: String(renewed.body['certificate']), key: next.pem };
    await at.blocks(newest);
    await at.blocks(first.identity);
    return { agent: first.agent, old: first, newest, newestKey: next };
  };

  it('is held, said once, while the newest goes on (I5)', async () => {
    const { old, newest, agent } = await withCopy();
    expect(at.received.at(-1)?.sender).toMatchObject({ held: true, key: old.key.raw });
    await at.blocks(old.identity);
    expect(at.notices.said.filter(({ action }) => action === 'identity-held')).toHaveLength(1);
    expect(listHeld(at.registry).map(({ agent: { id } }) => id)).toEqual([agent]);
    await at.blocks(newest);
    expect(at.received.at(-1)?.sender.held).toBe(false);
  });

  it('that a person discards is refused from then on, on live connections too', async () => {
    const { old, newest, agent } = await withCopy();
    await discardHeld(at.fleet, OWNER, agent);
    expect((await at.blocks(old.identity)).status).toBe(401);
    expect((await at.blocks(newest)).status).toBe(200);
    expect(at.registry.find(agent)?.state).toBe('active');
    expect(listHeld(at.registry)).toEqual([]);
  });

  it('that a person releases is the newest again, and the other is held', async () => {
    const { old, newest, agent } = await withCopy();
    const released: string[] = [];
    const decided = await releaseHeld(at.fleet, OWNER, agent, {
      release: async (id, key) => {
        released.push(id, key);
        return { blocks: 3, left: 1 };
      },
    });
    expect(released).toEqual([agent, old.key.raw]);
    expect(decided.held).toEqual({ blocks: 3, left: 1 });
    await at.blocks(old.identity);
    expect(at.received.at(-1)?.sender.held).toBe(false);
    await at.blocks(newest);
    expect(at.received.at(-1)?.sender.held).toBe(true);
  });
});

describe('a registry put back from a copy', () => {
  it('takes a newer key by its certificate, audited, and never an older one (I6)', async () => {
    const first = await at.enrol();
    await at.blocks(first.identity);
    const next = newKey();
    const before = at.registry.find(first.agent)!;
    const aged = before.keys.map((one) => ({ ...one, since: unixMs(one.since - 10_000) }));
    const renewed = await at.call(AGENT_PATHS.renew, await at.renewBody(first.agent, first.key, next));
    await at.registry.change(first.agent, (agent) => ({ ...agent, keys: aged }));
    expect((await at.blocks({ cert: String(renewed.body['certificate']), key: next.pem })).status).toBe(200);
    expect(at.audit.entries.some(({ act, phase }) => act === 'agent.key.adopt' && phase === 'done')).toBe(true);
    expect(at.registry.find(first.agent)?.keys.at(-1)?.key).toBe(next.raw);
    const lost = newKey();
    const early = await certificateOf(at.ca, at.dir, first.agent, lost.raw, Date.now() - 86_400_000, Date.now() + 60_000);
    expect((await at.blocks({ cert: early, key: lost.pem })).status).toBe(401);
  });
});
