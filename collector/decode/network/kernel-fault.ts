// SPDX-License-Identifier: Apache-2.0
/**
 * What the kernel says of itself and of its processes: memory, modules, disks, links, floods, its audit queue.
 * Input: a kernel message without its stamp. Output: the event's class and the facts in it, or nothing where the form is not known.
 */
import type { EventDraft } from '../../model/event.ts';
import { setDestination, setSource } from '../address.ts';
import { setExtra } from '../build.ts';

interface Form {
  readonly pattern: RegExp;
  readonly action: string;
  readonly category: 'process' | 'host' | 'network' | 'driver' | 'configuration' | 'intrusion_detection';
  readonly type: 'error' | 'info' | 'change' | 'start' | 'end' | 'denied';
}

/** Groups by name: pid, name, uid, source, destination, port, interface, module, device, code. */
const FORMS: readonly Form[] = [
  {
    pattern:
      /^(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process (?<pid>\d{1,10}) \((?<name>.{1,64}?)\)(?:.* UID:(?<uid>\d{1,10}))?/,
    action: 'out-of-memory',
    category: 'process',
    type: 'error',
  },
  {
    pattern: /^oom-kill:constraint=\w{1,64},.{0,512},task=(?<name>[^,]{1,64}),pid=(?<pid>\d{1,10}),uid=(?<uid>\d{1,10})$/,
    action: 'out-of-memory',
    category: 'process',
    type: 'error',
  },
  { pattern: /^(?<name>.{1,64}?) invoked oom-killer: /, action: 'out-of-memory', category: 'process', type: 'info' },
  { pattern: /^Killed process (?<pid>\d{1,10})(?:,? \((?<name>.{1,64}?)\))?/, action: 'out-of-memory', category: 'process', type: 'error' },
  { pattern: /^Out of memory: /, action: 'out-of-memory', category: 'process', type: 'error' },
  {
    pattern: /^(?:\S{1,64} ){0,3}(?<interface>[\w.@+-]{1,32}):? entered promiscuous mode/,
    action: 'promiscuous-mode',
    category: 'network',
    type: 'change',
  },
  {
    pattern: /^(?:\S{1,64} ){0,3}(?<interface>[\w.@+-]{1,32}):? left promiscuous mode/,
    action: 'promiscuous-mode-end',
    category: 'network',
    type: 'change',
  },
  {
    pattern: /possible SYN flooding on port (?:\[[0-9a-f:.]{2,64}\]:|[0-9a-f:.]{2,64}:)?(?<port>\d{1,5})\./i,
    action: 'syn-flood',
    category: 'intrusion_detection',
    type: 'info',
  },
  {
    pattern:
      /^(?:IPv4: )?martian (?:source|destination) (?<destination>[0-9.]{7,15}) from (?<source>[0-9.]{7,15}),? on dev (?<interface>\S{1,32})/,
    action: 'martian-packet',
    category: 'network',
    type: 'denied',
  },
  { pattern: /nf_conntrack: (?:nf_conntrack: )?table full, dropping packet/, action: 'conntrack-full', category: 'network', type: 'error' },
  {
    pattern:
      /^(?<module>[\w-]{1,64}): (?:loading out-of-tree module taints kernel|module verification failed: signature and\/or required key missing)/,
    action: 'kernel-module-untrusted',
    category: 'driver',
    type: 'start',
  },
  {
    pattern: /^(?<module>[\w-]{1,64}): module license '.{0,64}' taints kernel/,
    action: 'kernel-module-untrusted',
    category: 'driver',
    type: 'start',
  },
  { pattern: /^(?:Kernel is locked down|Lockdown: )/, action: 'kernel-lockdown', category: 'configuration', type: 'info' },
  { pattern: /^audit: (?:backlog limit exceeded|audit_(?:lost|backlog)=\d)/, action: 'audit-lost', category: 'host', type: 'error' },
  { pattern: /^(?:audit: )?kauditd hold queue overflow/, action: 'audit-lost', category: 'host', type: 'error' },
  {
    pattern: /^(?:blk_update_request: |Buffer )?(?:critical \w{1,16} error|I\/O error)[, ].{0,64}?(?:dev|device) (?<device>[\w-]{1,32})/,
    action: 'disk-error',
    category: 'host',
    type: 'error',
  },
  {
    pattern: /^(?:EXT[234]-fs|XFS|BTRFS)(?: error| warning|: error)? ?\(?(?:device )?(?<device>[\w-]{1,32})\)?:? .*(?:error|corrupt)/i,
    action: 'filesystem-error',
    category: 'host',
    type: 'error',
  },
  { pattern: /^(?:EXT[234]-fs|XFS|BTRFS)[^:]{0,64}: /, action: 'filesystem-info', category: 'host', type: 'info' },
  {
    pattern: /^(?:\S{1,64} \S{1,64} )?(?<interface>[a-z][\w.@-]{1,24}): (?:NIC |renamed from |)Link (?:is )?Up/i,
    action: 'link-up',
    category: 'network',
    type: 'change',
  },
  {
    pattern: /^(?:\S{1,64} \S{1,64} )?(?<interface>[a-z][\w.@-]{1,24}): (?:NIC |)Link (?:is )?Down/i,
    action: 'link-down',
    category: 'network',
    type: 'change',
  },
  {
    pattern: /^\w{1,16}: port \d{1,5}\((?<interface>\S{1,32})\) entered (?<code>\w{1,16}) state/,
    action: 'bridge-port',
    category: 'network',
    type: 'info',
  },
  {
    pattern: /^(?:BUG: |kernel BUG at |Oops: |general protection fault|Kernel panic|watchdog: BUG|Call Trace:|RIP: |WARNING: CPU: )/,
    action: 'kernel-fault',
    category: 'host',
    type: 'error',
  },
  {
    pattern: /^INFO: task (?<name>.{1,64}?):(?<pid>\d{1,10}) blocked for more than/,
    action: 'task-blocked',
    category: 'process',
    type: 'error',
  },
  { pattern: /^(?:mce: |\[Hardware Error\]|EDAC )/, action: 'hardware-error', category: 'host', type: 'error' },
  { pattern: /^Linux version /, action: 'host-boot', category: 'host', type: 'start' },
  { pattern: /^(?:Command line: |Kernel command line: )/, action: 'kernel-command-line', category: 'host', type: 'info' },
];

const CATEGORIES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(FORMS.map(({ category }) => [category, [category]]));
const TYPES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(FORMS.map(({ type }) => [type, [type]]));

/** Fills an event of the kernel network shape; false when no form fits. */
export const setFault = (event: EventDraft, body: string): boolean => {
  for (const { pattern, action, category, type } of FORMS) {
    const match = pattern.exec(body);
    if (match === null) continue;
    event['event.action'] = action;
    event['event.category'] = CATEGORIES[category];
    event['event.type'] = TYPES[type];
    const groups = match.groups ?? {};
    if (groups['name'] !== undefined) event['process.name'] = groups['name'];
    if (groups['pid'] !== undefined) event['process.pid'] = Number(groups['pid']);
    if (groups['uid'] !== undefined) event['user.id'] = groups['uid'];
    if (groups['source'] !== undefined) setSource(event, groups['source']);
    if (groups['destination'] !== undefined) setDestination(event, groups['destination']);
    if (groups['port'] !== undefined) event['destination.port'] = Number(groups['port']);
    if (groups['code'] !== undefined) event['event.code'] = groups['code'];
    if (groups['interface'] !== undefined) event['observer.ingress.interface.name'] = groups['interface'];
    for (const key of ['module', 'device'] as const) if (groups[key] !== undefined) setExtra(event, `kernel.${key}`, groups[key]);
    return true;
  }
  return false;
};
