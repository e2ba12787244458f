// SPDX-License-Identifier: Apache-2.0
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { decodeBlock, readRecords } from '../../core/wire.ts';
import { type TestAgent, temporaryFolder, testAgent } from '../../test/support/blocks.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { JournalReader } from '../journal/reader.ts';
import { verifyJournal } from '../journal/verify.ts';
import { FRAME_FLAGS } from '../model/journal.ts';
import { makeReplayer, type Replayer, type ReplayFile } from './replay.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let collector: TestAgent;
let replayer: Replayer;
const begin = async (segmentBytes = 67_108_864): Promise<void> => {
  journal = await openJournal({ dir: join(folder.dir, 'journal'), collector: 'a', clock: systemClock, segmentBytes });
  replayer = makeReplayer({ journal, clock: systemClock, signer: collector.signer, agent: collector.id });
};
beforeEach(async () => {
  folder = await temporaryFolder();
  collector = testAgent();
  await begin();
});
afterEach(async () => {
  await journal.close();
  await folder.remove();
});

const log = (from: number, to: number, word = 'line'): string =>
  Array.from({ length: to - from }, (_, i) => `Nov 24 09:14:02 host ${word} ${from + i}\n`).join('');
const replay = async (text: string | Uint8Array, over: Partial<ReplayFile> = {}): Promise<string> => {
  const path = join(folder.dir, 'file.log');
  await writeFile(path, text);
  const { known, appended, uncertain } = await replayer.replay({ path, host: 'old', dataset: 'syslog', zone: 'UTC', ...over });
  return `${known}+${appended}${uncertain ? ' uncertain' : ''}`;
};
const records = (): string[] => {
  const reader = new JournalReader(journal.dir);
  const out: string[] = [];
  for (let at = reader.first(); at < journal.end; ) {
    const part = reader.read(at, journal.end);
    for (const item of part.items) {
      const block = item.kind === 'block' ? decodeBlock(item.encoded) : null;
      if (block?.kind === 'ok') for (const { bytes } of readRecords(block.block)) out.push(Buffer.from(bytes).toString('latin1'));
    }
    at = part.next;
  }
  return out;
};
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('a file', () => {
  test('comes in once, however often it is replayed, grown, compressed or after a restart', async () => {
    const small = log(0, 2_500);
    expect(await replay(small)).toBe('0+2500');
    expect(await replay(small)).toBe('2500+0');
    expect(await replay(gzipSync(small))).toBe('2500+0');
    await journal.close();
    await begin();
    expect(await replay(log(0, 4_000))).toBe('2500+1500');
    expect(await replay(gzipSync(log(0, 4_000)))).toBe('4000+0');
    expect(await replay(small)).toBe('2500+0');
    expect(await replay(log(0, 1_700))).toBe('1700+0');
    expect(records()).toEqual(linesOf(log(0, 4_000)));
    expect(journal.epochs(collector.id, journal.heads(collector.id)[0]!.stream)).toHaveLength(1);
    expect(await verifyJournal(journal.dir)).toMatchObject({ problemCount: 0, openLinks: 0 });
  });

  test('that begins like another parts from it at the line where they differ, in a new epoch', async () => {
    const one = log(0, 3_000);
    const two = log(0, 1_500) + log(1_500, 3_000, 'other');
    const three = log(0, 1_500) + log(1_500, 2_000, 'other') + log(2_000, 2_500, 'third');
    expect(await replay(one)).toBe('0+3000');
    expect(await replay(two)).toBe('1500+1500');
    expect(await replay(three)).toBe('2000+500');
    for (const text of [one, two, three]) expect(await replay(text)).toBe(`${linesOf(text).length}+0`);
    expect(await replay(one + log(3_000, 3_100))).toBe('3000+100');
    expect(await replay(two + log(3_000, 3_100))).toBe('3000+100');
    const { stream } = journal.heads(collector.id)[0]!;
    expect(journal.heads(collector.id).every((head) => head.stream === stream)).toBe(true);
    const epochs = journal.epochs(collector.id, stream);
    expect(epochs.map(({ after }) => after?.seq ?? null)).toEqual([null, 1_500, 500]);
    expect(records()).toHaveLength(3_000 + 1_500 + 500 + 200);
  });

  test('whose last line had no ending goes on where it stood', async () => {
    expect(await replay('a\nb')).toBe('0+2');
    expect(await replay('a\nb\nc\n')).toBe('2+1');
    expect(await replay('a\nb\nc\n')).toBe('3+0');
    expect(await replay('a\nbb\n')).toBe('1+1');
    expect(records()).toEqual(['a', 'b', 'c', 'bb']);
  });

  test('of another host or dataset is another file', async () => {
    expect(await replay('a\n')).toBe('0+1');
    expect(await replay('a\n', { host: 'new' })).toBe('0+1');
    expect(await replay('a\n', { dataset: 'nginx' })).toBe('0+1');
    expect(await replay('b\n')).toBe('0+1');
  });

  test('keeps its bytes: no ending, CRLF, NUL, invalid UTF-8, empty lines, 3 MB in one line', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a\r\n\n\0\n'),
      Buffer.from([0xff, 0xed, 0xa0, 0x80, 10]),
      Buffer.alloc(3_000_000, 65),
      Buffer.from('\nz'),
    ]);
    expect(await replay(bytes)).toBe('0+8');
    expect(await replay(bytes)).toBe('8+0');
    const all = records();
    expect(all.map((line) => line.length)).toEqual([1, 0, 1, 4, 1_048_576, 1_048_576, 902_848, 1]);
    expect(all[3]).toBe('\xff\xed\xa0\x80');
  });

  test('is stamped with its own time, its frames with the mark of a replay', async () => {
    const path = join(folder.dir, 'old.log');
    await writeFile(path, 'a\n');
    await utimes(path, 1_000_000, 1_000_000);
    await replayer.replay({ path, host: 'old', dataset: 'syslog', zone: 'UTC' });
    const [item] = new JournalReader(journal.dir).read(0, journal.end).items;
    if (item?.kind !== 'block') throw new Error('no block');
    expect(item.flags).toBe(FRAME_FLAGS.replay | FRAME_FLAGS.received);
    const block = decodeBlock(item.encoded);
    expect(block.kind === 'ok' && readRecords(block.block)[0]!.readAt).toBe(1_000_000_000);
  });

  test('that is empty, absent or damaged says so', async () => {
    expect(await replay('')).toBe('0+0');
    const gz = gzipSync(log(0, 30_000));
    await expect(replay(gz.subarray(0, gz.length - 2_000))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const absent = replayer.replay({ path: join(folder.dir, 'x'), host: 'h', dataset: 'd', zone: 'UTC' });
    await expect(absent).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

test('two replays of a file at once append it once', async () => {
  const path = join(folder.dir, 'file.log');
  await writeFile(path, log(0, 3_000));
  const file = { path, host: 'old', dataset: 'syslog', zone: 'UTC' };
  const both = await Promise.all([replayer.replay(file), replayer.replay(file)]);
  expect(both.map(({ appended }) => appended)).toEqual([3_000, 0]);
});

test('a file that was cut short in the middle of a replay is finished by the next', async () => {
  const path = join(folder.dir, 'file.log');
  const text = log(0, 60_000);
  await writeFile(path, text);
  const stop = new AbortController();
  const stopAt = journal.watch(() => stop.abort());
  const first = await replayer.replay({ path, host: 'old', dataset: 'syslog', zone: 'UTC', signal: stop.signal });
  stopAt();
  expect(first.appended).toBeGreaterThan(0);
  expect(first.appended).toBeLessThan(60_000);
  expect(await replay(text)).toBe(`${first.appended}+${60_000 - first.appended}`);
  expect(records()).toEqual(linesOf(text));
});

test('a file whose blocks retention took is still known by its running hash', async () => {
  await journal.close();
  await begin(20_000);
  const text = log(0, 20_000);
  await replay(text);
  await replay(log(0, 6_000, 'x'), { host: 'more' });
  expect(await journal.release(journal.end)).toBeGreaterThan(0);
  expect(await replay(text)).toBe('20000+0');
  expect(await replay(text + log(20_000, 20_010))).toBe('20000+10');
  expect(await replay(log(0, 100))).toBe('0+100 uncertain');
});

test('any files that share beginnings: every line of each is there, and none twice along one way', { timeout: 60_000 }, async () => {
  const word = fc.constantFrom('a', 'b', 'cc');
  let host = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(word, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 }), async (files) => {
      const name = `h${host++}`;
      const before = records().length;
      for (const lines of files) await replay(`${lines.join('\n')}\n`, { host: name });
      const appended = records().length - before;
      // The number of different beginnings is the number of lines of the tree that the files form.
      const beginnings = new Set(files.flatMap((lines) => lines.map((_, i) => lines.slice(0, i + 1).join('\n'))));
      expect(appended).toBe(beginnings.size);
      for (const lines of files) expect(await replay(`${lines.join('\n')}\n`, { host: name })).toBe(`${lines.length}+0`);
    }),
    { numRuns: 40 },
  );
});
