// SPDX-License-Identifier: Apache-2.0
/**
 * The inventory of this machine through the whole river, with the real programs: what the collector knows equals what the machine says, item by item.
 * Input: this machine. Output: what the commands answer.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeScanners } from '../../agent/source/inventory/scanners.ts';
import { type Collector, removeDir, startCollector, until } from '../support/vigil.ts';

interface Kind {
  readonly kind: string;
  readonly doubtful: boolean;
  readonly count: number;
}

let collector: Collector;
let host = '';

const rows = async (args: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
  const { code, out, err } = await collector.vigil([...args, '--json']);
  if (code !== 0) throw new Error(err);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};
const factsOf = async (kind: string): Promise<readonly Record<string, unknown>[]> =>
  (await rows(['host', 'facts', host, '--kind', kind])).map(({ fields }) => fields as Record<string, unknown>);
const run = (program: string, ...args: readonly string[]): readonly string[] =>
  spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64_000_000 }).stdout.split('\n').filter(Boolean);
const hasTool = (program: string): boolean => {
  const there = spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!there) process.stdout.write(`skipped: ${program} is not on this machine\n`);
  return there;
};

beforeAll(async () => {
  collector = await startCollector();
  host = await until(
    'the host',
    async () => (await rows(['host', 'list'])).find(({ origin }) => origin === 'agent')?.['id'] as string | undefined,
    60_000,
  );
}, 90_000);

afterAll(async () => {
  await collector?.stop();
  if (collector) removeDir(collector.dir);
});

describe('the inventory at the collector', () => {
  it('is whole: every kind was scanned, and the checksum over what stands there agrees with the host’s', async () => {
    const wanted = makeScanners().map(({ kind }) => kind as string);
    const kinds = await until(
      'every kind',
      async () => {
        const [shown] = await rows(['host', 'show', host]);
        const found = ((shown?.['kinds'] ?? []) as readonly Kind[]).filter(({ kind }) => wanted.includes(kind));
        return found.length === wanted.length ? found : null;
      },
      60_000,
    );
    expect(kinds.filter(({ doubtful }) => doubtful)).toEqual([]);
    for (const { kind, count } of kinds) expect([kind, (await factsOf(kind)).length]).toEqual([kind, count]);
  }, 90_000);

  it.skipIf(!hasTool('dpkg-query'))(
    'has every package that dpkg-query has',
    async () => {
      const fields = ['Package', 'Version', 'Architecture'].map((field) => `\${${field}}`).join(' ');
      const told = run('dpkg-query', '-W', `-f=${fields}\n`);
      const found = (await factsOf('package'))
        .filter(({ manager }) => manager === 'dpkg')
        .map(({ name, version, arch }) => `${name} ${version} ${arch}`);
      expect(found.sort()).toEqual([...told].sort());
    },
    30_000,
  );

  it.skipIf(!hasTool('getent'))(
    'has every account that getent has',
    async () => {
      const told = run('getent', 'passwd').map((line) => line.split(':').slice(0, 1).concat(line.split(':').slice(2, 4)).join(' '));
      expect((await factsOf('user')).map(({ name, uid, gid }) => `${name} ${uid} ${gid}`).sort()).toEqual([...told].sort());
    },
    30_000,
  );
});
