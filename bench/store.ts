// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `store`: how fast decoded events become searchable, at which cost, and how many bytes they take.
 * Input: `--events` (default 600,000), `--batch` (5,000). Output: a table and one JSON line. Synthetic events.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEvents } from '../collector/store/embedded/events.ts';
import { eventBatch } from '../collector/store/schema.ts';
import type { EventBatch } from '../collector/store/store.ts';
import { logEvents } from './support/log-events.ts';
import { cpuOf, peakRss } from './support/process.ts';

const { values } = parseArgs({ options: { events: { type: 'string', default: '600000' }, batch: { type: 'string', default: '5000' } } });
const total = Number(values.events);
const perBatch = Number(values.batch);
const END = Date.UTC(2026, 10, 24);

const cpuHere = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const source = logEvents(1, total, END - 86_400_000, END);
const dir = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
const store = await openEvents({ dir });
const pid = store.enginePid() as number;
let from = 0;
let ndjson = 0;
let original = 0;
let serialise = 0;
let parent = 0;
let wall = 0;
const lag: number[] = [];

// Batches are made ahead in chunks, so that the time of making events counts nowhere.
for (let done = 0; done < total; ) {
  const batches: EventBatch[] = [];
  for (; batches.length < 40 && done < total; done += perBatch) {
    const events = source.next(Math.min(perBatch, total - done));
    for (const event of events) original += event['event.original']?.length ?? 0;
    const to = source.offset();
    const before = cpuHere();
    batches.push(eventBatch({ collector: 'collector-1', incarnation: 'i', from, to }, 1, events));
    serialise += cpuHere() - before;
    from = to;
  }
  const cpu = cpuHere();
  const start = performance.now();
  const flying = new Set<Promise<void>>();
  for (const batch of batches) {
    ndjson += batch.ndjson.length;
    const sent = performance.now();
    const flight = store.append(batch).then(() => {
      lag.push(performance.now() - sent);
      flying.delete(flight);
    });
    flying.add(flight);
    if (flying.size >= 3) await Promise.race(flying);
  }
  await Promise.all(flying);
  wall += performance.now() - start;
  parent += cpuHere() - cpu;
}
await store.flush();
const child = cpuOf(pid);
const before = await store.status();
const merging = performance.now();
await store.merge(2);
const mergeCpu = cpuOf(pid) - child;
const after = await store.status();
const perMillion = (seconds: number): number => Number(((seconds / total) * 1e6).toFixed(2));
lag.sort((a, b) => a - b);
const ours = {
  events: total,
  eventsPerSecond: Math.round((total / wall) * 1000),
  p50Ms: Math.round(lag[lag.length >> 1] ?? 0),
  p99Ms: Math.round(lag[Math.floor(lag.length * 0.99)] ?? 0),
  cpuPerMillion: { serialise: perMillion(serialise), parent: perMillion(parent), engine: perMillion(child), merge: perMillion(mergeCpu) },
  enginePeakRssMb: Math.round(peakRss(pid) / 1e6),
  ndjsonBytesPerEvent: Math.round(ndjson / total),
  originalBytesPerEvent: Math.round(original / total),
  bytesPerEventSealed: Number((before.bytes / total).toFixed(1)),
  bytesPerEvent: Number((after.bytes / total).toFixed(1)),
  ratio: Number((ndjson / after.bytes).toFixed(1)),
  files: [before.files, after.files],
  mergeMs: Math.round(performance.now() - merging),
  synthetic: true,
};
await store.close();
rmSync(dir, { recursive: true, force: true });
for (const [name, value] of Object.entries(ours))
  process.stdout.write(`${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : value}\n`);
process.stdout.write(`${JSON.stringify({ lane: 'store', ours })}\n`);
