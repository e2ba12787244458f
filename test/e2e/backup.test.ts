// SPDX-License-Identifier: Apache-2.0
/**
 * A backup of a collector that runs under writes, put back elsewhere after the first one died: nothing acknowledged is lost, nothing doubled.
 * Input: a log that is written to, an agent of its own. Output: what the restored collector finds; the same range decoded again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimeLibraries } from '../../core/config.ts';
import { ROOT } from '../support/repository.ts';
import { type Collector, failedLogin, removeDir, run, startCollector, tempDir, until } from '../support/vigil.ts';

const root = tempDir();
const log = join(root, 'auth.log');
const backup = join(root, 'backup.tar');
const state = join(root, 'agent');
let collector: Collector;
let agent: ChildProcess | null = null;
let written = 0;

const write = (count: number): void => {
  let text = '';
  for (let i = 0; i < count; i++) {
    written += 1;
    text += failedLogin(`10.0.${(written >> 8) & 255}.${written & 255}`, `n${written}`);
  }
  appendFileSync(log, text);
};
const found = (): Promise<number> => collector.count('event.dataset: sshd and user.name: n*');

/** Every user once: what is missing, and what is there twice. */
const verdict = async (): Promise<{ readonly missing: readonly string[]; readonly doubled: readonly string[] }> => {
  const times = new Map<string, number>();
  for (const event of await collector.query('event.dataset: sshd and user.name: n*')) {
    const name = String(event['user.name']);
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  return {
    missing: Array.from({ length: written }, (_, i) => `n${i + 1}`).filter((name) => !times.has(name)),
    doubled: [...times].filter(([, n]) => n > 1).map(([name]) => name),
  };
};

const startAgent = (): void => {
  const args = [join(ROOT, 'bin', 'vigil-agent.js'), 'run', '--state', state, '--no-discover', '--tail', `${log}=syslog`];
  agent = spawn(process.execPath, ['--disable-sigusr1', '--disable-proto=throw', ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', ...runtimeLibraries() },
  });
};

beforeAll(async () => {
  writeFileSync(log, '');
  collector = await startCollector({ dir: join(root, 'first'), localAgent: false });
  const token = (await collector.vigil(['agent', 'token', 'create', '--local'])).out.trim();
  const enrolled = await run('vigil-agent.js', ['enrol', '--state', state, '--token', '-'], { input: token });
  if (enrolled.code !== 0) throw new Error(enrolled.err);
  startAgent();
  write(500);
  await until('the first lines', async () => (await found()) === 500, 60_000);
}, 120_000);

afterAll(async () => {
  agent?.kill('SIGTERM');
  await collector?.stop();
  removeDir(root);
});

describe('a backup', () => {
  let acknowledged = 0;

  it('is taken while the collector goes on writing, and holds', async () => {
    const writing = setInterval(() => write(20), 20);
    try {
      await until('the flow', async () => (await found()) > 600, 30_000);
      acknowledged = await found();
      const made = await collector.vigil(['backup', '--out', backup, '--json']);
      expect(made.err).toBe('');
      expect(made.code).toBe(0);
      expect(JSON.parse(made.out)).toMatchObject({ file: backup, bytes: statSync(backup).size });
      expect(statSync(backup).mode & 0o777).toBe(0o600);
    } finally {
      clearInterval(writing);
    }
    write(1);
    await until('all that was written', async () => (await found()) === written, 60_000);
    expect(written).toBeGreaterThan(acknowledged);
    const verified = await run('vigil.js', ['verify', backup]);
    expect(verified.out).toContain('Every byte is as it was signed');
    expect(verified.code).toBe(0);
    // One file of a name, and nothing of the work left.
    expect((await collector.vigil(['backup', '--out', backup])).err).toContain('is there already');
    expect(existsSync(join(collector.dir, 'backup'))).toBe(false);
  }, 120_000);

  it('is refused with one byte changed, and the file is named', async () => {
    const bytes = readFileSync(backup);
    const at = bytes.indexOf('BEGIN PRIVATE KEY');
    bytes[at] = (bytes[at] as number) ^ 1;
    const changed = join(root, 'changed.tar');
    writeFileSync(changed, bytes);
    const verified = await run('vigil.js', ['verify', changed]);
    expect(verified.code).toBe(1);
    expect(verified.out).toMatch(/FAILS {2}changed\.tar at keys\/[\w.-]+: its content/);
    const restored = await run('vigil.js', ['restore', changed, '--data', join(root, 'none')]);
    expect(restored.code).toBe(2);
    expect(restored.err).toMatch(/BACKUP_BROKEN.*keys\//);
  }, 60_000);

  it('is put back elsewhere: what was acknowledged before is searchable, and nothing is doubled when the agent sends again', async () => {
    const agents = new URL(collector.agents).host;
    await collector.kill();
    // Written while nobody runs.
    write(50);
    const dir = join(root, 'second');
    const restored = await run('vigil.js', ['restore', backup, '--data', dir]);
    expect(restored.err).toBe('');
    expect(restored.code).toBe(0);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'keys', 'collector.pem')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(dir, 'journal', 'incarnation'))).toBe(false);

    // Alone at first, on another port: what it finds is what was in the backup.
    collector = await startCollector({ dir, localAgent: false });
    await until('what was acknowledged', async () => (await found()) >= acknowledged, 60_000);
    const alone = await verdict();
    expect(alone.doubled).toEqual([]);
    expect(alone.missing.filter((name) => Number(name.slice(1)) <= acknowledged)).toEqual([]);
    expect(existsSync(join(dir, 'journal', 'incarnation'))).toBe(true);
    const full = await run('vigil.js', ['restore', backup, '--data', dir]);
    expect(full.err).toContain('DATA_FOLDER_BUSY');
    await collector.stop();

    collector = await startCollector({ dir, localAgent: false, agents });
    await until('everything that was ever written', async () => (await found()) >= written, 90_000);
    write(10);
    await until('what is written now', async () => (await found()) >= written, 60_000);
    expect(await verdict()).toEqual({ missing: [], doubled: [] });
    const proved = await run('vigil.js', ['verify', dir]);
    expect(proved.code).toBe(0);
  }, 240_000);
});

describe('a range decoded again', () => {
  it('is one generation newer each time, with the same events', async () => {
    const before = await collector.count('*');
    const alerts = (await collector.query('', ['--in', 'alerts'])).length;
    for (const generation of [2, 3]) {
      const made = await collector.vigil(['redecode', '--from', 'now-1h', '--json']);
      expect(made.err).toBe('');
      const answer = JSON.parse(made.out) as { generation: number; events: number };
      expect(answer.generation).toBe(generation);
      expect(answer.events).toBeGreaterThanOrEqual(before);
      expect(await found()).toBe(written);
      expect(await collector.count(`event.dataset: sshd and user.name: n* and vigil.journal.generation: ${generation}`)).toBe(written);
    }
    expect(await verdict()).toEqual({ missing: [], doubled: [] });
    expect((await collector.query('', ['--in', 'alerts'])).length).toBe(alerts);
    write(5);
    await until('what is written after', async () => (await found()) === written, 60_000);
    expect(await collector.count('event.dataset: sshd and user.name: n* and vigil.journal.generation: 1')).toBe(5);
    const nothing = await collector.vigil(['redecode', '--from', 'now-1h', '--to', 'now-2h']);
    expect(nothing.code).toBe(2);
  }, 120_000);
});
