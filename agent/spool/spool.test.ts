// SPDX-License-Identifier: Apache-2.0
/** The spool: durable before it is sent, whole after every crash, mended after every disagreement (W4, W6, W8, W9, W11, A1, A4). */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemFiles } from '../../core/files.ts';
import { makeId } from '../../core/ids.ts';
import type { StreamEnd } from '../../core/protocol.ts';
import { generateSigner } from '../../core/sign.ts';
import { bytes, hours, unixMs } from '../../core/units.ts';
import { checkBlock, decodeBlock, readJsonBody, readRecords } from '../../core/wire.ts';
import { type HandClock, handClock } from '../../test/support/hand-clock.ts';
import type { Batch } from '../source/source.ts';
import { openNewEpoch } from './epoch.ts';
import { missingIn, offerMissing, resyncSpool } from './mend.ts';
import type { SpoolOptions } from './options.ts';
import { Spool } from './spool.ts';
import type { Pending } from './window.ts';

let dir: string;
let clock: HandClock;
const agent = makeId('agt');
const signer = generateSigner();

beforeEach(() => {
  // In memory where there is such a folder: the tests fsync thousands of times.
  dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vigil-spool-'));
  clock = handClock();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const openSpool = (more: Partial<SpoolOptions> = {}): Promise<Spool> =>
  Spool.open({
    folder: dir,
    agent,
    host: 'h',
    zone: 'UTC',
    signer: () => signer,
    quotaBytes: bytes(64_000_000),
    keepMs: hours(24),
    clock,
    ...more,
  });

const FILE = { device: '1', inode: '2', fingerprint: 'f' };

/** A batch of lines whose offsets go on from `from`. */
const batch = (lines: readonly string[], from = 0, stream = 's'): Batch => {
  let end = from;
  const records = lines.map((line) => ({ bytes: Buffer.from(line), readAt: unixMs(5), end: (end += line.length + 1), flags: 0 }));
  return { stream, kind: 'lines', dataset: 'syslog', records, at: unixMs(5), from, file: FILE, resume: `at ${end}` };
};

const linesOf = (blocks: readonly Pending[]): readonly string[] =>
  blocks.flatMap(({ bytes: encoded }) => {
    const decoded = decodeBlock(encoded);
    if (decoded.kind !== 'ok' || decoded.block.header.kind !== 'lines') return [];
    expect(checkBlock(decoded.block)).toBeNull();
    return readRecords(decoded.block).map((record) => Buffer.from(record.bytes).toString());
  });

const all = (spool: Spool): Promise<readonly Pending[]> => spool.window(256, 100_000_000);
const segmentFiles = (): readonly string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.seg'))
    .sort();

describe('sealing', () => {
  it('numbers without holes, chains by hash, and offers nothing before it is durable (W4)', async () => {
    const spool = await openSpool();
    spool.seal(batch(['a', 'b']));
    spool.seal(batch(['c'], 4));
    expect(await all(spool)).toEqual([]);
    await spool.flush();
    const blocks = await all(spool);
    expect(linesOf(blocks)).toEqual(['a', 'b', 'c']);
    expect(blocks.map(({ first, count }) => [first, count])).toEqual([
      [1, 2],
      [3, 1],
    ]);
    const headers = blocks.map(({ bytes: encoded }) => {
      const decoded = decodeBlock(encoded);
      return decoded.kind === 'ok' ? decoded.block.header : undefined;
    });
    expect(headers[1]?.prev).toBe(headers[0]?.hash);
    expect(headers[0]?.prev).toBeNull();
    await spool.close();
  });

  it('goes on after a restart where it was, with the same bytes, key changed or not', async () => {
    const spool = await openSpool();
    spool.seal(batch(['a', 'b']));
    await spool.flush();
    const before = await all(spool);
    await spool.close();
    const again = await openSpool({ signer: () => generateSigner() });
    expect(again.stateOf('s')).toMatchObject({ seq: 2, resume: 'at 4' });
    expect((await all(again)).map(({ bytes: encoded }) => Buffer.from(encoded).toString('hex'))).toEqual(
      before.map(({ bytes: encoded }) => Buffer.from(encoded).toString('hex')),
    );
    again.seal(batch(['c'], 4));
    await again.flush();
    expect(linesOf(await all(again))).toEqual(['a', 'b', 'c']);
    await again.close();
  });

  it('forgets nothing that is settled, and does not send it again', async () => {
    const spool = await openSpool();
    for (const [i, line] of ['a', 'b', 'c'].entries()) spool.seal(batch([line], i * 2));
    await spool.flush();
    const [first, second] = (await all(spool)) as [Pending, Pending];
    spool.settle(second);
    spool.settle(first);
    spool.setJournal({ incarnation: 'a'.repeat(32), offset: 9, hash: 'b'.repeat(64) });
    await spool.close();
    const again = await openSpool();
    expect(linesOf(await all(again))).toEqual(['c']);
    expect(again.journal).toMatchObject({ offset: 9 });
    expect(again.ackedSeq('s', again.stateOf('s')!.epoch)).toBe(2);
    await again.close();
  });
});

describe('a crash', () => {
  it('at any byte leaves a spool that opens, holds whole blocks only, and reads on from its own end', async () => {
    const spool = await openSpool();
    for (let i = 0; i < 2; i++) {
      spool.seal(batch([`line ${i}`], i * 7));
      await spool.flush();
      const [block] = await all(spool);
      if (i === 0 && block) spool.settle(block);
    }
    await spool.close();
    const name = segmentFiles()[0] as string;
    const whole = readFileSync(join(dir, name));
    let least = 2;
    for (let size = whole.length; size >= 0; size--) {
      writeFileSync(join(dir, name), whole.subarray(0, size));
      const cut = await openSpool();
      const blocks = await all(cut);
      const state = cut.stateOf('s');
      const seq = state?.seq ?? 0;
      expect(seq).toBeLessThanOrEqual(least);
      least = seq;
      // The read cursor is that of the last block that is whole: what is lost is read again (A1).
      expect(state?.resume).toBe(seq === 0 ? undefined : `at ${seq * 7}`);
      expect(linesOf(blocks).every((line) => Number(line.slice(5)) < seq)).toBe(true);
      cut.seal(batch(['again'], seq * 7));
      expect(await cut.flush()).toBe(true);
      expect(linesOf(await all(cut)).at(-1)).toBe('again');
      await cut.close();
      for (const other of segmentFiles().filter((file) => file !== name)) rmSync(join(dir, other));
    }
  }, 60_000);

  it('that damages a block in the middle loses that block only, and says which numbers', async () => {
    const spool = await openSpool();
    for (let i = 0; i < 3; i++) spool.seal(batch([`line ${i} ${'x'.repeat(50)}`], i * 60));
    await spool.flush();
    const second = (await all(spool))[1] as Pending;
    await spool.close();
    const path = join(dir, segmentFiles()[0] as string);
    const raw = readFileSync(path);
    raw[second.place.offset + 40] = raw[second.place.offset + 40]! ^ 0xff;
    writeFileSync(path, raw);
    const again = await openSpool();
    expect(linesOf(await all(again)).map((line) => line.slice(0, 6))).toEqual(['line 0', 'line 2']);
    expect(again.takeHoles()).toMatchObject([{ stream: 's', from: 2, to: 2 }]);
    expect(again.damage).toMatchObject([{ damage: { kind: 'corrupt' } }]);
    await again.close();
  });

  it('that takes the header of a segment puts it aside, and goes on', async () => {
    const spool = await openSpool();
    spool.seal(batch(['a']));
    await spool.flush();
    await spool.close();
    const path = join(dir, segmentFiles()[0] as string);
    const raw = readFileSync(path);
    raw.fill(0, 0, 32);
    writeFileSync(path, raw);
    const again = await openSpool();
    expect(readdirSync(dir)).toContain('00000001.seg.bad');
    again.seal(batch(['b']));
    await again.flush();
    expect(linesOf(await all(again))).toEqual(['b']);
    await again.close();
  });
});

describe('a failing disk', () => {
  it('abandons the segment after a failed fsync and writes the blocks to a new one (A4)', async () => {
    let fail = false;
    const failing: typeof open = async (...args) => {
      const file = await open(...args);
      const sync = file.datasync.bind(file);
      file.datasync = async () => {
        if (fail) {
          fail = false;
          throw Object.assign(new Error('no'), { code: 'EIO' });
        }
        return sync();
      };
      return file;
    };
    const spool = await openSpool({ files: { ...systemFiles, open: failing } });
    spool.seal(batch(['a']));
    await spool.flush();
    fail = true;
    spool.seal(batch(['b'], 2));
    expect(await spool.flush()).toBe(true);
    expect(segmentFiles()).toHaveLength(2);
    await spool.close();
    const again = await openSpool();
    expect(new Set(linesOf(await all(again)))).toEqual(new Set(['a', 'b']));
    await again.close();
  });

  it('that takes nothing keeps what is sealed in memory, stops the reading, and goes on when it is mended', async () => {
    let full = true;
    const failing: typeof open = async (...args) => {
      if (full) throw Object.assign(new Error('no'), { code: 'ENOSPC' });
      return open(...args);
    };
    const spool = await openSpool({ files: { ...systemFiles, open: failing } });
    spool.seal(batch(['a']));
    expect(await spool.flush()).toBe(false);
    expect([spool.room, spool.failure === undefined]).toEqual([false, false]);
    full = false;
    expect(await spool.flush()).toBe(true);
    expect(spool.room).toBe(true);
    expect(linesOf(await all(spool))).toEqual(['a']);
    await spool.close();
  });
});

describe('the quota', () => {
  const big = (n: number): Batch => batch([randomBytes(225_000).toString('base64')], n);

  it('stops the reading when it is used up by what was not acknowledged, and never drops that', async () => {
    const spool = await openSpool({ quotaBytes: bytes(4_000_000), segmentBytes: 500_000 });
    let sealed = 0;
    while (spool.room && sealed < 50) {
      spool.seal(big(sealed++));
      await spool.flush();
    }
    expect(sealed).toBeLessThan(50);
    expect(spool.bytes).toBeLessThanOrEqual(4_000_000);
    let sent = 0;
    for (let blocks = await all(spool); blocks.length > 0; blocks = await all(spool))
      for (const block of blocks) {
        spool.settle(block);
        sent += 1;
      }
    expect(sent).toBe(sealed);
    expect(spool.room).toBe(true);
    await spool.close();
  });

  it('keeps acknowledged blocks for a while, at most a quarter of it (W8)', async () => {
    const spool = await openSpool({ quotaBytes: bytes(8_000_000), segmentBytes: 500_000, keepMs: hours(1) });
    for (let i = 0; i < 20; i++) {
      spool.seal(big(i));
      await spool.flush();
      for (const block of await all(spool)) spool.settle(block);
    }
    await spool.flush();
    expect(spool.bytes).toBeLessThan(2_000_000 + 1_200_000);
    expect(segmentFiles().length).toBeGreaterThan(1);
    clock.advance(hours(2));
    spool.seal(batch(['x']));
    await spool.flush();
    expect(segmentFiles().length).toBeLessThanOrEqual(2);
    await spool.close();
  });
});

describe('disagreement with the collector', () => {
  const never = { matches: () => undefined, moveTo: () => undefined, files: () => [FILE], restart: async () => undefined };
  const filled = async (): Promise<Spool> => {
    const spool = await openSpool();
    for (let i = 0; i < 4; i++) spool.seal(batch([`line ${i}`], i * 7));
    await spool.flush();
    return spool;
  };

  it('opens a new epoch after the newest end and seals anew what no end covers (W11)', async () => {
    const spool = await filled();
    const { epoch } = spool.stateOf('s')!;
    const blocks = await all(spool);
    spool.settle(blocks[0] as Pending);
    const known = blocks[1] as Pending;
    const ends: StreamEnd[] = [
      { epoch: 'e'.repeat(32), seq: 9, hash: 'f'.repeat(64), end: 0 },
      { epoch, seq: 2, hash: known.hash, end: 14 },
    ];
    expect(await openNewEpoch(spool, never, signer, { stream: 's', epoch, ends })).toEqual({ opened: true, matched: true });
    const after = await all(spool);
    expect(linesOf(after)).toEqual(['line 2', 'line 3']);
    const decoded = decodeBlock(after[0]!.bytes);
    expect(decoded).toMatchObject({ kind: 'ok', block: { header: { first: 1, prev: null, after: { epoch: 'e'.repeat(32), seq: 9 } } } });
    expect(spool.stateOf('s')).toMatchObject({ seq: 2, resume: 'at 28' });
    expect(spool.stateOf('s')?.epoch).not.toBe(epoch);
    await spool.close();
    const again = await openSpool();
    expect(linesOf(await all(again))).toEqual(['line 2', 'line 3']);
    await again.close();
  });

  it('leaves out records that a place in the file covers, in the middle of a block too', async () => {
    const spool = await openSpool();
    spool.seal(batch(['a', 'b', 'c']));
    await spool.flush();
    const { epoch } = spool.stateOf('s')!;
    const end: StreamEnd = { epoch: 'e'.repeat(32), seq: 2, hash: 'f'.repeat(64), end: 4, file: FILE };
    await openNewEpoch(spool, { ...never, matches: () => FILE }, signer, { stream: 's', epoch, ends: [end] });
    const after = await all(spool);
    expect(linesOf(after)).toEqual(['c']);
    expect(decodeBlock(after[0]!.bytes)).toMatchObject({ block: { header: { from: 4 } } });
    await spool.close();
  });

  it('says that lines may stand there twice where a file is known there by name alone', async () => {
    const spool = await openSpool();
    spool.seal(batch(['a', 'b']));
    await spool.flush();
    const { epoch } = spool.stateOf('s')!;
    const end = (seq: number, file: typeof FILE): StreamEnd => ({ epoch: 'e'.repeat(32), seq, hash: 'f'.repeat(64), end: 8, file });
    const older = { ...FILE, inode: '6' };
    const oracle = {
      ...never,
      files: () => [FILE],
      matches: (_: string, { file, end: at }: StreamEnd) => (file === older || at === 4 ? file : undefined),
    };
    const conflict = { stream: 's', epoch, ends: [end(9, FILE), end(1, older)] };
    expect(await openNewEpoch(spool, oracle, signer, conflict)).toEqual({ opened: true, matched: false });
    await spool.close();
  });

  it('ignores a conflict about an epoch that is closed', async () => {
    const spool = await filled();
    expect(await openNewEpoch(spool, never, signer, { stream: 's', epoch: '0'.repeat(32), ends: [] })).toMatchObject({ opened: false });
    expect(linesOf(await all(spool))).toHaveLength(4);
    await spool.close();
  });

  it('sends again what a restored collector lost, passes over what it holds, and names what is gone from both (W6)', async () => {
    const spool = await openSpool({ segmentBytes: 200 });
    for (let i = 0; i < 4; i++) {
      spool.seal(batch([`line ${i}`], i * 7));
      await spool.flush();
    }
    const hashes = (await all(spool)).map(({ hash }) => hash);
    for (let blocks = await all(spool); blocks.length > 0; blocks = await all(spool)) for (const block of blocks) spool.settle(block);
    await spool.flush();
    const { epoch } = spool.stateOf('s')!;
    rmSync(join(dir, segmentFiles()[0] as string));
    await spool.close();
    const again = await openSpool();
    const last = { epoch, seq: 3, hash: hashes[2] as string, end: 21 };
    const { gaps } = await resyncSpool(again, [{ stream: 's', epoch, ranges: [[3, 3]], last }]);
    expect(linesOf(await all(again))).toEqual(['line 1', 'line 3']);
    expect(gaps).toEqual([{ stream: 's', epoch, body: { from: 1, to: 1, cause: 'collector-restored', count: 1 } }]);
    await again.close();
  });

  it('sends all of an epoch again whose head there is of a copy of this spool: the same numbers hold other records', async () => {
    const spool = await openSpool();
    for (const line of ['a', 'b', 'c']) {
      spool.seal(batch([line]));
      await spool.flush();
    }
    for (const block of await all(spool)) spool.settle(block);
    const { epoch } = spool.stateOf('s')!;
    const end = { stream: 's', epoch, ranges: [[1, 3]] as const };
    for (const seq of [3, 9]) {
      await resyncSpool(spool, [{ ...end, ranges: [[1, seq]], last: { epoch, seq, hash: '0'.repeat(64), end: 6 } }]);
      expect(linesOf(await all(spool))).toEqual(['a', 'b', 'c']);
    }
    const { hash } = (await all(spool))[2]!;
    await resyncSpool(spool, [{ ...end, last: { epoch, seq: 3, hash, end: 6 } }]);
    expect(await all(spool)).toEqual([]);
    await spool.close();
  });

  it.each([
    { kept: 'the last of four blocks', gone: 3, head: 3 },
    { kept: 'none of four blocks', gone: 4, head: 4 },
  ])('of which age left $kept, declares what it let go where the head there is another one than it let go', async ({ gone, head }) => {
    const spool = await openSpool({ segmentBytes: 200 });
    for (let i = 0; i < 4; i++) {
      spool.seal(batch([`line ${i}`], i * 7));
      await spool.flush();
    }
    const hashes = (await all(spool)).map(({ hash }) => hash);
    for (let blocks = await all(spool); blocks.length > 0; blocks = await all(spool)) for (const block of blocks) spool.settle(block);
    // A stream of its own fills the last segment, which is never let go.
    spool.seal(batch(['x'.repeat(300)], 0, 'other'));
    await spool.flush();
    const { epoch } = spool.stateOf('s')!;
    await spool.close();
    expect(segmentFiles().length).toBeGreaterThan(gone);
    for (const name of segmentFiles().slice(0, gone)) rmSync(join(dir, name));
    const again = await openSpool();
    const at = (hash: string) => [{ stream: 's', epoch, ranges: [[1, head]] as const, last: { epoch, seq: head, hash, end: 21 } }];
    const gapsOf = async (hash: string) => (await resyncSpool(again, at(hash))).gaps.filter(({ stream }) => stream === 's');
    expect(await gapsOf(hashes[head - 1] as string)).toEqual([]);
    expect(await gapsOf('0'.repeat(64))).toEqual([
      { stream: 's', epoch, body: { from: 1, to: gone, cause: 'collector-restored', count: gone } },
    ]);
    await again.close();
  });

  it('offers again what is asked back, before all others (W9)', async () => {
    const spool = await filled();
    const { epoch } = spool.stateOf('s')!;
    for (const block of (await all(spool)).slice(0, 3)) spool.settle(block);
    expect(await offerMissing(spool, [{ stream: 's', epoch, from: 2, to: 2 }])).toEqual([]);
    expect(await offerMissing(spool, [{ stream: 's', epoch, from: 8, to: 9 }])).toMatchObject([{ body: { from: 8, to: 9 } }]);
    const blocks = await all(spool);
    expect(linesOf(blocks)).toEqual(['line 1', 'line 3']);
    spool.settle(blocks[0] as Pending);
    expect(linesOf(await all(spool))).toEqual(['line 3']);
    await spool.close();
  });

  it('keeps blocks that wait for a person, on disk and over restarts, until the collector holds them', async () => {
    const spool = await filled();
    for (const block of await all(spool)) spool.keep(block, 'held');
    await spool.close();
    const again = await openSpool();
    expect(await all(again)).toEqual([]);
    expect(again.kept).toHaveLength(4);
    again.releaseKept(({ first }) => first <= 2);
    expect(again.kept.map(({ first }) => first)).toEqual([3, 4]);
    await again.close();
  });

  it('declares a gap in the stream’s own numbers', async () => {
    const spool = await filled();
    spool.sealJson('s', 'gap', 'gap', { from: 7, to: 9, cause: 'spool-corrupt', count: 3 });
    await spool.flush();
    const decoded = decodeBlock((await all(spool)).at(-1)!.bytes);
    expect(decoded.kind === 'ok' && readJsonBody(decoded.block)).toMatchObject({ kind: 'gap', body: { from: 7, to: 9 } });
    expect(spool.stateOf('s')).toMatchObject({ seq: 5, resume: 'at 28' });
    await spool.close();
  });
});

describe('ranges', () => {
  it('are what is left of one when others are taken away', () => {
    expect(
      missingIn(
        [1, 10],
        [
          [3, 4],
          [8, 20],
        ],
      ),
    ).toEqual([
      [1, 2],
      [5, 7],
    ]);
    expect(missingIn([1, 3], [])).toEqual([[1, 3]]);
    expect(missingIn([1, 0], [])).toEqual([]);
    expect(missingIn([5, 6], [[1, 9]])).toEqual([]);
  });
});

it('a torn tail in an older segment does not hide the newer one', async () => {
  const spool = await openSpool({ segmentBytes: 300 });
  for (let i = 0; i < 4; i++) {
    spool.seal(batch([`line ${i}`], i * 7));
    await spool.flush();
  }
  await spool.close();
  const first = join(dir, segmentFiles()[0] as string);
  truncateSync(first, readFileSync(first).length - 5);
  const again = await openSpool();
  expect(again.stateOf('s')?.seq).toBe(4);
  expect(linesOf(await all(again)).at(-1)).toBe('line 3');
  await again.close();
});
