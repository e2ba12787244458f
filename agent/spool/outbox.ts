// SPDX-License-Identifier: Apache-2.0
/**
 * Frames that are sealed and not yet on disk, in one buffer that is used again after each flush, so that sealing makes no garbage that lasts.
 * Input: frames piece by piece. Output: the frames of a flush; they come back when the disk refused them.
 */
import { reusedBuffer } from '../../core/reused.ts';
import type { StreamState } from './frame.ts';
import type { Pending } from './window.ts';

/** Sealed and not yet on disk. */
export interface Unsynced {
  readonly frame: Uint8Array;
  /** The stream behind it. */
  readonly state: StreamState;
  /** `bytes` is a view of the frame: valid until the flush that wrote it is over. */
  readonly pending?: Omit<Pending, 'place' | 'end'>;
}

const ARENA_BYTES = 1_572_864;

export class Outbox {
  #items: Unsynced[] = [];
  #bytes = 0;
  readonly #arena = reusedBuffer(ARENA_BYTES);
  #used = 0;

  /** Bytes that wait, those of a flush under way included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Room for a frame of that length, in the arena where it fits. */
  reserve(length: number): Buffer {
    if (this.#used + length > ARENA_BYTES) return Buffer.allocUnsafeSlow(length);
    const frame = this.#arena().subarray(this.#used, this.#used + length);
    this.#used += length;
    return frame;
  }

  put(item: Unsynced): void {
    this.#items.push(item);
    this.#bytes += item.frame.length;
  }

  /** What a flush is to write. It ends with `written` or `failed`. */
  take(): readonly Unsynced[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  written(items: readonly Unsynced[]): void {
    for (const { frame } of items) this.#bytes -= frame.length;
    if (this.#items.length === 0) this.#used = 0;
  }

  failed(items: readonly Unsynced[]): void {
    this.#items = [...items, ...this.#items];
  }
}
