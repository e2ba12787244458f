// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemFiles } from './files.ts';
import { openSegment, readSegment, readSegmentSync, repairSegment } from './segment.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-segment-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const text = async (path: string): Promise<string[]> => {
  const out: string[] = [];
  for await (const item of readSegment(path)) out.push(item.kind === 'frame' ? Buffer.from(item.payload).toString() : item.kind);
  return out;
};
const bytes = (s: string): Uint8Array => Buffer.from(s);

test('keeps what was appended over closing and opening, in order, also from calls that overlap', async () => {
  const path = join(dir, 'a.seg');
  const first = await openSegment(path);
  const answers = await Promise.all([first.append([bytes('a'), bytes('bb')]), first.append([bytes('ccc')]), first.append([])]);
  expect(answers).toEqual([[32, 41], [51], []]);
  await first.sync();
  await first.close();
  const second = await openSegment(path);
  expect(second.repaired).toEqual({ frames: 3, size: 62, cut: null, corrupt: [] });
  await second.append([bytes('d')]);
  await second.close();
  expect(await text(path)).toEqual(['a', 'bb', 'ccc', 'd']);
  expect([...readSegmentSync(path, 51)].map((item) => item.offset)).toEqual([51, 62]);
  expect([...readSegmentSync(path, 32, 51)].map((item) => item.offset)).toEqual([32, 41]);
});

test('reads frames longer than a chunk', async () => {
  const path = join(dir, 'a.seg');
  const segment = await openSegment(path);
  const big = Buffer.alloc(5_000_000, 7);
  await segment.append([bytes('a'), big, bytes('b'), big]);
  await segment.close();
  const lengths = [...readSegmentSync(path)].map((item) => (item.kind === 'frame' ? item.payload.length : -1));
  expect(lengths).toEqual([1, 5_000_000, 1, 5_000_000]);
});

test('opens after a cut at every byte of its last frames, and goes on behind the last whole one', async () => {
  const path = join(dir, 'a.seg');
  const segment = await openSegment(path);
  await segment.append([bytes('first'), bytes('second'), bytes('third')]);
  await segment.close();
  const file = await readFile(path);
  for (let size = 0; size <= file.length; size++) {
    await writeFile(path, file.subarray(0, size));
    const again = await openSegment(path);
    const whole = size >= 72 ? 3 : size >= 59 ? 2 : size >= 45 ? 1 : 0;
    expect(again.repaired.frames).toBe(whole);
    const end = [32, 45, 59, 72][whole]!;
    expect(again.repaired.cut).toEqual(size === 0 || size === end ? null : size < 32 ? { from: 0, to: size } : { from: end, to: size });
    await again.append([bytes('next')]);
    await again.close();
    expect(await text(path)).toEqual([...['first', 'second', 'third'].slice(0, whole), 'next']);
  }
});

test('reports damage in the middle and leaves it there', async () => {
  const path = join(dir, 'a.seg');
  const segment = await openSegment(path);
  await segment.append([bytes('first'), bytes('second'), bytes('third')]);
  await segment.close();
  const file = await readFile(path);
  file[54]! ^= 4;
  await writeFile(path, file);
  const report = await repairSegment(path);
  expect(report).toEqual({ frames: 2, size: 72, cut: null, corrupt: [{ kind: 'corrupt', offset: 45, end: 59 }] });
  expect(await text(path)).toEqual(['first', 'corrupt', 'third']);
});

test('refuses a file that is no segment, and changes nothing in it', async () => {
  const path = join(dir, 'a.seg');
  await writeFile(path, 'x'.repeat(100));
  await expect(openSegment(path)).rejects.toMatchObject({ code: 'SEGMENT_BAD' });
  expect(await readFile(path, 'utf8')).toBe('x'.repeat(100));
});

/** Opens real files whose named operation fails while `broken.on` is set. */
const failing = (operation: 'datasync' | 'writev' | 'truncate', broken: { on: boolean }): typeof open =>
  (async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    const real = file[operation].bind(file) as (...args: unknown[]) => Promise<unknown>;
    Object.defineProperty(file, operation, {
      value: async (...args: unknown[]) => {
        if (!broken.on) return real(...args);
        if (operation === 'writev') await file.write(Buffer.from('half'), 0, 4, args[1] as number);
        throw Object.assign(new Error('no'), { code: operation === 'writev' ? 'ENOSPC' : 'EIO' });
      },
    });
    return file;
  }) as typeof open;

test('is abandoned by a failed fsync, for good', async () => {
  const broken = { on: false };
  const segment = await openSegment(join(dir, 'a.seg'), { files: { ...systemFiles, open: failing('datasync', broken) } });
  await segment.append([bytes('a')]);
  broken.on = true;
  await expect(segment.sync()).rejects.toMatchObject({ code: 'SEGMENT_FAILED' });
  broken.on = false;
  expect(segment.abandoned).toBe(true);
  await expect(segment.sync()).rejects.toMatchObject({ code: 'SEGMENT_FAILED' });
  await expect(segment.append([bytes('b')])).rejects.toMatchObject({ code: 'SEGMENT_FAILED' });
  await segment.close();
});

test('takes a failed write back and goes on when there is room again', async () => {
  const broken = { on: false };
  const path = join(dir, 'a.seg');
  const segment = await openSegment(path, { files: { ...systemFiles, open: failing('writev', broken) } });
  await segment.append([bytes('a')]);
  broken.on = true;
  await expect(segment.append([bytes('b')])).rejects.toMatchObject({ code: 'SEGMENT_FAILED' });
  broken.on = false;
  expect(segment.abandoned).toBe(false);
  await segment.append([bytes('c')]);
  await segment.sync();
  await segment.close();
  expect(await text(path)).toEqual(['a', 'c']);
});

test('ends a read where the file ends, when it is cut while it is read', async () => {
  const path = join(dir, 'a.seg');
  const segment = await openSegment(path);
  await segment.append([Buffer.alloc(1_500_000), Buffer.alloc(1_500_000)]);
  await segment.close();
  const items: string[] = [];
  for await (const item of readSegment(path)) {
    items.push(item.kind);
    if (items.length === 1) await truncate(path, 1_600_000);
  }
  expect(items).toEqual(['frame', 'torn']);
});
