// SPDX-License-Identifier: Apache-2.0
/**
 * The way of a file along what is held of its stream, line by line: epochs are a tree, each parting from another after a line (river.md X2).
 * Input: lines in order; blocks read back from the journal. Output: whether each line is the held one, and where the file left the tree.
 */
import type { AgentId } from '../../core/ids.ts';
import type { BlockRecord } from '../../core/protocol.ts';
import { RECORD_FLAGS } from '../../core/record.ts';
import { readRecords } from '../../core/wire.ts';
import type { BlockJournal } from '../model/journal.ts';
import type { FileLine } from './lines.ts';

/** Null before the first line: the root. `next` is the sequence that the next line has in the epoch. */
export interface Place {
  readonly epoch: string | null;
  readonly next: number;
}

export class ReplayTree {
  readonly #journal: BlockJournal;
  readonly #agent: AgentId;
  readonly #stream: string;
  #place: Place;
  #records: readonly BlockRecord[] = [];
  #at = 0;
  #uncertain = false;

  constructor(journal: BlockJournal, agent: AgentId, stream: string, start: Place) {
    this.#journal = journal;
    this.#agent = agent;
    this.#stream = stream;
    this.#place = { epoch: start.epoch, next: start.next };
  }

  get place(): Place {
    return this.#place;
  }

  /** A block that is known is not in the journal any more, so that a line could not be compared. */
  get uncertain(): boolean {
    return this.#uncertain;
  }

  /** True when the line is held at this place; then the place is behind it. */
  async step(line: FileLine): Promise<boolean> {
    const { epoch, next } = this.#place;
    if (epoch !== null) {
      if (this.#at >= this.#records.length) await this.#load(epoch, next);
      const held = this.#records[this.#at];
      if (held && isSame(held, line)) {
        this.#at++;
        this.#place = { epoch, next: next + 1 };
        return true;
      }
    }
    for (const child of this.#journal.epochs(this.#agent, this.#stream)) {
      const follows = epoch === null ? child.after === null : child.after?.epoch === epoch && child.after.seq === next - 1;
      if (!follows) continue;
      const records = await this.#read(child.epoch, 1, child.last.seq);
      if (!records[0] || !isSame(records[0], line)) continue;
      this.#records = records;
      this.#at = 1;
      this.#place = { epoch: child.epoch, next: 2 };
      return true;
    }
    return false;
  }

  async #load(epoch: string, next: number): Promise<void> {
    const last = this.#journal.epochs(this.#agent, this.#stream).find((one) => one.epoch === epoch)?.last.seq ?? 0;
    this.#records = next > last ? [] : await this.#read(epoch, next, last);
    this.#at = 0;
  }

  async #read(epoch: string, first: number, last: number): Promise<readonly BlockRecord[]> {
    const held = await this.#journal.find({ agent: this.#agent, stream: this.#stream, epoch, first });
    const block = held ? await this.#journal.read(held.offset) : null;
    if (block) return readRecords(block);
    this.#uncertain ||= last >= first;
    return [];
  }
}

const PARTS = RECORD_FLAGS.cut | RECORD_FLAGS.continued;

const isSame = (held: BlockRecord, line: FileLine): boolean =>
  (held.flags & PARTS) === (line.flags & PARTS) && Buffer.compare(held.bytes, line.bytes) === 0;
