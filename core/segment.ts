// SPDX-License-Identifier: Apache-2.0
/**
 * The one framed append-only file: journal, spool, quarantine and audit all lie in segments.
 * Input: payloads to append; a path to read or repair. Output: file offsets; frames and the damage between them (river.md A4).
 */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { coreFault, systemCode, toError } from './errors.ts';
import { type BlockingFiles, type Files, type OpenFile, systemFiles } from './files.ts';
import {
  type Damage,
  FRAME_HEAD_BYTES,
  FRAME_LIMIT_BYTES,
  frameHead,
  readSegmentHeader,
  SEGMENT_START,
  type SegmentItem,
  scanFrames,
  segmentHeader,
} from './frames.ts';

export interface Segment {
  readonly path: string;
  /** Offset behind the last frame written; what lies before it may not be durable until `sync`. */
  readonly size: number;
  /** True after a failed fsync, or a failed write that could not be taken back: open another file (A4). */
  readonly abandoned: boolean;
  /** What was cut and found damaged when it was opened. */
  readonly repaired: RepairReport;
  /**
   * Writes frames in order with one writev and answers where each begins. Calls may overlap; they are written one after another.
   * @throws CodedError SEGMENT_FAILED: nothing of the call is in the file; TOO_LARGE over 8 MiB a payload.
   */
  append(payloads: readonly Uint8Array[]): Promise<readonly number[]>;
  /**
   * Makes everything durable that was appended before the call.
   * @throws CodedError SEGMENT_FAILED; the segment is then abandoned, as the system may have thrown the pages away.
   */
  sync(): Promise<void>;
  /** Closes the file; does not sync. */
  close(): Promise<void>;
}

export interface SegmentOptions {
  /** The system's, unless a test gives one whose disk fails. */
  readonly files?: Files;
}

export interface RepairReport {
  readonly frames: number;
  /** Offset behind the last whole frame. */
  readonly size: number;
  /** The torn tail that was cut, where there was one. */
  readonly cut: { readonly from: number; readonly to: number } | null;
  /** Damage before the last whole frame: left as it is. */
  readonly corrupt: readonly Damage[];
}

/**
 * Opens a segment to append to; makes it, durably, where there is none, and repairs it where there is.
 * @throws CodedError SEGMENT_BAD, SEGMENT_FAILED.
 */
export const openSegment = async (path: string, options: SegmentOptions = {}): Promise<Segment> => {
  const files = options.files ?? systemFiles;
  const repaired = await repairSegment(path, options).catch(async (error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
    await create(path, files);
    return { frames: 0, size: SEGMENT_START, cut: null, corrupt: [] };
  });
  if (repaired.corrupt.some((damage) => damage.kind === 'unreadable')) {
    throw coreFault('SEGMENT_BAD', { file: path, reason: 'its end is damaged beyond search' });
  }
  const file = await files.open(path, 'r+');
  const head = Buffer.alloc(SEGMENT_START);
  await file.read(head, 0, SEGMENT_START, 0);
  const header = readSegmentHeader(head);
  if (header.kind !== 'ok') throw coreFault('SEGMENT_BAD', { file: path, reason: 'its header cannot be read' });
  return new OpenSegment(path, file, header.salt, repaired);
};

class OpenSegment implements Segment {
  readonly path: string;
  readonly repaired: RepairReport;
  readonly #file: OpenFile;
  readonly #salt: number;
  #size: number;
  #failed: Error | null = null;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(path: string, file: OpenFile, salt: number, repaired: RepairReport) {
    this.path = path;
    this.repaired = repaired;
    this.#file = file;
    this.#salt = salt;
    this.#size = repaired.size;
  }

  get size(): number {
    return this.#size;
  }

  get abandoned(): boolean {
    return this.#failed !== null;
  }

  append(payloads: readonly Uint8Array[]): Promise<readonly number[]> {
    const written = this.#writing.then(() => this.#append(payloads));
    // The caller hears of a failure; the next write only waits for the end of this one.
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #append(payloads: readonly Uint8Array[]): Promise<readonly number[]> {
    this.#mustWork();
    const offsets: number[] = [];
    const pieces: Uint8Array[] = [];
    let end = this.#size;
    for (const payload of payloads) {
      if (payload.length > FRAME_LIMIT_BYTES) throw coreFault('TOO_LARGE', { what: 'A frame', limit: FRAME_LIMIT_BYTES });
      offsets.push(end);
      pieces.push(frameHead(payload, this.#salt), payload);
      end += FRAME_HEAD_BYTES + payload.length;
    }
    if (pieces.length === 0) return offsets;
    try {
      await writeAll(this.#file, pieces, this.#size);
    } catch (error) {
      await this.#takeBack();
      throw this.#fault(error);
    }
    this.#size = end;
    return offsets;
  }

  async #takeBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#size);
    } catch (error) {
      this.#failed = toError(error);
    }
  }

  async sync(): Promise<void> {
    await this.#writing;
    this.#mustWork();
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#failed = toError(error);
      throw this.#fault(error);
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  #mustWork(): void {
    if (this.#failed) throw this.#fault(this.#failed);
  }

  #fault(error: unknown): Error {
    return coreFault('SEGMENT_FAILED', { file: this.path, reason: systemCode(error) ?? toError(error).message }, error);
  }
}

const writeAll = async (file: OpenFile, pieces: readonly Uint8Array[], position: number): Promise<void> => {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  // Small and many pieces are cheaper copied together than handed over one by one.
  const buffers = total <= 65_536 || pieces.length > 512 ? [Buffer.concat(pieces)] : pieces;
  let { bytesWritten: done } = await file.writev(buffers, position);
  if (done === total) return;
  const all = Buffer.concat(pieces);
  while (done < total) {
    const { bytesWritten } = await file.write(all, done, total - done, position + done);
    if (bytesWritten === 0) throw new Error('the disk takes no more bytes');
    done += bytesWritten;
  }
};

const create = async (path: string, files: Files): Promise<void> => {
  const file = await files.open(path, 'wx', 0o600);
  try {
    await file.write(segmentHeader(randomBytes(4).readUInt32LE()), 0, SEGMENT_START, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path), files);
};

/** Makes names in a folder durable: after a file was made, renamed or removed there. */
export const syncFolder = async (path: string, files: Files = systemFiles): Promise<void> => {
  const folder = await files.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/**
 * Cuts a torn tail, durably, and says what it cut. Damage between whole frames is left and reported.
 * @throws CodedError SEGMENT_BAD when no header copy holds or the version is another; ENOENT as the system says it.
 */
export const repairSegment = async (path: string, options: SegmentOptions = {}): Promise<RepairReport> => {
  const file = await (options.files ?? systemFiles).open(path, 'r+');
  try {
    const { size: bytes } = await file.stat();
    if (bytes < SEGMENT_START) {
      // A crash while it was made: no frame can have been written yet.
      await file.truncate(0);
      await file.write(segmentHeader(randomBytes(4).readUInt32LE()), 0, SEGMENT_START, 0);
      await file.sync();
      return { frames: 0, size: SEGMENT_START, cut: bytes === 0 ? null : { from: 0, to: bytes }, corrupt: [] };
    }
    let frames = 0;
    let size = SEGMENT_START;
    let cut: RepairReport['cut'] = null;
    const corrupt: Damage[] = [];
    for await (const item of readOpen(file, bytes, SEGMENT_START)) {
      if (item.kind === 'frame') frames++;
      if (item.kind === 'torn') cut = { from: item.offset, to: item.end };
      else size = Math.max(size, item.end);
      if (item.kind === 'unreadable' && item.offset === 0) throw coreFault('SEGMENT_BAD', { file: path, reason: await headerReason(file) });
      if (item.kind === 'corrupt' || item.kind === 'unreadable') corrupt.push(item);
    }
    if (cut) {
      await file.truncate(cut.from);
      await file.sync();
    }
    return { frames, size, cut, corrupt };
  } finally {
    await file.close();
  }
};

const headerReason = async (file: OpenFile): Promise<string> => {
  const state = readSegmentHeader(await readAt(file, 0, SEGMENT_START));
  return state.kind === 'bad' ? state.reason : 'its header cannot be read';
};

/**
 * Reads the frames of a segment from a frame's offset, up to `end` or the file's end, with the damage between them in its place.
 * Damage is an item, never an exception: a header no copy of which holds makes the whole file `unreadable`.
 * A file that is being written is read up to an `end` that was synced; without one its last frame may look torn.
 */
export async function* readSegment(
  path: string,
  from: number = SEGMENT_START,
  end?: number,
  files: Files = systemFiles,
): AsyncGenerator<SegmentItem, void> {
  const file = await files.open(path, 'r');
  try {
    const { size } = await file.stat();
    yield* readOpen(file, end === undefined ? size : Math.min(size, end), from);
  } finally {
    await file.close();
  }
}

async function* readOpen(file: OpenFile, size: number, from: number): AsyncGenerator<SegmentItem, void> {
  const begin = beginning(await readAt(file, 0, Math.min(size, SEGMENT_START)), size);
  yield* begin.items;
  if (begin.salt === null) return;
  const scan = scanFrames(Math.max(from, SEGMENT_START), size, begin.salt);
  let step = scan.next();
  while (!step.done) {
    const item = step.value;
    if (item.kind === 'need') step = scan.next(await readAt(file, item.at, item.length));
    else {
      yield item;
      step = scan.next();
    }
  }
}

/** The same, blocking: for worker threads and commands. */
export function* readSegmentSync(
  path: string,
  from: number = SEGMENT_START,
  end?: number,
  files: BlockingFiles = systemFiles.blocking,
): Generator<SegmentItem, void> {
  const fd = files.open(path);
  try {
    const bytes = files.size(fd);
    const size = end === undefined ? bytes : Math.min(bytes, end);
    const begin = beginning(readAtSync(files, fd, 0, Math.min(size, SEGMENT_START)), size);
    yield* begin.items;
    if (begin.salt === null) return;
    const scan = scanFrames(Math.max(from, SEGMENT_START), size, begin.salt);
    let step = scan.next();
    while (!step.done) {
      const item = step.value;
      if (item.kind === 'need') step = scan.next(readAtSync(files, fd, item.at, item.length));
      else {
        yield item;
        step = scan.next();
      }
    }
  } finally {
    files.close(fd);
  }
}

const beginning = (head: Uint8Array, size: number): { readonly salt: number | null; readonly items: readonly Damage[] } => {
  const state = readSegmentHeader(head);
  if (state.kind === 'short') return { salt: null, items: size === 0 ? [] : [{ kind: 'torn', offset: 0, end: size }] };
  if (state.kind === 'bad') return { salt: null, items: [{ kind: 'unreadable', offset: 0, end: size }] };
  return { salt: state.salt, items: state.whole ? [] : [{ kind: 'corrupt', offset: 0, end: SEGMENT_START }] };
};

const readAt = async (file: OpenFile, at: number, length: number): Promise<Uint8Array> => {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
};

const readAtSync = (files: BlockingFiles, fd: number, at: number, length: number): Uint8Array => {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const count = files.read(fd, bytes, done, length - done, at + done);
    if (count === 0) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
};
