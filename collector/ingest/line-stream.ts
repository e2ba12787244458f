// SPDX-License-Identifier: Apache-2.0
/**
 * A stream that the collector itself seals: its notices, and lines that come through other doors (river.md X1).
 * Input: lines, one by one. Output: blocks signed by the collector's key in the journal, within a second; nothing is lost while the disk fails.
 */
import type { Clock } from '../../core/clock.ts';
import { type AgentId, random128 } from '../../core/ids.ts';
import { type Block, LIMITS } from '../../core/protocol.ts';
import { LINE_LIMIT_BYTES, type SourceRecord } from '../../core/record.ts';
import type { Signer } from '../../core/sign.ts';
import { type Ms, ms } from '../../core/units.ts';
import { encodeBlock, recordBytes, sealBlock } from '../../core/wire.ts';
import type { BlockJournal } from '../model/journal.ts';

export interface LineStreamOptions {
  readonly journal: BlockJournal;
  readonly clock: Clock;
  readonly signer: Signer;
  /** Id that the collector signs as. */
  readonly agent: AgentId;
  readonly host: string;
  readonly stream: string;
  readonly dataset: string;
  readonly zone: string;
  /** A union of FRAME_FLAGS. */
  readonly flags: number;
  /** How long a line may wait for others; default 250 ms. */
  readonly waitMs?: Ms;
  /** Lines that may wait while the journal fails; default 10,000. */
  readonly maxWaiting?: number;
}

const BLOCK_LINES = 1_024;
const BLOCK_BYTES = 1_048_576;
const RETRY_MS = 1_000;

export class LineStream {
  readonly #options: LineStreamOptions;
  readonly #epoch = random128();
  readonly #after: { readonly epoch: string; readonly seq: number } | null;
  readonly #stop = new AbortController();
  #lines: SourceRecord[] = [];
  #next = 1;
  #prev: string | null = null;
  #dropped = 0;
  #working: Promise<void> | null = null;

  constructor(options: LineStreamOptions) {
    this.#options = options;
    // A life of its own for each start: a journal put back from a copy may have lost numbers that were given already.
    const head = options.journal.ends(options.agent, options.stream, 1)[0]?.end ?? undefined;
    this.#after = head ? { epoch: head.epoch, seq: head.seq } : null;
  }

  /** Lines that found no room while the journal failed. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#lines.length;
  }

  /** Takes a line; a longer one than a record may be is cut. False when there is no room: then it is counted as dropped. */
  add(line: Uint8Array): boolean {
    if (this.#lines.length >= (this.#options.maxWaiting ?? 10_000)) {
      this.#dropped++;
      return false;
    }
    const bytes = line.subarray(0, LINE_LIMIT_BYTES);
    this.#lines.push({ bytes, readAt: this.#options.clock.now(), end: 0, flags: 0 });
    this.#working ??= this.#run();
    return true;
  }

  async #run(): Promise<void> {
    await this.#options.clock.sleep(this.#options.waitMs ?? ms(250), this.#stop.signal);
    while (this.#lines.length > 0) {
      const block = this.#seal();
      // The same bytes until they are in: a block that was cut is never cut differently (W4).
      while (!(await this.#put(block))) {
        if (this.#stop.signal.aborted) break;
        await this.#options.clock.sleep(ms(RETRY_MS), this.#stop.signal);
      }
      if (this.#stop.signal.aborted && this.#prev !== block.header.hash) break;
    }
    this.#working = null;
  }

  #seal(): Block {
    let bytes = 0;
    let count = 0;
    for (const line of this.#lines) {
      bytes += recordBytes(line);
      if (count > 0 && (count >= Math.min(BLOCK_LINES, LIMITS.recordsPerBlock) || bytes > BLOCK_BYTES)) break;
      count++;
    }
    const { agent, host, stream, dataset, zone, signer } = this.#options;
    const draft = {
      agent,
      host,
      stream,
      kind: 'lines',
      dataset,
      zone,
      epoch: this.#epoch,
      from: 0,
      first: this.#next,
      prev: this.#prev,
    } as const;
    const after = this.#after ? { after: this.#after } : {};
    return sealBlock({ ...draft, ...after }, this.#lines.slice(0, count), signer);
  }

  async #put(block: Block): Promise<boolean> {
    const { journal, agent, flags } = this.#options;
    try {
      await journal.append(block, encodeBlock(block), { agent, flags, endOffset: 0 });
    } catch {
      // Tried again: the journal's own health condition says that it fails.
      return false;
    }
    this.#lines.splice(0, block.header.count);
    this.#next += block.header.count;
    this.#prev = block.header.hash;
    return true;
  }

  /** Seals and journals what waits. A line that a failing journal does not take in one try is dropped and counted. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#working;
    this.#dropped += this.#lines.length;
    this.#lines = [];
  }
}
