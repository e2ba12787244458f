// SPDX-License-Identifier: Apache-2.0
/**
 * Signed checkpoints of the audit log in the C2SP tlog-checkpoint form: origin, size, root, signature of a key of its own.
 * Input: a tree's size and root. Output: the signed text, and its strict reading. Pure.
 */
import { sha256 } from '../../../core/hash.ts';
import { isPublicKey, SIGNATURE_BYTES, type Signer, verifySignature } from '../../../core/sign.ts';

export interface Checkpoint {
  /** Names the log, e.g. `vigil-audit-3f…`; also the name of its key. */
  readonly origin: string;
  readonly size: number;
  /** Root of the tree of that size, 32 bytes in base64. */
  readonly root: string;
}

const ED25519 = Uint8Array.of(1);
const ORIGIN = /^[A-Za-z0-9./_-]{1,100}$/;
const SIZE = /^(0|[1-9]\d{0,14})$/;
const MAX_CHARACTERS = 2_000;

const body = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${root}\n`;

// First four bytes of SHA-256(name, newline, algorithm, key), as signed notes have it.
const keyId = (name: string, rawKey: Uint8Array): Buffer =>
  Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), ED25519, rawKey])).slice(0, 8), 'hex');

/** The checkpoint as a signed note. */
export const signCheckpoint = (checkpoint: Checkpoint, signer: Signer): string => {
  const text = body(checkpoint);
  const rawKey = Buffer.from(signer.publicKey, 'base64url');
  const signature = Buffer.concat([keyId(checkpoint.origin, rawKey), signer.sign('', Buffer.from(text))]);
  return `${text}\n— ${checkpoint.origin} ${signature.toString('base64')}\n`;
};

export type ReadCheckpoint =
  | {
      readonly kind: 'ok';
      readonly checkpoint: Checkpoint;
      readonly signature: Uint8Array;
      readonly signed: string;
      readonly keyId: string;
    }
  | { readonly kind: 'bad'; readonly reason: string };

/** Reads a signed note; does not check the signature. Only the one spelling that `signCheckpoint` writes is taken. */
export const readCheckpoint = (text: string): ReadCheckpoint => {
  const bad = (reason: string): ReadCheckpoint => ({ kind: 'bad', reason });
  if (text.length > MAX_CHARACTERS) return bad('it is too long');
  const lines = text.split('\n');
  const [origin = '', size = '', root = '', gap = 'x', mark = ''] = lines;
  if (lines.length !== 6 || gap !== '' || lines[5] !== '') return bad('it does not have the form of a checkpoint');
  if (!ORIGIN.test(origin)) return bad('its origin is malformed');
  if (!SIZE.test(size)) return bad('its size is malformed');
  if (!isBase64(root, 32)) return bad('its root is malformed');
  const signature = mark.startsWith(`— ${origin} `) ? mark.slice(origin.length + 3) : '';
  if (!isBase64(signature, 4 + SIGNATURE_BYTES)) return bad('its signature line is malformed');
  const raw = Buffer.from(signature, 'base64');
  return {
    kind: 'ok',
    checkpoint: { origin, size: Number(size), root },
    signature: raw.subarray(4),
    signed: `${origin}\n${size}\n${root}\n`,
    keyId: raw.subarray(0, 4).toString('hex'),
  };
};

/** True when the key (raw, base64url) signed the checkpoint. */
export const checkpointHolds = (read: ReadCheckpoint & { readonly kind: 'ok' }, publicKey: string): boolean =>
  isPublicKey(publicKey) &&
  keyId(read.checkpoint.origin, Buffer.from(publicKey, 'base64url')).toString('hex') === read.keyId &&
  verifySignature(publicKey, read.signature, '', Buffer.from(read.signed));

/** The key as people keep it to know the log again: `origin+id+base64`, the verifier key of signed notes. */
export const verifierKey = (origin: string, publicKey: string): string => {
  const raw = Buffer.from(publicKey, 'base64url');
  return `${origin}+${keyId(origin, raw).toString('hex')}+${Buffer.concat([ED25519, raw]).toString('base64')}`;
};

/** SHA-256 of the raw key, 64 hexadecimal digits: the short form for paper. */
export const keyFingerprint = (publicKey: string): string => sha256(Buffer.from(publicKey, 'base64url'));

/** True when `known`, a verifier key, a raw key or a fingerprint, means this key. */
export const isKnownKey = (known: string, origin: string, publicKey: string): boolean =>
  [publicKey, keyFingerprint(publicKey), verifierKey(origin, publicKey)].includes(known.trim());

const isBase64 = (text: string, bytes: number): boolean => {
  const raw = Buffer.from(text, 'base64');
  return raw.length === bytes && raw.toString('base64') === text;
};
