// SPDX-License-Identifier: Apache-2.0
/**
 * Follows one path through everything that happens to log files: growth, rotation, truncation, replacement, restart.
 * Input: the file system, the place where the last sealed block ended. Output: batches in the order the bytes were written.
 */
import { type BigIntStats, fstatSync, readSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import type { StreamEnd } from '../../../core/protocol.ts';
import { type UnixMs, unixMs } from '../../../core/units.ts';
import type { Batch, SourceProblem } from '../source.ts';
import { cutWindow, READ_BYTES, STEP_BYTES, type Step, type Window } from './batch.ts';
import { firstSight, parseResume, resumeFiles } from './begin.ts';
import {
  digest,
  type FileId,
  freshMark,
  idOf,
  type Mark,
  NO_PRINT,
  openRegular,
  printsAt,
  printText,
  sameId,
  statFile,
} from './identity.ts';
import { findUnread, type Place } from './locate.ts';
import type { MultilineRule } from './multiline.ts';
import { closeFile, type OpenFile, openFileOf, stampOf } from './open.ts';
import { describeProblem } from './problem.ts';
import { fileAt } from './same-file.ts';

/** In a rotated file that was quiet for so long, a last line without its end is taken as it is. */
const DRAIN_MS = 5_000;
/** A rotated file that was quiet for so long is let go; until then its writer may still hold it. */
const RETIRE_MS = 3_600_000;
/** With more files open than this, quiet ones are let go sooner. */
const MANY_FILES = 8;
const MAX_DONE = 16;

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
  /** Rotated files that were read and let go, newest last: they are not read again when they change their name. */
  #done: FileId[] = [];
  #given: (Step & { readonly file: OpenFile }) | undefined;
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
    const known = resume === undefined ? undefined : parseResume(resume);
    this.#done = [...(known?.done ?? [])];
    this.#files = known === undefined || known.marks.length === 0 ? firstSight(context, since) : await resumeFiles(context, known);
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
    if (!fresh) return;
    const file = this.#fileOf(fresh, freshMark(fresh.stat, fresh.path), false);
    const last = this.#files.at(-1);
    this.#files.push(file);
    // Files that were made and rotated away between two looks come between.
    if (last?.fd !== undefined) {
      const { mtimeNs } = fstatSync(last.fd, { bigint: true });
      this.#search({ ...last.mark, ...NO_PRINT, mtime: String(mtimeNs), atEnd: true }, file);
    }
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
    if (given.cuts > 0) this.#count('cut', given.cuts);
  }

  /** The open file that holds the place that a block's header named (W11). */
  matches(end: StreamEnd): FileId | undefined {
    return fileAt(end, this.#files)?.mark;
  }

  /** Lets go of everything and begins as at first sight. */
  async restart(): Promise<void> {
    for (const file of this.#files) closeFile(file);
    this.#given = undefined;
    await this.start(undefined, undefined);
  }

  /** Files that are read now, oldest first. */
  get fileIds(): readonly FileId[] {
    return this.#files.map(({ mark }) => mark);
  }

  /** Goes on behind the farthest place in each file; the answer is the `resume` text of it, undefined where no file holds one. */
  moveTo(ends: readonly StreamEnd[]): string | undefined {
    const reached = new Map<OpenFile, number>();
    for (const end of ends) {
      const file = fileAt(end, this.#files);
      if (file) reached.set(file, Math.max(end.end, reached.get(file) ?? 0));
    }
    if (reached.size === 0) return undefined;
    this.#given = undefined;
    const newest = this.#files.findLastIndex((file) => reached.has(file));
    for (const [i, file] of [...this.#files].entries()) {
      const end = reached.get(file) ?? 0;
      if (!reached.has(file) && i < newest) this.#retire(file);
      else if (end > file.mark.offset && file.fd !== undefined) {
        file.mark = { ...file.mark, ...printsAt(file.fd, end), offset: end, continued: false };
        file.dirty = true;
      }
    }
    return this.#resume();
  }

  #resume(file?: OpenFile, mark?: Mark): string {
    return JSON.stringify({ v: 1, files: this.#files.map((open) => (open === file ? mark : open.mark)), done: this.#done });
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
      file.mtime = String(stat.mtimeNs);
    }
    const quiet = now - file.grewAt;
    // Bytes that wait for their line end or for the next line of their group are taken when nothing more comes.
    if (file.rotated && (quiet >= this.#retireMs || (quiet >= DRAIN_MS && size > file.mark.offset))) file.dirty = true;
    if (this.#options.rule && size > file.mark.offset && quiet >= this.#options.rule.timeoutMs) file.dirty = true;
  }

  get #retireMs(): number {
    return this.#files.length > MANY_FILES ? DRAIN_MS : RETIRE_MS;
  }

  #rotate(current: OpenFile): void {
    current.rotated = true;
    current.grewAt = this.#clock.monotonic();
    current.dirty = true;
    this.#count('rotated');
  }

  readonly #taken = (id: FileId): boolean => [...this.#files.map(({ mark }) => mark), ...this.#done].some((other) => sameId(other, id));

  /** The open file no longer holds what was read: its bytes behind the mark may live on in a copy (copytruncate). */
  #truncated(file: OpenFile): void {
    this.#count('truncated');
    const old = file.mark;
    file.mark = { ...old, ...NO_PRINT, offset: 0, backlogTo: 0, continued: false, mtime: file.mtime, atEnd: false };
    file.dirty = true;
    this.#search(old, file);
  }

  /** Looks for what was written behind a mark and before what a file holds now, to be read before that file. Nothing is read meanwhile. */
  #search(mark: Mark, file: OpenFile): void {
    this.#searching = true;
    const originals = this.#files.flatMap(({ fd, rotated }) => (fd !== undefined && rotated ? [{ fd, size: fstatSync(fd).size }] : []));
    findUnread(this.path, mark, this.#taken, this.#options.onReady, this.#count, {
      originals,
      before: file.rotated ? { id: file.mark, mtime: BigInt(file.mtime) } : undefined,
    })
      .then((found) => {
        const files = found.map((one) => this.#fileOf(one.place, one.mark, true));
        if (this.#closed) files.forEach(closeFile);
        else this.#files.splice(this.#files.indexOf(file), 0, ...files);
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
    // Of an empty file nothing can be known again: what was written to it meanwhile may have been rotated away.
    if (mark.offset === 0 && file.mtime !== mark.mtime) {
      file.mark = { ...mark, mtime: file.mtime };
      this.#search({ ...mark, atEnd: true }, file);
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
    const batch = this.#batch(file, {
      bytes: buffer.subarray(mark.tailBytes, got),
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
    if (file.rotated && quiet >= this.#retireMs) return 'gone';
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
    const batch = this.#batch(file, { bytes: buffer.subarray(0, length), final: atEnd, groupEnds: atEnd, atEnd, before: undefined });
    if (batch) return batch;
    if (packed.state === 'damaged') this.#count('damaged');
    return 'gone';
  }

  #batch(file: OpenFile, window: Window): Batch | undefined {
    const at = this.#clock.now();
    const step = cutWindow(file, window, at, this.#options.rule);
    if (!step) return undefined;
    const { records, mark } = step;
    this.#given = { file, ...step };
    return {
      stream: this.stream,
      kind: 'lines',
      dataset: this.dataset,
      records,
      at,
      from: file.mark.offset,
      file: { device: mark.device, inode: mark.inode, fingerprint: printText(mark) },
      resume: this.#resume(file, mark),
    };
  }

  #retire(file: OpenFile): void {
    closeFile(file);
    const { device, inode, birth } = file.mark;
    this.#done = [...this.#done, { device, inode, birth }].slice(-MAX_DONE);
    this.#files = this.#files.filter((other) => other !== file);
  }
}
