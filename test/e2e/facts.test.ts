// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of hosts, by the real programs: facts become items, spans and alerts once, through kills, repeats and a state that knew nothing of facts.
 * Input: facts as lines of a replay. Output: claims.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Fact, type FactFields, type FactKind, factChecksum, factText } from '../../core/fact.ts';
import { unixMs } from '../../core/units.ts';
import { type Collector, removeDir, startCollector, tempDir, until } from '../support/vigil.ts';

const HOUR = 3_600_000;
const T0 = Date.now() - 6 * HOUR;
let root: string;
let collector: Collector;
const data = (): string => join(root, 'collector');
const open = (): Promise<Collector> => startCollector({ dir: data(), localAgent: false });

beforeEach(async () => {
  root = tempDir();
  collector = await open();
});
afterEach(async () => {
  await collector.stop();
  removeDir(root);
});

const fact = (kind: FactKind, item: string, change: Fact['change'], hour: number, fields: FactFields, was?: FactFields): string =>
  factText({ kind, item, change, at: unixMs(T0 + hour * HOUR), fields, ...(was === undefined ? {} : { was }) });
const nginx = (version: string): FactFields => ({ manager: 'dpkg', name: 'nginx', version, arch: 'amd64' });
const key: FactFields = { user: 'root', path: '/root/.ssh/authorized_keys', type: 'ssh-ed25519', fingerprint: 'SHA256:x', comment: 'x@x' };
const scan = (hour: number): string =>
  fact('scan', 'package', 'seen', hour, {
    of: 'package',
    full: true,
    count: 1,
    checksum: factChecksum([['dpkg:nginx:amd64', nginx('1.28')]]),
    took_ms: 5,
  });
const INVENTORY = [
  fact('os', 'os', 'baseline', 0, { name: 'Debian GNU/Linux', id: 'debian', version: '10' }),
  fact('package', 'dpkg:nginx:amd64', 'baseline', 0, nginx('1.26')),
  fact('package', 'dpkg:telnet:amd64', 'baseline', 0, { manager: 'dpkg', name: 'telnet', version: '1', arch: 'amd64' }),
  fact('user', 'root', 'baseline', 0, { name: 'root', uid: 0, shell: '/bin/bash', password: 'locked', admin: true }),
  fact('package', 'dpkg:nginx:amd64', 'changed', 2, nginx('1.28'), { version: '1.26' }),
  fact('ssh-key', 'root:SHA256:x', 'added', 3, key),
  fact('package', 'dpkg:nginx:amd64', 'seen', 4, nginx('1.28')),
  scan(4),
];
const answer = (result: string, change: Fact['change'], hour: number, was?: FactFields): string =>
  fact(
    'observation',
    'ssh-root',
    change,
    hour,
    { check: 'ssh-root', result, actual: result === 'pass' ? 'no' : 'yes', expected: 'no', severity: 'high', fresh_ms: 2 * HOUR },
    was,
  );
const POSTURE = [
  answer('pass', 'baseline', 0),
  answer('pass', 'seen', 1),
  answer('fail', 'changed', 2, { result: 'pass' }),
  answer('fail', 'seen', 3),
];

const replay = async (name: string, dataset: string, lines: readonly string[]): Promise<string> => {
  const file = join(root, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return (await collector.vigil(['replay', file, '--dataset', dataset, '--host', 'web-1'])).out;
};
const rows = async (...args: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
  const { out, err } = await collector.vigil([...args, '--json']);
  expect(err).toBe('');
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};
/** Everything the sink keeps of the host. */
const known = async () => ({
  items: await rows('host', 'facts', 'web-1', '--removed'),
  spans: await rows('host', 'observations', 'web-1', '--history'),
  access: await rows('host', 'access', 'web-1'),
});

it('a host is known as its facts say, now and then, and each item leads to the record it rests on', async () => {
  await replay('inventory', 'inventory', INVENTORY);
  await replay('posture', 'posture', POSTURE);
  const { items, spans, access } = await known();
  const item = (name: string) => items.find((one) => one['item'] === name);
  expect(item('dpkg:nginx:amd64')).toMatchObject({ fields: { version: '1.28' }, removed: null, lives: [{ version: '1.26' }] });
  expect(item('dpkg:telnet:amd64')?.['removed']).toBe(new Date(T0 + 4 * HOUR).toISOString());
  const then = await rows('host', 'facts', 'web-1', '--kind', 'package', '--at', new Date(T0 + HOUR).toISOString());
  expect(then.map((one) => (one['fields'] as FactFields)['version']).sort()).toEqual(['1', '1.26']);
  expect(spans.map(({ check, result, first, expires, open }) => [check, result, first, expires, open])).toEqual([
    ['ssh-root', 'fail', new Date(T0 + 2 * HOUR).toISOString(), new Date(T0 + 5 * HOUR).toISOString(), true],
    ['ssh-root', 'pass', new Date(T0).toISOString(), new Date(T0 + 2 * HOUR).toISOString(), false],
  ]);
  expect(access).toMatchObject([{ user: 'root', password: false, admin: true, keys: [{ fingerprint: 'SHA256:x' }] }]);
  const [event] = await collector.query(`event.id: "${item('root:SHA256:x')?.['event']}"`, ['--from', 'now-1d']);
  expect(event).toMatchObject({ 'event.action': 'ssh-key-added', 'vigil.item': 'root:SHA256:x', 'user.name': 'root' });
  expect((await collector.vigil(['verify', String(event?.['event.id'])])).code).toBe(0);
});

it('nothing doubles: the same facts again, a kill, and a state that had forgotten all facts end in the same', async () => {
  await replay('inventory', 'inventory', INVENTORY);
  await replay('posture', 'posture', POSTURE);
  const before = await known();
  const events = await collector.count('vigil.fact: *', ['--from', 'now-1d']);
  expect(await replay('inventory', 'inventory', INVENTORY)).toContain('0 of 8 lines were new');
  expect(await known()).toEqual(before);
  await collector.kill();
  collector = await open();
  expect(await known()).toEqual(before);
  await collector.stop();
  // As a backup of a version without this sink: its position and all it knew are gone, the journal is there.
  const state = new DatabaseSync(join(data(), 'state', 'state.db'));
  state.exec("DELETE FROM sink WHERE sink = 'facts'; DELETE FROM doc_hostFact; DELETE FROM doc_factTable; DELETE FROM doc_observation;");
  state.close();
  collector = await open();
  await until('the facts of the journal', async () => (await known()).spans.length === before.spans.length);
  expect(await known()).toEqual(before);
  expect(await collector.count('vigil.fact: *', ['--from', 'now-1d'])).toBe(events);
});

it('what is no fact is kept raw, and says so', async () => {
  await replay('odd', 'inventory', [
    INVENTORY[0] as string,
    '{"v":1,"kind":"package"',
    'Nov 24 09:14:02 h sshd[1]: Failed password for root from 1.2.3.4 port 1 ssh2',
  ]);
  const found = await collector.query('vigil.dataset: inventory and vigil.decode: failed', ['--from', 'now-400d', '--to', 'now+1d']);
  expect(found.map((event) => event['event.original'])).toHaveLength(2);
  expect((await known()).items.map(({ kind }) => kind)).toEqual(['os']);
});
