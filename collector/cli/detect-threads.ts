// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil detect --threads N`: one file cut at line ends, a part for each worker thread, answers put together in order.
 * Input: the options of the command. Output: the same lines as one thread gives.
 */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { makeDetector } from '../detect/detect.ts';
import { readRuleFolders } from '../detect/folder.ts';
import { compileRuleSet } from '../detect/ruleset.ts';
import type { SourceDeclaration } from '../detect/source.ts';
import { fault } from '../errors.ts';
import { unreadable } from '../ingest/lines.ts';
import { type DetectIo, type DetectOptions, type DetectTotals, detectStream } from './detect.ts';

interface Task {
  readonly rules: readonly string[];
  readonly events: string;
  readonly logsource: 'auto' | 'strict' | 'any';
  readonly sources: readonly SourceDeclaration[];
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

interface Part {
  readonly totals: DetectTotals;
  readonly text: string;
}

const MAX_THREADS = 64;

/** @throws CodedError FILE_UNREADABLE. */
export const detectThreads = async (options: DetectOptions, io: Pick<DetectIo, 'out' | 'err'>): Promise<DetectTotals> => {
  const ranges = await cutAtLines(options.events, Math.min(MAX_THREADS, options.threads ?? 1));
  const parts = await Promise.all(
    ranges.map(([start, end]) =>
      runPart({
        rules: options.rules,
        events: options.events,
        logsource: options.logsource ?? 'auto',
        sources: options.sources ?? [],
        start,
        end,
      }),
    ),
  );
  const totals: DetectTotals = { events: 0, bad: 0, matches: 0 };
  for (const part of parts) {
    const before = totals.events;
    io.out(part.text.replace(/^\{"event":(\d+)/gm, (_, n: string) => `{"event":${Number(n) + before}`));
    totals.events += part.totals.events;
    totals.bad += part.totals.bad;
    totals.matches += part.totals.matches;
  }
  if (totals.bad > 0) io.err(`${totals.bad} events are no JSON objects and were passed over\n`);
  return totals;
};

/** Byte ranges that begin after a line end, about equally long. */
const cutAtLines = async (file: string, count: number): Promise<readonly (readonly [number, number])[]> => {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file);
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
  try {
    const { size } = await handle.stat();
    const cuts = [0];
    const buffer = Buffer.alloc(65_536);
    for (let i = 1; i < count; i++) {
      let at = Math.max(Math.floor((size * i) / count), cuts.at(-1) as number);
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
        const newline = buffer.subarray(0, bytesRead).indexOf(10);
        at += newline < 0 ? bytesRead : newline + 1;
        if (newline >= 0 || bytesRead === 0) break;
      }
      if (at > (cuts.at(-1) as number) && at < size) cuts.push(at);
    }
    return cuts.map((start, i) => [start, (cuts[i + 1] ?? size) - 1] as const).filter(([start, end]) => end >= start);
  } finally {
    await handle.close();
  }
};

const runPart = (task: Task): Promise<Part> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
    worker.once('message', (part: Part) => resolve(part));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(fault('FILE_UNREADABLE', { file: task.events, reason: `a worker ended with ${code}` })));
  });

const work = async (task: Task): Promise<Part> => {
  const detector = makeDetector(compileRuleSet(await readRuleFolders(task.rules)), { logsource: task.logsource, sources: task.sources });
  const pieces: string[] = [];
  const stream = createReadStream(task.events, { start: task.start, end: task.end, highWaterMark: 1_048_576, encoding: 'utf8' });
  const totals = await detectStream(detector, stream as unknown as AsyncIterable<string>, {
    out: (text) => pieces.push(text),
    err: () => {},
  });
  return { totals, text: pieces.join('') };
};

if (
  !isMainThread &&
  parentPort &&
  workerData !== null &&
  typeof workerData === 'object' &&
  'rules' in workerData &&
  'start' in workerData
) {
  const port = parentPort;
  port.postMessage(await work(workerData as Task));
}
