// SPDX-License-Identifier: Apache-2.0
/**
 * Disks and what is mounted, and whether the bytes on them are encrypted.
 * Input: /sys/block, the table of mounts. Output: items `disk` and `mount`.
 */
import { statfsSync } from 'node:fs';
import { basename } from 'node:path';
import type { FactFields } from '../../../core/fact.ts';
import { type Clean, type Found, item, PAUSE } from './found.ts';
import { readText, smallText } from './text.ts';
import type { Tree } from './tree.ts';

const SECTOR_BYTES = 512;
/** Devices that are no disks of their own: loops, memory, and what is built of disks. */
const BUILT = /^(loop|ram|zram|dm-|md|nbd|sr|fd)/;
/** File systems that the kernel makes of itself, and those that come and go with containers and sessions. */
const KERNEL =
  /^(proc|sysfs|cgroup2?|devpts|devtmpfs|securityfs|pstore|bpf|tracefs|debugfs|configfs|fusectl|mqueue|hugetlbfs|autofs|rpc_pipefs|binfmt_misc|efivarfs|nsfs|selinuxfs|ramfs|fuse\.(lxcfs|portal|gvfsd-fuse))$/;
const PASSING = /^\/(run\/(user|credentials|docker|netns|snapd|containerd)|var\/lib\/(docker|containers|containerd|kubelet|lxc[df]s?))\//;
/** Asking a file system of another machine how full it is may never return. */
const REMOTE = /^(nfs4?|cifs|smb3?|9p|ceph|glusterfs|afs|fuse|fuse\..*|davfs)$/;
/** How full a disk is moves all the time: news is a step of so much of its size. */
const USED_STEP = 0.05;
const MAX_DEPTH = 8;
const MOUNTS = ['/proc/1/mounts', '/proc/self/mounts'] as const;

export function* diskItems(tree: Tree): Generator<Found> {
  for (const name of tree.list('/sys/block')) {
    if (BUILT.test(name)) continue;
    const sectors = Number(smallText(tree, `/sys/block/${name}/size`) ?? 0);
    if (!(sectors > 0)) continue;
    const parts = tree.list(`/sys/block/${name}`).filter((part) => part.startsWith(name));
    yield item(name, {
      name,
      size: sectors * SECTOR_BYTES,
      model: smallText(tree, `/sys/block/${name}/device/model`),
      encrypted: [`/sys/block/${name}`, ...parts.map((part) => `/sys/block/${name}/${part}`)].some((path) => isHeldByCrypt(tree, path)),
      removable: smallText(tree, `/sys/block/${name}/removable`) === '1',
    });
  }
}

/** Something that encrypts stands on this device, or on what is built on it. */
const isHeldByCrypt = (tree: Tree, path: string, depth = 0): boolean =>
  depth < MAX_DEPTH &&
  tree.list(`${path}/holders`).some((holder) => isCrypt(tree, holder) || isHeldByCrypt(tree, `/sys/block/${holder}`, depth + 1));

const isCrypt = (tree: Tree, device: string): boolean => smallText(tree, `/sys/block/${device}/dm/uuid`)?.startsWith('CRYPT-') === true;

export function* mountItems(tree: Tree, clean: Clean): Generator<Found> {
  // A service may live in a namespace of its own, in which everything is mounted read-only: the first process sees the host's.
  const path = MOUNTS.find((one) => tree.readPart(one, 0, 1).length > 0) ?? MOUNTS[0];
  const text = (yield* readText(tree, path, 'all')) ?? '';
  for (const line of text.split('\n')) {
    const [source, target, type, options] = line.split(' ').map(plain);
    if (target === undefined || type === undefined || KERNEL.test(type) || PASSING.test(target)) continue;
    yield item(target, {
      source: clean(source!),
      target,
      type,
      options: (options ?? '').split(',').filter(Boolean).map(clean),
      encrypted: encryptedBelow(tree, source!),
      ...(tree.live && !REMOTE.test(type) ? sizeOf(target) : {}),
    });
    yield PAUSE;
  }
}

/** Spaces and such stand as octal numbers. */
const plain = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const sizeOf = (target: string): { readonly size?: number; readonly used?: number } => {
  try {
    const { bsize, blocks, bfree } = statfsSync(target);
    return blocks === 0 ? {} : { size: blocks * bsize, used: (blocks - bfree) * bsize };
  } catch {
    // Another mount hides it, or this user may not look: its size is not known.
    return {};
  }
};

/** Whether the device or one that it is built on encrypts; undefined for what is no device of this machine, or is not known. */
const encryptedBelow = (tree: Tree, source: string): boolean | undefined => {
  const device = source.startsWith('/dev/') ? deviceOf(tree, source) : undefined;
  if (device === undefined) return undefined;
  const walk = (name: string, depth: number): boolean =>
    isCrypt(tree, name) || (depth < MAX_DEPTH && tree.list(`/sys/block/${name}/slaves`).some((slave) => walk(slave, depth + 1)));
  return walk(device, 0);
};

/** The kernel's name of a device; a service may have a /dev of its own, without the names that others gave. */
const deviceOf = (tree: Tree, source: string): string | undefined => {
  const named = source.replace(/^\/dev\/(mapper\/)?/, '');
  const mapped = tree.list('/sys/block').find((name) => name.startsWith('dm-') && smallText(tree, `/sys/block/${name}/dm/name`) === named);
  const where = mapped ?? basename(tree.resolve(source) ?? source);
  return tree.stat(`/sys/class/block/${where}`) || tree.stat(`/sys/block/${where}`) ? where : undefined;
};

export const steadyUse = (before: FactFields, now: FactFields): FactFields => {
  const [old, fresh, size] = [before['used'], now['used'], now['size']];
  if (typeof old !== 'number' || typeof fresh !== 'number' || typeof size !== 'number') return now;
  return Math.abs(old - fresh) < size * USED_STEP ? { ...now, used: old } : now;
};
