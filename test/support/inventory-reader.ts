// SPDX-License-Identifier: Apache-2.0
/**
 * Takes inventory of a scratch tree as the agent does, without a spool: what is sealed is durable, a crash forgets the rest.
 * Input: a folder for the tree, a hand-moved clock. Output: the facts told so far, in order.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { INVENTORY_STREAM, Inventory, type InventoryOptions } from '../../agent/source/inventory/inventory.ts';
import { type Fact, factText, parseFact } from '../../core/fact.ts';
import { hours } from '../../core/units.ts';
import { type HandClock, handClock } from './hand-clock.ts';

export interface InventoryReader {
  readonly root: string;
  readonly clock: HandClock;
  readonly source: Inventory;
  readonly facts: Fact[];
  /** Writes a file of the tree. */
  put(path: string, content: string | Uint8Array): void;
  /** Lets a scan that is due happen; what it tells waits. */
  scan(): Promise<void>;
  /** Takes all that waits and answers it; `seal` makes it durable. */
  take(seal?: boolean): readonly Fact[];
  /** The time passes, a scan happens, what it tells is durable. */
  after(spanMs: number): Promise<readonly Fact[]>;
  /** Ends without a word, as a crash does, and begins again. */
  restart(resume?: string): Promise<void>;
  problems(): readonly string[];
}

export const inventoryReader = async (more: Partial<InventoryOptions> = {}): Promise<InventoryReader> => {
  const dir = mkdtempSync(join(tmpdir(), 'vigil-inventory-'));
  const root = join(dir, 'tree');
  mkdirSync(root);
  const clock = handClock();
  const open = (): Inventory =>
    new Inventory({ clock, folder: join(dir, 'inventory'), root, intervalMs: hours(1), onWake: () => undefined, ...more });
  let source = open();
  await source.open(() => undefined);
  const facts: Fact[] = [];
  const scans = (): number => source.progress()[0]?.counts['scans'] ?? 0;
  const reader: InventoryReader = {
    root,
    clock,
    get source() {
      return source;
    },
    facts,
    put: (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    scan: async () => {
      const before = scans();
      source.poll();
      // A scan gives way to everything else by turns of the event loop, never by time.
      for (let turns = 0; scans() === before && turns < 20_000; turns++) await new Promise((resolve) => setImmediate(resolve));
    },
    take: (seal = true) => {
      const taken: Fact[] = [];
      for (let batch = source.next(); batch; batch = source.next()) {
        for (const { bytes } of batch.records) taken.push(factOf(Buffer.from(bytes).toString()));
        source.commit();
      }
      if (seal) source.sealed();
      facts.push(...taken);
      return taken;
    },
    after: async (spanMs) => {
      clock.advance(spanMs);
      await reader.scan();
      return reader.take();
    },
    restart: async (resume = '1') => {
      await source.close();
      source = open();
      await source.open((stream) => (stream === INVENTORY_STREAM && resume !== '' ? resume : undefined));
    },
    problems: () => source.problems().map(({ code, about, reason }) => `${code} ${about}: ${reason}`),
  };
  return reader;
};

/** What arrives must be what was told: a field that is not known there would fall away, and the checksum with it. */
const factOf = (text: string): Fact => {
  const fact = parseFact(text);
  if (fact === null || factText(fact) !== text) throw new Error(`no fact as it should be: ${text}`);
  return fact;
};
