// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Block } from '../../core/protocol.ts';
import { encodeBlock } from '../../core/wire.ts';
import { blockChain, type TestAgent, temporaryFolder, testAgent } from '../../test/support/blocks.ts';
import { type Journal, openJournal } from './journal.ts';
import { blockProblem, type JournalProof, verifyJournal } from './verify.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let agent: TestAgent;
beforeEach(async () => {
  folder = await temporaryFolder();
  agent = testAgent();
  journal = await openJournal({ dir: folder.dir, collector: 'a', clock: systemClock, segmentBytes: 2_000 });
});
afterEach(async () => {
  await journal.close();
  await folder.remove();
});

// The journal itself takes any block: what it holds is judged by the proof alone.
const put = async (...blocks: Block[]): Promise<number[]> => {
  const offsets: number[] = [];
  for (const block of blocks) {
    offsets.push((await journal.append(block, encodeBlock(block), { agent: agent.id, flags: 0, endOffset: 0 })).offset);
  }
  return offsets;
};
const kinds = ({ problems }: JournalProof): string[] => problems.map(({ kind, offset }) => `${kind} ${offset}`);

test('a journal that holds says how many segments, blocks and records, and who signed', async () => {
  const next = blockChain(agent);
  await put(next(3), next(2), next(), next(), next());
  const proof = await verifyJournal(folder.dir, { knows: (id, key) => id === agent.id && key === agent.signer.publicKey });
  expect(proof).toMatchObject({ blocks: 5, records: 8, problemCount: 0, openLinks: 0, repeated: 0 });
  expect(proof.segments).toBeGreaterThan(1);
  expect(proof.signers).toEqual([{ key: agent.signer.publicKey, agent: agent.id, known: true, blocks: 5 }]);
  expect(proof.streams).toMatchObject([{ first: 1, last: 8, blocks: 5, records: 8 }]);
  expect(proof.incarnations).toEqual([journal.incarnation]);
  expect((await verifyJournal(folder.dir)).signers[0]!.known).toBe(false);
});

test('blocks that came out of order hold, and a missing one is an open link', async () => {
  const next = blockChain(agent);
  const blocks = [next(), next(), next(), next()];
  await put(blocks[2]!, blocks[0]!, blocks[3]!);
  expect(await verifyJournal(folder.dir)).toMatchObject({ problemCount: 0, openLinks: 1 });
  await put(blocks[1]!, blocks[1]!);
  expect(await verifyJournal(folder.dir)).toMatchObject({ problemCount: 0, openLinks: 0, repeated: 1 });
});

test('the first position that does not hold is named: chain, sequence, key, agent, signature', async () => {
  const next = blockChain(agent);
  const { epoch } = next().header;
  const good = blockChain(agent, { epoch });
  const other = testAgent();
  const [, , chain, sequence, agentAt, signature] = await put(
    good(),
    good(),
    blockChain(agent, { epoch, first: 3, prev: 'e'.repeat(64) })(),
    blockChain(agent, { epoch, first: 2, prev: 'e'.repeat(64) })(2),
    blockChain(other)(),
    { ...good(), signature: new Uint8Array(64) },
  );
  const proof = await verifyJournal(folder.dir, { knows: (id) => id === agent.id });
  expect(kinds(proof)).toEqual([
    `chain ${chain}`,
    `sequence ${sequence}`,
    `agent ${agentAt}`,
    `key ${agentAt}`,
    `hash-or-signature ${signature}`,
  ]);
});

test('every flipped bit of a segment is found, and nothing else is called wrong', { timeout: 60_000 }, async () => {
  const next = blockChain(agent);
  await put(next(), next(), next());
  await journal.close();
  const name = (await readdir(folder.dir)).find((file) => file.endsWith('.seg'))!;
  const bytes = await readFile(join(folder.dir, name));
  for (let bit = 7; bit < bytes.length * 8; bit += 61) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    await writeFile(join(folder.dir, name), bytes);
    const proof = await verifyJournal(folder.dir, { bodies: false });
    expect(proof.problems[0]?.kind, `bit ${bit}`).toBe('frame');
    expect(proof.problemCount, `bit ${bit}`).toBe(1);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test('a segment taken out of the middle is found', async () => {
  const next = blockChain(agent);
  for (let i = 0; i < 20; i++) await put(next());
  await journal.close();
  const segments = (await readdir(folder.dir)).filter((file) => file.endsWith('.seg')).sort();
  await rm(join(folder.dir, segments[1]!));
  const proof = await verifyJournal(folder.dir);
  expect(proof.problems[0]).toMatchObject({ kind: 'frame', offset: Number(segments[1]!.slice(0, 16)) });
});

test('one block alone is proved by its own hash and signature', () => {
  const block = blockChain(agent)(3);
  expect(blockProblem(block)).toBeNull();
  expect(blockProblem({ ...block, body: block.body.subarray(1) })).toMatchObject({ kind: 'hash-or-signature' });
});
