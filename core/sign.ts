// SPDX-License-Identifier: Apache-2.0
/**
 * Ed25519 signatures over a domain and bytes: what was signed for one purpose never passes for another.
 * Input: a private key in PEM, pieces of bytes. Output: 64-byte signatures; keys travel as raw 32 bytes in base64url.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { coreFault } from './errors.ts';

export interface Signer {
  /** The raw 32-byte Ed25519 public key, base64url (43 characters). */
  readonly publicKey: string;
  /** PKCS#8 in PEM. A secret: kept in a file of mode 0600, never logged. */
  readonly privatePem: string;
  /** 64 bytes over the domain's UTF-8 and the pieces, as if joined. */
  sign(domain: string, ...pieces: Uint8Array[]): Uint8Array;
}

/** Makes a fresh key. */
export const generateSigner = (): Signer => makeSigner(generateKeyPairSync('ed25519').privateKey);

/**
 * Takes a key from PKCS#8 PEM.
 * @throws CodedError KEY_BAD when the text holds no Ed25519 private key.
 */
export const signerFromPem = (pem: string): Signer => {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw coreFault('KEY_BAD', { reason: 'it is no private key in PEM' }, error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw coreFault('KEY_BAD', { reason: `it is of type ${key.asymmetricKeyType}` });
  return makeSigner(key);
};

const makeSigner = (key: KeyObject): Signer => ({
  publicKey: rawPublicKey(createPublicKey(key)),
  privatePem: key.export({ type: 'pkcs8', format: 'pem' }) as string,
  sign: (domain, ...pieces) => sign(null, message(domain, pieces), key),
});

/** The raw 32 bytes of an Ed25519 public key, base64url. */
export const rawPublicKey = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64url');

/** True when the signature over domain and pieces was made by the key. A malformed key or signature is false, never an error. */
export const verifySignature = (publicKey: string, signature: Uint8Array, domain: string, ...pieces: Uint8Array[]): boolean => {
  const key = publicKeyOf(publicKey);
  return key !== null && signature.length === SIGNATURE_BYTES && verify(null, message(domain, pieces), key, signature);
};

/** The same on the thread pool, so that the 0.1 ms of each check is not taken from the event loop. */
export const verifySignatureAsync = (
  publicKey: string,
  signature: Uint8Array,
  domain: string,
  ...pieces: Uint8Array[]
): Promise<boolean> => {
  const key = publicKeyOf(publicKey);
  if (key === null || signature.length !== SIGNATURE_BYTES) return Promise.resolve(false);
  return new Promise((resolve) => verify(null, message(domain, pieces), key, signature, (error, holds) => resolve(!error && holds)));
};

export const SIGNATURE_BYTES = 64;

const message = (domain: string, pieces: readonly Uint8Array[]): Uint8Array => Buffer.concat([Buffer.from(domain), ...pieces]);

// DER of an SPKI that holds an Ed25519 key, up to the key itself (RFC 8410).
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const RAW_KEY = /^[A-Za-z0-9_-]{43}$/;

/** True when the text is a raw public key in the one spelling that base64url has for it. */
export const isPublicKey = (text: unknown): text is string =>
  typeof text === 'string' && RAW_KEY.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;

// Making a KeyObject costs a third of a verification; a collector sees the same keys again and again.
const known = new Map<string, KeyObject>();
const KNOWN_KEYS = 4_096;

const publicKeyOf = (publicKey: string): KeyObject | null => {
  const found = known.get(publicKey);
  if (found) return found;
  if (!isPublicKey(publicKey)) return null;
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, Buffer.from(publicKey, 'base64url')]), format: 'der', type: 'spki' });
  if (known.size >= KNOWN_KEYS)
    for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
  known.set(publicKey, key);
  return key;
};
