// SPDX-License-Identifier: Apache-2.0
/**
 * The spool's chain of segment files: appends, fsyncs, goes on in a new file after a failure, releases old ones.
 * Input: frames. Output: places; frames read back from a place on (river.md A4, W8).
 */
import { join } from 'node:path';
import { type Files, systemFiles } from '../../core/files.ts';
import type { Damage } from '../../core/frames.ts';
import { openSegment, readSegment, type Segment, type SegmentOptions, syncFolder } from '../../core/segment.ts';
import { readFrame, type SpoolFrame, type SpoolPlace } from './frame.ts';
import type { SegmentFile } from './recover.ts';

export interface LogOptions extends SegmentOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly now: () => number;
  /** The frames that open a segment: all streams as they are durable, then what is settled. */
  readonly snapshot: () => readonly Uint8Array[];
}

export type LogItem =
  | { readonly kind: 'frame'; readonly place: SpoolPlace; readonly end: SpoolPlace; readonly frame: SpoolFrame }
  | { readonly kind: 'damage'; readonly damage: Damage; readonly segment: number };

export class SegmentLog {
  readonly #options: LogOptions;
  readonly #disk: Files;
  readonly #files: SegmentFile[];
  #active: Segment | undefined;

  constructor(options: LogOptions, files: SegmentFile[]) {
    this.#options = options;
    this.#disk = options.files ?? systemFiles;
    this.#files = files;
  }

  get files(): readonly SegmentFile[] {
    return this.#files;
  }

  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** The place behind the last frame. */
  get end(): SpoolPlace {
    const last = this.#files.at(-1);
    return last ? { segment: last.number, offset: last.bytes } : { segment: 0, offset: 0 };
  }

  /**
   * Writes frames and, with `durable`, waits for the disk. After a failure the segment is abandoned and all of them go to a new one (A4).
   * @throws CodedError SEGMENT_FAILED when the new one fails too: nothing is promised of these frames.
   */
  async append(frames: readonly Uint8Array[], durable: boolean): Promise<readonly SpoolPlace[]> {
    const last = this.#files.at(-1);
    if (!this.#active || !last || last.bytes >= this.#options.segmentBytes) await this.#next();
    try {
      return await this.#write(frames, durable);
    } catch {
      // What was written there may be lost or kept by the disk: a block seen twice is the same block, and is sent once.
      await this.#next();
      return this.#write(frames, durable);
    }
  }

  async #write(frames: readonly Uint8Array[], durable: boolean): Promise<readonly SpoolPlace[]> {
    const active = this.#active!;
    const file = this.#files.at(-1)!;
    const offsets = await active.append(frames);
    if (durable) await active.sync();
    file.bytes = active.size;
    file.writtenAt = this.#options.now();
    return offsets.map((offset) => ({ segment: file.number, offset }));
  }

  async #next(): Promise<void> {
    const old = this.#active;
    this.#active = undefined;
    await old?.close().catch(() => undefined); // It failed already, or was synced: closing can lose nothing more.
    const number = (this.#files.at(-1)?.number ?? 0) + 1;
    const path = join(this.#options.folder, `${String(number).padStart(8, '0')}.seg`);
    const segment = await openSegment(path, this.#options);
    this.#active = segment;
    const file: SegmentFile = { number, path, bytes: segment.size, writtenAt: this.#options.now() };
    this.#files.push(file);
    await segment.append(this.#options.snapshot());
    await segment.sync();
    file.bytes = segment.size;
  }

  /** Frames from a place on, up to what is durable now. */
  async *read(from: SpoolPlace): AsyncGenerator<LogItem, void> {
    for (const { number, path, bytes } of [...this.#files]) {
      if (number < from.segment) continue;
      for await (const item of readSegment(path, number === from.segment ? from.offset : undefined, bytes, this.#disk)) {
        if (item.kind !== 'frame') {
          yield { kind: 'damage', damage: item, segment: number };
          continue;
        }
        const frame = readFrame(item.payload);
        if (frame)
          yield { kind: 'frame', frame, place: { segment: number, offset: item.offset }, end: { segment: number, offset: item.end } };
      }
    }
  }

  /** Removes a segment that is not the last. */
  async remove(file: SegmentFile): Promise<void> {
    const index = this.#files.indexOf(file);
    if (index < 0 || index === this.#files.length - 1) return;
    this.#files.splice(index, 1);
    await this.#disk.unlink(file.path);
  }

  async close(durable: boolean): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    if (!active) return;
    if (durable && !active.abandoned) await active.sync();
    await active.close();
    if (durable) await syncFolder(this.#options.folder, this.#disk);
  }
}
