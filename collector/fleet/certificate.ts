// SPDX-License-Identifier: Apache-2.0
/**
 * Makes certificates and reads requests for them: the one door to @peculiar/x509, loaded when first needed (0.1 s).
 * Input: keys, names, PKCS#10 in PEM. Output: certificates in PEM; of a request only its key, for nothing else in it is believed.
 */
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';
import { hours, type UnixMs, unixMs } from '../../core/units.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

let loaded: Promise<typeof X509> | null = null;
const library = (): Promise<typeof X509> => {
  loaded ??= import('reflect-metadata').then(() => import('@peculiar/x509'));
  return loaded;
};

/** A validity in wall time. */
export interface Validity {
  readonly from: UnixMs;
  readonly to: UnixMs;
}

/** Who signs: the CA's certificate and private key, in PEM. */
export interface Issuer {
  readonly certificate: string;
  readonly privatePem: string;
}

/** Certificates begin so much earlier, for peers whose clocks are behind. */
export const EARLY_MS = hours(1);

type SigningKey = Parameters<typeof X509.X509CertificateGenerator.create>[0] extends { signingKey?: infer K } ? NonNullable<K> : never;
type PublicKey = Parameters<typeof X509.SubjectKeyIdentifierExtension.create>[0];

const signingKey = async (pem: string): Promise<SigningKey> =>
  (await webcrypto.subtle.importKey('pkcs8', createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' }), P256, false, [
    'sign',
  ])) as SigningKey;

const publicKeyOf = async (pem: string, algorithm: typeof P256 | { readonly name: 'Ed25519' }): Promise<PublicKey> =>
  (await webcrypto.subtle.importKey('spki', createPublicKey(pem).export({ type: 'spki', format: 'der' }), algorithm, true, [
    'verify',
  ])) as PublicKey;

/** A positive serial number of 127 random bits, hexadecimal. */
const makeSerial = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
};

/** A self-signed CA that may sign only end certificates. */
export const makeCaCertificate = async (privatePem: string, name: string, validity: Validity): Promise<string> => {
  const x509 = await library();
  const publicKey = await publicKeyOf(privatePem, P256);
  const privateKey = await signingKey(privatePem);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: makeSerial(),
    name: `CN=${name}`,
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.to),
    signingAlgorithm: P256,
    keys: { publicKey, privateKey } as Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0]['keys'],
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return `${certificate.toString('pem').trim()}\n`;
};

export interface Issued {
  readonly certificate: string;
  readonly serial: string;
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
}

type Names = ConstructorParameters<typeof X509.SubjectAlternativeNameExtension>[0];

const issue = async (
  issuer: Issuer,
  publicKey: PublicKey,
  subject: string,
  usage: 'client' | 'server',
  names: Names,
  validity: Validity,
): Promise<Issued> => {
  const x509 = await library();
  const parent = new x509.X509Certificate(issuer.certificate);
  const serial = makeSerial();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: `CN=${subject}`,
    issuer: parent.subject,
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.to),
    publicKey: publicKey as NonNullable<Parameters<typeof x509.X509CertificateGenerator.create>[0]['publicKey']>,
    signingKey: await signingKey(issuer.privatePem),
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth], true),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(parent),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  // X.509 keeps whole seconds.
  return {
    certificate: `${certificate.toString('pem').trim()}\n`,
    serial,
    notBefore: unixMs(certificate.notBefore.getTime()),
    notAfter: unixMs(certificate.notAfter.getTime()),
  };
};

/** A certificate for the listener, good for these host names and addresses. */
export const issueServer = async (issuer: Issuer, privatePem: string, hosts: readonly string[], validity: Validity): Promise<Issued> =>
  issue(
    issuer,
    await publicKeyOf(privatePem, P256),
    'Vigil collector',
    'server',
    hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
    validity,
  );

/** A certificate for an agent: client use only, named by a URI and nothing else. `rawKey` is the Ed25519 key in base64url. */
export const issueClient = async (issuer: Issuer, rawKey: string, uri: string, subject: string, validity: Validity): Promise<Issued> => {
  const key = await webcrypto.subtle.importKey('raw', Buffer.from(rawKey, 'base64url'), { name: 'Ed25519' }, true, ['verify']);
  return issue(issuer, key as PublicKey, subject, 'client', [{ type: 'url', value: uri }], validity);
};

export type ReadRequest = { readonly kind: 'ok'; readonly key: string } | { readonly kind: 'bad'; readonly reason: string };

const MAX_REQUEST_CHARACTERS = 4_096;
const ONE_REQUEST = /^\s*-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/;
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The Ed25519 key of a request that proves its possession. Subject, names and extensions asked for are not even read. */
export const readRequest = async (pem: string): Promise<ReadRequest> => {
  if (pem.length > MAX_REQUEST_CHARACTERS || !ONE_REQUEST.test(pem))
    return { kind: 'bad', reason: 'the certificate request is not one PKCS#10 in PEM' };
  const x509 = await library();
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    const spki = Buffer.from(request.publicKey.rawData);
    if (spki.length !== ED25519_SPKI.length + 32 || !spki.subarray(0, ED25519_SPKI.length).equals(ED25519_SPKI))
      return { kind: 'bad', reason: 'the key is not of type Ed25519' };
    if (!(await request.verify())) return { kind: 'bad', reason: 'the request does not prove that its key is possessed' };
    return { kind: 'ok', key: spki.subarray(ED25519_SPKI.length).toString('base64url') };
  } catch {
    // The library throws many kinds of error for malformed DER; for the peer they are one.
    return { kind: 'bad', reason: 'the certificate request is malformed' };
  }
};
