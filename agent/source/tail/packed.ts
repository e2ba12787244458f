// SPDX-License-Identifier: Apache-2.0
/**
 * Reads a packed rotated file (gzip, zstd) from an offset in its plain bytes, in bounded memory.
 * Input: an open file, a mark. Output: plain bytes in order; it checks on the way that they are the bytes the mark speaks of.
 */
import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { toError } from '../../../core/errors.ts';
import { digest, type Mark } from './identity.ts';

/** Plain bytes kept ready. */
const READY_BYTES = 1_100_000;
/** A file that unpacks to more than this is not read further: nothing that is rotated grows so large, a bomb does. */
const MAX_PLAIN_BYTES = 16 * 1_073_741_824;

export type PackedState = 'reading' | 'ended' | 'damaged';

export class PackedReader {
  readonly #stream: Transform;
  readonly #onReady: () => void;
  #held: Buffer = Buffer.alloc(0);
  #total = 0;
  #state: PackedState = 'reading';

  /** Takes over the file descriptor. `onReady` is called when bytes came that were waited for. */
  constructor(fd: number, packing: 'gzip' | 'zstd', onReady: () => void) {
    this.#onReady = onReady;
    this.#stream = packing === 'gzip' ? createGunzip() : createZstdDecompress();
    const file = createReadStream('', { fd, start: 0, autoClose: true });
    file.on('error', (error) => this.#stream.destroy(toError(error)));
    this.#stream.on('readable', () => this.#onReady());
    this.#stream.on('end', () => this.#finish('ended'));
    this.#stream.on('error', () => this.#finish('damaged'));
    file.pipe(this.#stream);
  }

  get state(): PackedState {
    return this.#state;
  }

  /** Bytes from the place reached, at most about a mebibyte and less only at the end; undefined while they are on their way. */
  peek(): Buffer | undefined {
    this.#fill();
    return this.#held.length >= READY_BYTES || this.#state !== 'reading' ? this.#held : undefined;
  }

  /** Waits for the first bytes: at least so many, or all there are. */
  async head(count: number): Promise<{ readonly bytes: Buffer; readonly ended: boolean }> {
    for (;;) {
      this.#fill();
      if (this.#held.length > count || this.#state !== 'reading') return { bytes: this.#held, ended: this.#state === 'ended' };
      await this.#moreBytes();
    }
  }

  advance(count: number): void {
    this.#held = this.#held.subarray(count);
  }

  /** Goes to the mark's offset. False when the bytes before it are not the mark's, or there are too few. */
  async skipTo(mark: Mark): Promise<boolean> {
    let passed = 0;
    let before: Buffer = Buffer.alloc(0);
    let head = mark.headBytes === 0;
    while (passed < mark.offset || !head) {
      this.#fill();
      if (!head && (this.#held.length >= mark.headBytes || this.#state !== 'reading')) {
        if (this.#held.length < mark.headBytes || digest(this.#held.subarray(0, mark.headBytes)) !== mark.head) return false;
        head = true;
      }
      if (head && this.#held.length > 0 && passed < mark.offset) {
        const step = Math.min(this.#held.length, mark.offset - passed);
        before = Buffer.concat([before, this.#held.subarray(0, step)]).subarray(-Math.max(1, mark.tailBytes));
        this.advance(step);
        passed += step;
      } else if (this.#state !== 'reading') break;
      else await this.#moreBytes();
    }
    return passed === mark.offset && (mark.tailBytes === 0 || digest(before) === mark.tail);
  }

  close(): void {
    this.#stream.destroy();
  }

  #fill(): void {
    while (this.#held.length < READY_BYTES) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null) return;
      this.#total += chunk.length;
      if (this.#total > MAX_PLAIN_BYTES) {
        this.#finish('damaged');
        return;
      }
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    }
  }

  #finish(state: PackedState): void {
    if (this.#state === 'reading') this.#state = state;
    this.#onReady();
  }

  #moreBytes(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ['readable', 'end', 'error', 'close']) this.#stream.off(event, done);
        resolve();
      };
      for (const event of ['readable', 'end', 'error', 'close']) this.#stream.once(event, done);
    });
  }
}
