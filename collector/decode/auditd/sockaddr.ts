// SPDX-License-Identifier: Apache-2.0
/**
 * The socket address of an audit record: `saddr=0200…` in the kernel's own bytes.
 * Input: hexadecimal digits. Output: family, address and port, or the path of a Unix socket.
 */

export type SocketAddress =
  | { readonly family: 'inet'; readonly ip: string; readonly port: number }
  | { readonly family: 'unix'; readonly path: string }
  | { readonly family: 'other'; readonly number: number };

const GROUPS = 8;

/** Reads a sockaddr; undefined when it is too short for its family. The family is in the byte order of the host, which is little. */
export const readSocketAddress = (hex: string): SocketAddress | undefined => {
  if (!/^(?:[0-9A-Fa-f]{2}){2,128}$/.test(hex)) return undefined;
  const bytes = Buffer.from(hex, 'hex');
  const number = bytes.readUInt16LE(0);
  if (number === 2 && bytes.length >= 8) return { family: 'inet', port: bytes.readUInt16BE(2), ip: bytes.subarray(4, 8).join('.') };
  if (number === 10 && bytes.length >= 24) {
    const groups = Array.from({ length: GROUPS }, (_, n) => bytes.readUInt16BE(8 + n * 2).toString(16));
    return { family: 'inet', port: bytes.readUInt16BE(2), ip: shortened(groups) };
  }
  if (number === 1) {
    const end = bytes.indexOf(0, 2);
    // An abstract socket begins with NUL; its name follows.
    return bytes[2] === 0
      ? { family: 'unix', path: `@${bytes.toString('utf8', 3).replace(/\0+$/, '')}` }
      : { family: 'unix', path: bytes.toString('utf8', 2, end < 0 ? bytes.length : end) };
  }
  return { family: 'other', number };
};

/** The longest run of zero groups, two or more, as `::`. */
const shortened = (groups: readonly string[]): string => {
  let best = -1;
  let length = 1;
  for (let start = 0; start < GROUPS; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > length) {
      best = start;
      length = end - start;
    }
  }
  if (best < 0) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + length).join(':')}`;
};
