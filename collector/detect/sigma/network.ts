// SPDX-License-Identifier: Apache-2.0
/**
 * Address ranges of the modifier `cidr`, both families.
 * Input: `10.0.0.0/8`, `2001:db8::/32`. Output: a test of an address text; anything that is no address is outside.
 */
import { isIP } from 'node:net';

const bytes4 = (text: string): number[] => text.split('.').map(Number);

const bytes6 = (text: string): number[] => {
  const plain = text.split('%')[0] as string;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const tail = dotted ? bytes4(dotted[2] as string) : [];
  const hex = dotted ? `${dotted[1]}${((tail[0]! << 8) | tail[1]!).toString(16)}:${((tail[2]! << 8) | tail[3]!).toString(16)}` : plain;
  const [left = '', right] = hex.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const head = groups(left);
  const rest = right === undefined ? [] : groups(right);
  const words = right === undefined ? head : [...head, ...new Array<string>(8 - head.length - rest.length).fill('0'), ...rest];
  return words.flatMap((word) => {
    const n = Number.parseInt(word, 16);
    return [n >> 8, n & 255];
  });
};

/** The bytes of an address: 4 or 16; an IPv4 address inside IPv6 (`::ffff:1.2.3.4`) gives its 4. Null for anything else. */
export const addressBytes = (text: string): readonly number[] | null => {
  const family = isIP(text);
  if (family === 0) return null;
  if (family === 4) return bytes4(text);
  const b = bytes6(text);
  return b.slice(0, 10).every((x) => x === 0) && b[10] === 255 && b[11] === 255 ? b.slice(12) : b;
};

/** A test for addresses of the range; null when the text is no range. A bare address is a range of itself. */
export const cidrTest = (text: string): ((address: string) => boolean) | null => {
  const [base = '', suffix] = text.trim().split('/');
  const bytes = addressBytes(base);
  if (bytes === null || (suffix !== undefined && !/^\d{1,3}$/.test(suffix))) return null;
  const width = bytes.length * 8;
  const bits = suffix === undefined ? width : Number(suffix);
  if (bits > width) return null;
  const whole = bits >> 3;
  const mask = (0xff00 >> (bits & 7)) & 255;
  return (address) => {
    const other = addressBytes(address);
    if (other === null || other.length !== bytes.length) return false;
    for (let i = 0; i < whole; i++) if (other[i] !== bytes[i]) return false;
    return mask === 0 || ((other[whole] ?? 0) & mask) === ((bytes[whole] ?? 0) & mask);
  };
};
