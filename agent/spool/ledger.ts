// SPDX-License-Identifier: Apache-2.0
/**
 * What is settled with the collector: acked sequences, its journal's mark, blocks that wait for a person. The acked cursor of A1.
 * Input: answers as the sender applies them; frames at the start. Output: frames that make it durable, only what changed or all of it.
 */
import type { JournalMark } from '../../core/protocol.ts';
import { type KeptBlock, type Settled, type SpoolPlace, settledFrame } from './frame.ts';
import type { Recovered } from './recover.ts';

type Acked = Recovered['acked'];

const MAX_KEPT = 1_000;
/** Epochs of a stream whose acked sequence is remembered. */
const MAX_EPOCHS = 32;

export class Ledger {
  readonly #acked: Acked;
  #journal: JournalMark | null;
  #kept: KeptBlock[];
  /** Acked sequences that are not on disk yet. */
  #fresh = new Map<string, readonly [stream: string, epoch: string, seq: number]>();
  #changed = false;

  constructor({ acked, settled }: Pick<Recovered, 'acked' | 'settled'>) {
    this.#acked = acked;
    this.#journal = settled.journal;
    this.#kept = [...settled.kept];
  }

  get journal(): JournalMark | null {
    return this.#journal;
  }

  get kept(): readonly KeptBlock[] {
    return this.#kept;
  }

  get acked(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#acked;
  }

  seq(stream: string, epoch: string): number {
    return this.#acked.get(stream)?.get(epoch) ?? 0;
  }

  ack(stream: string, epoch: string, first: number, count: number): void {
    let epochs = this.#acked.get(stream);
    if (!epochs) this.#acked.set(stream, (epochs = new Map()));
    const last = first + count - 1;
    if (last <= (epochs.get(epoch) ?? 0)) return;
    epochs.set(epoch, last);
    this.#fresh.set(`${stream}\0${epoch}`, [stream, epoch, last]);
    this.#changed = true;
  }

  /** What lies behind a sequence of an epoch does not count as acked any more. */
  lower(stream: string, epoch: string, seq: number): void {
    if (this.seq(stream, epoch) <= seq) return;
    this.#acked.get(stream)?.set(epoch, seq);
    this.#fresh.set(`${stream}\0${epoch}`, [stream, epoch, seq]);
    this.#changed = true;
  }

  /** Nothing of the stream counts as acked any more. */
  forget(stream: string): void {
    for (const epoch of this.#acked.get(stream)?.keys() ?? []) this.lower(stream, epoch, 0);
  }

  knows(stream: string, epoch: string): boolean {
    return this.#acked.get(stream)?.has(epoch) ?? false;
  }

  setJournal(mark: JournalMark | null): void {
    if (mark?.offset === this.#journal?.offset && mark?.incarnation === this.#journal?.incarnation) return;
    this.#journal = mark;
    this.#changed = true;
  }

  keep(block: KeptBlock): void {
    this.#kept = this.#kept.filter(({ stream, epoch, first }) => stream !== block.stream || epoch !== block.epoch || first !== block.first);
    this.#kept.push(block);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    this.#changed = true;
  }

  release(isHeld: (kept: KeptBlock) => boolean): void {
    this.#kept = this.#kept.filter((kept) => !isHeld(kept));
    this.#changed = true;
  }

  /** The acked cursor moved. */
  touch(): void {
    this.#changed = true;
  }

  /** The frame of what changed; undefined when nothing did. `undo` puts it back when the disk refused it. */
  take(upTo: SpoolPlace): { readonly frame: Uint8Array; readonly undo: () => void } | undefined {
    if (!this.#changed) return undefined;
    const fresh = this.#fresh;
    this.#fresh = new Map();
    this.#changed = false;
    return {
      frame: settledFrame(this.#settled(upTo, [...fresh.values()])),
      undo: () => {
        this.#fresh = new Map([...fresh, ...this.#fresh]);
        this.#changed = true;
      },
    };
  }

  /** All of it, as it opens a segment. */
  snapshot(upTo: SpoolPlace): Uint8Array {
    const acked = [...this.#acked].flatMap(([stream, epochs]) =>
      [...epochs].slice(-MAX_EPOCHS).map(([epoch, seq]) => [stream, epoch, seq] as const),
    );
    return settledFrame({ ...this.#settled(upTo, acked), snapshot: true });
  }

  #settled(upTo: SpoolPlace, acked: Settled['acked']): Settled {
    return { upTo, journal: this.#journal, acked, kept: this.#kept };
  }
}
