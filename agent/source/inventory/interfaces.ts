// SPDX-License-Identifier: Apache-2.0
/**
 * Network interfaces with their addresses.
 * Input: /sys/class/net, the kernel's tables of addresses. Output: items by name.
 */
import { networkInterfaces } from 'node:os';
import { type Found, item } from './found.ts';
import { shortIpv6 } from './sockets.ts';
import { smallText } from './text.ts';
import type { Tree } from './tree.ts';

const UP = 1;
/** One end of a cable that leads to a container comes and goes with it. */
const PASSING = /^(veth|cali|cni|lxc|tap)[0-9a-f]{4,}/;

export function* interfaceItems(tree: Tree): Generator<Found> {
  const addresses = tree.live ? ownAddresses() : ipv6Addresses(tree);
  for (const name of tree.list('/sys/class/net')) {
    if (PASSING.test(name) || !tree.stat(`/sys/class/net/${name}`)?.isDirectory()) continue;
    const mac = smallText(tree, `/sys/class/net/${name}/address`);
    yield item(name, {
      name,
      mac: mac === '00:00:00:00:00:00' ? undefined : mac,
      addresses: [...(addresses.get(name) ?? [])].sort(),
      up: (Number(smallText(tree, `/sys/class/net/${name}/flags`) ?? 0) & UP) !== 0,
    });
  }
}

/** The kernel is asked through the runtime: there is no file with addresses of the older kind. */
const ownAddresses = (): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(networkInterfaces()).map(([name, list]) => [name, (list ?? []).flatMap(({ cidr }) => cidr ?? [])]));

const ipv6Addresses = (tree: Tree): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const line of (smallText(tree, '/proc/net/if_inet6') ?? '').split('\n')) {
    const [hex, , bits, , , name] = line.trim().split(/\s+/);
    if (name === undefined || !/^[0-9a-f]{32}$/.test(hex!)) continue;
    found.set(name, [...(found.get(name) ?? []), `${shortIpv6(Buffer.from(hex!, 'hex'))}/${Number.parseInt(bits!, 16)}`]);
  }
  return found;
};
