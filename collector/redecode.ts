// SPDX-License-Identifier: Apache-2.0
/**
 * The worker that decodes a range of the journal again with today's decoders (river.md P5). Events only: what was raised stays raised.
 * Input: times of ingest between which blocks came in. Output: batches of a newer generation, in order; each waits until the one before is taken.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toError } from '../core/errors.ts';
import { minutes, type UnixMs, unixMs } from '../core/units.ts';
import { compileRuleSet } from './detect/ruleset.ts';
import { RowGathering } from './gather.ts';
import { type JournalBlock, type JournalItem, JournalReader } from './journal/reader.ts';
import type { HostView } from './model/agent.ts';
import type { Event } from './model/event.ts';
import { makePass } from './pipeline.ts';
import type { EventBatch } from './store/store.ts';

export interface RedecodeData {
  readonly journalDir: string;
  readonly collector: string;
  readonly generation: number;
  /** Ingest times: from inclusive, to exclusive. */
  readonly from: UnixMs;
  readonly to: UnixMs;
  /** Durable end of the journal. */
  readonly end: number;
  readonly hosts: readonly HostView[];
}

export type FromRedecode =
  /** The offsets that the times mean; null when no block came in between. */
  | { readonly kind: 'range'; readonly range: { readonly from: number; readonly to: number } | null }
  | { readonly kind: 'batch'; readonly batch: EventBatch; readonly at: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string };

export type ToRedecode = 'next';

const PART_BYTES = 1_048_576;
// Records of one event come in within seconds of each other: so much before and after is read with it, and only rows of the range are kept.
const AROUND_MS = minutes(1);

const main = parentPort as MessagePort;
const data = workerData as RedecodeData;
const tell = (message: FromRedecode, transfer: ArrayBuffer[] = []): void => main.postMessage(message, transfer);

const reader = new JournalReader(data.journalDir);

function* itemsFrom(begin: number): Generator<JournalItem> {
  for (let at = begin; at < data.end; ) {
    const { items, next } = reader.read(at, data.end, PART_BYTES);
    yield* items;
    if (next <= at) return;
    at = next;
  }
}

const blocksFrom = function* (begin: number): Generator<JournalBlock> {
  for (const item of itemsFrom(begin)) if (item.kind === 'block') yield item;
};

const hosts = new Map(data.hosts.map((host) => [host.key, host]));
const passOf = (generation: number) =>
  makePass({ collector: data.collector, ruleset: compileRuleSet([]), hostOf: (key) => hosts.get(key), generation });

/** Offsets of the range, and where reading begins so that joins are whole. A clock that went back widens the range. */
const findRange = (): { readonly from: number; readonly to: number; readonly warm: number } | null => {
  let warm: number | null = null;
  let from: number | null = null;
  let to = 0;
  for (const { at, offset, end } of blocksFrom(reader.before(unixMs(data.from - AROUND_MS)))) {
    if (at >= data.from - AROUND_MS) warm ??= offset;
    if (at >= data.from && at < data.to) {
      from ??= offset;
      to = end;
    }
    if (at >= data.to + AROUND_MS) break;
  }
  if (from === null) return null;
  // What still waits for records at the journal's end is stored later, by the pass, and must not be hidden then.
  to = Math.min(to, firstOpen());
  return to <= from ? null : { from, to, warm: warm ?? from };
};

/** Offset of the first record that waits for others at the journal's end; infinite when none does. */
const firstOpen = (): number => {
  let newest = 0;
  for (const { at } of blocksFrom(reader.before(unixMs(Number.MAX_SAFE_INTEGER)))) newest = Math.max(newest, at);
  const pass = passOf(1);
  for (const block of blocksFrom(reader.before(unixMs(newest - AROUND_MS)))) if (block.at >= newest - AROUND_MS) pass.block(block, {});
  return Math.min(...(pass.joins()?.open.flat() ?? []).map(({ from }) => from.offset));
};

const run = async (): Promise<void> => {
  let next = Promise.withResolvers<void>();
  main.on('message', () => next.resolve());
  const range = findRange();
  tell({ kind: 'range', range });
  if (range !== null) {
    const pass = passOf(data.generation);
    let rows: RowGathering | null = null;
    const send = async (): Promise<void> => {
      const batch = rows?.take();
      if (!batch) return;
      next = Promise.withResolvers<void>();
      tell({ kind: 'batch', batch, at: batch.range.to }, [batch.ndjson.buffer as ArrayBuffer]);
      await next.promise;
    };
    const add = (event: Event): void => {
      const offset = event['vigil.journal.offset'] ?? -1;
      if (offset >= range.from && offset < range.to) rows?.add(event);
    };
    for (const item of itemsFrom(range.warm)) {
      if (item.offset >= range.to && pass.joins() === null) break;
      if (item.kind === 'block' && item.offset >= range.to && item.at >= data.to + AROUND_MS) {
        pass.block(item, { event: add });
        break;
      }
      const inside = item.offset >= range.from && item.offset < range.to;
      if (inside && (rows === null || rows.span.incarnation !== item.incarnation)) {
        // A range belongs to one incarnation.
        await send();
        rows = new RowGathering({ collector: data.collector, from: item.offset }, item.incarnation, data.generation);
      }
      if (item.kind === 'block') pass.block(item, { event: add });
      if (inside) rows?.span.reached(item.end);
      // What a join lets go behind the range goes out with the range's last batch.
      if (inside && rows?.full && item.end < range.to) await send();
    }
    await send();
  }
  tell({ kind: 'done' });
  main.close();
};

await run().catch((error: unknown) => {
  tell({ kind: 'failed', reason: toError(error).message });
  main.close();
});
