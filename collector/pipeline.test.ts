// SPDX-License-Identifier: Apache-2.0
/**
 * The pass over a real journal: audit events whose records lie in several blocks are one event each, wherever the pass is begun again (river.md J2).
 * Input: signed blocks of audit lines. Output: claims.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { random128 } from '../core/ids.ts';
import { unixMs } from '../core/units.ts';
import { encodeBlock, sealBlock } from '../core/wire.ts';
import { handClock, type TestAgent, temporaryFolder, testAgent } from '../test/support/blocks.ts';
import type { JoinState } from './decode/auditd/join.ts';
import { compileRuleSet } from './detect/ruleset.ts';
import { REPLAY_END } from './ingest/replay.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import { type JournalBlock, JournalReader } from './journal/reader.ts';
import type { Event } from './model/event.ts';
import { FRAME_FLAGS } from './model/journal.ts';
import { makePass } from './pipeline.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let agent: TestAgent;
let clock: ReturnType<typeof handClock>;
beforeEach(async () => {
  folder = await temporaryFolder();
  agent = testAgent();
  clock = handClock();
  journal = await openJournal({ dir: folder.dir, collector: 'a', clock });
});
afterEach(async () => {
  await journal.close();
  await folder.remove();
});

const call = (serial: number): readonly string[] => [
  `type=SYSCALL msg=audit(1764000000.100:${serial}): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=${serial} uid=0 euid=0 comm="id" exe="/usr/bin/id"`,
  `type=EXECVE msg=audit(1764000000.100:${serial}): argc=2 a0="id" a1="-u"`,
  `type=CWD msg=audit(1764000000.100:${serial}): cwd="/"`,
  `type=PROCTITLE msg=audit(1764000000.100:${serial}): proctitle=6964`,
];

/** Appends lines as blocks of the sizes given. */
const append = async (
  lines: readonly string[],
  sizes: readonly number[],
  over: { cursor?: string; stream?: string; flags?: number } = {},
): Promise<void> => {
  const epoch = random128();
  let first = 1;
  let prev: string | null = null;
  let rest = lines;
  for (const [n, size] of sizes.entries()) {
    const records = rest
      .slice(0, size)
      .map((line, i) => ({ bytes: Buffer.from(line), readAt: unixMs(1_764_000_001_000), end: first + i, flags: 0 }));
    rest = rest.slice(size);
    const block = sealBlock(
      {
        agent: agent.id,
        host: 'h',
        stream: over.stream ?? 'file:/var/log/audit/audit.log',
        kind: 'lines',
        dataset: 'auditd',
        zone: 'UTC',
        epoch,
        at: unixMs(1_764_000_001_000),
        from: first,
        first,
        prev,
        ...(over.cursor !== undefined && n === sizes.length - 1 ? { cursor: over.cursor } : {}),
      },
      records,
      agent.signer,
    );
    await journal.append(block, encodeBlock(block), { agent: agent.id, flags: over.flags ?? 0, endOffset: first });
    first += size;
    prev = block.header.hash;
  }
};

const blocks = (): readonly JournalBlock[] =>
  new JournalReader(folder.dir).read(0, journal.end, 1 << 24).items.filter((item): item is JournalBlock => item.kind === 'block');

const run = (
  over: readonly JournalBlock[],
  joins: JoinState | null = null,
): { readonly events: Event[]; readonly joins: JoinState | null } => {
  const events: Event[] = [];
  const pass = makePass({ collector: 'a', ruleset: compileRuleSet([]), hostOf: () => undefined, joins });
  for (const block of over) pass.block(block, { event: (event) => void events.push(event) });
  return { events, joins: pass.joins() };
};
const shape = (event: Event) => [
  event['event.id'],
  event['vigil.seq'],
  event['vigil.seq_last'],
  event['event.original'],
  event['process.command_line'],
];

test('a pass that begins again at any block gives the events that it would have given', async () => {
  const lines = [1, 2, 3, 4, 5].flatMap(call);
  await append(lines, [1, 2, 4, 1, 6, 3, 3]);
  const all = blocks();
  const whole = run(all).events.map(shape);
  expect(whole).toHaveLength(5);
  expect(whole.map(([, first, last]) => [first, last])).toEqual([1, 5, 9, 13, 17].map((first) => [first, first + 3]));
  for (let cut = 0; cut <= all.length; cut++) {
    const before = run(all.slice(0, cut));
    const after = run(all.slice(cut), JSON.parse(JSON.stringify(before.joins)) as JoinState | null);
    expect([...before.events, ...after.events].map(shape), String(cut)).toEqual(whole);
  }
});

test('what waits is let go by any later frame of the journal, five seconds on', async () => {
  await append(call(1).slice(0, 3), [3]);
  expect(run(blocks())).toMatchObject({ events: [] });
  clock.advance(5_000);
  await append(['type=DAEMON_START msg=audit(1764000009.000:1): op=start'], [1], { stream: 'other' });
  const { events, joins } = run(blocks());
  expect(events.map((event) => event['vigil.seq_last'] ?? event['vigil.seq'])).toEqual([3, 1]);
  expect(joins).toBeNull();
});

test('the last block of a replay lets everything go', async () => {
  const flags = FRAME_FLAGS.replay | FRAME_FLAGS.received;
  await append([...call(1), ...call(2).slice(0, 2)], [3, 3], { cursor: REPLAY_END, flags });
  expect(run(blocks()).events.map((event) => event['vigil.seq_last'])).toEqual([4, 6]);
});
