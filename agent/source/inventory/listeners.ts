// SPDX-License-Identifier: Apache-2.0
/**
 * Who listens here: each waiting socket with its process, the program, its user and its package, as far as this user may know.
 * Input: the kernel's socket tables, /proc of the processes, the databases of packages. Output: items `transport/address:port`.
 */
import { type Found, item, type Look, PAUSE, problem } from './found.ts';
import { makePackageOf } from './owner.ts';
import { quietly, readAccounts } from './passwd.ts';
import { type Socket, waitingSockets } from './sockets.ts';
import { smallText } from './text.ts';
import type { Tree } from './tree.ts';

interface Owner {
  readonly pid: number;
  readonly process: string | undefined;
  readonly executable: string | undefined;
}

/** Remembers, from one look to the next, UDP sockets on passing ports: a question that waits for its answer is no listener. */
export const makeListenerItems = (): Look => {
  const packageOf = makePackageOf();
  let passing: ReadonlySet<string> = new Set();
  return function* (tree) {
    const before = passing;
    const all = waitingSockets(tree);
    passing = new Set(all.filter(passingPorts(tree)).map(({ inode }) => inode));
    yield PAUSE;
    const sockets = byName(all.filter(({ inode }) => !passing.has(inode) || before.has(inode)));
    const owners = yield* ownersOf(tree, new Set([...sockets.values()].map(({ inode }) => inode)));
    const accounts = new Map(quietly(readAccounts(tree)).map(({ uid, name }) => [uid, name]));
    const packages = yield* packageOf(
      tree,
      [...owners.values()].flatMap(({ executable }) => executable ?? []),
    );
    for (const [name, { transport, address, port, inode, uid }] of sockets) {
      const owner = owners.get(inode);
      yield item(name, {
        transport,
        address,
        port,
        pid: owner?.pid,
        process: owner?.process,
        executable: owner?.executable,
        user: accounts.get(uid) ?? String(uid),
        package: owner?.executable === undefined ? undefined : packages.get(owner.executable),
      });
    }
  };
};

/** Several processes may share a place: the eldest socket stands for it. */
const byName = (sockets: readonly Socket[]): ReadonlyMap<string, Socket> => {
  const named = new Map<string, Socket>();
  for (const socket of sockets) {
    const known = named.get(nameOf(socket));
    if (!known || Number(socket.inode) < Number(known.inode)) named.set(nameOf(socket), socket);
  }
  return named;
};

/** Inodes and places: what changes when somebody begins or ceases to listen. */
export const listenerMark = (tree: Tree): string => {
  const isPassing = passingPorts(tree);
  return waitingSockets(tree)
    .filter((socket) => !isPassing(socket))
    .map((socket) => `${nameOf(socket)}=${socket.inode}`)
    .sort()
    .join(' ');
};

const nameOf = ({ transport, address, port }: Socket): string => `${transport}/${address.includes(':') ? `[${address}]` : address}:${port}`;

/** True for UDP ports that the kernel gives to whoever asks for none. */
const passingPorts = (tree: Tree): ((socket: Socket) => boolean) => {
  const [low, high] = (smallText(tree, '/proc/sys/net/ipv4/ip_local_port_range') ?? '32768 60999').split(/\s+/).map(Number);
  return ({ transport, port }) => transport === 'udp' && port >= low! && port <= high!;
};

/** The process with the smallest number that holds each socket. */
function* ownersOf(tree: Tree, inodes: ReadonlySet<string>): Generator<Found, ReadonlyMap<string, Owner>> {
  const owners = new Map<string, Owner>();
  let hidden = false;
  const pids = tree
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  for (const pid of pids) {
    yield PAUSE;
    if (inodes.size === owners.size) break;
    if (tree.closed(`/proc/${pid}/fd`)) {
      hidden = true;
      continue;
    }
    for (const fd of tree.list(`/proc/${pid}/fd`)) {
      const target = tree.link(`/proc/${pid}/fd/${fd}`);
      if (target === undefined) hidden = true;
      const inode = /^socket:\[(\d+)\]$/.exec(target ?? '')?.[1];
      if (inode !== undefined && inodes.has(inode) && !owners.has(inode)) owners.set(inode, processOf(tree, pid));
    }
  }
  const unknown = [...inodes].filter((inode) => !owners.has(inode) && inode !== '0').length;
  if (hidden && unknown > 0)
    yield problem('INVENTORY_OWNER_UNKNOWN', 'inventory of listener', `who holds ${unknown} of ${inodes.size} sockets may not be seen`);
  return owners;
}

const processOf = (tree: Tree, pid: number): Owner => ({
  pid,
  process: smallText(tree, `/proc/${pid}/comm`),
  executable: tree.link(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, ''),
});
