// SPDX-License-Identifier: Apache-2.0
/**
 * Lane `query`: questions analysts ask, over `--events` (default 2,000,000) stored events of seven days; medians of `--runs` (7).
 * Input: none, or `--keep DIR` to fill a store once and ask it again. Output: a table and one JSON line. Synthetic events.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from '../collector/query/parse.ts';
import { openEvents } from '../collector/store/embedded/events.ts';
import { eventBatch } from '../collector/store/schema.ts';
import type { EventQuery } from '../collector/store/store.ts';
import { unixMs } from '../core/units.ts';
import { logEvents } from './support/log-events.ts';
import { cpuOf } from './support/process.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '2000000' }, runs: { type: 'string', default: '7' }, keep: { type: 'string' } },
});
const total = Number(values.events);
const runs = Number(values.runs);
const END = Date.UTC(2026, 10, 24);
const START = END - 7 * 86_400_000;
const HOUR = 3_600_000;

const dir = values.keep ?? mkdtempSync(join(tmpdir(), 'vigil-bench-'));
const filled = existsSync(join(dir, 'manifest.db'));
const store = await openEvents({ dir });
const source = logEvents(1, total, START, END);
const ids: string[] = [];
let from = 0;
for (let done = 0; done < total; done += 10_000) {
  const events = source.next(Math.min(10_000, total - done));
  ids.push(String(events[17]?.['event.id']));
  const to = source.offset();
  if (!filled) await store.append(eventBatch({ collector: 'collector-1', incarnation: 'i', from, to }, 1, events));
  from = to;
}
if (!filled) {
  await store.flush();
  await store.merge(2);
}

const query = (kql: string, since = START, until = END): EventQuery => {
  const parsed = kql === '' ? null : parse(kql);
  if (parsed?.kind === 'failed') throw new Error(parsed.problem.message);
  return { where: parsed === null ? { kind: 'all' } : parsed.node, from: unixMs(since), to: unixMs(until) };
};
const host = 'harbour-1';

/** Name, question, how many it found. */
const QUESTIONS: readonly (readonly [string, () => Promise<number>])[] = [
  ['rare word, newest 100', async () => (await store.search(query('needle7'), { limit: 100 })).events.length],
  ['absent word, newest 100', async () => (await store.search(query('needlenever'), { limit: 100 })).events.length],
  ['common word, count', async () => (await store.count(query('Failed'))).count],
  ['common word, newest 100', async () => (await store.search(query('Failed'), { limit: 100 })).events.length],
  ['field = value, last hour, count', async () => (await store.count(query('process.name: sshd', END - HOUR))).count],
  [
    'field = value, last hour, newest 100',
    async () => (await store.search(query('process.name: sshd', END - HOUR), { limit: 100 })).events.length,
  ],
  ['top 10 of source.ip', async () => (await store.top(query(''), 'source.ip', 10)).length],
  ['histogram by hour', async () => (await store.histogram(query(''), 168)).length],
  ['substring, count', async () => (await store.count(query('"xpired aft"'))).count],
  ['address range, count', async () => (await store.count(query('source.ip: 198.18.7.0/24'))).count],
  ['exact id', async () => (await store.get([ids[ids.length >> 1] as string])).length],
  ['a week of one host, newest 100', async () => (await store.search(query(`host.name: ${host}`), { limit: 100 })).events.length],
  ['a week of one host, failures, count', async () => (await store.count(query(`host.name: ${host} and event.outcome: failure`))).count],
  ['value suggestions for user.name', async () => (await store.top(query('user.name: led*'), 'user.name', 10)).length],
  ['which fields occur, last hour', async () => (await store.fields(query('', END - HOUR))).length],
];

const medians: Record<string, { readonly medianMs: number; readonly firstMs: number; readonly cpuMs: number; readonly found: number }> = {};
for (const [name, ask] of QUESTIONS) {
  const times: number[] = [];
  let found = 0;
  const cpu = cpuOf(store.enginePid() as number);
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    found = await ask();
    times.push(performance.now() - start);
  }
  const first = times[0] as number;
  const median = times.toSorted((a, b) => a - b)[runs >> 1] as number;
  // Wall time on a shared machine means little; the engine's own time tells what a quiet one would show.
  const cpuMs = Number((((cpuOf(store.enginePid() as number) - cpu) / runs) * 1000).toFixed(0));
  medians[name] = { medianMs: Number(median.toFixed(1)), firstMs: Number(first.toFixed(1)), cpuMs, found };
  process.stdout.write(
    `${name.padEnd(38)} ${median.toFixed(1).padStart(8)} ms   first ${first.toFixed(1).padStart(8)}   cpu ${String(cpuMs).padStart(5)}   ${found}\n`,
  );
}
const status = await store.status();
await store.close();
if (values.keep === undefined) rmSync(dir, { recursive: true, force: true });
const ours = {
  events: status.events,
  files: status.files,
  bytesPerEvent: Number((status.bytes / status.events).toFixed(1)),
  medians,
  synthetic: true,
};
process.stdout.write(`${JSON.stringify({ lane: 'query', ours })}\n`);
