// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `inventory`: what taking inventory of a host with 1,000 packages costs: the first scan, one that finds nothing new, and a look for changes.
 * Input: a made tree with packages, accounts, keys, units and crontabs. Output: a table and one JSON line with CPU milliseconds.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Inventory } from '../agent/source/inventory/inventory.ts';
import { hours, minutes } from '../core/units.ts';
import { handClock } from '../test/support/hand-clock.ts';

const PACKAGES = 1_000;
const UNITS = 150;
const USERS = 40;
const ROUNDS = 10;

const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
const root = join(dir, 'tree');
const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

const paragraph = (i: number): string =>
  `Package: package-${i}\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: ${i}\nMaintainer: Some Group <group@example.org>\nArchitecture: amd64\nMulti-Arch: same\nSource: source-${i % 300} (1.${i})\nVersion: 2:1.${i}-3\nDepends: libc6 (>= 2.34), package-${(i * 7) % PACKAGES}\nConffiles:\n /etc/package-${i}.conf d41d8cd98f00b204e9800998ecf8427e\nDescription: a package of no use\n ${'A line of a description as long as they are.\n '.repeat(8)}.\nHomepage: https://example.org/\n\n`;

const tree = (packages: number): void => put('var/lib/dpkg/status', Array.from({ length: packages }, (_, i) => paragraph(i)).join(''));

try {
  tree(PACKAGES);
  for (let i = 0; i < PACKAGES; i++) put(`var/lib/dpkg/info/package-${i}:amd64.list`, '/.\n/usr\n');
  put('etc/passwd', Array.from({ length: USERS }, (_, i) => `user${i}:x:${1000 + i}:${1000 + i}::/home/user${i}:/bin/bash\n`).join(''));
  put('etc/shadow', Array.from({ length: USERS }, (_, i) => `user${i}:$y$j9T$x$y:19700:0:99999:7:::\n`).join(''));
  put('etc/group', Array.from({ length: USERS }, (_, i) => `user${i}:x:${1000 + i}:\n`).join(''));
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm4W1oVjX0zq1rC1b8cJr3Vw3o4Wq0m5uH1m8n0cJ1E somebody\n';
  for (let i = 0; i < USERS; i++) put(`home/user${i}/.ssh/authorized_keys`, key);
  for (let i = 0; i < UNITS; i++)
    put(
      `usr/lib/systemd/system/unit${i}.service`,
      '[Unit]\nDescription=x\n[Service]\nExecStart=/usr/bin/x\n[Install]\nWantedBy=multi-user.target\n',
    );
  const clock = handClock();
  const source = new Inventory({ clock, folder: join(dir, 'state'), root, intervalMs: hours(1), onWake: () => undefined });
  await source.open(() => '1');
  let facts = 0;
  /** A scan with all that comes of it: facts as text, baselines on disk. */
  const scan = async (): Promise<number> => {
    const before = process.cpuUsage();
    const scans = source.progress()[0]!.counts['scans'];
    source.poll();
    for (let turns = 0; source.progress()[0]!.counts['scans'] === scans && turns < 2_000; turns++)
      await new Promise((resolve) => setImmediate(resolve));
    for (let batch = source.next(); batch; batch = source.next()) {
      facts += batch.records.length;
      source.commit();
    }
    source.sealed();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  const middle = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
  const rounds = async (spanMs: number, change?: (i: number) => void): Promise<number> => {
    const took: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      clock.advance(spanMs);
      change?.(i);
      took.push(await scan());
    }
    return Number(middle(took).toFixed(1));
  };
  const firstMs = Number((await scan()).toFixed(1));
  const firstFacts = facts;
  const sameMs = await rounds(hours(1));
  const upgradeMs = await rounds(minutes(1), (i) => tree(PACKAGES - 1 - i));
  // Nothing moved: only the marks are looked at.
  const marks = process.cpuUsage();
  for (let i = 0; i < 60; i++) {
    clock.advance(minutes(1) - 1);
    source.poll();
  }
  const { user, system } = process.cpuUsage(marks);
  const ours = {
    packages: PACKAGES,
    facts: firstFacts,
    first_cpu_ms: firstMs,
    unchanged_cpu_ms: sameMs,
    upgrade_cpu_ms: upgradeMs,
    looks_of_an_hour_cpu_ms: Number(((user + system) / 1_000).toFixed(1)),
  };
  process.stdout.write(
    `inventory: ${PACKAGES} packages, ${firstFacts} facts\n` +
      `  first scan                 ${ours.first_cpu_ms} ms of CPU\n` +
      `  scan that finds no news    ${ours.unchanged_cpu_ms} ms, each hour\n` +
      `  packages after an upgrade  ${ours.upgrade_cpu_ms} ms\n` +
      `  sixty looks for changes    ${ours.looks_of_an_hour_cpu_ms} ms an hour\n`,
  );
  process.stdout.write(`${JSON.stringify({ lane: 'inventory', ours })}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
