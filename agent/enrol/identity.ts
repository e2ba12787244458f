// SPDX-License-Identifier: Apache-2.0
/**
 * The agent's identity on disk: one file of mode 0600 in the state folder, replaced whole at each renewal.
 * Input: answers of the collector. Output: id, key, certificate and whom to trust.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asObject, parseJson } from '../../core/bytes.ts';
import { systemCode } from '../../core/errors.ts';
import { type AgentId, isId } from '../../core/ids.ts';
import type { EnrolAnswer } from '../../core/protocol.ts';
import { type Signer, signerFromPem } from '../../core/sign.ts';
import { fault } from '../errors.ts';
import { pinOf } from '../transport/client.ts';
import { writePrivateFile } from './state.ts';

export interface Identity {
  readonly agent: AgentId;
  /** Base URL of the agents' listener. */
  readonly url: string;
  readonly pin: string;
  readonly group: string;
  readonly ca: string;
  readonly certificate: string;
  readonly privatePem: string;
  /** Wall time of the last issue, and how long after it the next renewal is due. */
  readonly issuedAt: number;
  readonly renewAfterMs: number;
  readonly enrolledAt: number;
}

const FILE = 'identity.json';

export const identityPath = (dir: string): string => join(dir, FILE);

/** The identity of a state folder; undefined when it was never enrolled. @throws CodedError AGENT_BAD_IDENTITY. */
export const readIdentity = (dir: string): Identity | undefined => {
  const file = identityPath(dir);
  const bad = (reason: string, cause?: unknown): Error => fault('AGENT_BAD_IDENTITY', { file, reason }, cause);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw bad(systemCode(error) ?? 'it cannot be read', error);
  }
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = asObject(parseJson(bytes, 3));
  } catch (error) {
    throw bad('it is not whole', error);
  }
  if (value === null || !isId('agt', value['agent'])) throw bad('it names no agent');
  const texts = ['url', 'pin', 'group', 'ca', 'certificate', 'privatePem'];
  const numbers = ['issuedAt', 'renewAfterMs', 'enrolledAt'];
  if (!texts.every((key) => typeof value[key] === 'string') || !numbers.every((key) => Number.isSafeInteger(value[key])))
    throw bad('a part of it is missing');
  const identity = value as unknown as Identity;
  try {
    signerFromPem(identity.privatePem);
    new X509Certificate(identity.certificate);
    if (pinOf(new X509Certificate(identity.ca)) !== identity.pin) throw new Error('its CA is not the one of the token');
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'its key or certificate cannot be read', error);
  }
  return identity;
};

export const writeIdentity = (dir: string, identity: Identity): void =>
  writePrivateFile(identityPath(dir), `${JSON.stringify(identity, null, 1)}\n`);

/** The time at which an identity is to be renewed next. */
export const renewalDue = (identity: Identity): number => identity.issuedAt + identity.renewAfterMs;

/**
 * Reads the answer to an enrolment or a renewal, and checks that it is about our key and by the pinned CA.
 * @throws CodedError COLLECTOR_BAD_ANSWER.
 */
export const readEnrolAnswer = (bytes: Uint8Array, signer: Signer, pin: string): EnrolAnswer => {
  const bad = (reason: string, cause?: unknown): Error => fault('COLLECTOR_BAD_ANSWER', { reason }, cause);
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = asObject(parseJson(bytes, 3));
  } catch (error) {
    throw bad('it is not JSON', error);
  }
  const { agent, certificate, ca, serverTime, renewAfterMs } = (value ?? {}) as { readonly [K in keyof EnrolAnswer]?: unknown };
  if (!isId('agt', agent) || typeof certificate !== 'string' || typeof ca !== 'string') throw bad('it holds no certificate');
  if (!Number.isSafeInteger(serverTime) || !Number.isSafeInteger(renewAfterMs)) throw bad('it holds no times');
  const problem = certificateProblem(certificate, ca, signer, pin);
  if (problem !== null) throw bad(problem);
  return value as unknown as EnrolAnswer;
};

const certificateProblem = (certificate: string, ca: string, signer: Signer, pin: string): string | null => {
  let leaf: X509Certificate;
  let issuer: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
    issuer = new X509Certificate(ca);
  } catch {
    // Node has one kind of error for every malformed certificate, and no more to say about it.
    return 'its certificates cannot be read';
  }
  if (pinOf(issuer) !== pin) return 'its CA is not the one of the token';
  if (!leaf.verify(issuer.publicKey)) return 'its certificate is not signed by that CA';
  const key = leaf.publicKey.asymmetricKeyType === 'ed25519' ? leaf.publicKey.export({ format: 'jwk' }).x : undefined;
  return key === signer.publicKey ? null : 'its certificate is for another key';
};
