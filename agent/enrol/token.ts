// SPDX-License-Identifier: Apache-2.0
/**
 * Reads an enrolment token: `vgl1.` and base64url of its JSON.
 * Input: text from a flag, a file or stdin. Output: URL, pin, secret and group, every field checked.
 */
import { asObject, parseJson } from '../../core/bytes.ts';
import type { TokenText } from '../../core/protocol.ts';
import { fault } from '../errors.ts';

const PREFIX = 'vgl1.';
const MAX_CHARACTERS = 8_192;

/** @throws CodedError TOKEN_BAD; the token's text is never in the message. */
export const readToken = (text: string): TokenText => {
  const bad = (reason: string): Error => fault('TOKEN_BAD', { reason });
  const token = text.trim();
  if (!token.startsWith(PREFIX)) throw bad('it does not begin with `vgl1.` as every token does');
  const body = token.slice(PREFIX.length);
  if (body.length > MAX_CHARACTERS || !/^[A-Za-z0-9_-]+$/.test(body)) throw bad('a character in it does not belong there');
  let value: unknown;
  try {
    value = parseJson(Buffer.from(body, 'base64url'), 3);
  } catch {
    // Cut short on the way is the usual cause; the parser's words would show parts of the secret.
    throw bad('it is not whole');
  }
  const { v, url, pin, secret, group } = (asObject(value) ?? {}) as { readonly [K in keyof TokenText]?: unknown };
  if (v !== 1) throw bad('it is of another version');
  if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:') throw bad('it names no https address');
  if (typeof pin !== 'string' || !/^[0-9a-f]{64}$/.test(pin)) throw bad('it carries no pin');
  if (typeof secret !== 'string' || !/^[A-Za-z0-9_-]{16,128}$/.test(secret)) throw bad('it carries no secret');
  if (typeof group !== 'string' || group.length > 128) throw bad('it names no group');
  return { v, url, pin, secret, group };
};
