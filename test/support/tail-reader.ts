// SPDX-License-Identifier: Apache-2.0
/**
 * Reads files as the agent does, without a spool: what is committed is durable, a crash forgets the rest.
 * Input: paths, a hand-moved clock. Output: the lines read so far, in order.
 */
import type { Batch } from '../../agent/source/source.ts';
import { parseMultiline } from '../../agent/source/tail/multiline.ts';
import { Tail, type TailOptions } from '../../agent/source/tail/tail.ts';
import type { SourceRecord } from '../../core/record.ts';
import { type HandClock, handClock } from './hand-clock.ts';

export interface ReadLine extends Omit<SourceRecord, 'bytes'> {
  readonly text: string;
  readonly stream: string;
}

export interface TailReader {
  readonly clock: HandClock;
  readonly tail: Tail;
  readonly records: readonly ReadLine[];
  readonly batches: readonly Omit<Batch, 'records'>[];
  /** Texts of all records. */
  readonly lines: readonly string[];
  /** A second passes; everything that can be read is. */
  read(): void;
  /** Reads until so many lines are there; packed files take real time. */
  readUntil(count: number): Promise<readonly string[]>;
  /** A minute passes; new and failed files are looked for. */
  rescan(): Promise<void>;
  start(): Promise<void>;
  /** Stops without a word, as a crash does. */
  stop(): Promise<void>;
}

export const tailReader = (
  paths: readonly string[],
  more: Partial<TailOptions> & { readonly multiline?: readonly string[] } = {},
): TailReader => {
  const clock = handClock();
  const resume = new Map<string, string>();
  const records: ReadLine[] = [];
  const batches: Omit<Batch, 'records'>[] = [];
  const open = (): Tail =>
    new Tail({
      clock,
      from: '/',
      paths,
      exclude: [],
      usual: false,
      rules: (more.multiline ?? []).map(parseMultiline),
      refuse: [],
      watch: false,
      onWake: () => undefined,
      ...more,
    });
  let tail = open();
  const reader: TailReader = {
    clock,
    get tail() {
      return tail;
    },
    records,
    batches,
    get lines() {
      return records.map(({ text }) => text);
    },
    read: () => {
      clock.advance(1_000);
      tail.poll();
      for (let batch = tail.next(); batch; batch = tail.next()) {
        const { records: list, ...rest } = batch;
        for (const { bytes, readAt, end, flags } of list)
          records.push({ text: Buffer.from(bytes).toString('latin1'), stream: batch.stream, readAt, end, flags });
        batches.push(rest);
        resume.set(batch.stream, batch.resume);
        tail.commit();
      }
    },
    readUntil: async (count) => {
      const end = performance.now() + 5_000;
      do {
        reader.read();
        await new Promise((resolve) => setImmediate(resolve));
      } while (records.length < count && performance.now() < end);
      return reader.lines;
    },
    rescan: async () => {
      clock.advance(60_000);
      await tail.rescan();
    },
    start: async () => {
      tail = open();
      await tail.open((stream) => resume.get(stream));
    },
    stop: () => tail.close(),
  };
  return reader;
};
