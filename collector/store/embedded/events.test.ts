// SPDX-License-Identifier: Apache-2.0
/**
 * What the embedded event store does when something breaks: its process, its files, its rows. The contract itself is in test/contract.
 * Input: a real engine in a temp folder, signals, damaged files. Output: claims.
 */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bytes, unixMs } from '../../../core/units.ts';
import { batchMaker, eventOf, queryOf } from '../../../test/contract/events.ts';
import type { Event } from '../../model/event.ts';
import type { EventBatch } from '../store.ts';
import { type EmbeddedEvents, type EventsOptions, openEvents } from './events.ts';

let dir: string;
let store: EmbeddedEvents;
let batch: ReturnType<typeof batchMaker>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-events-'));
  batch = batchMaker();
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const open = async (more: Partial<EventsOptions> = {}): Promise<void> => {
  store = await openEvents({ dir, ...more });
};
const reopen = async (more: Partial<EventsOptions> = {}): Promise<void> => {
  await store.close();
  await open(more);
};
const some = (from: number, count: number, more: Partial<Event> = {}): EventBatch =>
  batch(Array.from({ length: count }, (_, i) => eventOf(from + i, more)));
const count = async (kql = ''): Promise<number> => (await store.count(queryOf(kql))).count;
const filesUnder = (folder: string): string[] =>
  readdirSync(join(dir, folder), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ndjson|parquet|part)$/.test(name));
const kill = (signal: NodeJS.Signals = 'SIGKILL'): void => {
  process.kill(store.enginePid() as number, signal);
};

test('the engine killed while it loads loses nothing that was appended', async () => {
  await open();
  const appends: Promise<void>[] = [];
  for (let i = 0; i < 20; i++) {
    appends.push(store.append(some(i * 500, 500)));
    if (i % 7 === 3) {
      await appends[i - 3];
      kill();
    }
  }
  await Promise.all(appends);
  expect(await count()).toBe(10_000);
  expect((await store.status()).engine.restarts).toBeGreaterThan(0);
  await reopen();
  expect(await count()).toBe(10_000);
});

test('a disk that refuses a batch makes it wait, says so, and takes it later; what is closed meanwhile waits for nothing', async () => {
  const told: (string | null)[] = [];
  await open({ onRefused: (reason) => told.push(reason) });
  // Where the folder of batches would be, the disk holds a file.
  const { range } = some(0, 0);
  const place = join(dir, 'hot', `${encodeURIComponent(range.collector)}+${encodeURIComponent(range.incarnation)}`);
  writeFileSync(place, '');
  const first = store.append(some(0, 10));
  await vi.waitFor(() => expect(told).toEqual([expect.stringContaining('could not be written')]), { timeout: 10_000 });
  rmSync(place);
  await first;
  expect(told.at(-1)).toBeNull();
  expect(await count()).toBe(10);
  rmSync(place, { recursive: true });
  writeFileSync(place, '');
  const second = store.append(some(10, 10));
  await vi.waitFor(() => expect(told.at(-1)).not.toBeNull(), { timeout: 10_000 });
  const ended = expect(second).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await store.close();
  await ended;
});

test('the engine killed while it seals loses nothing and doubles nothing, and no stray file stays', async () => {
  await open();
  for (let round = 0; round < 4; round++) {
    await store.append(some(round * 3000, 3000, { 'vigil.dataset': `set${round}` }));
    const before = new Set(filesUnder('files'));
    const sealing = store.flush().catch((error: unknown) => error);
    await vi.waitFor(() => expect(filesUnder('files').some((name) => !before.has(name))).toBe(true), { interval: 1, timeout: 10_000 });
    kill();
    await sealing;
    await vi.waitFor(async () => expect(await count()).toBe((round + 1) * 3000), { timeout: 15_000 });
  }
  await store.flush();
  expect(await count()).toBe(12_000);
  const { files } = await store.status();
  expect(filesUnder('files')).toHaveLength(files);
  expect(filesUnder('hot')).toHaveLength(0);
});

test('a question that was under way when the engine died is asked again', async () => {
  await open();
  await store.append(some(0, 100));
  const asked = Promise.all(Array.from({ length: 20 }, () => count()));
  kill();
  expect(new Set(await asked)).toEqual(new Set([100]));
});

test('an engine that hangs is replaced, and the question answered by the next', async () => {
  await open({ hangMs: 300 });
  await store.append(some(0, 10));
  kill('SIGSTOP');
  expect(await count()).toBe(10);
});

test('an engine that grows beyond its bounds is replaced', async () => {
  await open({ maxRssBytes: 1 });
  const first = store.enginePid();
  await vi.waitFor(() => expect(store.enginePid() !== undefined && store.enginePid() !== first).toBe(true), { timeout: 10_000 });
});

test('a broken batch and all after it are left to the journal, which appends them again', async () => {
  await open();
  const batches = [some(0, 10), some(10, 10), some(20, 10)];
  for (const one of batches) await store.append(one);
  await store.close();
  const [, second] = filesUnder('hot').sort();
  truncateSync(join(dir, 'hot', second as string), 700);
  await open();
  expect((await store.position())?.offset).toBe(batches[0]?.range.to);
  expect(await count()).toBe(10);
  for (const one of batches) await store.append(one);
  expect(await count()).toBe(30);
});

test('a batch whose content was changed under the same length is recognised', async () => {
  await open();
  await store.append(some(0, 10));
  await store.close();
  const file = join(dir, 'hot', filesUnder('hot')[0] as string);
  writeFileSync(file, readFileSync(file, 'utf8').replace('number 3', 'number 8'));
  await open();
  expect(await store.position()).toMatchObject({ offset: 0 });
  expect(await count()).toBe(0);
});

test('a batch that is missing before the first seal is missed', async () => {
  await open();
  for (let i = 0; i < 3; i++) await store.append(some(i * 10, 10));
  await store.close();
  rmSync(join(dir, 'hot', filesUnder('hot').sort()[0] as string));
  await open();
  expect(await store.position()).toMatchObject({ offset: 0 });
  expect(filesUnder('hot')).toHaveLength(0);
});

test('a batch that begins inside what is held is refused, and one after a hole is taken', async () => {
  await open();
  await store.append(some(0, 10));
  const next = some(10, 10);
  await expect(store.append({ ...next, range: { ...next.range, from: 50 } })).rejects.toMatchObject({ code: 'STORE_RANGE_BROKEN' });
  await store.append({ ...next, range: { ...next.range, from: 150, to: 300 } });
  expect(await store.position()).toMatchObject({ offset: 300 });
});

test('rows that no load takes go to the dead letters, counted once, and the others are stored', async () => {
  await open();
  const good = some(0, 9);
  const lines = Buffer.from(good.ndjson).toString().split('\n');
  lines.splice(4, 0, '{"@timestamp":1,"tags":"not a list"}', '{"broken');
  await store.append({ ...good, rows: 11, ndjson: Buffer.from(lines.join('\n')) });
  expect(await count()).toBe(9);
  expect((await store.status()).deadLetters).toBe(2);
  await reopen();
  expect(await count()).toBe(9);
  expect((await store.status()).deadLetters).toBe(2);
  await store.flush();
  await reopen();
  expect(await count()).toBe(9);
});

test('a batch without any event moves the position and survives a restart', async () => {
  await open();
  await store.append(batch([]));
  await store.append(some(0, 3));
  const last = batch([]);
  await store.append(last);
  await reopen();
  expect((await store.position())?.offset).toBe(last.range.to);
  await store.flush();
  await reopen();
  expect((await store.position())?.offset).toBe(last.range.to);
  expect(store.sealed()).toMatchObject([{ offset: last.range.to }]);
});

test('a file the manifest does not know is removed, one it misses is told and passed over', async () => {
  const told: string[] = [];
  const log = { info: () => {}, warn: () => {}, error: (fields: { event: string }) => told.push(fields.event) } as never;
  await open();
  await store.append(some(0, 10));
  await store.flush();
  await store.append(some(10, 10));
  await store.flush();
  await store.close();
  const [first, second] = filesUnder('files').sort() as [string, string];
  rmSync(join(dir, 'files', first));
  writeFileSync(join(dir, 'files', `${second}.part`), 'cut off');
  await open({ log });
  expect(await count()).toBe(10);
  expect(told).toContain('store.files.missing');
  expect(existsSync(join(dir, 'files', `${second}.part`))).toBe(false);
});

test('a seal comes by itself with the rows and searches see it once; a merge writes one file for each source dataset', async () => {
  await open({ engine: { sealRows: 1000, maxTables: 3 } });
  const kinds = (): readonly string[] =>
    filesUnder('files')
      .filter((name) => name.endsWith('.parquet'))
      .map((name) => name.replace(/^.*\/|-\d{16}-.*$/g, ''))
      .sort();
  for (let i = 0; i < 24; i++)
    await store.append(some(i * 50, 50, { 'vigil.dataset': i % 2 === 0 ? '../web' : 'auditd', 'event.dataset': `e${i}` }));
  await vi.waitFor(() => expect(kinds()).toEqual(['several']), { timeout: 15_000 });
  expect(await count()).toBe(1200);
  await store.flush();
  expect(kinds()).toEqual(['several', 'several']);
  expect(await store.merge(2)).toBe(2);
  await vi.waitFor(() => expect(kinds()).toEqual(['auditd', 'web']));
  expect(await count()).toBe(1200);
  expect(await count('vigil.dataset: auditd')).toBe(600);
});

test('a merge makes one file of many, and the answers stay', async () => {
  await open();
  for (let i = 0; i < 5; i++) {
    await store.append(some(i * 100, 100));
    await store.flush();
  }
  const before = await store.search(queryOf(), { limit: 500 });
  expect(await store.merge(6)).toBe(0);
  expect(await store.merge(2)).toBe(5);
  expect((await store.status()).files).toBe(1);
  expect((await store.search(queryOf(), { limit: 500 })).events).toEqual(before.events);
  await reopen();
  expect(await count()).toBe(500);
  expect(filesUnder('files')).toHaveLength(1);
});

test('small files are merged by themselves when it is quiet', async () => {
  await open();
  for (let i = 0; i < 9; i++) {
    await store.append(some(i * 10, 10));
    await store.flush();
  }
  await vi.waitFor(async () => expect((await store.status()).files).toBe(1), { timeout: 25_000, interval: 200 });
  expect(await count()).toBe(90);
  // What was merged is removed once no search reads it.
  await vi.waitFor(() => expect(filesUnder('files')).toHaveLength(1));
});

test('while batches are folded, sealed and merged, every count holds exactly what was appended', async () => {
  await open({ engine: { sealRows: 400, maxTables: 2 } });
  let appended = 0;
  let going = true;
  const asking = (async () => {
    let asked = 0;
    for (; going; asked++) {
      const before = appended;
      const found = await count('"of a log"');
      expect(found).toBeGreaterThanOrEqual(before);
      expect(found % 50).toBe(0);
    }
    return asked;
  })();
  for (let i = 0; i < 60; i++) {
    await store.append(some(i * 50, 50));
    appended += 50;
    if (i % 15 === 14) await store.merge(2);
  }
  going = false;
  expect(await asking).toBeGreaterThan(5);
  expect(await count()).toBe(3000);
});

test('a batch that ended the engine at each start is set aside, said, and the others are loaded', async () => {
  const told: string[] = [];
  const log = { info: () => {}, warn: () => {}, error: (fields: { event: string }) => told.push(fields.event) } as never;
  await open();
  for (let i = 0; i < 3; i++) await store.append(some(i * 10, 10));
  const end = await store.position();
  await store.close();
  const path = filesUnder('hot').sort()[1] as string;
  const manifest = new DatabaseSync(join(dir, 'manifest.db'));
  manifest.prepare('INSERT INTO attempt VALUES (?, 3)').run(path);
  manifest.close();
  await open({ log });
  expect(told).toEqual(['store.batch.set_aside']);
  expect(await count()).toBe(20);
  expect(await store.position()).toEqual(end);
  expect((await store.status()).deadLetters).toBe(1);
});

test('a hold keeps the files of its ranges until it is lifted', async () => {
  await open();
  const first = some(0, 10);
  await store.append(first);
  await store.flush();
  await store.append(some(10, 10));
  await store.flush();
  await store.hold('INC-8', [first.range]);
  const everything = { olderThan: unixMs(8e14), maxBytes: bytes(1e12) };
  expect(await store.expire(everything)).toMatchObject({ events: 10 });
  expect(await count()).toBe(10);
  await store.hold('INC-8', []);
  expect(await store.expire(everything)).toMatchObject({ events: 10 });
});

test('a question past its limit fails with STORE_BUSY, and the next is answered', async () => {
  await open({ limitMs: 1 });
  await store.append(some(0, 20_000));
  const busy = await store.fields(queryOf('"1" and "2" and "3"')).catch((error: unknown) => error);
  expect(busy).toMatchObject({ code: 'STORE_BUSY' });
  await reopen();
  expect(await count()).toBe(20_000);
});

test('a search does not wait longer than it may for a slow journal, and says by how much it is behind', async () => {
  await open({ catchUp: async () => 1234 });
  await store.append(some(0, 3));
  expect(await store.count(queryOf())).toMatchObject({ count: 3, state: { lagMs: 1234 } });
});

test('a query that cannot be is refused with its own code from the engine’s process', async () => {
  await open();
  await store.append(some(0, 3));
  await expect(count('source.port: abc')).rejects.toMatchObject({ code: 'QUERY_BAD_VALUE', status: 400 });
});

test('after close every question says so', async () => {
  await open();
  await store.append(some(0, 3));
  await store.close();
  await expect(count()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await expect(store.append(some(3, 3))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});

test('a snapshot is the store of one moment, whatever is sealed, merged and expired after', async () => {
  await open({ engine: { maxTables: 2 } });
  for (let i = 0; i < 4; i++) {
    await store.append(some(i * 100, 100));
    await store.flush();
  }
  await store.append(some(400, 50));
  const at = await store.position();
  const into = join(dir, 'copy');
  const paths = await store.snapshot(into);
  expect(paths.filter((path) => path.endsWith('.parquet'))).toHaveLength(4);
  await store.append(some(450, 50));
  await store.flush();
  await store.merge(2);
  await store.expire({ olderThan: unixMs(Date.UTC(2100, 0, 1)), maxBytes: bytes(1) });
  expect(await count()).toBe(0);
  await store.close();
  for (const path of paths) expect(existsSync(join(into, path)), path).toBe(true);
  store = await openEvents({ dir: into });
  expect(await count()).toBe(450);
  expect(await store.position()).toEqual(at);
});
