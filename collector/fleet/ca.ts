// SPDX-License-Identifier: Apache-2.0
/**
 * Vigil's own certificate authority for agents: made on the first start, signs the listener and the agents, nothing else.
 * Input: the keys folder and the names of the listener. Output: credentials for TLS, 24-hour agent certificates, the pin that tokens carry.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { sha256 } from '../../core/hash.ts';
import { type AgentId, isId } from '../../core/ids.ts';
import { isPublicKey } from '../../core/sign.ts';
import { days, hours, type Ms, type UnixMs, unixMs } from '../../core/units.ts';
import { fault } from '../errors.ts';
import { EARLY_MS, type Issued, type Issuer, issueClient, issueServer, makeCaCertificate } from './certificate.ts';
import { privateFile, readIfThere, writePrivate } from './keys.ts';

/** An agent's certificate lives so long, and is renewed after a third of it (I4). */
export const AGENT_CERTIFICATE_MS: Ms = hours(24);
export const RENEW_AFTER_MS: Ms = hours(8);
const CA_MS = days(20 * 365);
const SERVER_MS = days(90);
/** The listener's certificate is renewed when less than so much of it is left. */
const SERVER_LEFT_MS = days(30);

export interface ServerCredentials {
  readonly key: string;
  readonly cert: string;
  readonly notAfter: UnixMs;
}

export interface Ca {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the CA's public key (SPKI), 64 hexadecimal digits: what tokens carry. */
  readonly pin: string;
  readonly issueAgent: (agent: AgentId, rawKey: string) => Promise<Issued>;
  /** Key and certificate of the listener; made anew when the names changed or the end is near. */
  readonly server: () => Promise<ServerCredentials>;
}

export interface CaOptions {
  /** `<data>/keys`. */
  readonly dir: string;
  /** The system's clock, also in a demo. */
  readonly clock: Clock;
  /** Host names and addresses that agents call the listener by. */
  readonly hosts: readonly string[];
}

const makeP256 = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const spkiHash = (pem: string): string => sha256(createPublicKey(pem).export({ type: 'spki', format: 'der' }));

/** Opens the CA of a data folder; makes it on the first start. @throws CodedError KEY_FILE_BAD. */
export const openCa = async ({ dir, clock, hosts }: CaOptions): Promise<Ca> => {
  const issuer = await openIssuer(dir, clock);
  return {
    certificate: issuer.certificate,
    pin: spkiHash(issuer.privatePem),
    issueAgent: (agent, rawKey) => {
      const now = clock.now();
      return issueClient(issuer, rawKey, agentUri(agent), agent, { from: unixMs(now - EARLY_MS), to: unixMs(now + AGENT_CERTIFICATE_MS) });
    },
    server: () => openServer(dir, clock, issuer, hosts),
  };
};

const openIssuer = async (dir: string, clock: Clock): Promise<Issuer> => {
  const keyFile = join(dir, 'agent-ca.key');
  const certificateFile = join(dir, 'agent-ca.crt');
  const privatePem = await privateFile(keyFile, makeP256);
  try {
    createPrivateKey(privatePem);
  } catch (error) {
    throw fault('KEY_FILE_BAD', { file: keyFile, reason: 'it holds no private key in PEM' }, error);
  }
  const certificate = await privateFile(certificateFile, () => {
    const now = clock.now();
    return makeCaCertificate(privatePem, `Vigil agents ${spkiHash(privatePem).slice(0, 8)}`, {
      from: unixMs(now - days(1)),
      to: unixMs(now + CA_MS),
    });
  });
  if (!belongs(certificate, privatePem))
    throw fault('KEY_FILE_BAD', { file: certificateFile, reason: 'it does not belong to the key beside it' });
  return { certificate, privatePem };
};

const belongs = (certificate: string, privatePem: string): boolean => {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privatePem));
  } catch {
    // Malformed PEM is one way of not belonging; the caller names the file.
    return false;
  }
};

const openServer = async (dir: string, clock: Clock, issuer: Issuer, hosts: readonly string[]): Promise<ServerCredentials> => {
  const key = await privateFile(join(dir, 'agents-server.key'), makeP256);
  const certificateFile = join(dir, 'agents-server.crt');
  const now = clock.now();
  const there = await readIfThere(certificateFile);
  if (there !== null && serves(there, key, issuer, hosts, now)) return { key, cert: there, notAfter: endOf(there) };
  // From the CA's own beginning: made while this clock was wrong, it is still valid when the clock is right again.
  const validity = { from: beginOf(issuer.certificate), to: unixMs(Math.max(now, beginOf(issuer.certificate)) + SERVER_MS) };
  const { certificate, notAfter } = await issueServer(issuer, key, hosts, validity);
  await writePrivate(certificateFile, certificate, true);
  return { key, cert: certificate, notAfter };
};

const beginOf = (pem: string): UnixMs => unixMs(Date.parse(new X509Certificate(pem).validFrom));
const endOf = (pem: string): UnixMs => unixMs(Date.parse(new X509Certificate(pem).validTo));

const serves = (pem: string, key: string, issuer: Issuer, hosts: readonly string[], now: UnixMs): boolean => {
  if (!belongs(pem, key)) return false;
  const certificate = new X509Certificate(pem);
  return (
    certificate.verify(createPublicKey(issuer.certificate)) &&
    endOf(pem) - now > SERVER_LEFT_MS &&
    // A clock before the CA's own beginning is wrong, and judges nothing.
    beginOf(pem) <= Math.max(now, beginOf(issuer.certificate)) &&
    hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined)
  );
};

const URI = 'vigil:agent:';
const agentUri = (agent: AgentId): string => `${URI}${agent}`;

/** What a verified certificate of our CA says: the agent and its key. Null when it is not an agent's. */
export interface CertifiedAgent {
  readonly agent: AgentId;
  /** Raw Ed25519 public key, base64url. */
  readonly key: string;
  readonly issuedAt: UnixMs;
  readonly notAfter: UnixMs;
  readonly serial: string;
}

/** Reads an agent out of a certificate whose chain TLS has verified. Exactly one name, and that an agent's URI, is taken. */
export const readAgentCertificate = (certificate: X509Certificate): CertifiedAgent | null => {
  const names = certificate.subjectAltName ?? '';
  const id = names.startsWith(`URI:${URI}`) ? names.slice(4 + URI.length) : '';
  if (certificate.ca || !isId('agt', id) || certificate.publicKey.asymmetricKeyType !== 'ed25519') return null;
  const key = certificate.publicKey.export({ format: 'jwk' })['x'];
  const [notBefore, notAfter] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (!isPublicKey(key) || Number.isNaN(notBefore) || Number.isNaN(notAfter)) return null;
  return {
    agent: id,
    key,
    issuedAt: unixMs(notBefore + EARLY_MS),
    notAfter: unixMs(notAfter),
    serial: certificate.serialNumber.toLowerCase(),
  };
};
