// SPDX-License-Identifier: Apache-2.0
/** Requests read back by others' code, tokens, the state folder, and renewal on a hand-moved clock. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRequest } from '../../collector/fleet/certificate.ts';
import { openLog } from '../../core/log.ts';
import { generateSigner } from '../../core/sign.ts';
import { hours, seconds } from '../../core/units.ts';
import { handClock } from '../../test/support/hand-clock.ts';
import { type SmallCollector, startSmallCollector } from '../../test/support/small-collector.ts';
import { der, makeRequest } from './csr.ts';
import { enrol, fetchPinnedCa, renew } from './enrol.ts';
import { readIdentity, writeIdentity } from './identity.ts';
import { openRenewal } from './renewal.ts';
import { lockHolder, lockState, openStateFolder } from './state.ts';
import { readToken } from './token.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-enrol-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const facts = { host: 'h', machineId: '', zone: 'UTC', version: '0' };
const log = openLog({ program: 'vigil-agent', level: 'silent' });

describe('a certificate request', () => {
  it('is read back by an X.509 library: name, key, and proof of possession', async () => {
    const signer = generateSigner();
    const request = new Pkcs10CertificateRequest(makeRequest(signer, 'bastion'));
    expect(request.subject).toBe('CN=bastion');
    expect(Buffer.from(request.publicKey.rawData).subarray(-32).toString('base64url')).toBe(signer.publicKey);
    expect(await request.verify()).toBe(true);
  });

  it('is read back by the collector, with any name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }), async (name) => {
        const signer = generateSigner();
        expect(await readRequest(makeRequest(signer, name))).toEqual({ kind: 'ok', key: signer.publicKey });
      }),
      { numRuns: 30 },
    );
  });

  it('is read back by openssl where there is one', (context) => {
    const file = join(dir, 'r.pem');
    writeFileSync(file, makeRequest(generateSigner(), 'bastion'));
    let text: string;
    try {
      text = execFileSync('openssl', ['req', '-in', file, '-noout', '-subject', '-verify'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('there is no openssl on this host');
      throw error;
    }
    expect(text.replaceAll(' ', '')).toContain('CN=bastion');
  });

  it('has lengths in their shortest form', () => {
    expect([127, 128, 256, 65_536].map((n) => der(4, Buffer.alloc(n)).subarray(1, 5).toString('hex'))).toEqual([
      '7f000000',
      '81800000',
      '82010000',
      '83010000',
    ]);
  });
});

describe('a token', () => {
  const text = (value: unknown): string => `vgl1.${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
  const good = { v: 1, url: 'https://c.example:7443', pin: 'a'.repeat(64), secret: 's'.repeat(32), group: 'g' };

  it('is read with spaces around it', () => {
    expect(readToken(` ${text(good)}\n`)).toEqual(good);
  });

  it.each([
    ['nothing', '', 'vgl1'],
    ['a prefix alone', 'vgl1.', 'character'],
    ['an empty object', 'vgl1.e30', 'version'],
    ['plain HTTP', text({ ...good, url: 'http://c' }), 'https'],
    ['a pin in capitals', text({ ...good, pin: 'A'.repeat(64) }), 'pin'],
    ['no secret', text({ ...good, secret: '' }), 'secret'],
    ['a text cut short', text(good).slice(0, -9), 'whole'],
  ])('of %s is refused with its reason', (_name, token, reason) => {
    expect(() => readToken(token)).toThrowError(expect.objectContaining({ code: 'TOKEN_BAD', message: expect.stringContaining(reason) }));
  });

  it('is never shown in an error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (cut) => {
        try {
          readToken(text({ ...good, secret: `topsecret${cut}!` }));
        } catch (error) {
          expect(String(error)).not.toContain('topsecret');
        }
      }),
    );
  });
});

describe('the state folder', () => {
  it('is made for its owner alone, and refused when others may enter', () => {
    const state = join(dir, 'state');
    openStateFolder(state);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    chmodSync(state, 0o755);
    expect(() => openStateFolder(state)).toThrowError(expect.objectContaining({ code: 'AGENT_STATE_UNUSABLE' }));
  });

  it('belongs to one living process at a time', async () => {
    const lock = lockState(dir);
    expect(lockHolder(dir)).toBe(process.pid);
    lock.release();
    expect(lockHolder(dir)).toBeUndefined();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const start = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    writeFileSync(join(dir, 'lock'), `${child.pid} ${start}`);
    expect(() => lockState(dir)).toThrowError(expect.objectContaining({ code: 'DATA_FOLDER_BUSY' }));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    lockState(dir).release();
  });

  it('is not held by a process that got a dead one’s number', () => {
    writeFileSync(join(dir, 'lock'), `${process.ppid} 1`);
    lockState(dir).release();
  });

  it('says what is wrong with an identity that is not whole', () => {
    writeFileSync(join(dir, 'identity.json'), '{"agent":');
    expect(() => readIdentity(dir)).toThrowError(expect.objectContaining({ code: 'AGENT_BAD_IDENTITY' }));
    rmSync(join(dir, 'identity.json'));
    expect(readIdentity(dir)).toBeUndefined();
  });
});

describe('against a collector', () => {
  let collector: SmallCollector;
  const start = async (): Promise<void> => {
    openStateFolder(join(dir, 'ca'));
    collector = await startSmallCollector(join(dir, 'ca'));
  };
  afterEach(() => collector.close());

  it('the CA is taken by its pin only', async () => {
    await start();
    expect(await fetchPinnedCa(collector.url, collector.pin)).toBe(collector.ca.certificate);
    await expect(fetchPinnedCa(collector.url, 'b'.repeat(64))).rejects.toMatchObject({ code: 'ENROL_PIN_MISMATCH' });
  });

  it('an address where nobody listens is a clear error', async () => {
    await start();
    const token = { ...readToken(collector.token), url: 'https://127.0.0.1:1' };
    await expect(enrol(token, facts, handClock())).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' });
  });

  it('an identity is renewed after its eight hours, with a new key each time, and on disk before it is used', async () => {
    await start();
    const clock = handClock();
    let identity = await enrol(readToken(collector.token), facts, clock);
    writeIdentity(dir, identity);
    const used: string[] = [];
    const renewal = openRenewal({
      dir,
      clock,
      log,
      identity: () => identity,
      onRenewed: (next) => {
        expect(readIdentity(dir)?.privatePem).toBe(next.privatePem);
        identity = next;
        used.push(next.privatePem);
      },
    });
    const stop = new AbortController();
    const running = renewal.run(stop.signal);
    const pass = async (span: number): Promise<void> => {
      clock.advance(span);
      for (let i = 0; i < 50 && clock.now() >= identity.issuedAt + identity.renewAfterMs; i++)
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await pass(hours(7));
    expect(used).toEqual([]);
    for (let i = 1; i <= 2; i++) {
      await pass(hours(9));
      expect(used).toHaveLength(i);
    }
    expect(new Set(collector.keys).size).toBe(3);
    stop.abort();
    await running;
  });

  it('an identity that is refused is renewed at once, and again only after a while, until it is taken', async () => {
    await start();
    const clock = handClock();
    let identity = await enrol(readToken(collector.token), facts, clock);
    let renewals = 0;
    const renewal = openRenewal({
      dir,
      clock,
      log,
      identity: () => identity,
      onRenewed: (next) => {
        identity = next;
        renewals += 1;
      },
    });
    const stop = new AbortController();
    const running = renewal.run(stop.signal);
    const renewed = async (times: number): Promise<void> => {
      while (renewals < times) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await new Promise((resolve) => setImmediate(resolve));
    renewal.refused();
    await renewed(1);
    await new Promise((resolve) => setImmediate(resolve));
    // Refused still: no renewal can help, so they become rare.
    for (let i = 0; i < 10; i++) renewal.refused();
    clock.advance(seconds(10));
    renewal.refused();
    await renewed(2);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(seconds(10));
    renewal.refused();
    await new Promise((resolve) => setImmediate(resolve));
    expect(renewals).toBe(2);
    renewal.taken();
    renewal.refused();
    await renewed(3);
    stop.abort();
    clock.advance(hours(1));
    await running;
    expect(renewals).toBe(3);
  });

  it('a renewal that fails says why and is tried again', async () => {
    await start();
    const clock = handClock();
    const identity = await enrol(readToken(collector.token), facts, clock);
    let calls = 0;
    const renewed = Promise.withResolvers<void>();
    const renewal = openRenewal({
      dir,
      clock,
      log,
      identity: () => ({ ...identity, renewAfterMs: 0 }),
      onRenewed: () => renewed.resolve(),
      renewWith: async (...args) => {
        calls += 1;
        if (calls === 1) throw new Error('nobody there');
        return renew(...args);
      },
    });
    const stop = new AbortController();
    const running = renewal.run(stop.signal);
    await Promise.resolve();
    for (let i = 0; i < 20 && renewal.failure === undefined; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(renewal.failure).toBe('nobody there');
    clock.advance(hours(1));
    await renewed.promise;
    stop.abort();
    clock.advance(hours(1));
    await running;
    expect(renewal.failure).toBeUndefined();
  });
});
