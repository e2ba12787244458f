// SPDX-License-Identifier: Apache-2.0
/**
 * Addresses as sortable keys: 32 hexadecimal digits, IPv4 as ::ffff:a.b.c.d.
 * Input: text of an address or a CIDR network. Output: keys, key ranges and the canonical text (RFC 5952) that events hold.
 */
import { isIPv4, isIPv6 } from 'node:net';

const MAPPED = '00000000000000000000ffff';

/** The key of an address, or null when the text is none (zones such as %eth0 are none). */
export const ipKey = (text: string): string | null => {
  if (isIPv4(text)) return MAPPED + quad(text);
  if (!isIPv6(text) || text.includes('%')) return null;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const hex = dotted ? quad(dotted[2] as string) : '';
  const plain = dotted ? `${dotted[1]}${hex.slice(0, 4)}:${hex.slice(4)}` : text;
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const middle = right === undefined ? [] : new Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...middle, ...tail].map((group) => group.toLowerCase().padStart(4, '0')).join('');
};

/** Canonical text of an address, or null: IPv4 dotted, mapped IPv4 as IPv4, IPv6 by RFC 5952. */
export const canonicalIp = (text: string): string | null => {
  const key = ipKey(text);
  if (key === null) return null;
  if (key.startsWith(MAPPED)) return dotted(key);
  return new URL(`http://[${(key.match(/.{4}/g) as string[]).join(':')}]`).hostname.slice(1, -1);
};

export interface Network {
  /** First and last key. */
  readonly from: string;
  readonly to: string;
  /** For IPv4: the four bytes and the length of the prefix, 0 to 32. */
  readonly v4?: { readonly bytes: readonly number[]; readonly prefix: number };
}

/** A network in CIDR form, or null when the text is none. Bits behind the prefix are ignored. */
export const parseNetwork = (text: string): Network | null => {
  const match = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text);
  const key = match === null ? null : ipKey(match[1] as string);
  if (match === null || key === null) return null;
  const four = isIPv4(match[1] as string);
  const prefix = Number(match[2]);
  if (prefix > (four ? 32 : 128)) return null;
  const host = BigInt(four ? 32 - prefix : 128 - prefix);
  const from = (BigInt(`0x${key}`) >> host) << host;
  const to = from | ((1n << host) - 1n);
  const range = { from: hex(from), to: hex(to) };
  return four ? { ...range, v4: { bytes: dotted(range.from).split('.').map(Number), prefix } } : range;
};

const hex = (n: bigint): string => n.toString(16).padStart(32, '0');

const quad = (text: string): string =>
  text
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');

const dotted = (key: string): string => (key.slice(24).match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16)).join('.');
