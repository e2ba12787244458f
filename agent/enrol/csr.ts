// SPDX-License-Identifier: Apache-2.0
/**
 * A PKCS#10 certificate request for an Ed25519 key, written in DER by hand: the agent carries no X.509 library and starts no openssl.
 * Input: a signer and a name. Output: PEM (RFC 2986, RFC 8410). The collector believes only the key in it.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '../../core/sign.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OID = 0x06;
const UTF8_STRING = 0x0c;
/** Context tag 0, constructed: the attributes, of which there are none. */
const ATTRIBUTES = 0xa0;

/** 2.5.4.3 and 1.3.101.112 as DER contents. */
const COMMON_NAME = Buffer.from('550403', 'hex');
const ED25519 = Buffer.from('2b6570', 'hex');

/** One value: tag, length in the shortest form, contents. */
export const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
};

const lengthOf = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.of(0x80 | bytes.length, ...bytes);
};

const bits = (bytes: Uint8Array): Buffer => der(BIT_STRING, Buffer.of(0), bytes);

/** Longest common name that a certificate may have (ub-common-name). */
const MAX_NAME_CHARACTERS = 64;

/** A request that proves possession of the signer's key. The name is for people who read it. */
export const makeRequest = (signer: Signer, name: string): string => {
  const key = createPrivateKey(signer.privatePem);
  const algorithm = der(SEQUENCE, der(OID, ED25519));
  const commonName = [...name].slice(0, MAX_NAME_CHARACTERS).join('');
  const info = der(
    SEQUENCE,
    der(INTEGER, Buffer.of(0)),
    der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName))))),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(ATTRIBUTES),
  );
  const request = der(SEQUENCE, info, algorithm, bits(sign(null, info, key)));
  return pem('CERTIFICATE REQUEST', request);
};

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;
