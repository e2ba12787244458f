// SPDX-License-Identifier: Apache-2.0
/**
 * Where the blocks of a segment begin, eight bytes a block: a fingerprint of (agent, stream, epoch, first) and an offset in the file.
 * Input: blocks as they are appended; a sidecar file beside a closed segment. Output: few candidates to read and compare.
 */
import { crc32 } from 'node:zlib';
import type { Files } from '../../core/files.ts';
import type { BlockHeader } from '../../core/protocol.ts';
import { openSegment, readSegment } from '../../core/segment.ts';

/** Not unique: a candidate must be read and compared. */
export const fingerprint = ({ agent, stream, epoch, first }: Pick<BlockHeader, 'agent' | 'stream' | 'epoch' | 'first'>): number =>
  crc32(`${agent}\0${stream}\0${epoch}\0${first}`);

export interface Places {
  /** File offsets of frames that may hold the block. */
  candidates(print: number): readonly number[];
  /** The frame that begins last before a file offset; -1 when none does. */
  before(offset: number): number;
}

/** Places of the segment that is being written. */
export class OpenPlaces implements Places {
  readonly #prints: number[] = [];
  readonly #offsets: number[] = [];
  readonly #by = new Map<number, number[]>();

  add(print: number, offset: number): void {
    this.#prints.push(print);
    this.#offsets.push(offset);
    const list = this.#by.get(print);
    if (list) list.push(offset);
    else this.#by.set(print, [offset]);
  }

  candidates(print: number): readonly number[] {
    return this.#by.get(print) ?? [];
  }

  before(offset: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : this.#offsets[low - 1]!;
  }

  /** The same, packed, for a segment that is closed. */
  close(): ClosedPlaces {
    const order = this.#prints.map((_, i) => i).sort((a, b) => this.#prints[a]! - this.#prints[b]!);
    return new ClosedPlaces(
      Uint32Array.from(order, (i) => this.#prints[i]!),
      Uint32Array.from(order, (i) => this.#offsets[i]!),
    );
  }
}

/** Places of a closed segment, sorted by fingerprint. */
export class ClosedPlaces implements Places {
  readonly #prints: Uint32Array;
  readonly #offsets: Uint32Array;

  constructor(prints: Uint32Array, offsets: Uint32Array) {
    this.#prints = prints;
    this.#offsets = offsets;
  }

  candidates(print: number): readonly number[] {
    let low = 0;
    let high = this.#prints.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#prints[middle]! < print) low = middle + 1;
      else high = middle;
    }
    const out: number[] = [];
    for (; this.#prints[low] === print; low++) out.push(this.#offsets[low]!);
    return out;
  }

  before(offset: number): number {
    let best = -1;
    for (const at of this.#offsets) if (at < offset && at > best) best = at;
    return best;
  }

  /** Writes the sidecar; a crash leaves the old one or none. */
  async save(path: string, files: Files): Promise<void> {
    const draft = `${path}.new`;
    await files.remove(draft);
    const file = await openSegment(draft, { files });
    try {
      const bytes = (array: Uint32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      await file.append([bytes(this.#prints), bytes(this.#offsets)]);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(draft, path);
  }

  /** Reads a sidecar; null where it is absent or damaged, and the segment itself must be read. */
  static async load(path: string, files: Files): Promise<ClosedPlaces | null> {
    const arrays: Uint32Array[] = [];
    try {
      for await (const item of readSegment(path, undefined, undefined, files)) {
        if (item.kind !== 'frame' || item.payload.length % 4 !== 0) return null;
        arrays.push(new Uint32Array(Uint8Array.from(item.payload).buffer));
      }
    } catch {
      // Absent or unreadable: it is made again from the segment, which is the truth.
      return null;
    }
    const [prints, offsets] = arrays;
    return arrays.length === 2 && prints!.length === offsets!.length ? new ClosedPlaces(prints!, offsets!) : null;
  }
}
