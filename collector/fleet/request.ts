// SPDX-License-Identifier: Apache-2.0
/**
 * Reads the JSON of the enrol and renew doors strictly: what a peer sends becomes a typed value or a reason.
 * Input: plain values from JSON. Output: EnrolRequest, RenewRequest; bounded, without control characters.
 */
import { asObject } from '../../core/bytes.ts';
import { isId } from '../../core/ids.ts';
import { type EnrolRequest, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, type RenewRequest } from '../../core/protocol.ts';

export type Read<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'bad'; readonly reason: string };

const TEXTS = {
  secret: /^[A-Za-z0-9_-]{16,128}$/,
  host: /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/,
  machineId: /^[A-Za-z0-9-]{0,64}$/,
  zone: /^[A-Za-z0-9_+/-]{1,64}$/,
  version: /^[A-Za-z0-9.+_-]{1,32}$/,
  csr: /^[\x20-\x7e\r\n]{1,4096}$/,
  key: /^[A-Za-z0-9_-]{43}$/,
  nonce: /^[0-9a-f]{32}$/,
  signature: /^[A-Za-z0-9_-]{86}$/,
} as const satisfies Readonly<Record<string, RegExp>>;

const bad = (reason: string): { readonly kind: 'bad'; readonly reason: string } => ({ kind: 'bad', reason });

const versionProblem = (v: unknown): string | null =>
  Number.isInteger(v) && (v as number) >= OLDEST_PROTOCOL_VERSION && (v as number) <= PROTOCOL_VERSION
    ? null
    : `protocol ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION} is spoken here`;

/** The texts of an object, or the name of the first that is missing or malformed. */
const texts = <K extends keyof typeof TEXTS>(map: Readonly<Record<string, unknown>>, keys: readonly K[]): Record<K, string> | K => {
  const found: Partial<Record<K, string>> = {};
  for (const key of keys) {
    const value = map[key];
    if (typeof value !== 'string' || !TEXTS[key].test(value)) return key;
    found[key] = value;
  }
  return found as Record<K, string>;
};

export const readEnrolRequest = (value: unknown): Read<EnrolRequest> => {
  const map = asObject(value);
  if (!map) return bad('it is no object');
  const wrong = versionProblem(map['v']);
  if (wrong) return bad(wrong);
  const read = texts(map, ['secret', 'csr', 'host', 'machineId', 'zone', 'version']);
  return typeof read === 'string' ? bad(`${read} is missing or malformed`) : { kind: 'ok', value: { v: map['v'] as number, ...read } };
};

export const readRenewRequest = (value: unknown): Read<RenewRequest> => {
  const map = asObject(value);
  if (!map) return bad('it is no object');
  const wrong = versionProblem(map['v']);
  if (wrong) return bad(wrong);
  const agent = map['agent'];
  if (!isId('agt', agent)) return bad('agent is missing or malformed');
  const read = texts(map, ['key', 'nonce', 'csr', 'signature']);
  return typeof read === 'string'
    ? bad(`${read} is missing or malformed`)
    : { kind: 'ok', value: { v: map['v'] as number, agent, ...read } };
};
