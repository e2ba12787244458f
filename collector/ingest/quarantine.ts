// SPDX-License-Identifier: Apache-2.0
/**
 * Blocks that were not accepted and are not thrown away: conflicts, identities in doubt, bad blocks (river.md W5, I5).
 * Input: refused blocks with the reason. Output: a bounded segment file of them, listed, read, released or discarded by a person.
 */
import { dirname, join } from 'node:path';
import { asObject, parseJson, readU32, writeU32 } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { type Files, systemFiles } from '../../core/files.ts';
import { sha256 } from '../../core/hash.ts';
import type { AgentId } from '../../core/ids.ts';
import { openSegment, readSegment, type Segment, syncFolder } from '../../core/segment.ts';
import type { UnixMs } from '../../core/units.ts';

const QUARANTINE_WHY = ['conflict', 'held', 'bad'] as const;
export type QuarantineWhy = (typeof QUARANTINE_WHY)[number];

export interface QuarantineEntry {
  /** Agent of the connection; whom the block speaks for may be another. */
  readonly agent: AgentId;
  /** Key of the connection. */
  readonly key: string;
  readonly why: QuarantineWhy;
  readonly code: string;
  readonly reason: string;
  /** SHA-256 of the body, by which agent and collector name the block. */
  readonly hash: string;
  readonly at: UnixMs;
}

export interface KeptEntry extends QuarantineEntry {
  /** SHA-256 of the whole block: two blocks may have the same body, and so the same `hash`. */
  readonly id: string;
  /** Offset in the file; changes when entries are discarded. */
  readonly offset: number;
  readonly bytes: number;
}

export interface QuarantineOptions {
  /** Made where it is absent, with mode 0700. */
  readonly dir: string;
  readonly clock: Clock;
  /** The system's, unless a test gives others. */
  readonly files?: Files;
  /** Default 256 MiB, of which one agent may fill an eighth. */
  readonly maxBytes?: number;
  /** Default 20,000. */
  readonly maxEntries?: number;
}

export interface QuarantineStatus {
  readonly entries: number;
  readonly bytes: number;
  /** Blocks that found no room since the start; their agents keep them. */
  readonly refused: number;
}

/** Opens the quarantine of a folder. @throws CodedError SEGMENT_BAD, SEGMENT_FAILED. */
export const openQuarantine = async (options: QuarantineOptions): Promise<Quarantine> => {
  const files = options.files ?? systemFiles;
  await files.makeFolder(options.dir);
  const path = join(options.dir, 'quarantine.seg');
  const segment = await openSegment(path, { files });
  const kept: KeptEntry[] = [];
  for await (const item of readSegment(path, undefined, undefined, files)) {
    const entry = item.kind === 'frame' ? readEntry(item.payload) : null;
    if (entry && item.kind === 'frame')
      kept.push({ ...entry.entry, id: sha256(entry.block), offset: item.offset, bytes: item.payload.length });
  }
  return new Quarantine(options, path, segment, kept);
};

const encodeEntry = (entry: QuarantineEntry, block: Uint8Array): Uint8Array => {
  const { agent, key, why, code, reason, hash, at } = entry;
  const text = Buffer.from(JSON.stringify({ agent, key, why, code, reason, hash, at }));
  const head = Buffer.alloc(4);
  writeU32(head, 0, text.length);
  return Buffer.concat([head, text, block]);
};

const readEntry = (payload: Uint8Array): { readonly entry: QuarantineEntry; readonly block: Uint8Array } | null => {
  const length = payload.length < 4 ? 0 : readU32(payload, 0);
  if (length === 0 || 4 + length > payload.length) return null;
  const entry = asObject(parseJson(payload.subarray(4, 4 + length)));
  // Our own file and its CRC holds: the shape is what `encodeEntry` wrote.
  return entry && { entry: entry as unknown as QuarantineEntry, block: payload.subarray(4 + length) };
};

export class Quarantine {
  readonly #clock: Clock;
  readonly #path: string;
  readonly #files: Files;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  #segment: Segment;
  #kept: KeptEntry[] = [];
  #known = new Set<string>();
  #filled = new Map<AgentId, number>();
  #refused = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: QuarantineOptions, path: string, segment: Segment, kept: KeptEntry[]) {
    this.#clock = options.clock;
    this.#path = path;
    this.#files = options.files ?? systemFiles;
    this.#maxBytes = options.maxBytes ?? 268_435_456;
    this.#maxEntries = options.maxEntries ?? 20_000;
    this.#segment = segment;
    for (const entry of kept) this.#note(entry);
  }

  #note(entry: KeptEntry): void {
    this.#kept.push(entry);
    this.#known.add(nameOf(entry));
    this.#filled.set(entry.agent, (this.#filled.get(entry.agent) ?? 0) + entry.bytes);
  }

  /**
   * Keeps blocks, durably, and answers for each: `kept`, `known` (it lies here already) or `full` (its agent keeps it; counted).
   * @throws CodedError SEGMENT_FAILED.
   */
  put(
    blocks: readonly { readonly entry: Omit<QuarantineEntry, 'at'>; readonly block: Uint8Array }[],
  ): Promise<('kept' | 'known' | 'full')[]> {
    return this.#alone(async () => {
      const at = this.#clock.now();
      const payloads: Uint8Array[] = [];
      const entries: Omit<KeptEntry, 'offset' | 'bytes'>[] = [];
      const adding = new Set<string>();
      const more = new Map<AgentId, number>();
      let size = this.#segment.size;
      const results = blocks.map(({ entry, block }): 'kept' | 'known' | 'full' => {
        const id = sha256(block);
        const name = nameOf({ ...entry, id });
        if (this.#known.has(name) || adding.has(name)) return 'known';
        const payload = encodeEntry({ ...entry, at }, block);
        const used = (this.#filled.get(entry.agent) ?? 0) + (more.get(entry.agent) ?? 0);
        const room = size + payload.length <= this.#maxBytes && used + payload.length <= this.#maxBytes / 8;
        if (!room || this.#kept.length + entries.length >= this.#maxEntries) {
          this.#refused++;
          return 'full';
        }
        adding.add(name);
        more.set(entry.agent, (more.get(entry.agent) ?? 0) + payload.length);
        size += payload.length + 8;
        payloads.push(payload);
        entries.push({ ...entry, id, at });
        return 'kept';
      });
      if (payloads.length > 0) {
        if (this.#segment.abandoned) await this.#reopen();
        const offsets = await this.#segment.append(payloads);
        await this.#segment.sync();
        for (const [i, entry] of entries.entries()) this.#note({ ...entry, offset: offsets[i]!, bytes: payloads[i]!.length });
      }
      return results;
    });
  }

  /** What is kept, oldest first. */
  list(agent?: AgentId, why?: QuarantineWhy): readonly KeptEntry[] {
    return this.#kept.filter((entry) => (agent === undefined || entry.agent === agent) && (why === undefined || entry.why === why));
  }

  /** The bytes of a kept block; null when it was discarded meanwhile. */
  read(entry: KeptEntry): Promise<Uint8Array | null> {
    return this.#alone(async () => {
      for await (const item of readSegment(this.#path, entry.offset, undefined, this.#files)) {
        const found = item.kind === 'frame' && item.offset === entry.offset ? readEntry(item.payload) : null;
        return found && sha256(found.block) === entry.id ? Uint8Array.from(found.block) : null;
      }
      return null;
    });
  }

  /** Removes entries, after a person's word or when their blocks were released; the file is written anew. Answers how many went. */
  discard(gone: (entry: KeptEntry) => boolean): Promise<number> {
    return this.#alone(async () => {
      const draft = `${this.#path}.new`;
      await this.#files.remove(draft);
      const next = await openSegment(draft, { files: this.#files });
      const kept: KeptEntry[] = [];
      const byOffset = new Map(this.#kept.map((entry) => [entry.offset, entry]));
      for await (const item of readSegment(this.#path, undefined, undefined, this.#files)) {
        const entry = byOffset.get(item.offset);
        if (item.kind !== 'frame' || !entry || gone(entry)) continue;
        const [offset] = await next.append([item.payload]);
        kept.push({ ...entry, offset: offset! });
      }
      await next.sync();
      await next.close();
      await this.#segment.close();
      await this.#files.rename(draft, this.#path);
      await syncFolder(dirname(this.#path), this.#files);
      this.#segment = await openSegment(this.#path, { files: this.#files });
      const removed = this.#kept.length - kept.length;
      this.#kept = [];
      this.#known = new Set();
      this.#filled = new Map();
      for (const entry of kept) this.#note(entry);
      return removed;
    });
  }

  status(): QuarantineStatus {
    return { entries: this.#kept.length, bytes: this.#segment.size, refused: this.#refused };
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#segment.close();
  }

  async #reopen(): Promise<void> {
    await this.#segment.close().catch(() => undefined);
    this.#segment = await openSegment(this.#path, { files: this.#files });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }
}

const nameOf = ({ agent, why, id }: Pick<KeptEntry, 'agent' | 'why' | 'id'>): string => `${agent} ${why} ${id}`;
