// SPDX-License-Identifier: Apache-2.0
/**
 * The files of a journal folder: segments named by the position of their first byte, each opened by all ranges (river.md W7, J1).
 * Input: a folder. Output: its segments in order, what opens one, a frame at a position.
 */
import { join } from 'node:path';
import { asObject } from '../../core/bytes.ts';
import { systemCode } from '../../core/errors.ts';
import { type Files, systemFiles } from '../../core/files.ts';
import { SEGMENT_START } from '../../core/frames.ts';
import { readSegment } from '../../core/segment.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { type BlockFrame, openingFrame, readFrame } from './frame.ts';
import type { EpochSnapshot, Streams } from './streams.ts';

export interface SegmentFile {
  readonly path: string;
  /** Position of the file's first byte. */
  readonly start: number;
  readonly bytes: number;
  /** When it was last written. */
  readonly writtenAt: UnixMs;
}

const NAME = /^(\d{16})\.seg$/;

export const segmentPath = (dir: string, start: number): string => join(dir, `${String(start).padStart(16, '0')}.seg`);
export const placesPath = (segment: string): string => segment.replace(/\.seg$/, '.places');

/** Segments of a folder, in order of position. */
export const listSegments = async (dir: string, files: Files = systemFiles): Promise<SegmentFile[]> => {
  const out: SegmentFile[] = [];
  for (const name of (await files.list(dir)).toSorted()) {
    const match = NAME.exec(name);
    if (!match) continue;
    const path = join(dir, name);
    const { size, mtimeMs } = await files.stat(path);
    out.push({ path, start: Number(match[1]), bytes: size, writtenAt: unixMs(mtimeMs) });
  }
  return out;
};

export interface Opening {
  readonly collector: string;
  readonly incarnation: string;
  readonly epochs: readonly EpochSnapshot[];
}

const EPOCHS_PER_FRAME = 1_000;

/** The frames that open a segment. */
export function* openingFrames(collector: string, incarnation: string, streams: Streams): Generator<Uint8Array> {
  let epochs: EpochSnapshot[] = [];
  for (const snapshot of streams.snapshot()) {
    if (epochs.length === EPOCHS_PER_FRAME) {
      yield openingFrame({ v: 1, collector, incarnation, epochs }, false);
      epochs = [];
    }
    epochs.push(snapshot);
  }
  yield openingFrame({ v: 1, collector, incarnation, epochs }, true);
}

/** Collects the opening of a segment from its first frames; `done` when the last was seen. */
export class OpeningReader {
  #opening: Opening | null = null;
  done = false;

  take(json: unknown, last: boolean): void {
    const object = asObject(json);
    if (object === null || object['v'] !== 1 || !Array.isArray(object['epochs'])) return;
    this.#opening = {
      collector: String(object['collector']),
      incarnation: String(object['incarnation']),
      // Our own file, its CRC holds: the shape is what `snapshot` wrote.
      epochs: [...(this.#opening?.epochs ?? []), ...(object['epochs'] as EpochSnapshot[])],
    };
    this.done = last;
  }

  get opening(): Opening | null {
    return this.done ? this.#opening : null;
  }
}

/** What opens a segment; null where it is not whole. */
export const readOpening = async (path: string, files: Files = systemFiles): Promise<Opening | null> => {
  const reader = new OpeningReader();
  for await (const item of readSegment(path, undefined, undefined, files)) {
    const frame = item.kind === 'frame' ? readFrame(item.payload) : null;
    if (frame?.kind !== 'opening') return null;
    reader.take(frame.json, frame.last);
    if (reader.done) return reader.opening;
  }
  return null;
};

/** The block frame at an offset of a segment file; null where there is none, or the file is gone. */
export const readBlockAt = async (
  path: string,
  offset: number,
  files: Files = systemFiles,
): Promise<{ readonly frame: BlockFrame; readonly end: number } | null> => {
  if (offset < SEGMENT_START) return null;
  try {
    for await (const item of readSegment(path, offset, undefined, files)) {
      if (item.kind !== 'frame' || item.offset !== offset) return null;
      const frame = readFrame(item.payload);
      return frame?.kind === 'block' ? { frame, end: item.end } : null;
    }
  } catch (error) {
    // Released while it was looked for.
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  return null;
};
