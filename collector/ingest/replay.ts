// SPDX-License-Identifier: Apache-2.0
/**
 * Replay of a file of old lines: cut into blocks signed by the collector's key, each line once however often the file comes (river.md X1, X2).
 * Input: a file, plain or gzip, the host and dataset it belongs to. Output: blocks with the running hash at their end; what was appended, what was there.
 *
 * All files of a host and dataset that begin with the same line are one stream. Its epochs are a tree: a file is walked along
 * blocks that are held until it parts from them; what is left continues the epoch it ends in, or a new epoch after the last common line.
 */
import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import { FACT_DATASETS } from '../../core/fact.ts';
import { sha256 } from '../../core/hash.ts';
import { type AgentId, random128 } from '../../core/ids.ts';
import type { SourceRecord } from '../../core/record.ts';
import type { Signer } from '../../core/sign.ts';
import { type UnixMs, unixMs } from '../../core/units.ts';
import { encodeBlock, recordBytes, sealBlock } from '../../core/wire.ts';
import { type BlockJournal, FRAME_FLAGS, type StreamEpoch } from '../model/journal.ts';
import { type FileLine, readBytes, readLines, unreadable } from './lines.ts';
import { type Place, ReplayTree } from './replay-tree.ts';

export interface ReplayFile {
  readonly path: string;
  /** Name of the host that the lines are of. */
  readonly host: string;
  readonly dataset: string;
  /** IANA zone that zone-less stamps are read in. */
  readonly zone: string;
  /** Year-less stamps are the last such date before this; default the file's own time of change. */
  readonly readAt?: UnixMs;
  readonly signal?: AbortSignal;
}

export interface ReplayResult {
  readonly lines: number;
  /** Lines that were there already. */
  readonly known: number;
  readonly appended: number;
  readonly blocks: number;
  /** Bytes of the unpacked file. */
  readonly bytes: number;
  /** Some of what was there before is no longer in the journal, so that lines may repeat. */
  readonly uncertain: boolean;
}

export interface ReplayParts {
  readonly journal: BlockJournal;
  readonly clock: Clock;
  readonly signer: Signer;
  /** Id that the collector signs as. */
  readonly agent: AgentId;
}

export interface Replayer {
  /** @throws CodedError FILE_UNREADABLE, JOURNAL_*. What was appended before stays; a later replay goes on from there. */
  replay(file: ReplayFile): Promise<ReplayResult>;
}

/** Cursor of the last block of a replay: nothing of its file follows it, so what waits to be joined is all there. */
export const REPLAY_END = 'end';
/** Datasets whose lines are facts: their hosts become known by a replay too. */
const FACTS: ReadonlySet<string> = new Set(FACT_DATASETS);
const BLOCK_LINES = 1_024;
const BLOCK_BYTES = 524_288;

/** Replays one after another for each host and dataset, so that two of the same file do not both append it. */
export const makeReplayer = (parts: ReplayParts): Replayer => {
  const busy = new Map<string, Promise<unknown>>();
  return {
    replay: async (file) => {
      const key = `${file.host}\0${file.dataset}`;
      const before = busy.get(key) ?? Promise.resolve();
      const work = before.catch(() => undefined).then(() => replayFile(file, parts));
      busy.set(key, work);
      try {
        return await work;
      } finally {
        if (busy.get(key) === work) busy.delete(key);
      }
    },
  };
};

const replayFile = async (file: ReplayFile, parts: ReplayParts): Promise<ReplayResult> => {
  const first = await firstLine(file.path);
  if (first === null) return { lines: 0, known: 0, appended: 0, blocks: 0, bytes: 0, uncertain: false };
  const stream = `replay:${file.host}/${file.dataset}/${sha256(first.bytes).slice(0, 16)}`;
  const epochs = parts.journal.epochs(parts.agent, stream);
  const start = await farthestKnown(file, epochs);
  const run = new Run(file, parts, stream, start, file.readAt ?? (await modifiedAt(file.path)));
  for await (const lines of readLines(file.path)) {
    for (const line of lines) await run.take(line);
    if (file.signal?.aborted) break;
  }
  return run.end();
};

const firstLine = async (path: string): Promise<FileLine | null> => {
  for await (const [line] of readLines(path)) if (line) return line;
  return null;
};

const modifiedAt = async (path: string): Promise<UnixMs> => {
  try {
    return unixMs((await stat(path)).mtimeMs);
  } catch (error) {
    throw unreadable(path, error);
  }
};

const beginRunning = ({ host, dataset }: ReplayFile): Hash => createHash('sha256').update(`${host}\0${dataset}\0`);

/** The farthest end of an epoch whose running hash the file has at that offset, on a line's boundary. One pass over the bytes. */
const farthestKnown = async (file: ReplayFile, epochs: readonly StreamEpoch[]): Promise<Place & { readonly offset: number }> => {
  const none = { epoch: null, next: 1, offset: 0 };
  const targets = epochs.filter(({ last }) => last.running !== undefined && last.end > 0).sort((a, b) => a.last.end - b.last.end);
  if (targets.length === 0) return none;
  const running = beginRunning(file);
  let best: Place & { readonly offset: number } = none;
  let at = 0;
  let i = 0;
  // An end that is reached with the last byte of a chunk without a newline is a boundary only if the file ends there.
  let open: StreamEpoch[] = [];
  for await (const chunk of readBytes(file.path)) {
    open = [];
    let from = 0;
    for (; i < targets.length && targets[i]!.last.end <= at + chunk.length; i++) {
      const target = targets[i]!;
      const to = target.last.end - at;
      running.update(chunk.subarray(from, to));
      from = to;
      if (running.copy().digest('hex') !== target.last.running) continue;
      if (chunk[to - 1] === NEWLINE) best = { epoch: target.epoch, next: target.last.seq + 1, offset: target.last.end };
      else if (to === chunk.length) open.push(target);
    }
    running.update(chunk.subarray(from));
    at += chunk.length;
  }
  for (const { epoch, last } of open) if (last.end === at) best = { epoch, next: last.seq + 1, offset: at };
  return best;
};

const NEWLINE = 10;

/** One file on its way: first along what is held, then into new blocks. */
class Run {
  readonly #file: ReplayFile;
  readonly #parts: ReplayParts;
  readonly #stream: string;
  readonly #readAt: UnixMs;
  readonly #running: Hash;
  readonly #tree: ReplayTree;
  /** Bytes that `farthestKnown` proved to be held. */
  readonly #provenTo: number;
  #walking = true;
  #bytes = 0;
  #lines = 0;
  #known = 0;
  #blocks = 0;
  #epoch = '';
  #after: { readonly epoch: string; readonly seq: number } | null = null;
  #first = 1;
  #prev: string | null = null;
  #batch: SourceRecord[] = [];
  #batchFrom = 0;
  #batchBytes = 0;

  constructor(file: ReplayFile, parts: ReplayParts, stream: string, start: Place & { readonly offset: number }, readAt: UnixMs) {
    this.#file = file;
    this.#parts = parts;
    this.#stream = stream;
    this.#readAt = readAt;
    this.#running = beginRunning(file);
    this.#tree = new ReplayTree(parts.journal, parts.agent, stream, start);
    this.#provenTo = start.offset;
  }

  async take(line: FileLine): Promise<void> {
    const from = this.#bytes;
    this.#bytes += line.raw.length;
    this.#lines++;
    if (this.#walking && (this.#bytes <= this.#provenTo || (await this.#tree.step(line)))) {
      this.#running.update(line.raw);
      this.#known++;
      return;
    }
    if (this.#walking) this.#part();
    // Sealed when the next line comes, so that the last block of a file can say that it is the last.
    if (this.#batch.length >= BLOCK_LINES || this.#batchBytes >= BLOCK_BYTES) await this.#seal();
    if (this.#batch.length === 0) this.#batchFrom = from;
    this.#running.update(line.raw);
    const record = { bytes: line.bytes, readAt: this.#readAt, end: this.#bytes, flags: line.flags };
    this.#batch.push(record);
    this.#batchBytes += recordBytes(record);
  }

  /** The file says something new from here on: the epoch it is in goes on where it ends, or another begins. */
  #part(): void {
    this.#walking = false;
    const { epoch, next } = this.#tree.place;
    const current = this.#parts.journal.epochs(this.#parts.agent, this.#stream).find((one) => one.epoch === epoch);
    if (current && current.last.seq === next - 1) {
      this.#epoch = current.epoch;
      this.#first = next;
      this.#prev = current.last.hash;
      this.#after = current.after;
      return;
    }
    this.#epoch = random128();
    this.#after = current ? { epoch: current.epoch, seq: next - 1 } : null;
  }

  // One after another: a block that fails must not be followed by one that does not, or the hole would look like known lines.
  async #seal(cursor?: typeof REPLAY_END): Promise<void> {
    const { journal, agent, signer } = this.#parts;
    const { host, dataset, zone } = this.#file;
    const block = sealBlock(
      {
        agent,
        host,
        stream: this.#stream,
        kind: FACTS.has(dataset) ? 'facts' : 'lines',
        dataset,
        zone,
        epoch: this.#epoch,
        ...(this.#after ? { after: this.#after } : {}),
        at: this.#readAt,
        from: this.#batchFrom,
        running: this.#running.copy().digest('hex'),
        ...(cursor === undefined ? {} : { cursor }),
        first: this.#first,
        prev: this.#prev,
      },
      this.#batch,
      signer,
    );
    await journal.append(block, encodeBlock(block), {
      agent,
      flags: FRAME_FLAGS.replay | FRAME_FLAGS.received,
      endOffset: this.#bytes,
    });
    this.#blocks++;
    this.#first += this.#batch.length;
    this.#prev = block.header.hash;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  async end(): Promise<ReplayResult> {
    if (this.#batch.length > 0) await this.#seal(REPLAY_END);
    return {
      lines: this.#lines,
      known: this.#known,
      appended: this.#lines - this.#known,
      blocks: this.#blocks,
      bytes: this.#bytes,
      uncertain: this.#tree.uncertain,
    };
  }
}
