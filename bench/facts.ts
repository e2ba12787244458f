// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `facts`: what pages of facts cost the state worker, with scores kept beside, over a database on disk.
 * Input: `--hosts` (default 5), `--packages` (default 1,000), `--files` (default 10,000). Output: a line for each kind of page and one JSON line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCommitParts, openFactCommitter } from '../collector/commit.ts';
import type { FactAt } from '../collector/model/fact.ts';
import { scoredState } from '../collector/scoring.ts';
import { openState } from '../collector/store/embedded/state.ts';
import { type Fact, type FactFields, type FactKind, factChecksum } from '../core/fact.ts';
import { hashId } from '../core/ids.ts';
import { unixMs } from '../core/units.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '5' },
    packages: { type: 'string', default: '1000' },
    files: { type: 'string', default: '10000' },
  },
});
const [hosts, packages, files] = [Number(values.hosts), Number(values.packages), Number(values.files)];
const T0 = Date.UTC(2026, 10, 16);
const HOUR = 3_600_000;
const CHECKS = 60;

const dir = mkdtempSync(join(tmpdir(), 'vigil-facts-'));
const { core } = scoredState(
  openState(join(dir, 'state.db')),
  () => unixMs(T0),
  (check) => check,
);
openCommitParts(core);
const committer = openFactCommitter(core);
let offset = 0;
let n = 0;

const at = (host: number, kind: FactKind, item: string, change: Fact['change'], hour: number, fields: FactFields): FactAt => ({
  host: hashId('ast', `host ${host}`),
  event: hashId('evt', ++n),
  received: unixMs(T0 + hour * HOUR + 1),
  replay: false,
  fact: { kind, item, change, at: unixMs(T0 + hour * HOUR), fields },
});
const pkg = (i: number): FactFields => ({
  manager: 'dpkg',
  name: `package-${i}`,
  version: `1.${i}-1`,
  arch: 'amd64',
  source: `source-${i >> 2}`,
  state: 'installed',
  installed_at: T0 - i * 60_000,
});
const file = (i: number): FactFields => ({
  path: `/usr/bin/tool-${i}`,
  type: 'file',
  size: 4_096 + i,
  mode: '0755',
  uid: 0,
  gid: 0,
  owner: 'root',
  group: 'root',
  inode: 1_000_000 + i,
  mtime_at: T0 - i,
  ctime_at: T0 - i,
  links: 1,
  sha256: 'a'.repeat(56) + i.toString(16).padStart(8, '0'),
});
const check = (host: number, i: number, hour: number, result: string): FactAt =>
  at(host, 'observation', `check-${i}`, hour === 0 ? 'baseline' : 'seen', hour, {
    check: `check-${i}`,
    title: `Check ${i}`,
    result,
    actual: 'no',
    expected: 'no',
    severity: 'medium',
    fresh_ms: 2 * HOUR,
  });

const commit = (all: readonly FactAt[]): number => {
  const begin = process.cpuUsage();
  for (let i = 0; i < all.length; i += 1_000) {
    committer.commit({ collector: 'c', incarnation: 'i', from: offset, to: offset + 1, facts: all.slice(i, i + 1_000) });
    offset += 1;
  }
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1_000;
};
const many = <T>(count: number, make: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => make(i));
const perThousand = (ms: number, count: number): number => Math.round((ms / count) * 1_000);

const ofHosts = (count: number, make: (host: number, i: number) => FactAt): readonly FactAt[] =>
  many(hosts, (host) => many(count, (i) => make(host, i))).flat();
const figures: Record<string, number> = {};
const measure = (name: string, facts: readonly FactAt[]): void => {
  figures[name] = perThousand(commit(facts), facts.length);
  process.stdout.write(`${name}: ${figures[name]} ms CPU for 1,000 facts (${facts.length} in all)\n`);
};
measure(
  'packages, first sight',
  ofHosts(packages, (host, i) => at(host, 'package', `dpkg:package-${i}:amd64`, 'baseline', 0, pkg(i))),
);
measure(
  'packages, said again',
  ofHosts(packages, (host, i) => at(host, 'package', `dpkg:package-${i}:amd64`, 'seen', 24, pkg(i))),
);
measure(
  'files, first sight',
  ofHosts(files, (host, i) => at(host, 'file', `/usr/bin/tool-${i}`, 'baseline', 0, file(i))),
);
for (let hour = 0; hour < 24; hour++) {
  const facts = ofHosts(CHECKS, (host, i) => check(host, i, hour, (i + hour) % 50 === 0 ? 'fail' : 'pass'));
  if (hour === 23) measure('answers, repeated for a day', facts);
  else commit(facts);
}
const scanOf = (of: FactKind, hour: number, items: readonly (readonly [string, FactFields])[]): FactAt =>
  at(0, 'scan', of, 'seen', hour, { of, full: false, count: items.length, checksum: factChecksum(items) });
const scanned = many(files, (i) => [`/usr/bin/tool-${i}`, file(i)] as const);
const [first, again] = [scanOf('file', 1, scanned), scanOf('file', 2, scanned)];
figures['scan of files, compared'] = Math.round(commit([first]));
figures['scan of files, nothing changed since'] = Math.round(commit([again]) * 10) / 10;
process.stdout.write(
  `scan of ${files} files: ${figures['scan of files, compared']} ms compared, ${figures['scan of files, nothing changed since']} ms when nothing changed since\n`,
);
const doubtful = core.list('factTable', { limit: 10 }).items.filter(({ value }) => value.doubtful).length;
if (doubtful > 0) throw new Error('a scan that agrees was found in doubt');
core.close();
rmSync(dir, { recursive: true });
process.stdout.write(
  `${JSON.stringify({ lane: 'facts', hosts, packages, files, cpuMsPerThousand: figures, rssMb: Math.round(process.resourceUsage().maxRSS / 1024) })}\n`,
);
