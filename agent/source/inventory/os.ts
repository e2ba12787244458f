// SPDX-License-Identifier: Apache-2.0
/**
 * The system itself: what it calls itself, its kernel, since when it runs, whether it is a guest.
 * Input: os-release, /proc, /sys. Output: one item `os`.
 */
import { machine } from 'node:os';
import type { FactFields } from '../../../core/fact.ts';
import { type Found, item } from './found.ts';
import { readText, smallText } from './text.ts';
import type { Tree } from './tree.ts';

const FILES = ['/etc/os-release', '/usr/lib/os-release'];
/** The kernel computes its start from the clock, which is set a little all the time. */
const BOOT_JITTER_MS = 60_000;

export function* osItems(tree: Tree): Generator<Found> {
  const release = new Map<string, string>();
  for (const file of FILES) {
    const text = yield* readText(tree, file, undefined, 1_048_576);
    if (text === undefined) continue;
    for (const line of text.split('\n')) {
      const [, key, value] = /^\s*([A-Z_0-9]+)=(.*)$/.exec(line) ?? [];
      if (key !== undefined && !release.has(key)) release.set(key, unquoted(value!.trim()));
    }
    break;
  }
  const boot = /^btime (\d+)$/m.exec(smallText(tree, '/proc/stat') ?? '')?.[1];
  yield item('os', {
    name: release.get('NAME') ?? 'Linux',
    id: release.get('ID') ?? 'linux',
    version: release.get('VERSION_ID') ?? release.get('BUILD_ID'),
    codename: release.get('VERSION_CODENAME'),
    kernel: smallText(tree, '/proc/sys/kernel/osrelease'),
    arch: tree.live ? machine() : undefined,
    hostname: smallText(tree, '/proc/sys/kernel/hostname') ?? smallText(tree, '/etc/hostname'),
    machine_id: smallText(tree, '/etc/machine-id'),
    boot_at: boot === undefined ? undefined : Number(boot) * 1_000,
    virtual: virtualOf(tree),
  });
}

/** Values of os-release are words of a shell: quotes go, and what a backslash protects stays. */
const unquoted = (value: string): string => {
  const quote = value[0];
  const inner = (quote === '"' || quote === "'") && value.endsWith(quote) && value.length > 1 ? value.slice(1, -1) : value;
  return quote === "'" ? inner : inner.replace(/\\(.)/g, '$1');
};

const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/vmware/i, 'vmware'],
  [/virtualbox|innotek/i, 'virtualbox'],
  [/microsoft corporation.*virtual/i, 'hyper-v'],
  [/xen/i, 'xen'],
  [/amazon ec2/i, 'kvm'],
  [/qemu|kvm|google|digitalocean|hetzner|openstack|ovirt/i, 'kvm'],
  [/parallels/i, 'parallels'],
  [/bhyve/i, 'bhyve'],
];

/** A container first, then the machine around it; `none` only where the kernel says that nothing stands between. */
const virtualOf = (tree: Tree): string | undefined => {
  if (tree.stat('/run/.containerenv')) return 'podman';
  if (tree.stat('/.dockerenv')) return 'docker';
  const dmi = ['sys_vendor', 'product_name', 'bios_vendor'].map((name) => smallText(tree, `/sys/class/dmi/id/${name}`) ?? '').join(' ');
  const vendor = VENDORS.find(([pattern]) => pattern.test(dmi))?.[1];
  if (vendor !== undefined) return vendor;
  const cpu = tree.readPart('/proc/cpuinfo', 0, 8_192).toString('latin1');
  if (/^flags\s*:.*\bhypervisor\b/m.test(cpu)) return 'guest';
  return cpu === '' || dmi.trim() === '' ? undefined : 'none';
};

export const steadyBoot = (before: FactFields, now: FactFields): FactFields => {
  const [old, fresh] = [before['boot_at'], now['boot_at']];
  return typeof old === 'number' && typeof fresh === 'number' && Math.abs(old - fresh) < BOOT_JITTER_MS ? { ...now, boot_at: old } : now;
};
