// SPDX-License-Identifier: Apache-2.0
/**
 * A real agents' listener on loopback with everything behind it but ingest, and a client that speaks to it over TLS.
 * Input: a temporary folder. Output: the parts, and short words for what an agent does.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Agent as HttpsAgent, request } from 'node:https';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { openAssets } from '../../collector/fleet/asset.ts';
import { type Ca, openCa } from '../../collector/fleet/ca.ts';
import { issueClient } from '../../collector/fleet/certificate.ts';
import { openEnrolment } from '../../collector/fleet/enrol.ts';
import { openRegistry } from '../../collector/fleet/registry.ts';
import { openNonces, openRenewal } from '../../collector/fleet/renew.ts';
import { openEnrolTokens } from '../../collector/fleet/token.ts';
import type { BlockSender } from '../../collector/http/agent-identity.ts';
import { openAgentsListener } from '../../collector/http/agents.ts';
import type { Actor } from '../../collector/model/permission.ts';
import { systemClock } from '../../core/clock.ts';
import type { AgentId } from '../../core/ids.ts';
import { openLog } from '../../core/log.ts';
import { AGENT_PATHS, type EnrolAnswer, RENEW_DOMAIN, type TokenText } from '../../core/protocol.ts';
import { rawPublicKey, signerFromPem } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { listAudit, listNotices, memoryState } from './memory-state.ts';

const log = openLog({ program: 'vigil', level: 'silent' });
export const OWNER: Actor = { kind: 'local-owner', id: 'local-owner', name: 'local owner', role: 'admin' };

export interface Key {
  readonly pem: string;
  readonly raw: string;
}
export const newKey = (): Key => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), raw: rawPublicKey(publicKey) };
};

type CsrOptions = Partial<x509.Pkcs10CertificateRequestCreateParams>;
export const csrOf = async (
  key: KeyObject,
  algorithm: { name: string; namedCurve?: string; hash?: string },
  options: CsrOptions = {},
): Promise<string> => {
  const publicKey = await webcrypto.subtle.importKey(
    'spki',
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    algorithm,
    true,
    ['verify'],
  );
  const privateKey = await webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, true, ['sign']);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: { publicKey, privateKey } as never,
    signingAlgorithm: algorithm as never,
    name: 'CN=whatever',
    ...options,
  });
  return made.toString('pem');
};
export const csr = (key: Key, options?: CsrOptions): Promise<string> => csrOf(createPrivateKey(key.pem), { name: 'Ed25519' }, options);

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string | string[] | undefined>;
}

export const openDoors = async (dir: string) => {
  const state = memoryState();
  const [audit, notices, clock] = [listAudit(), listNotices(), systemClock];
  const ca = await openCa({ dir: join(dir, 'keys'), clock, hosts: ['localhost', '127.0.0.1', 'vigil.example.org'] });
  const assets = await openAssets(state, clock);
  const registry = await openRegistry({ state, clock, assets, log });
  const received: { readonly sender: BlockSender; readonly bytes: number }[] = [];
  let port = 0;
  let base = '';
  let gate: Promise<void> | null = null;
  let failure: Error | null = null;
  const tokens = openEnrolTokens({
    state,
    audit,
    clock,
    registry,
    pin: ca.pin,
    url: () => base,
    localUrl: () => base,
  });
  const parts = { state, audit, notices, clock, ca, registry, assets, tokens };
  const nonces = openNonces(clock);
  const unlimited = { take: () => 0, giveBack: () => {} };
  const listener = await openAgentsListener(
    {
      ...parts,
      log,
      enrol: openEnrolment(parts, unlimited),
      renew: openRenewal(parts, nonces, unlimited),
      nonces,
      installer: { find: async () => null },
      receiveBlocks: async (bytes, sender) => {
        received.push({ sender, bytes: bytes.length });
        await gate;
        if (failure) throw failure;
        return { kind: 'answers', incarnation: 'i', serverTime: clock.now(), answers: [] };
      },
      heads: async () => ({ incarnation: 'i', held: [] }),
    },
    { host: '127.0.0.1', port: 0 },
  );
  port = listener.port;
  base = `https://127.0.0.1:${port}`;
  const call = (
    path: string,
    body: unknown,
    identity?: { readonly cert: string; readonly key: string },
    extra: { headers?: Record<string, string>; agent?: HttpsAgent; method?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path,
          method: extra.method ?? 'POST',
          ca: ca.certificate,
          ...identity,
          agent: extra.agent ?? false,
          headers: { 'content-length': bytes.length, ...extra.headers },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown>, headers: incoming.headers }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  const tokenText = async (wish: Parameters<typeof tokens.create>[1] = {}): Promise<TokenText & { readonly id: string }> => {
    const made = await tokens.create(OWNER, { local: true, ...wish });
    return { ...(JSON.parse(Buffer.from(made.text.slice(5), 'base64url').toString()) as TokenText), id: made.id };
  };
  const enrolBody = async (secret: string, key: Key, host = 'bastion', options?: CsrOptions) => ({
    v: 1,
    secret,
    csr: await csr(key, options),
    host,
    machineId: `m-${host}`,
    zone: 'Europe/Berlin',
    version: '0.1.0',
  });
  const enrol = async (host = 'bastion', key = newKey()) => {
    const { secret } = await tokenText();
    const answer = await call(AGENT_PATHS.enrol, await enrolBody(secret, key, host));
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    const given = answer.body as unknown as EnrolAnswer;
    return { ...given, key, identity: { cert: given.certificate, key: key.pem } };
  };
  const renewBody = async (agent: AgentId, by: Key, next: Key, nonce?: string) => {
    const given = nonce ?? String((await call(AGENT_PATHS.nonce, {})).body['nonce']);
    const request = await csr(next);
    const signature = Buffer.from(signerFromPem(by.pem).sign(RENEW_DOMAIN, Buffer.from(given + request))).toString('base64url');
    return { v: 1, agent, key: by.raw, nonce: given, csr: request, signature };
  };
  const blocks = (identity?: { readonly cert: string; readonly key: string }, extra?: Parameters<typeof call>[3]) =>
    call(AGENT_PATHS.blocks, Buffer.from('blocks'), identity, extra);
  const close = async (): Promise<void> => {
    await listener.close();
    await registry.close();
  };
  return {
    dir,
    parts,
    state,
    audit,
    notices,
    ca,
    registry,
    tokens,
    listener,
    received,
    call,
    tokenText,
    enrolBody,
    enrol,
    renewBody,
    blocks,
    close,
    /** What ingest does with the next blocks: waits, or fails. */
    ingest: (next: { readonly gate?: Promise<void>; readonly failure?: Error }) => {
      gate = next.gate ?? null;
      failure = next.failure ?? null;
    },
    url: () => base,
    setUrl: (next: string) => {
      base = next;
    },
    fleet: { registry, audit, notices, clock },
  };
};

/** A certificate of the same authority with other times. */
export const certificateOf = async (ca: Ca, dir: string, agent: AgentId, raw: string, from: number, to: number): Promise<string> => {
  const privatePem = await readFile(join(dir, 'keys', 'agent-ca.key'), 'utf8');
  const issued = await issueClient({ certificate: ca.certificate, privatePem }, raw, `vigil:agent:${agent}`, agent, {
    from: unixMs(from),
    to: unixMs(to),
  });
  return issued.certificate;
};
