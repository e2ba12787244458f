// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `journal`: blocks of 64, 256 and 1,024 lines sealed, verified and journaled by twenty connections that share fsyncs.
 * Input: a synthetic auth log. Output: a table and one JSON line with events/s, CPU-s per million, p50 and p99 of acks and of fdatasync.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admission } from '../collector/ingest/admit.ts';
import { openQuarantine } from '../collector/ingest/quarantine.ts';
import { receiveBlocks } from '../collector/ingest/receive.ts';
import { verifyBlock } from '../collector/ingest/verify.ts';
import { openJournal } from '../collector/journal/journal.ts';
import { JournalReader } from '../collector/journal/reader.ts';
import type { Agent, AgentDirectory } from '../collector/model/agent.ts';
import { systemClock } from '../core/clock.ts';
import { systemFiles } from '../core/files.ts';
import { makeId, random128 } from '../core/ids.ts';
import type { Block } from '../core/protocol.ts';
import type { SourceRecord } from '../core/record.ts';
import { generateSigner } from '../core/sign.ts';
import { unixMs } from '../core/units.ts';
import { decodeBlock, encodeBlock, encodeRequest, sealBlock } from '../core/wire.ts';

const CONNECTIONS = 20;
const EVENTS = 300_000;
const SIZES = [64, 256, 1_024];
const RUNS = 3;

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
const quantile = (sorted: Float64Array, q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
const cpuSeconds = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

const lineOf = (n: number): Buffer =>
  Buffer.from(
    `Nov 24 ${String(n % 24).padStart(2, '0')}:14:${String(n % 60).padStart(2, '0')} bastion sshd[${4_000 + (n % 900)}]: Failed password for ` +
      `invalid user admin${n % 97} from 203.0.${n % 256}.${(n * 7) % 256} port ${1_024 + ((n * 31) % 60_000)} ssh2: publickey ` +
      `SHA256:${((n * 2_654_435_761) >>> 0).toString(36)}${((n * 40_503) >>> 0).toString(36)} client=OpenSSH_9.${n % 10} session=${n} pam=unix rhost=203.0.113.${n % 256}`,
  );

interface Sender {
  readonly agent: Agent;
  readonly requests: Uint8Array[];
  readonly blocks: Block[];
}

const run = async (lines: number) => {
  const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-journal-'));
  const syncs: number[] = [];
  // The real file, its fdatasync timed.
  const timed = (async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    const real = file.datasync.bind(file);
    Object.defineProperty(file, 'datasync', {
      value: async () => {
        const begun = performance.now();
        await real();
        syncs.push(performance.now() - begun);
      },
    });
    return file;
  }) as typeof open;

  const perSender = Math.ceil(EVENTS / lines / CONNECTIONS);
  let cpu = process.cpuUsage();
  let begun = performance.now();
  let bytes = 0;
  const senders: Sender[] = Array.from({ length: CONNECTIONS }, (_, c) => {
    const signer = generateSigner();
    const id = makeId('agt');
    const epoch = random128();
    const key = { key: signer.publicKey, since: unixMs(0), serials: [], notAfter: unixMs(1e14) };
    const agent: Agent = {
      id,
      asset: makeId('ast'),
      host: `h${c}`,
      group: 'g',
      state: 'active',
      keys: [key],
      token: makeId('tok'),
      enrolledAt: unixMs(0),
      zone: 'UTC',
      version: '0',
      local: false,
    };
    const blocks: Block[] = [];
    let prev: string | null = null;
    for (let b = 0; b < perSender; b++) {
      const records: SourceRecord[] = Array.from({ length: lines }, (_, i) => {
        const line = lineOf((c * perSender + b) * lines + i);
        bytes += line.length;
        return { bytes: line, readAt: unixMs(1_700_000_000_000), end: 0, flags: 0 };
      });
      const first = b * lines + 1;
      const draft = {
        agent: id,
        host: agent.host,
        stream: 'file:/var/log/auth.log',
        kind: 'lines',
        dataset: 'syslog',
        zone: 'UTC',
      } as const;
      const block = sealBlock({ ...draft, epoch, from: 0, first, prev }, records, signer);
      prev = block.header.hash;
      blocks.push(block);
    }
    return { agent, blocks, requests: blocks.map((block) => encodeRequest({ v: 1, journal: null, blocks: 1 }, [encodeBlock(block)])) };
  });
  const events = perSender * CONNECTIONS * lines;
  const seal = { perSecond: events / ((performance.now() - begun) / 1_000), cpu: cpuSeconds(cpu) / (events / 1e6) };

  const keys = new Set(senders[0]!.agent.keys.map(({ key }) => key));
  const own = senders[0]!.blocks.map((block) => decodeBlock(encodeBlock(block)));
  cpu = process.cpuUsage();
  begun = performance.now();
  for (const block of own) await verifyBlock(block, senders[0]!.agent.id, keys);
  const verified = perSender * lines;
  const verify = { perSecond: verified / ((performance.now() - begun) / 1_000), cpu: cpuSeconds(cpu) / (verified / 1e6) };

  const agents = new Map(senders.map(({ agent }) => [agent.id, agent]));
  const directory: AgentDirectory = {
    find: (id) => agents.get(id),
    assetOf: () => undefined,
    seen: () => undefined,
    heartbeat: () => undefined,
  };
  const journal = await openJournal({
    dir: join(dir, 'journal'),
    collector: 'bench',
    clock: systemClock,
    files: { ...systemFiles, open: timed },
  });
  const quarantine = await openQuarantine({ dir: join(dir, 'quarantine'), clock: systemClock });
  const parts = {
    journal,
    directory,
    quarantine,
    admission: new Admission({ clock: systemClock, burstBytes: 2 ** 40 }),
    notices: { say: () => undefined },
    clock: systemClock,
    told: new Map(),
  };
  const acks: number[] = [];
  syncs.length = 0;
  cpu = process.cpuUsage();
  begun = performance.now();
  await Promise.all(
    senders.map(async ({ agent, requests }) => {
      const identity = { agent: agent.id, key: agent.keys[0]!.key };
      for (const request of requests) {
        const sent = performance.now();
        const answer = await receiveBlocks(request, identity, parts);
        if (answer.kind !== 'answers' || answer.answers[0]?.result !== 'accepted') throw new Error('a block was not accepted');
        acks.push(performance.now() - sent);
      }
    }),
  );
  const receive = { perSecond: events / ((performance.now() - begun) / 1_000), cpu: cpuSeconds(cpu) / (events / 1e6) };
  const commits = journal.status().commits;
  const journalBytes = journal.end;

  begun = performance.now();
  const reader = new JournalReader(journal.dir);
  let read = 0;
  for (let at = 0; at < journal.end; ) {
    const part = reader.read(at, journal.end);
    for (const item of part.items) if (item.kind === 'block') read++;
    at = part.next;
  }
  if (read !== perSender * CONNECTIONS) throw new Error(`${read} blocks were read back`);
  const readMb = journalBytes / 1e6 / ((performance.now() - begun) / 1_000);
  await journal.close();
  begun = performance.now();
  const again = await openJournal({ dir: join(dir, 'journal'), collector: 'bench', clock: systemClock });
  const startMs = performance.now() - begun;
  await again.close();
  await quarantine.close();
  rmSync(dir, { recursive: true, force: true });
  const sortedAcks = Float64Array.from(acks).sort();
  const sortedSyncs = Float64Array.from(syncs).sort();
  return {
    seal: seal.perSecond,
    verify: verify.perSecond,
    receive: receive.perSecond,
    cpu: receive.cpu,
    ackP50: quantile(sortedAcks, 0.5),
    ackP99: quantile(sortedAcks, 0.99),
    syncP50: quantile(sortedSyncs, 0.5),
    syncP99: quantile(sortedSyncs, 0.99),
    blocksPerCommit: (perSender * CONNECTIONS) / commits,
    bytesPerEvent: journalBytes / events,
    lineBytes: bytes / events,
    readMb,
    startMs,
  };
};

const ours: Record<string, Record<string, number>> = {};
const rows: string[][] = [];
for (const lines of SIZES) {
  const runs: Awaited<ReturnType<typeof run>>[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await run(lines));
  const of = (name: keyof (typeof runs)[number]): number => median(runs.map((one) => one[name]));
  const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
  rows.push([
    String(lines),
    whole(of('seal')),
    whole(of('verify')),
    whole(of('receive')),
    of('cpu').toFixed(1),
    `${of('ackP50').toFixed(1)} / ${of('ackP99').toFixed(1)}`,
    `${of('syncP50').toFixed(2)} / ${of('syncP99').toFixed(2)}`,
    of('blocksPerCommit').toFixed(1),
    of('bytesPerEvent').toFixed(1),
    whole(of('readMb')),
    whole(of('startMs')),
  ]);
  ours[`lines${lines}`] = {
    sealEventsPerSecond: Math.round(of('seal')),
    verifyEventsPerSecond: Math.round(of('verify')),
    receiveEventsPerSecond: Math.round(of('receive')),
    receiveCpuSecondsPerMillion: Number(of('cpu').toFixed(2)),
    ackP50Ms: Number(of('ackP50').toFixed(2)),
    ackP99Ms: Number(of('ackP99').toFixed(2)),
    fdatasyncP50Ms: Number(of('syncP50').toFixed(3)),
    fdatasyncP99Ms: Number(of('syncP99').toFixed(3)),
    blocksPerCommit: Number(of('blocksPerCommit').toFixed(1)),
    journalBytesPerEvent: Number(of('bytesPerEvent').toFixed(1)),
    lineBytes: Math.round(of('lineBytes')),
    readMegabytesPerSecond: Math.round(of('readMb')),
    startMs: Math.round(of('startMs')),
  };
}
const head = [
  'lines a block',
  'seal/s',
  'verify/s',
  'receive/s',
  'CPU-s/M',
  'ack ms p50/p99',
  'fdatasync ms p50/p99',
  'blocks/commit',
  'bytes/event',
  'read MB/s',
  'start ms',
];
const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
for (const row of [head, ...rows]) process.stdout.write(`${row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')}\n`);
process.stdout.write(
  `synthetic auth log, ${EVENTS.toLocaleString('en-US')} events a run, ${CONNECTIONS} connections, medians of ${RUNS}; seal is the agent's part, one thread\n`,
);
process.stdout.write(`${JSON.stringify({ lane: 'journal', ours })}\n`);
