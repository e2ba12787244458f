// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { systemFiles } from '../../core/files.ts';
import { decodeBlock, readRecords } from '../../core/wire.ts';
import { handClock, type TestAgent, temporaryFolder, testAgent, until } from '../../test/support/blocks.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { JournalReader } from '../journal/reader.ts';
import { verifyJournal } from '../journal/verify.ts';
import { FRAME_FLAGS } from '../model/journal.ts';
import { openOwnStream } from './own.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let collector: TestAgent;
const disk = { broken: false };
const openFile = (async (...args: Parameters<typeof open>) => {
  const file = await open(...args);
  const real = file.datasync.bind(file);
  Object.defineProperty(file, 'datasync', { value: () => (disk.broken ? Promise.reject(new Error('no')) : real()) });
  return file;
}) as typeof open;

const begin = async (): Promise<void> => {
  journal = await openJournal({
    dir: join(folder.dir, 'journal'),
    collector: 'a',
    clock: systemClock,
    files: { ...systemFiles, open: openFile },
  });
};
beforeEach(async () => {
  folder = await temporaryFolder();
  collector = testAgent();
  disk.broken = false;
  await begin();
});
afterEach(async () => {
  await journal.close();
  await folder.remove();
});

const own = (clock = systemClock) => openOwnStream({ journal, clock, signer: collector.signer, agent: collector.id, host: 'hub' });
const lines = (): Record<string, unknown>[] =>
  new JournalReader(journal.dir).read(0, journal.end).items.flatMap((item) => {
    const block = item.kind === 'block' ? decodeBlock(item.encoded) : null;
    if (block?.kind !== 'ok' || item.kind !== 'block') throw new Error('no block');
    expect(item.flags).toBe(FRAME_FLAGS.own);
    expect(block.block.header).toMatchObject({ dataset: 'vigil', stream: 'vigil', key: collector.signer.publicKey, host: 'hub' });
    return readRecords(block.block).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>);
  });

test('a notice stands in the journal within a second, the same ones together with their number', async () => {
  const clock = handClock();
  const stream = own(clock);
  const notice = { action: 'block-bad', message: 'A block is bad.', agent: testAgent().id, reason: 'x\n\u2028' } as const;
  for (let i = 0; i < 1_000; i++) stream.say(notice);
  stream.say({ action: 'login-failed', message: 'No.', user: '\ud800' });
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(250);
  }
  await until(() => lines().length === 2, 'both notices');
  expect(lines()).toMatchObject([{ ...notice, count: 1_000, '@timestamp': '2023-11-14T22:13:20.000Z' }, { action: 'login-failed' }]);
  expect(lines()[1]).not.toHaveProperty('count');
  await stream.close();
});

test('what waits is journaled at the end, and a new start is a new epoch after the old one', async () => {
  const first = own();
  first.say({ action: 'collector-started', message: 'one' });
  await first.close();
  await journal.close();
  await begin();
  const second = own();
  second.say({ action: 'collector-started', message: 'two' });
  await second.close();
  expect(lines().map(({ message }) => message)).toEqual(['one', 'two']);
  const [old, now] = journal.epochs(collector.id, 'vigil');
  expect(now!.after).toEqual({ epoch: old!.epoch, seq: 1 });
  expect(await verifyJournal(journal.dir)).toMatchObject({ blocks: 2, problemCount: 0 });
});

test('a failing disk delays notices and loses none', async () => {
  const clock = handClock();
  const stream = own(clock);
  disk.broken = true;
  stream.say({ action: 'agent-silent', message: 'one' });
  for (let i = 0; i < 8; i++) {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(250);
  }
  disk.broken = false;
  stream.say({ action: 'agent-silent', message: 'two', stream: 's' });
  await until(() => {
    clock.advance(250);
    return journal.end > 0 && lines().length === 2;
  }, 'both notices');
  expect(lines().map(({ message }) => message)).toEqual(['one', 'two']);
  expect(stream.dropped).toBe(0);
  await stream.close();
  expect(await verifyJournal(journal.dir)).toMatchObject({ problemCount: 0, openLinks: 0 });
});
