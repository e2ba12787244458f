// SPDX-License-Identifier: Apache-2.0
/**
 * Follows one path through everything that happens to log files: growth, rotation, truncation, replacement, restart.
 * Input: the file system, the place where the last sealed block ended. Output: batches in the order the bytes were written.
 */
import { type BigIntStats, closeSync, fstatSync, readSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import { LIMITS, type StreamEnd } from '../../../core/protocol.ts';
import { LINE_LIMIT_BYTES, RECORD_FLAGS, type SourceRecord } from '../../../core/record.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import type { Batch, SourceProblem } from '../source.ts';
import { firstSight, parseMarks, resumeFiles } from './begin.ts';
import {
  digest,
  type FileId,
  freshMark,
  holdsMark,
  idOf,
  type Mark,
  NO_PRINT,
  openRegular,
  PRINT_BYTES,
  parsePrint,
  printsAt,
  printText,
  readAt,
  sameId,
  statFile,
} from './identity.ts';
import { cutLines } from './lines.ts';
import { allSiblings, inPacked, locatePlain, openSibling, type Place } from './locate.ts';
import { joinLines, type MultilineRule } from './multiline.ts';
import { type OpenFile, openFileOf, stampOf } from './open.ts';
import { describeProblem } from './problem.ts';

/** Bytes of one read, and of the buffer that all files share: a whole line of the longest kind, and the print before it. */
export const READ_BYTES = LINE_LIMIT_BYTES + 8_192;
export const BUFFER_BYTES = READ_BYTES + PRINT_BYTES;
/** Bytes of records in one batch, framing included, unless one record alone is longer. */
const BATCH_BYTES = 262_144;
/** Bytes of a read, unless a line needs more. */
const STEP_BYTES = 262_144;
/** A rotated file that was quiet for so long is closed; until then its writer may still hold it. */
const DRAIN_MS = 5_000;

export interface FollowOptions {
  readonly path: string;
  readonly dataset: string;
  readonly clock: Clock;
  readonly rule?: MultilineRule | undefined;
  /** True for real paths that are never read. */
  readonly refused: (real: string) => boolean;
  /** Called when bytes came that were waited for. */
  readonly onReady: () => void;
}

export class Follow {
  readonly path: string;
  readonly stream: string;
  readonly dataset: string;
  readonly #options: FollowOptions;
  readonly #clock: Clock;
  readonly #counts: Record<string, number> = {};
  #files: OpenFile[] = [];
  #given: { readonly file: OpenFile; readonly mark: Mark; readonly cut: number; readonly more: boolean } | undefined;
  #problem: SourceProblem | undefined;
  #readUpTo = 0;
  /** Looking into packed files: nothing newer may be read meanwhile. */
  #searching = false;
  #closed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.path = options.path;
    this.dataset = options.dataset;
    this.stream = `file:${options.path}`;
  }

  get problem(): SourceProblem | undefined {
    return this.#problem;
  }

  /** True while there is a file to read, at the path or rotated from it. */
  get live(): boolean {
    return this.#files.length > 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  get readUpTo(): UnixMs {
    return unixMs(this.#readUpTo);
  }

  get behindBytes(): number {
    return this.#files.reduce((sum, file) => sum + (file.packed ? file.size : Math.max(0, file.size - file.mark.offset)), 0);
  }

  /** The place in the newest file; undefined when none is open. */
  get place(): Mark | undefined {
    return this.#files.at(-1)?.mark;
  }

  /** The file that is read at this path now, for telling hard links apart. */
  get id(): FileId | undefined {
    return this.#current()?.mark;
  }

  /**
   * Opens what is there. `resume` is the text of the last sealed block. Without it this is the first sight:
   * `since` is undefined when what stands in the file is old (A2), else files changed since then are news.
   */
  async start(resume: string | undefined, since: UnixMs | undefined): Promise<void> {
    const current = this.#open();
    const context = { path: this.path, clock: this.#clock, count: this.#count, onReady: this.#options.onReady, current };
    const marks = resume === undefined ? undefined : parseMarks(resume);
    this.#files = marks === undefined ? firstSight(context, since) : await resumeFiles(context, marks);
  }

  /** Looks whether the path's file grew, was replaced or went away. */
  poll(): void {
    if (this.#closed || this.#searching) return;
    const now = this.#clock.monotonic();
    for (const file of this.#files) if (file.rotated && file.fd !== undefined) this.#look(file, fstatSync(file.fd, { bigint: true }), now);
    const current = this.#current();
    const seen = statFile(this.path);
    if (seen.kind === 'no') {
      if (seen.problem === 'missing') {
        // Never there, or moved away: what is open is drained.
        if (current) this.#rotate(current);
        this.#problem = undefined;
      } else if (!current) this.#problem = describeProblem(this.path, seen.problem, seen.reason);
      return;
    }
    if (current && sameId(idOf(seen.stat), current.mark)) {
      this.#look(current, seen.stat, now);
      return;
    }
    const fresh = this.#open();
    if (current) this.#rotate(current);
    if (fresh) this.#between(fresh);
    if (fresh) this.#files.push(this.#fileOf(fresh, freshMark(idOf(fresh.stat), fresh.path, this.#clock.now()), false));
  }

  /** The next batch, or undefined. */
  next(buffer: Buffer): Batch | undefined {
    this.#given = undefined;
    if (this.#searching || this.#closed) return undefined;
    for (let i = 0; i < this.#files.length; ) {
      const file = this.#files[i]!;
      const step = file.packed ? this.#readPacked(file, buffer) : this.#readPlain(file, buffer);
      if (step === 'wait' || this.#searching) return undefined;
      if (step === 'again') continue;
      if (step === 'next') {
        i++;
        continue;
      }
      if (step === 'gone') {
        this.#retire(file);
        continue;
      }
      return step;
    }
    this.#readUpTo = this.#clock.now();
    return undefined;
  }

  commit(): void {
    const given = this.#given;
    if (!given) return;
    this.#given = undefined;
    given.file.packed?.advance(given.mark.offset - given.file.mark.offset);
    given.file.mark = given.mark;
    given.file.dirty = given.more;
    given.file.longLine = false;
    if (given.cut > 0) this.#count('cut', given.cut);
  }

  /** True when an open file holds the place that a block's header named (W11). */
  matches(end: StreamEnd): boolean {
    return this.#fileAt(end) !== undefined;
  }

  /** Goes on behind that place; the answer is the `resume` text of it. */
  moveTo(end: StreamEnd): string {
    const file = this.#fileAt(end);
    if (file?.fd === undefined) return this.#resume();
    for (const older of this.#files.slice(0, this.#files.indexOf(file))) this.#retire(older);
    file.mark = { ...file.mark, ...printsAt(file.fd, end.end), offset: end.end, continued: false };
    file.dirty = true;
    this.#given = undefined;
    return this.#resume();
  }

  #resume(file?: OpenFile, mark?: Mark): string {
    return JSON.stringify({ v: 1, files: this.#files.map((open) => (open === file ? mark : open.mark)) });
  }

  close(): void {
    this.#closed = true;
    for (const file of this.#files) closeFile(file);
    this.#files = [];
  }

  readonly #count = (name: string, by = 1): void => {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  };

  #current(): OpenFile | undefined {
    const last = this.#files.at(-1);
    return last && !last.rotated ? last : undefined;
  }

  #open(): Place | undefined {
    const opened = openRegular(this.path, this.#options.refused);
    if (opened.kind === 'open') {
      this.#problem = undefined;
      return { path: opened.real, stat: opened.stat, fd: opened.fd, packed: undefined };
    }
    this.#problem = opened.problem === 'missing' ? undefined : describeProblem(this.path, opened.problem, opened.reason);
    return undefined;
  }

  #fileOf(place: Place, mark: Mark, rotated: boolean): OpenFile {
    return openFileOf(place, mark, rotated, this.#clock);
  }

  #look(file: OpenFile, stat: BigIntStats, now: number): void {
    const size = Number(stat.size);
    const changed = stampOf(stat);
    if (size !== file.size || changed !== file.changed) {
      file.dirty = true;
      if (size !== file.size) file.grewAt = now;
      file.size = size;
      file.changed = changed;
    }
    const quiet = now - file.grewAt;
    // Bytes that wait for their line end or for the next line of their group are taken when nothing more comes.
    if (file.rotated && quiet >= DRAIN_MS) file.dirty = true;
    if (this.#options.rule && size > file.mark.offset && quiet >= this.#options.rule.timeoutMs) file.dirty = true;
  }

  #rotate(current: OpenFile): void {
    current.rotated = true;
    current.grewAt = this.#clock.monotonic();
    current.dirty = true;
    this.#count('rotated');
  }

  /** Files that were made and rotated away between two looks come between the last one open and the fresh one. */
  #between(fresh: Place): void {
    const last = this.#files.at(-1);
    if (last?.fd === undefined) return;
    const { mtimeNs } = fstatSync(last.fd, { bigint: true });
    for (const sibling of allSiblings(this.path)) {
      const id = idOf(sibling.stat);
      if (sibling.stat.mtimeNs <= mtimeNs || sameId(id, idOf(fresh.stat)) || this.#taken(id)) continue;
      const place = openSibling(sibling, this.#options.onReady);
      if (!place) continue;
      const copy = place.fd !== undefined && last.mark.headBytes > 0 && holdsMark(place.fd, Number(place.stat.size), last.mark);
      if (copy && place.fd !== undefined) closeSync(place.fd);
      else this.#files.push(this.#fileOf(place, freshMark(id, sibling.path, this.#clock.now()), true));
    }
  }

  readonly #taken = (id: FileId): boolean => this.#files.some((file) => sameId(file.mark, id));

  /** The open file no longer holds what was read: its bytes behind the mark may live on in a copy (copytruncate). */
  #truncated(file: OpenFile): void {
    this.#count('truncated');
    const old = file.mark;
    file.mark = freshMark(old, old.path, this.#clock.now());
    file.dirty = true;
    if (file.rotated) return;
    const before = (place: Place): void => {
      this.#files.splice(this.#files.indexOf(file), 0, this.#fileOf(place, { ...old, ...idOf(place.stat), path: place.path }, true));
    };
    const plain = locatePlain(this.path, old, this.#taken);
    if (plain) {
      before(plain);
      return;
    }
    this.#searching = true;
    inPacked(this.path, old, this.#taken, this.#options.onReady)
      .then((place) => {
        if (place && this.#closed) place.packed?.close();
        else if (place) before(place);
      })
      .catch(() => this.#count('unfound'))
      .finally(() => {
        this.#searching = false;
        this.#options.onReady();
      });
  }

  #readPlain(file: OpenFile, buffer: Buffer): Batch | 'next' | 'again' | 'gone' | 'wait' {
    if (!file.dirty || file.fd === undefined) return 'next';
    const now = this.#clock.monotonic();
    const { mark } = file;
    const stat = fstatSync(file.fd, { bigint: true });
    this.#look(file, stat, now);
    if (file.size < mark.offset) {
      this.#truncated(file);
      return 'again';
    }
    const start = mark.offset - mark.tailBytes;
    const want = (file.longLine ? READ_BYTES : STEP_BYTES) + mark.tailBytes;
    let got = 0;
    while (got < want) {
      const count = readSync(file.fd, buffer, got, want - got, start + got);
      if (count === 0) break;
      got += count;
    }
    // Truncated and grown past the place again: the bytes before it are others.
    if (got < mark.tailBytes || (mark.tailBytes > 0 && digest(buffer.subarray(0, mark.tailBytes)) !== mark.tail)) {
      this.#truncated(file);
      return 'again';
    }
    const atEnd = got < want;
    const quiet = now - file.grewAt;
    const batch = this.#batch(file, buffer.subarray(mark.tailBytes, got), {
      final: atEnd && file.rotated && quiet >= DRAIN_MS,
      groupEnds: atEnd && this.#options.rule !== undefined && quiet >= this.#options.rule.timeoutMs,
      atEnd,
      before: buffer.subarray(0, got),
    });
    if (batch) return batch;
    if (!atEnd && !file.longLine) {
      file.longLine = true;
      return 'again';
    }
    if (file.rotated && quiet >= DRAIN_MS) return 'gone';
    file.dirty = false;
    return 'next';
  }

  #readPacked(file: OpenFile, buffer: Buffer): Batch | 'next' | 'again' | 'gone' | 'wait' {
    const { packed } = file;
    if (!packed) return 'next';
    const bytes = packed.peek();
    if (bytes === undefined) return 'wait';
    const length = Math.min(bytes.length, READ_BYTES);
    bytes.copy(buffer, 0, 0, length);
    const atEnd = length === bytes.length && packed.state !== 'reading';
    const batch = this.#batch(file, buffer.subarray(0, length), { final: atEnd, groupEnds: atEnd, atEnd, before: undefined });
    if (batch) return batch;
    if (packed.state === 'damaged') this.#count('damaged');
    return 'gone';
  }

  #batch(
    file: OpenFile,
    bytes: Buffer,
    how: { readonly final: boolean; readonly groupEnds: boolean; readonly atEnd: boolean; readonly before: Buffer | undefined },
  ): Batch | undefined {
    const { mark } = file;
    const at = this.#clock.now();
    const cut = cutLines(bytes, mark.offset, {
      readAt: at,
      final: how.final,
      continued: mark.continued,
      backlogTo: mark.backlogTo,
      maxRecords: LIMITS.recordsPerBlock,
      maxBytes: BATCH_BYTES,
    });
    let records: readonly SourceRecord[] = cut.records;
    let end = mark.offset + cut.consumed;
    if (this.#options.rule) {
      let joined = joinLines(this.#options.rule, bytes, mark.offset, records, how.groupEnds || how.final);
      // A group that fills the whole batch would never end: it is taken as it is.
      if (joined.records.length === 0 && !how.atEnd) joined = joinLines(this.#options.rule, bytes, mark.offset, records, true);
      ({ records, end } = joined);
    }
    const last = records.at(-1);
    if (!last) return undefined;
    const after: Mark = {
      ...mark,
      ...this.#prints(file, bytes, end, how.before),
      offset: end,
      continued: end === mark.offset + cut.consumed && cut.continued,
      seenAt: at,
    };
    const cuts = records.reduce((sum, record) => sum + ((record.flags & RECORD_FLAGS.cut) === 0 ? 0 : 1), 0);
    this.#given = { file, mark: after, cut: cuts, more: !how.atEnd || end < mark.offset + bytes.length };
    return {
      stream: this.stream,
      kind: 'lines',
      dataset: this.dataset,
      records,
      at,
      from: mark.offset,
      file: { device: after.device, inode: after.inode, fingerprint: printText(after) },
      resume: this.#resume(file, after),
    };
  }

  /** Prints at the new place, from the bytes at hand where they reach back far enough. */
  #prints(file: OpenFile, bytes: Buffer, end: number, before: Buffer | undefined): Pick<Mark, 'headBytes' | 'head' | 'tailBytes' | 'tail'> {
    const { mark } = file;
    const used = end - mark.offset;
    const tailBytes = Math.min(PRINT_BYTES, end);
    const whole = before ?? bytes;
    const stop = whole.length - bytes.length + used;
    const tail =
      stop >= tailBytes
        ? { tailBytes, tail: digest(whole.subarray(stop - tailBytes, stop)) }
        : file.fd === undefined
          ? { tailBytes: used, tail: digest(bytes.subarray(0, used)) }
          : { tailBytes, tail: digest(readAt(file.fd, end - tailBytes, tailBytes)) };
    if (mark.headBytes === PRINT_BYTES) return { headBytes: mark.headBytes, head: mark.head, ...tail };
    const headBytes = Math.min(PRINT_BYTES, end);
    if (mark.offset === 0) return { headBytes, head: digest(bytes.subarray(0, headBytes)), ...tail };
    if (file.fd === undefined) return { headBytes: mark.headBytes, head: mark.head, ...tail };
    return { headBytes, head: digest(readAt(file.fd, 0, headBytes)), ...tail };
  }

  #fileAt(end: StreamEnd): OpenFile | undefined {
    const print = end.file && parsePrint(end.file.fingerprint);
    if (!print || !end.file) return undefined;
    const { device, inode } = end.file;
    return this.#files.find(
      (file) =>
        file.fd !== undefined &&
        file.mark.device === device &&
        file.mark.inode === inode &&
        holdsMark(file.fd, Number(fstatSync(file.fd).size), { ...file.mark, ...NO_PRINT, ...print, offset: end.end }),
    );
  }

  #retire(file: OpenFile): void {
    closeFile(file);
    this.#files = this.#files.filter((other) => other !== file);
  }
}

const closeFile = (file: OpenFile): void => {
  if (file.fd !== undefined) closeSync(file.fd);
  file.packed?.close();
};
