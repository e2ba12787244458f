// SPDX-License-Identifier: Apache-2.0
/**
 * Sockets that wait for others, as the kernel lists them.
 * Input: /proc/net/{tcp,tcp6,udp,udp6}. Output: transport, address, port and the inode by which a process holds it.
 */
import { endianness } from 'node:os';
import type { Tree } from './tree.ts';

export interface Socket {
  readonly transport: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly inode: string;
  readonly uid: number;
}

const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const;
/** States by the kernel's numbers: a TCP socket that listens, a UDP socket that is tied to nobody. */
const WAITING = { tcp: '0A', udp: '07' } as const;
const MAX_SOCKETS = 20_000;
const LITTLE = endianness() === 'LE';

export const waitingSockets = (tree: Tree): readonly Socket[] => TABLES.flatMap((table) => socketsOf(tree, table));

const socketsOf = (tree: Tree, table: (typeof TABLES)[number]): readonly Socket[] => {
  const transport = table.startsWith('tcp') ? 'tcp' : 'udp';
  const found: Socket[] = [];
  let rest = '';
  for (const piece of tree.pieces(`/proc/net/${table}`)) {
    const lines = (rest + piece.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const words = line.trim().split(/\s+/);
      if (words[3] === WAITING[transport]) {
        const socket = socketOf(transport, words);
        if (socket) found.push(socket);
      }
      // The kernel lists those that listen first: a busy server has a hundred thousand others behind them.
      else if (transport === 'tcp' && /^\d+:$/.test(words[0] ?? '')) return found;
    }
    if (found.length > MAX_SOCKETS) break;
  }
  return found;
};

const socketOf = (transport: Socket['transport'], words: readonly string[]): Socket | undefined => {
  const [hex, port] = (words[1] ?? '').split(':');
  if (hex === undefined || port === undefined || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(hex)) return undefined;
  return { transport, address: addressOf(hex), port: Number.parseInt(port, 16), uid: Number(words[7]), inode: words[9] ?? '0' };
};

/** Words of four bytes, each in the order of this machine. */
const addressOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex');
  if (LITTLE) bytes.swap32();
  return bytes.length === 4 ? bytes.join('.') : shortIpv6(bytes);
};

/** RFC 5952: the longest run of zeros falls away, and a mapped address of the older kind shows as one. */
export const shortIpv6 = (bytes: Buffer): string => {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${bytes.subarray(12).join('.')}`;
  let [best, bestLength] = [0, 0];
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [i, length];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return bestLength < 2 ? text(groups) : `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
};
