// SPDX-License-Identifier: Apache-2.0
/**
 * Listening sockets from the kernel's tables: a port that is closed, open to this host only, or open.
 * Input: ports. Output: who listens where; unknown where the tables cannot be read.
 */
import { answer, type Probe, some, unknown } from '../answer.ts';

const LISTENING = '0A';
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

export const socket: Probe<'socket'> = (params, tree) => {
  const transport = params.transport ?? 'tcp';
  const tables = [transport, `${transport}6`].map((name) => tree.read(`/proc/net/${name}`));
  if (tables.every((table) => table === undefined)) return unknown('the kernel’s tables cannot be read');
  const listening = tables
    .flatMap((table) => (table ?? '').split('\n').slice(1))
    .flatMap((row) => {
      const [, local, , state] = row.trim().split(/\s+/);
      const [address, port] = (local ?? '').split(':');
      if (address === undefined || port === undefined || (transport === 'tcp' && state !== LISTENING)) return [];
      return [{ address, port: Number.parseInt(port, 16) }];
    })
    .filter(({ port }) => params.port.includes(port));
  const open = listening.filter(({ address }) => !LOOPBACK.test(address));
  const told =
    listening.length === 0
      ? 'nobody listens'
      : some(listening.map(({ port, address }) => `port ${port} ${LOOPBACK.test(address) ? 'for this host only' : 'for others'}`));
  if (params.state === 'closed') return answer(listening.length === 0, told);
  if (params.state === 'open') return answer(open.length > 0, told);
  return answer(open.length === 0, told);
};
