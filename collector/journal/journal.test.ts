// SPDX-License-Identifier: Apache-2.0
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { systemFiles } from '../../core/files.ts';
import { makeId, random128 } from '../../core/ids.ts';
import type { Block } from '../../core/protocol.ts';
import { generateSigner } from '../../core/sign.ts';
import { unixMs } from '../../core/units.ts';
import { type BlockDraft, encodeBlock, sealBlock, sealJson } from '../../core/wire.ts';
import type { Appended } from '../model/journal.ts';
import { type Journal, openJournal } from './journal.ts';
import type { JournalOptions } from './options.ts';
import { JournalReader } from './reader.ts';
import { verifyJournal } from './verify.ts';

const signer = generateSigner();
const agent = makeId('agt');
const epoch = random128();

let dir = '';
const opened: Journal[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vigil-journal-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close()));
  await rm(dir, { recursive: true, force: true });
});

const start = async (over: Partial<JournalOptions> = {}): Promise<Journal> => {
  const journal = await openJournal({ dir: join(dir, 'journal'), collector: 'a', clock: systemClock, ...over });
  opened.push(journal);
  return journal;
};
const restart = async (journal: Journal, over: Partial<JournalOptions> = {}): Promise<Journal> => {
  await journal.close();
  return start(over);
};

/** Chains blocks of one record each. */
const chain = (stream = 'file:/a', over: Partial<BlockDraft> = {}) => {
  let first = 1;
  let prev: string | null = null;
  return (records = 1, text = 'x'): Block => {
    const block = sealBlock(
      { agent, host: 'h', stream, kind: 'lines', dataset: 'syslog', zone: 'UTC', epoch, from: 0, first, prev, ...over },
      Array.from({ length: records }, (_, i) => ({
        bytes: Buffer.from(`${text} ${first + i}`),
        readAt: unixMs(1),
        end: first + i,
        flags: 0,
      })),
      signer,
    );
    first += records;
    prev = block.header.hash;
    return block;
  };
};
const put = (journal: Journal, block: Block): Promise<Appended> =>
  journal.append(block, encodeBlock(block), { agent, flags: 0, endOffset: block.header.first + block.header.count - 1 });

const readAll = (journal: Journal, from = 0): string[] => {
  const reader = new JournalReader(journal.dir);
  const out: string[] = [];
  for (let at = from; at < journal.end; ) {
    const part = reader.read(at, journal.end, 2_000);
    for (const item of part.items) out.push(item.kind === 'block' ? `${item.offset}` : `hole ${item.offset}`);
    expect(part.next).toBeGreaterThan(at);
    at = part.next;
  }
  return out;
};

/** Files whose fsync waits for `gate`, or fails while `broken`. */
const disk = () => {
  const state = { syncs: 0, broken: false, gate: null as Promise<void> | null };
  const openFile = (async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    const real = file.datasync.bind(file);
    Object.defineProperty(file, 'datasync', {
      value: async () => {
        state.syncs++;
        await state.gate;
        if (state.broken) throw Object.assign(new Error('no'), { code: 'EIO' });
        await real();
      },
    });
    return file;
  }) as typeof open;
  return { state, open: openFile };
};

describe('appending', () => {
  test('acknowledges only after the fsync, and shares it between everybody who came meanwhile', async () => {
    const { state, open: openFile } = disk();
    const journal = await start({ files: { ...systemFiles, open: openFile } });
    const streams = Array.from({ length: 20 }, (_, i) => chain(`file:/${i}`));
    state.syncs = 0;
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const before = journal.end;
    let acknowledged = 0;
    const first = put(journal, streams[0]!()).then(() => acknowledged++);
    while (state.syncs === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = streams.slice(1).map((next) => put(journal, next()).then(() => acknowledged++));
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toBe(0);
    expect(journal.end).toBe(before);
    expect(journal.waitingBytes).toBeGreaterThan(0);
    gate.resolve();
    await Promise.all([first, ...rest]);
    expect(state.syncs).toBe(2);
    expect(journal.waitingBytes).toBe(0);
    expect(readAll(journal)).toHaveLength(20);
  });

  test('that fails is heard of, leaves nothing known, and goes on in a new segment at the last durable position', async () => {
    const { state, open: openFile } = disk();
    const journal = await start({ files: { ...systemFiles, open: openFile } });
    const next = chain();
    const one = await put(journal, next());
    const two = next();
    state.broken = true;
    await expect(put(journal, two)).rejects.toMatchObject({ code: 'JOURNAL_FAILED', status: 503 });
    expect(journal.view(two.header)).toMatchObject({ overlaps: false, same: null });
    await expect(put(journal, two)).rejects.toMatchObject({ code: 'JOURNAL_FAILED' });
    state.broken = false;
    const again = await put(journal, two);
    expect(again.offset).toBeGreaterThan(one.end);
    const reopened = await restart(journal);
    expect(readAll(reopened)).toEqual([`${one.offset}`, `${again.offset}`]);
    expect((await verifyJournal(reopened.dir)).problemCount).toBe(0);
  });

  test('that fails takes what waits behind it along: no block of a stream stands there without the one before (W11)', async () => {
    const { state, open: openFile } = disk();
    const journal = await start({ files: { ...systemFiles, open: openFile } });
    const next = chain();
    await put(journal, next());
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    state.broken = true;
    const waiting = [put(journal, next())];
    const { syncs } = state;
    while (state.syncs === syncs) await new Promise((resolve) => setImmediate(resolve));
    waiting.push(put(journal, next()), put(journal, next()));
    state.gate = null;
    gate.resolve();
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    state.broken = false;
    expect(journal.heads(agent)).toMatchObject([{ ranges: [[1, 1]] }]);
  });

  test('keeps every block at hand while its segment is closed and the next one opened (W5)', async () => {
    const { state, open: openFile } = disk();
    const journal = await start({ files: { ...systemFiles, open: openFile }, segmentBytes: 1 });
    const next = chain();
    const one = next();
    const { offset } = await put(journal, one);
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const later = put(journal, next());
    let asked = 0;
    const look = async (): Promise<void> => {
      expect(await journal.find(one.header)).toMatchObject({ offset });
      expect((await journal.read(offset))?.header.hash).toBe(one.header.hash);
      asked++;
    };
    const { syncs } = state;
    do await look();
    while (state.syncs === syncs);
    gate.resolve();
    await later;
    await look();
    expect(asked).toBeGreaterThan(1);
  });

  test('is refused past the bound of what may wait', async () => {
    const journal = await start({ waitingLimitBytes: 1_200 });
    const next = chain();
    const results = await Promise.allSettled([put(journal, next()), put(journal, next()), put(journal, next()), put(journal, next())]);
    expect(results.map(({ status }) => status)).toContain('rejected');
    expect(results[0]!.status).toBe('fulfilled');
    await journal.close();
    await expect(put(journal, next())).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' });
  });

  test('shows a waiting block to a duplicate at once', async () => {
    const journal = await start();
    const block = chain()();
    const appended = put(journal, block);
    const view = journal.view(block.header);
    expect(view).toMatchObject({ overlaps: true, same: { hash: block.header.hash } });
    expect(await view.waiting).toEqual(await appended);
    expect(journal.view(block.header).waiting).toBeNull();
  });
});

describe('starting again', () => {
  test('knows every block, over many segments, from the last of them', async () => {
    let journal = await start({ segmentBytes: 6_000 });
    const next = chain();
    const other = chain('file:/b');
    const blocks: Block[] = [];
    for (let i = 0; i < 60; i++) {
      blocks.push(next(3));
      await put(journal, blocks.at(-1)!);
      if (i % 10 === 0) await put(journal, other());
    }
    const heads = journal.heads(agent);
    expect(heads.map(({ ranges }) => ranges)).toEqual([[[1, 180]], [[1, 6]]]);
    const end = journal.end;
    const mark = { incarnation: journal.incarnation, offset: end, hash: blocks.at(-1)!.header.hash };
    const { incarnation } = journal;
    journal = await restart(journal, { segmentBytes: 6_000 });
    expect(journal.status().segments).toBeGreaterThan(5);
    expect(journal.report).toEqual({ incarnation: 'kept', cutBytes: 0, damage: [] });
    expect(journal.end).toBe(end);
    expect(journal.incarnation).toBe(incarnation);
    expect(journal.heads(agent)).toEqual(heads);
    expect(await journal.checkMark(agent, mark)).toBe('ok');
    for (const { header } of [blocks[0]!, blocks[30]!, blocks[59]!]) {
      expect(journal.view(header).overlaps).toBe(true);
      expect(await journal.find(header)).toMatchObject({ first: header.first, count: 3, hash: header.hash });
    }
    expect(await journal.find({ ...blocks[0]!.header, first: 2 })).toBeNull();
    const first = await journal.find(blocks[0]!.header);
    expect(await journal.checkMark(agent, { ...mark, offset: first!.end, hash: first!.hash })).toBe('ok');
    expect(await journal.checkMark(agent, { ...mark, offset: first!.end + 1, hash: first!.hash })).toBe('other');
    expect(await journal.checkMark(agent, { ...mark, offset: first!.end })).toBe('other');
    expect(await journal.checkMark(agent, { ...mark, offset: end + 1 })).toBe('beyond');
    expect(await journal.checkMark(agent, { ...mark, incarnation: random128() })).toBe('other');
    expect(readAll(journal)).toHaveLength(66);
    expect(await verifyJournal(journal.dir)).toMatchObject({ blocks: 66, records: 186, problemCount: 0, openLinks: 0, repeated: 0 });
  });

  test('keeps every acknowledged block when the last frames are cut at any byte', { timeout: 120_000 }, async () => {
    const journal = await start();
    const next = chain();
    const acknowledged: Appended[] = [];
    for (let i = 0; i < 4; i++) acknowledged.push(await put(journal, next()));
    await journal.close();
    const name = (await readdir(journal.dir)).find((file) => file.endsWith('.seg'))!;
    const path = join(journal.dir, name);
    const whole = await readFile(path);
    const from = acknowledged[1]!.offset;
    for (let size = whole.length; size >= from; size--) {
      await writeFile(path, whole.subarray(0, size));
      const again = await openJournal({ dir: journal.dir, collector: 'a', clock: systemClock });
      const kept = acknowledged.filter(({ end }) => end <= size);
      expect(again.heads(agent)[0]!.ranges).toEqual([[1, kept.length]]);
      expect(again.end).toBe(kept.at(-1)!.end);
      expect(again.report.cutBytes).toBe(size - again.end);
      await again.close();
    }
  });

  test('survives a crash at any moment of opening a segment', async () => {
    const journal = await start({ segmentBytes: 2_000 });
    const next = chain();
    for (let i = 0; i < 6; i++) await put(journal, next());
    await journal.close();
    const segments = (await readdir(journal.dir)).filter((file) => file.endsWith('.seg')).sort();
    const last = join(journal.dir, segments.at(-1)!);
    const bytes = await readFile(last);
    for (let size = 0; size < Math.min(bytes.length, 600); size += 7) {
      await writeFile(last, bytes.subarray(0, size));
      const again = await openJournal({ dir: journal.dir, collector: 'a', clock: systemClock, segmentBytes: 2_000 });
      expect(again.heads(agent)[0]!.ranges[0]![0]).toBe(1);
      expect(again.report.incarnation).toBe('kept');
      await again.close();
    }
  });

  test('without its incarnation file is another incarnation, and positions of the old one are still found', async () => {
    let journal = await start();
    const next = chain();
    const one = await put(journal, next());
    const before = journal.incarnation;
    await journal.close();
    await rm(join(journal.dir, 'incarnation'));
    journal = await start();
    expect(journal.report.incarnation).toBe('file-missing');
    expect(journal.incarnation).not.toBe(before);
    const two = await put(journal, next());
    const reader = new JournalReader(journal.dir);
    const items = reader.read(0, journal.end).items;
    expect(items.map((item) => [item.offset, item.incarnation])).toEqual([
      [one.offset, before],
      [two.offset, journal.incarnation],
    ]);
    expect(reader.resume(before, one.end)).toBe(one.end);
    expect(reader.resume(before, 1e9)).toBeLessThan(two.offset);
    expect(reader.resume(random128(), 1e9)).toBe(0);
    expect(reader.resume(journal.incarnation, two.end)).toBe(two.end);
    expect(await journal.checkMark(agent, { incarnation: journal.incarnation, offset: one.end, hash: 'a'.repeat(64) })).toBe('other');
  });

  test('renews its incarnation once when told that it was put back', async () => {
    let journal = await start();
    const next = chain();
    await put(journal, next());
    expect(await journal.renew()).toBe(false);
    journal = await restart(journal);
    const before = journal.incarnation;
    const [renewed] = await Promise.all([journal.renew(), put(journal, next()), put(journal, next())]);
    expect(renewed).toBe(true);
    expect(await journal.renew()).toBe(false);
    expect(journal.incarnation).not.toBe(before);
    expect(journal.heads(agent)[0]!.ranges).toEqual([[1, 3]]);
    const { incarnation } = journal;
    journal = await restart(journal);
    expect(journal.incarnation).toBe(incarnation);
    expect(readAll(journal)).toHaveLength(3);
  });

  test('says what was damaged, and loses only that', async () => {
    let journal = await start();
    const next = chain();
    const places = [await put(journal, next()), await put(journal, next()), await put(journal, next())];
    await journal.close();
    const path = join(journal.dir, '0000000000000000.seg');
    const bytes = await readFile(path);
    bytes[places[1]!.offset + 100]! ^= 1;
    await writeFile(path, bytes);
    journal = await start();
    expect(journal.report.damage).toMatchObject([{ kind: 'corrupt', offset: places[1]!.offset, end: places[1]!.end }]);
    expect(journal.heads(agent)[0]!.ranges).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(journal.missing(agent, 9)).toMatchObject([{ stream: 'file:/a', epoch, from: 2, to: 2 }]);
    expect(readAll(journal)).toEqual([`${places[0]!.offset}`, `hole ${places[1]!.offset}`, `${places[2]!.offset}`]);
    const proof = await verifyJournal(journal.dir);
    expect(proof.problems).toMatchObject([{ kind: 'frame', offset: places[1]!.offset }]);
    expect(proof).toMatchObject({ blocks: 2, openLinks: 1 });
  });

  test('goes on behind a last segment whose header is lost', async () => {
    let journal = await start({ segmentBytes: 2_000 });
    const next = chain();
    for (let i = 0; i < 5; i++) await put(journal, next());
    await journal.close();
    const segments = (await readdir(journal.dir)).filter((file) => file.endsWith('.seg')).sort();
    const path = join(journal.dir, segments.at(-1)!);
    const bytes = await readFile(path);
    bytes.fill(0, 0, 32);
    await writeFile(path, bytes);
    journal = await start({ segmentBytes: 2_000 });
    expect(journal.report.damage).toMatchObject([{ kind: 'unreadable' }]);
    await put(journal, chain('file:/new')());
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(readAll(journal).at(-2)).toMatch(/^hole/);
  });
});

describe('gaps and holes', () => {
  test('a hole is asked for until it is filled or declared, also after a restart', async () => {
    let journal = await start();
    const next = chain();
    const blocks = Array.from({ length: 6 }, () => next());
    for (const i of [0, 3, 5]) await put(journal, blocks[i]!);
    const missing = () => journal.missing(agent, 9).map(({ from, to }) => [from, to]);
    expect(missing()).toEqual([
      [2, 3],
      [5, 5],
    ]);
    await put(journal, blocks[4]!);
    expect(missing()).toEqual([[2, 3]]);
    const draft = { agent, host: 'h', stream: 'file:/a', dataset: 'syslog', zone: 'UTC', epoch, from: 0, at: unixMs(1) };
    const body = { from: 2, to: 3, cause: 'spool-full', count: 2 } as const;
    const gap = sealJson({ ...draft, kind: 'gap', first: 7, prev: blocks[5]!.header.hash }, body, signer);
    journal = await restart(journal);
    expect(missing()).toEqual([[2, 3]]);
    await journal.append(gap, encodeBlock(gap), { agent, flags: 0, endOffset: 0, gap: body });
    expect(missing()).toEqual([]);
    expect(journal.agentsMissing()).toEqual([]);
    journal = await restart(journal);
    expect(missing()).toEqual([]);
  });
});

describe('releasing', () => {
  test('takes whole segments behind every sink only, keeps what is pinned, and knows what went', async () => {
    let journal = await start({ segmentBytes: 2_000 });
    const next = chain();
    const blocks: Block[] = [];
    for (let i = 0; i < 20; i++) {
      blocks.push(next());
      await put(journal, blocks[i]!);
    }
    const all = journal.status().segments;
    expect(await journal.release(0)).toBe(0);
    const pin = journal.pin();
    expect(pin.files).toHaveLength(all);
    expect(await journal.release(journal.end)).toBe(0);
    pin.release();
    expect(await journal.release(journal.end, { olderThan: unixMs(0) })).toBe(0);
    const some = (await journal.find(blocks[9]!.header))!.offset;
    const removed = await journal.release(some);
    expect(removed).toBeGreaterThan(1);
    expect(journal.status().segments).toBe(all - removed);
    expect(await journal.find(blocks[0]!.header)).toBeNull();
    expect(journal.view(blocks[0]!.header)).toMatchObject({ overlaps: true, gone: true });
    expect(journal.view(blocks[15]!.header).gone).toBe(false);
    const first = new JournalReader(journal.dir).read(0, journal.end).items[0]!;
    expect(first).toMatchObject({ kind: 'hole', offset: 0 });
    journal = await restart(journal, { segmentBytes: 2_000 });
    expect(journal.view(blocks[0]!.header)).toMatchObject({ overlaps: true, gone: true });
    expect(journal.view(blocks[15]!.header).gone).toBe(false);
    expect(await journal.find(blocks[15]!.header)).not.toBeNull();
    expect(await journal.checkMark(agent, { incarnation: journal.incarnation, offset: 700, hash: 'b'.repeat(64) })).toBe('ok');
    await journal.release(journal.end, { maxBytes: 3_000 });
    expect(journal.status().bytes).toBeLessThan(5_000);
    expect(journal.heads(agent)[0]!.ranges).toEqual([[1, 20]]);
  });

  test('drops heads of streams that are long gone', async () => {
    const journal = await start({ segmentBytes: 1_500, headKeepMs: 0 as never });
    const next = chain();
    await put(journal, chain('file:/dated-2020')());
    for (let i = 0; i < 6; i++) await put(journal, next());
    expect(journal.heads(agent)).toHaveLength(2);
    await journal.release(journal.end);
    for (let i = 0; i < 6; i++) await put(journal, next());
    expect(journal.heads(agent).map(({ stream }) => stream)).toEqual(['file:/a']);
  });
});

test('a copy that was put back is seen through by a mark behind its end', async () => {
  let journal = await start();
  const next = chain();
  await put(journal, next());
  await journal.close();
  const copy = join(dir, 'copy');
  await cp(journal.dir, copy, { recursive: true });
  journal = await start();
  const block = next();
  const { end } = await put(journal, block);
  const mark = { incarnation: journal.incarnation, offset: end, hash: block.header.hash };
  await journal.close();
  await rm(journal.dir, { recursive: true });
  await cp(copy, journal.dir, { recursive: true });
  journal = await start();
  expect(await journal.checkMark(agent, mark)).toBe('beyond');
  expect(await journal.renew()).toBe(true);
  expect(await journal.checkMark(agent, mark)).toBe('other');
});
