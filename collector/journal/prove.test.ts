// SPDX-License-Identifier: Apache-2.0
/**
 * Proof of single events: one record, or the records of a joined event over one block or several.
 * Input: a journal of signed blocks; true and false claims. Output: claims.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { encodeBlock, readRecords } from '../../core/wire.ts';
import { blockChain, type TestAgent, temporaryFolder, testAgent } from '../../test/support/blocks.ts';
import { type Journal, openJournal } from './journal.ts';
import { type Claim, proveClaims } from './prove.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let agent: TestAgent;
let offsets: number[];
let lines: Uint8Array[];
let base: Pick<Claim, 'event' | 'agent' | 'stream' | 'epoch'>;

beforeEach(async () => {
  folder = await temporaryFolder();
  agent = testAgent();
  journal = await openJournal({ dir: folder.dir, collector: 'a', clock: systemClock });
  const next = blockChain(agent);
  const blocks = [next(4), next(3)];
  offsets = [];
  for (const block of blocks)
    offsets.push((await journal.append(block, encodeBlock(block), { agent: agent.id, flags: 0, endOffset: 0 })).offset);
  lines = blocks.flatMap((block) => readRecords(block).map(({ bytes }) => bytes));
  const { stream, epoch } = (blocks[0] as (typeof blocks)[0]).header;
  base = { event: 'evt_x', agent: agent.id, stream, epoch };
});
afterEach(async () => {
  await journal.close();
  await folder.remove();
});

const joined = (...seqs: number[]): Uint8Array =>
  Buffer.concat(seqs.flatMap((seq, i) => [...(i === 0 ? [] : [Buffer.from('\n')]), Buffer.from(lines[seq - 1] as Uint8Array)]));
const prove = async (claim: Omit<Claim, keyof typeof base>) =>
  (await proveClaims(folder.dir, [{ ...base, ...claim }], (id, key) => id === agent.id && key === agent.signer.publicKey))[0];

test('a single record holds, and another line in its place does not', async () => {
  expect(await prove({ seq: 2, offset: offsets[0] ?? 0, bytes: joined(2) })).toMatchObject({ holds: true, text: `signed by ${agent.id}` });
  expect(await prove({ seq: 2, offset: offsets[0] ?? 0, bytes: joined(3) })).toMatchObject({ holds: false });
  expect(await prove({ seq: 9, offset: offsets[0] ?? 0, bytes: joined(2) })).toMatchObject({ holds: false });
});

test('a joined event holds with the records of other events between its own, and over two blocks', async () => {
  const [a = 0, b = 0] = offsets;
  expect(await prove({ seq: 1, seqLast: 4, offset: a, bytes: joined(1, 3, 4) })).toMatchObject({ holds: true });
  expect(await prove({ seq: 3, seqLast: 6, offset: a, further: [b], bytes: joined(3, 4, 6) })).toMatchObject({ holds: true });
});

test('a joined event with a line added, left out at an end, changed or turned round does not hold', async () => {
  const [a = 0, b = 0] = offsets;
  const claims = [
    { seq: 1, seqLast: 4, bytes: joined(1, 3) },
    { seq: 1, seqLast: 4, bytes: joined(2, 4) },
    { seq: 1, seqLast: 4, bytes: joined(1, 4, 3) },
    { seq: 1, seqLast: 4, bytes: Buffer.concat([joined(1, 3), Buffer.from('\nforged\n'), joined(4)]) },
    { seq: 1, seqLast: 3, bytes: joined(1, 4) },
  ];
  for (const claim of claims)
    expect(await prove({ ...claim, offset: a }), Buffer.from(claim.bytes).toString()).toMatchObject({ holds: false });
  expect(await prove({ seq: 3, seqLast: 6, offset: a, bytes: joined(3, 6) })).toMatchObject({ holds: false });
  expect(await prove({ seq: 3, seqLast: 6, offset: a, further: [b + 1], bytes: joined(3, 6) })).toMatchObject({ holds: false });
});
