// SPDX-License-Identifier: Apache-2.0
/**
 * A cursor over a journal folder, for the pass: live, catching up and decoding again (river.md J1, J2).
 * Input: the folder, a position, the durable end as the journal told it. Output: block frames in order, with the damage between them. Blocking: for worker threads.
 */
import { join } from 'node:path';
import { type BlockingFiles, systemFiles } from '../../core/files.ts';
import { SEGMENT_START } from '../../core/frames.ts';
import type { AgentId } from '../../core/ids.ts';
import { readSegmentSync } from '../../core/segment.ts';
import type { UnixMs } from '../../core/units.ts';
import { readFrame } from './frame.ts';
import { OpeningReader } from './segments.ts';

export interface JournalBlock {
  readonly kind: 'block';
  /** Incarnation that the position belongs to. */
  readonly incarnation: string;
  readonly offset: number;
  readonly end: number;
  /** Time of ingest (J5). */
  readonly at: UnixMs;
  readonly agent: AgentId;
  /** A union of FRAME_FLAGS. */
  readonly flags: number;
  /** The block as it was sealed: for `decodeBlock`. A view. */
  readonly encoded: Uint8Array;
}

/** Bytes that hold no readable frame. Never silent: the pass counts and reports them. */
export interface JournalHole {
  readonly kind: 'hole';
  readonly incarnation: string;
  readonly offset: number;
  readonly end: number;
}

export type JournalItem = JournalBlock | JournalHole;

export interface ReadPart {
  readonly items: readonly JournalItem[];
  /** Where the next part begins: behind the last item, or at `to`. */
  readonly next: number;
}

interface Known {
  readonly start: number;
  readonly path: string;
  incarnation: string | null;
}

/** Reads parts one after another; remembers only which segments there are. */
export class JournalReader {
  readonly #dir: string;
  readonly #files: BlockingFiles;
  #known: Known[] = [];
  #listedAt = -1;

  constructor(dir: string, files: BlockingFiles = systemFiles.blocking) {
    this.#dir = dir;
    this.#files = files;
  }

  /** Position of the oldest byte that is still there. */
  first(): number {
    this.#list();
    return this.#known[0]?.start ?? 0;
  }

  /**
   * Reads on from a position up to `to`, at least one item and at most about `maxBytes` of them.
   * A position that was released is read from the oldest segment on; the range between is a hole.
   */
  read(from: number, to: number, maxBytes = 4_194_304): ReadPart {
    const items: JournalItem[] = [];
    let bytes = 0;
    let at = from;
    while (at < to && bytes < maxBytes) {
      const index = this.#find(at);
      const segment = this.#known[index];
      if (!segment) return { items, next: at };
      if (segment.start > at) {
        items.push({ kind: 'hole', incarnation: this.#incarnationOf(segment), offset: at, end: Math.min(to, segment.start) });
        at = segment.start;
        continue;
      }
      const incarnation = this.#incarnationOf(segment);
      const stop = Math.min(to, this.#known[index + 1]?.start ?? to);
      let seen = at;
      for (const item of readSegmentSync(segment.path, at - segment.start, stop - segment.start, this.#files)) {
        if (item.end <= SEGMENT_START && item.kind !== 'unreadable') continue;
        const place = { incarnation, offset: segment.start + item.offset, end: segment.start + item.end };
        seen = place.end;
        const frame = item.kind === 'frame' ? readFrame(item.payload) : null;
        if (frame?.kind === 'opening') continue;
        if (!frame) items.push({ kind: 'hole', ...place });
        else items.push({ kind: 'block', ...place, at: frame.at, agent: frame.agent, flags: frame.flags, encoded: frame.encoded });
        bytes += item.end - item.offset;
        if (bytes >= maxBytes) break;
      }
      if (bytes >= maxBytes) return { items, next: seen };
      if (seen < stop && index === this.#known.length - 1) {
        // Opened within the same tick of the folder's clock as the last listing, the next segment may be unknown here.
        this.#list();
        if (this.#known.length - 1 > index) {
          at = Math.max(seen, at);
          continue;
        }
      }
      // A file that ends before the position it should reach lost its end.
      if (seen < stop && seen > segment.start + SEGMENT_START) items.push({ kind: 'hole', incarnation, offset: seen, end: stop });
      at = stop;
    }
    return { items, next: at };
  }

  // The last segment that begins at or before the position; the first when all begin behind it.
  #find(at: number): number {
    // The folder's time changes when a segment is opened or released.
    if (this.#files.changedAt(this.#dir) !== this.#listedAt) this.#list();
    return Math.max(
      0,
      this.#known.findLastIndex(({ start }) => start <= at),
    );
  }

  #list(): void {
    this.#listedAt = this.#files.changedAt(this.#dir);
    const before = new Map(this.#known.map((segment) => [segment.start, segment]));
    this.#known = this.#files
      .list(this.#dir)
      .filter((name) => /^\d{16}\.seg$/.test(name))
      .toSorted()
      .map((name) => {
        const start = Number(name.slice(0, 16));
        return before.get(start) ?? { start, path: join(this.#dir, name), incarnation: null };
      });
  }

  #incarnationOf(segment: Known): string {
    if (segment.incarnation !== null) return segment.incarnation;
    const opening = new OpeningReader();
    for (const item of readSegmentSync(segment.path, undefined, undefined, this.#files)) {
      const frame = item.kind === 'frame' ? readFrame(item.payload) : null;
      if (frame?.kind !== 'opening') break;
      opening.take(frame.json, frame.last);
      if (opening.done) break;
    }
    // With its opening damaged a segment is of the life of the one before it.
    const index = this.#known.indexOf(segment);
    const before = index > 0 ? this.#incarnationOf(this.#known[index - 1]!) : '';
    segment.incarnation = opening.opening?.incarnation ?? before;
    return segment.incarnation;
  }

  /** Begin of the last segment whose first block came in before that time; of the oldest where none did. */
  before(time: UnixMs): number {
    this.#list();
    for (const segment of this.#known.toReversed()) {
      const at = this.#firstAt(segment);
      if (at !== null && at < time) return segment.start;
    }
    return this.#known[0]?.start ?? 0;
  }

  #firstAt(segment: Known): UnixMs | null {
    for (const item of readSegmentSync(segment.path, undefined, undefined, this.#files)) {
      const frame = item.kind === 'frame' ? readFrame(item.payload) : null;
      if (frame?.kind === 'block') return frame.at;
    }
    return null;
  }

  /**
   * Where to go on from a position of a sink. One of an incarnation that is not here any more, or of one that was put back
   * and ended earlier, continues where that life ends here; an unknown one begins at the oldest segment (J2, W6).
   */
  resume(incarnation: string, offset: number): number {
    this.#list();
    const lives = this.#known.map((segment) => this.#incarnationOf(segment));
    const last = lives.lastIndexOf(incarnation);
    if (last < 0) return this.#known[0]?.start ?? 0;
    const end = this.#known[last + 1]?.start;
    return end === undefined ? offset : Math.min(offset, end);
  }
}
