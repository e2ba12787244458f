// SPDX-License-Identifier: Apache-2.0
/**
 * What the embedded state does when its process is killed or a part of a transaction fails. The contract itself is in test/contract.
 * Input: a real SQLite in a temp folder, a second process. Output: claims.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unixMs } from '../../../core/units.ts';
import type { Page } from '../../model/page.ts';
import { openState, type StateCore } from './state.ts';
import { connectState, serveState } from './state-port.ts';

let dir: string;
let file: string;
let core: StateCore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigil-state-'));
  file = join(dir, 'state.db');
  core = openState(file);
});
afterEach(() => {
  core.close();
  rmSync(dir, { recursive: true, force: true });
});

const at = (offset: number) => ({ sink: 'detect', collector: 'c', incarnation: 'i', offset }) as const;
const setting = (id: string, n: number) => ({ collection: 'setting', id, value: { n } }) as const;

test('killed between the writes of commits, every document and the position agree, and repeating the last is nothing', async () => {
  core.close();
  const url = new URL('./state.ts', import.meta.url).href;
  const script = `
    import { openState } from ${JSON.stringify(url)};
    const core = openState(process.argv[1]);
    const start = core.position('detect')?.offset ?? 0;
    for (let n = start + 1; ; n++) {
      core.commit({ sink: 'detect', collector: 'c', incarnation: 'i', offset: n },
        Array.from({ length: 40 }, (_, i) => ({ collection: 'setting', id: 'd' + i, value: { n } })),
        { collector: 'c', incarnation: 'i', from: n - 1, to: n, n, watermarks: {}, signals: [] });
      if (n === start + 3) process.stdout.write('going');
    }`;
  let reached = 0;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    core = openState(file);
    const n = core.position('detect')?.offset ?? 0;
    expect(n).toBeGreaterThan(reached);
    reached = n;
    for (let i = 0; i < 40; i++) expect(core.get('setting', `d${i}`)?.value).toEqual({ n });
    expect(core.page('i', n - 1)?.n).toBe(n);
    expect(core.page('i', n)).toBeNull();
    core.commit(at(n), [setting('d0', -1)]);
    expect(core.get('setting', 'd0')?.value).toEqual({ n });
    core.close();
  }
  core = openState(file);
});

test('a failing part of a transaction takes only itself back; a failing whole takes all', () => {
  core.transaction(() => {
    core.put('setting', 'a', { n: 1 });
    expect(() => core.put('setting', 'a', { n: 2 }, { ifVersion: 7 })).toThrow('changed by somebody else');
    core.put('setting', 'b', { n: 3 });
  });
  expect(() =>
    core.transaction(() => {
      core.put('setting', 'a', { n: 9 });
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect([core.get('setting', 'a')?.value, core.get('setting', 'b')?.value]).toEqual([{ n: 1 }, { n: 3 }]);
});

test('calls that reach the port together are one transaction, and each gets its own result or error', async () => {
  const { port1, port2 } = new MessageChannel();
  serveState(port1, core);
  const state = connectState(port2);
  const results = await Promise.allSettled([
    state.put('setting', 'a', { n: 1 }, { ifVersion: 0 }),
    state.put('setting', 'a', { n: 2 }, { ifVersion: 0 }),
    state.put('setting', 'b', { n: 3 }),
    state.nextNumber('INC'),
    state.nextNumber('INC'),
    state.get('setting', 'a'),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { code: 'STATE_CONFLICT', status: 412 } });
  expect(results[5]).toMatchObject({ value: { value: { n: 1 } } });
  await state.close();
  await expect(state.get('setting', 'a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});

test('tidy removes expired sessions and pages older than 30 days, and nothing else', () => {
  const now = Date.UTC(2026, 10, 24);
  let time = now - 31 * 86_400_000;
  core.close();
  core = openState(file, { now: () => unixMs(time), monotonic: () => 0 as never, sleep: async () => {} });
  const page = (n: number): Page => ({ collector: 'c', incarnation: 'i', from: n, to: n + 1, n, watermarks: {}, signals: [] });
  core.commit(at(1), [], page(0));
  time = now;
  core.commit(at(2), [], page(1));
  for (const [id, expiresAt] of Object.entries({ old: now - 1, live: now + 1 })) core.put('session', id, { id, expiresAt } as never);
  expect(core.tidy(unixMs(now))).toEqual({ sessions: 1, pages: 1 });
  expect([core.get('session', 'old'), core.get('session', 'live')?.id]).toEqual([null, 'live']);
  expect([core.page('i', 0), core.page('i', 1)?.n]).toEqual([null, 1]);
});

test('a database of a newer version is refused and left as it is', () => {
  core.close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openState(file)).toThrow('was written by a newer Vigil');
  const again = new DatabaseSync(file);
  expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  again.close();
});
