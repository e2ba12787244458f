// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { generateSigner, isPublicKey, signerFromPem, verifySignature, verifySignatureAsync } from './sign.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a signature holds for its key, domain and bytes only', async () => {
  const a = generateSigner();
  const signature = a.sign('one', bytes('x'), bytes('y'));
  expect(signature).toHaveLength(64);
  expect(verifySignature(a.publicKey, signature, 'one', bytes('xy'))).toBe(true);
  expect(await verifySignatureAsync(a.publicKey, signature, 'one', bytes('xy'))).toBe(true);
  const wrong: [string, Uint8Array, string, Uint8Array][] = [
    [generateSigner().publicKey, signature, 'one', bytes('xy')],
    [a.publicKey, signature, 'two', bytes('xy')],
    [a.publicKey, signature, 'one', bytes('xz')],
    [a.publicKey, signature.subarray(0, 63), 'one', bytes('xy')],
    [a.publicKey, new Uint8Array(64), 'one', bytes('xy')],
    [`${a.publicKey}=`, signature, 'one', bytes('xy')],
    ['', signature, 'one', bytes('xy')],
    ['A'.repeat(43), signature, 'one', bytes('xy')],
  ];
  for (const [key, sig, domain, data] of wrong) {
    expect(verifySignature(key, sig, domain, data)).toBe(false);
    expect(await verifySignatureAsync(key, sig, domain, data)).toBe(false);
  }
});

test('a key comes back from its PEM; what is none is refused', () => {
  const a = generateSigner();
  expect(signerFromPem(a.privatePem).publicKey).toBe(a.publicKey);
  expect(() => signerFromPem('x')).toThrow(expect.objectContaining({ code: 'KEY_BAD' }));
  const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  expect(() => signerFromPem(rsa)).toThrow(expect.objectContaining({ code: 'KEY_BAD' }));
});

test('a public key has one spelling', () => {
  const { publicKey } = generateSigner();
  expect(isPublicKey(publicKey)).toBe(true);
  // The last of 43 characters carries two bits that are not part of the key.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(publicKey[42]!);
  expect(isPublicKey(publicKey.slice(0, 42) + alphabet[last ^ 1])).toBe(false);
});
