// SPDX-License-Identifier: Apache-2.0
/**
 * Decoding a range again: rows of the range and no others, joins whole over its borders, nothing of what still waits at the journal's end.
 * Input: a real journal with an audit event that lies in two blocks. Output: claims about the worker's batches.
 */
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type UnixMs, unixMs } from '../core/units.ts';
import { encodeBlock, sealBlock } from '../core/wire.ts';
import { handClock, temporaryFolder, testAgent } from '../test/support/blocks.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import type { FromRedecode, RedecodeData } from './redecode.ts';

const START = Date.UTC(2026, 10, 24, 9);
const agent = testAgent();
const clock = handClock(START);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let journal: Journal;
let seq = 1;
let prev: string | null = null;
const offsets: number[] = [];

const append = async (lines: readonly string[]): Promise<void> => {
  const block = sealBlock(
    {
      agent: agent.id,
      host: 'bastion',
      stream: 'file:/var/log/audit/audit.log',
      kind: 'lines',
      dataset: 'auditd',
      zone: 'UTC',
      from: 0,
      epoch: 'a'.repeat(32),
      first: seq,
      prev,
    },
    lines.map((line, i) => ({ bytes: Buffer.from(line), readAt: clock.now(), end: seq + i, flags: 0 })),
    agent.signer,
  );
  seq += lines.length;
  prev = block.header.hash;
  const { offset } = await journal.append(block, encodeBlock(block), { agent: agent.id, flags: 0, endOffset: seq });
  offsets.push(offset);
};

const at = (serial: number): string => `msg=audit(${START / 1000}.100:${serial})`;
const login = (serial: number): string =>
  `type=USER_LOGIN ${at(serial)}: pid=1 uid=0 auid=1000 ses=1 msg='op=login acct="anna" exe="/usr/sbin/sshd" hostname=h addr=192.0.2.1 terminal=ssh res=success'`;
const call = (serial: number): readonly [string, string, string] => [
  `type=SYSCALL ${at(serial)}: arch=c000003e syscall=59 success=yes exit=0 items=1 ppid=1 pid=99 auid=1000 uid=1000 euid=0 comm="nc" exe="/usr/bin/nc"`,
  `type=EXECVE ${at(serial)}: argc=2 a0="nc" a1="-e"`,
  `type=PROCTITLE ${at(serial)}: proctitle=6E63002D65`,
];

beforeAll(async () => {
  folder = await temporaryFolder();
  journal = await openJournal({ dir: folder.dir, collector: 'c1', clock });
  await append([login(1), login(2)]);
  clock.advance(10_000);
  await append([login(3), call(4)[0]]);
  clock.advance(1_000);
  await append([call(4)[1], call(4)[2]]);
  clock.advance(60_000);
  await append([login(5)]);
  clock.advance(1_000);
  await append([login(6), call(7)[0]]);
});
afterAll(async () => {
  await journal.close();
  await folder.remove();
});

interface Found {
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly rows: readonly Record<string, unknown>[];
}

/** What the worker makes of what came in between two moments, in seconds from the start. */
const again = (from: number, to: number): Promise<Found> => {
  const data: RedecodeData = {
    journalDir: folder.dir,
    collector: 'c1',
    generation: 2,
    from: unixMs(START + from * 1000),
    to: unixMs(START + to * 1000) as UnixMs,
    end: journal.end,
    hosts: [],
  };
  const worker = new Worker(new URL('./redecode.ts', import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => {
    let range: Found['range'] = null;
    const rows: Record<string, unknown>[] = [];
    worker.on('error', reject);
    worker.on('message', (message: FromRedecode) => {
      if (message.kind === 'range') range = message.range;
      else if (message.kind === 'failed') reject(new Error(message.reason));
      else if (message.kind === 'done') resolve({ range, rows });
      else {
        const lines = Buffer.from(message.batch.ndjson).toString().split('\n').filter(Boolean);
        rows.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
        expect(message.batch.rows).toBe(lines.length);
        worker.postMessage('next');
      }
    });
  });
};
const offsetsOf = ({ rows }: Found): readonly unknown[] => rows.map((row) => row['vigil.journal.offset']);

describe('a range decoded again', () => {
  it('holds the rows of its blocks, of the newer generation', async () => {
    const found = await again(0, 1);
    expect(offsetsOf(found)).toEqual([offsets[0], offsets[0]]);
    expect(found.rows.map((row) => row['vigil.journal.generation'])).toEqual([2, 2]);
  });

  it('has an event whole that began in it and ended behind it', async () => {
    const found = await again(9, 10.5);
    expect(offsetsOf(found)).toEqual([offsets[1], offsets[1]]);
    expect(found.rows[1]).toMatchObject({ 'process.name': 'nc', 'vigil.seq_last': 6 });
    expect(String(found.rows[1]?.['event.original']).split('\n')).toHaveLength(3);
  });

  it('makes no event of the rest of one that began before it', async () => {
    const found = await again(10.5, 12);
    expect(found.range).toMatchObject({ from: offsets[2], to: offsets[3] });
    expect(found.rows).toEqual([]);
  });

  it('leaves what still waits for records at the journal’s end to the pass', async () => {
    const found = await again(0, 3600);
    expect(found.range).toMatchObject({ from: offsets[0], to: offsets[4] });
    expect(offsetsOf(found)).toEqual([offsets[0], offsets[0], offsets[1], offsets[1], offsets[3]]);
  });

  it('is empty where nothing came in', async () => {
    expect(await again(20, 30)).toEqual({ range: null, rows: [] });
    expect(await again(-100, -50)).toEqual({ range: null, rows: [] });
  });
});
