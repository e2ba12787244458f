// SPDX-License-Identifier: Apache-2.0
/**
 * Enrolment and renewal: makes a key, proves possession, and sends a secret only to the collector whose CA the token pins.
 * Input: a token; an identity that is due. Output: an identity, or why not (river.md I2 to I4).
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { checkServerIdentity, connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { asObject, parseJson } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { AGENT_PATHS, type EnrolRequest, PROTOCOL_VERSION, RENEW_DOMAIN, type RenewRequest, type TokenText } from '../../core/protocol.ts';
import { generateSigner, type Signer, signerFromPem } from '../../core/sign.ts';
import { fault } from '../errors.ts';
import { explainFailure, openClient, pinOf, type Reply } from '../transport/client.ts';
import { makeRequest } from './csr.ts';
import { type Identity, readEnrolAnswer } from './identity.ts';

const TIMEOUT_MS = 15_000;
const MAX_CHAIN = 8;

/** What this host calls itself. */
export interface HostFacts {
  readonly host: string;
  readonly machineId: string;
  readonly zone: string;
  readonly version: string;
}

/** The host's name as a collector takes it: letters, digits, dots, dashes. */
export const hostName = (): string => {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 253);
  return name === '' ? 'host' : name;
};

/** The machine id of systemd or D-Bus; empty where there is none. It suggests a known host and proves nothing (I3). */
export const machineId = (): string => {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id'])
    try {
      const id = readFileSync(path, 'utf8').trim();
      if (/^[0-9a-f]{32}$/.test(id)) return id;
    } catch {
      // The next place, or none: containers often have no machine id.
    }
  return '';
};

/**
 * Connects, takes the chain, and answers the CA whose key the pin names, once it is sure that the server's certificate is signed by it
 * and made for this host. Nothing was sent until then but the handshake.
 * @throws CodedError ENROL_PIN_MISMATCH, COLLECTOR_UNREACHABLE.
 */
export const fetchPinnedCa = async (url: string, pin: string, timeoutMs = TIMEOUT_MS): Promise<string> => {
  const base = new URL(url);
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const chain = await handshake(host, base.port === '' ? 443 : Number(base.port), timeoutMs).catch((error: unknown) => {
    throw fault('COLLECTOR_UNREACHABLE', { url, reason: explainFailure(error).reason }, error);
  });
  const mismatch = (reason: string): Error => fault('ENROL_PIN_MISMATCH', { url, reason });
  const ca = chain.certificates.find((certificate) => certificate.ca && pinOf(certificate) === pin);
  const leaf = chain.certificates[0];
  if (!ca || !leaf) throw mismatch('its CA has another key');
  if (!leaf.verify(ca.publicKey)) throw mismatch('its certificate is not signed by that CA');
  if (checkServerIdentity(host, chain.peer)) throw mismatch('its certificate is for another name');
  return ca.toString();
};

interface Chain {
  readonly peer: PeerCertificate;
  readonly certificates: readonly X509Certificate[];
}

const handshake = (host: string, port: number, timeoutMs: number): Promise<Chain> =>
  new Promise((resolve, reject) => {
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    // The chain is judged by the pin, after the handshake: no authority of this system has a say.
    const socket: TLSSocket = connect({ host, port, ...name, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, () => {
      clearTimeout(timer);
      const peer = socket.getPeerCertificate(true);
      const certificates: X509Certificate[] = [];
      for (let link: DetailedPeerCertificate | undefined = peer; link?.raw && certificates.length < MAX_CHAIN; ) {
        certificates.push(new X509Certificate(link.raw));
        link = link.issuerCertificate === link ? undefined : link.issuerCertificate;
      }
      socket.destroy();
      resolve({ peer, certificates });
    });
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error('no answer in time'), { code: 'TIMED_OUT' })), timeoutMs);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });

/**
 * Makes a new identity by a token.
 * @throws CodedError ENROL_PIN_MISMATCH, ENROL_REFUSED, COLLECTOR_UNREACHABLE, COLLECTOR_BAD_ANSWER.
 */
export const enrol = async (token: TokenText, facts: HostFacts, clock: Clock, signer: Signer = generateSigner()): Promise<Identity> => {
  const { url, pin, group, secret } = token;
  const ca = await fetchPinnedCa(url, pin);
  const body: EnrolRequest = { v: PROTOCOL_VERSION, secret, csr: makeRequest(signer, facts.host), ...facts };
  const client = openClient({ url, identity: { ca, pin }, timeoutMs: TIMEOUT_MS });
  try {
    const bytes = bodyOf(await client.post(AGENT_PATHS.enrol, Buffer.from(JSON.stringify(body)), 'application/json'), url);
    const answer = readEnrolAnswer(bytes, signer, pin);
    const now = clock.now();
    return {
      agent: answer.agent,
      url,
      pin,
      group,
      ca: answer.ca,
      certificate: answer.certificate,
      privatePem: signer.privatePem,
      issuedAt: now,
      renewAfterMs: answer.renewAfterMs,
      enrolledAt: now,
    };
  } finally {
    client.close();
  }
};

/**
 * Renews with a new key (I4). An answer that is lost does no harm: the key of now may renew again until the new one is used.
 * @throws CodedError ENROL_REFUSED, COLLECTOR_UNREACHABLE, COLLECTOR_BAD_ANSWER.
 */
export const renew = async (identity: Identity, clock: Clock, next: Signer = generateSigner()): Promise<Identity> => {
  const { url, pin, ca, agent } = identity;
  const current = signerFromPem(identity.privatePem);
  // Without a client certificate: an expired one must not stand in the way.
  const client = openClient({ url, identity: { ca, pin }, timeoutMs: TIMEOUT_MS });
  try {
    const nonce = readNonce(bodyOf(await client.get(AGENT_PATHS.nonce), url));
    const csr = makeRequest(next, agent);
    const signature = Buffer.from(current.sign(RENEW_DOMAIN, Buffer.from(nonce), Buffer.from(csr))).toString('base64url');
    const body: RenewRequest = { v: PROTOCOL_VERSION, agent, key: current.publicKey, nonce, csr, signature };
    const bytes = bodyOf(await client.post(AGENT_PATHS.renew, Buffer.from(JSON.stringify(body)), 'application/json'), url);
    const answer = readEnrolAnswer(bytes, next, pin);
    return {
      ...identity,
      ca: answer.ca,
      certificate: answer.certificate,
      privatePem: next.privatePem,
      issuedAt: clock.now(),
      renewAfterMs: answer.renewAfterMs,
    };
  } finally {
    client.close();
  }
};

const bodyOf = (reply: Reply, url: string): Buffer => {
  if (reply.kind === 'failed') throw fault('COLLECTOR_UNREACHABLE', { url, reason: reply.reason });
  if (reply.status === 200 || reply.status === 201) return reply.body;
  if (reply.status >= 400 && reply.status < 500)
    throw fault('ENROL_REFUSED', { reason: problemOf(reply.body) ?? `status ${reply.status}` });
  throw fault('COLLECTOR_UNREACHABLE', { url, reason: `it answers ${reply.status}` });
};

/** The sentence of a problem document (RFC 9457), one line of printable text. */
const problemOf = (body: Buffer): string | undefined => {
  try {
    const problem = asObject(parseJson(body.subarray(0, 16_384), 8));
    const detail = problem?.['detail'] ?? problem?.['title'];
    return typeof detail === 'string'
      ? detail
          .replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
          .replace(/\.$/, '')
          .slice(0, 300)
      : undefined;
  } catch {
    // A proxy's page, not a problem document: the status alone is told.
    return undefined;
  }
};

const readNonce = (bytes: Uint8Array): string => {
  let nonce: unknown;
  try {
    nonce = asObject(parseJson(bytes, 3))?.['nonce'];
  } catch (error) {
    throw fault('COLLECTOR_BAD_ANSWER', { reason: 'the nonce is not JSON' }, error);
  }
  if (typeof nonce !== 'string' || !/^[0-9a-f]{32}$/.test(nonce))
    throw fault('COLLECTOR_BAD_ANSWER', { reason: 'there is no nonce in it' });
  return nonce;
};
